// SPDX-License-Identifier: Apache-2.0
// script/bench journal: how many records a second the journal makes durable, beside what the disk allows and beside
// SQLite; and what a long log costs.
#include <condition_variable>
#include <cstring>
#include <format>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "base/disk.hpp"
#include "journal/journal.hpp"
#include "journal/receipt.hpp"
#include "journal_peers.hpp"

namespace {

using namespace hanse;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view help = R"(script/bench journal: durable records a second

  script/bench journal [--seconds S] [--folder DIR] [--json FILE]
      1, 64 and 256 writers, each of which hands a record over and waits until it is durable. Beside it: nothing but
      write and fdatasync of the same bytes in the same batches, which is what the disk allows; SQLite in WAL mode with
      synchronous=FULL, one row a transaction and all writers' rows in one.
  script/bench journal --entries N [--folder DIR] [--json FILE]
      Writes a log of N records (10,000,000 is about 14 GB), then asks for 2,000 receipts of any age. Says the memory that the
      process took at most and how long a receipt took, from id to proof. Checks first that the disk has room.

  --seconds S    for each line of the table          (3)
  --folder DIR   on the disk that is to be measured  (build/bench-journal)
  --json FILE    the same figures for programs

The writers live on one thread, as the requests of a node do. A record is what an answer leaves behind, about 700 bytes.
Run it on a quiet machine: other writers share the disk's syncs.

Examples:
  script/bench journal --json build/journal.json
  script/bench journal --entries 10000000
)";

struct Options {
    double seconds = 3;
    std::filesystem::path folder = "build/bench-journal";
    std::string json;
    std::uint64_t entries = 0;
};

[[noreturn]] void stop(std::string_view why) {
    std::cerr << why << '\n';
    std::exit(1);
}

template <typename T>
T good(base::Result<T> result) {
    if (!result) stop(result.error().message);
    return std::move(*result);
}

// Ids and times by number, so that any record can be asked for again without remembering it.
constexpr std::uint64_t records_per_ms = 64;
std::uint64_t begin_ms() {
    static const auto now = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
    return now;
}
journal::RecordId id_of(std::uint64_t n) {
    journal::RecordId id{};
    const std::uint64_t time = begin_ms() + n / records_per_ms;
    for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::byte>(time >> (40 - 8 * i));
    std::memcpy(id.data() + 8, &n, sizeof n);
    return id;
}

std::string answer_text() {
    base::SeededRandom random(1);
    journal::AnswerRecord answer{.task = "req_0123456789abcdef",
                                 .route = "chat",
                                 .caller = "key_0123456789",
                                 .model = "smollm2-135m-instruct",
                                 .model_digest = "sha256:" + std::string(64, 'a'),
                                 .backend = "cpu",
                                 .label = "stadtwerke:internal",
                                 .decision = "permit",
                                 .input = journal::SaltedDigest::of("a", random),
                                 .outputs = {journal::SaltedDigest::of("b", random)},
                                 .outcome = "finished",
                                 .prompt_tokens = 120,
                                 .completion_tokens = 300,
                                 .took_ms = 1'500};
    return journal::make_record(journal::RecordId{}, {}, "hanse.example/journal", "answer", answer.fields()).text;
}

// The same at each start, since a log is opened again only with its own.
journal::LogKeys log_keys() {
    base::SeededRandom random(1);
    const auto text =
        good(crypto::new_key_file(journal::LogKeys::purpose, "hanse.example/journal", journal::LogKeys::algorithms, {}, random));
    const auto bytes = text.reveal();
    auto file = good(crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    return good(journal::LogKeys::from_keys(good(file.unlock({}))));
}

// Writers as requests are: each hands its record over and has the next one when that is durable. All on this thread.
class Writers {
public:
    Writers(journal::Journal& log, const std::string& text) : log_(log), text_(text) {}

    // Until both are used up; how many were written.
    std::uint64_t run(unsigned writers, std::uint64_t records, std::chrono::duration<double> time) {
        idle_ = writers;
        const auto begin = SteadyClock::now();
        std::uint64_t sent = 0;
        std::uint64_t finished = 0;  // writers that have no more to do
        while (finished < writers) {
            std::uint64_t ready = 0;
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [&] { return idle_ > 0; });
                ready = std::exchange(idle_, 0);
            }
            for (; ready > 0; --ready) {
                if (sent < records && SteadyClock::now() - begin < time) send(sent++);
                else ++finished;
            }
        }
        took = std::chrono::duration<double>(SteadyClock::now() - begin).count();
        return sent;
    }

    bench::Latencies latencies;
    double took = 0;
    bool keep_latencies = true;

private:
    void send(std::uint64_t n) {
        const auto before = SteadyClock::now();
        log_.append({id_of(n), begin_ms() + n / records_per_ms, text_}, [this, before](const base::Result<std::uint64_t>& index) {
            if (!index) stop(index.error().message);
            const auto after = SteadyClock::now();
            const std::lock_guard lock(mutex_);
            if (keep_latencies) latencies.add(after - before);
            if (idle_++ == 0) changed_.notify_one();
        });
    }

    journal::Journal& log_;
    const std::string& text_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t idle_ = 0;
};

struct Place {
    std::filesystem::path folder;
    base::SystemDisk disk;
    base::SystemRandom random;
    base::SystemClock clock;
    std::unique_ptr<journal::Journal> open() {
        return good(journal::Journal::open({disk, random, clock, base::silent_log(), log_keys(), folder / "journal"}));
    }
    void clear() const { std::filesystem::remove_all(folder / "journal"); }
};

bench::Line measured(Place& place, unsigned writers, double seconds) {
    const std::string text = answer_text();
    place.clear();
    auto log = place.open();
    Writers run(*log, text);
    const auto written = run.run(writers, UINT64_MAX, std::chrono::duration<double>(seconds));
    const auto figures = log->figures();
    log.reset();
    place.clear();
    return {"Hanse journal",
            writers,
            static_cast<double>(written) / run.took,
            static_cast<double>(figures.records) / static_cast<double>(figures.batches),
            run.latencies.at(0.5),
            run.latencies.at(0.99)};
}

void show(const std::vector<bench::Line>& lines) {
    std::cout << std::format("{:<32}{:>8}{:>14}{:>9}{:>10}{:>10}{:>12}\n", "", "writers", "records/s", "batch", "p50 ms", "p99 ms",
                             "of the disk");
    std::map<unsigned, double> limit;
    for (const auto& line : lines)
        if (line.what.starts_with("write")) limit[line.writers] = line.per_second;
    for (const auto& line : lines)
        std::cout << std::format("{:<32}{:>8}{:>14.0f}{:>9.1f}{:>10.2f}{:>10.2f}{:>11.0f}%\n", line.what, line.writers, line.per_second,
                                 line.batch, line.p50_ms, line.p99_ms, 100 * line.per_second / limit[line.writers]);
}

std::string json_of(const std::vector<bench::Line>& lines) {
    std::string all;
    for (const auto& line : lines)
        all += std::format(R"({}{{"what":"{}","writers":{},"records_per_second":{:.0f},"batch":{:.1f},"p50_ms":{:.3f},"p99_ms":{:.3f}}})",
                           all.empty() ? "" : ",", line.what, line.writers, line.per_second, line.batch, line.p50_ms, line.p99_ms);
    return std::format(R"({{"benchmark":"journal","record_bytes":{},"lines":[{}]}})", answer_text().size(), all);
}

std::uint64_t peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
    return 0;
}

std::string long_log(Place& place, std::uint64_t entries) {
    const std::string text = answer_text();
    const std::uint64_t needed = entries * ((128 + text.size() + 127) / 128 * 128 + 24 + 32 + 35) * 11 / 10;
    const auto room = std::filesystem::space(place.folder).available;
    if (room < needed) stop(std::format("{} records need {} MB here, and {} MB are free", entries, needed >> 20, room >> 20));
    place.clear();
    auto log = place.open();
    Writers run(*log, text);
    run.keep_latencies = false;
    run.run(16'384, entries, std::chrono::hours(24));
    const double rate = static_cast<double>(entries) / run.took;

    base::SystemRandom random;
    bench::Latencies proofs;
    std::size_t proof_bytes = 0;
    for (int i = 0; i < 2'000; ++i) {
        const std::uint64_t n = random.next() % entries;
        std::promise<base::Result<std::string>> answer;
        const auto before = SteadyClock::now();
        log->receipt(id_of(n), [&](base::Result<std::string> receipt) { answer.set_value(std::move(receipt)); });
        const auto receipt = good(answer.get_future().get());
        if (i > 0) proofs.add(SteadyClock::now() - before);  // the first one signs a checkpoint
        proof_bytes = receipt.size();
        if (i % 100 == 0) {
            const auto read = good(journal::read_receipt(receipt, log->keys().verifiers()));
            if (read.index != n || read.signers.size() != 2) stop(std::format("the receipt of record {} does not hold", n));
        }
    }
    const std::uint64_t memory = peak_memory();
    log.reset();
    const auto before = SteadyClock::now();
    log = place.open();
    const double start = std::chrono::duration<double>(SteadyClock::now() - before).count();
    log.reset();
    place.clear();
    std::cout << std::format(
        "{} records, {:.0f} a second\nmemory at most     {:.1f} MiB\nreceipt by id      p50 {:.2f} ms, p99 {:.2f} ms, {} bytes\n"
        "start after that   {:.2f} s\n",
        entries, rate, static_cast<double>(memory) / (1 << 20), proofs.at(0.5), proofs.at(0.99), proof_bytes, start);
    return std::format(R"({{"benchmark":"journal","entries":{},"records_per_second":{:.0f},"memory_bytes":{},"receipt_p50_ms":{:.3f},)"
                       R"("receipt_p99_ms":{:.3f},"start_seconds":{:.3f}}})",
                       entries, rate, memory, proofs.at(0.5), proofs.at(0.99), start);
}

Options parse(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        if (word == "--help" || word == "-h") {
            std::cout << help;
            std::exit(0);
        }
        if (i + 1 == count) stop(std::format("{} needs a value, or is unknown; --help says more", word));
        const std::string value = words[++i];
        if (word == "--seconds") options.seconds = std::stod(value);
        else if (word == "--folder") options.folder = value;
        else if (word == "--json") options.json = value;
        else if (word == "--entries") options.entries = std::stoull(value);
        else stop(std::format("{} is unknown; --help says more", word));
    }
    return options;
}

}  // namespace

int main(int count, char** words) {
    const Options options = parse(count, words);
    Place place;
    place.folder = options.folder;
    std::filesystem::create_directories(place.folder);
    std::string json;
    if (options.entries > 0) {
        json = long_log(place, options.entries);
    } else {
        std::vector<bench::Line> lines;
        const std::string text = answer_text();
        const std::size_t frame = (128 + text.size() + 127) / 128 * 128;
        const std::chrono::duration<double> time(options.seconds);
        for (const unsigned writers : {1U, 64U, 256U}) {
            const auto ours = measured(place, writers, options.seconds);
            lines.push_back(bench::plain_loop(place.folder, writers, ours.batch, frame, time));
            lines.push_back(ours);
            lines.push_back(bench::sqlite_loop(place.folder, writers, 1, text, time));
            if (writers > 1) lines.push_back(bench::sqlite_loop(place.folder, writers, writers, text, time));
        }
        show(lines);
        json = json_of(lines);
    }
    if (!options.json.empty()) std::ofstream(options.json) << json << '\n';
}
