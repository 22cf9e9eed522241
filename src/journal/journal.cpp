// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "journal/receipt.hpp"

namespace hanse::journal {
namespace {

constexpr std::chrono::seconds retry_every{1};

struct Wanted {
    NewRecord record;
    Journal::Recorded done;
};
struct Asked {
    RecordId id;
    std::function<void(base::Result<std::string>)> done;
};

}  // namespace

struct Journal::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    base::Result<void> open_log() {
        log.reset();
        auto opened = Log::open({parts.disk, parts.random, parts.keys, parts.folder}, parts.clock.wall());
        if (!opened) return std::unexpected(opened.error());
        log = std::move(*opened);
        return {};
    }
    void run(std::stop_token stop);
    void write(std::vector<Wanted> batch);
    void answer(std::vector<Asked> questions);
    base::Result<std::string> receipt_of(const RecordId& id);
    bool mended();
    void tell(std::optional<base::Error> error);

    Parts parts;

    // The journal's thread only.
    std::unique_ptr<Log> log;
    base::Instant published{};
    base::Instant tried{};

    mutable std::mutex mutex;
    std::condition_variable_any wake;
    std::deque<Wanted> waiting;
    std::deque<Asked> asked;
    std::optional<base::Error> trouble;
    Figures figures;

    std::jthread thread;  // last: stops before the rest goes
};

void Journal::State::run(std::stop_token stop) {
    while (true) {
        std::vector<Wanted> batch;
        std::vector<Asked> questions;
        {
            std::unique_lock lock(mutex);
            const auto something = [&] { return !waiting.empty() || !asked.empty(); };
            const bool unpublished = log && log->published().size < log->size();
            if (trouble || unpublished) {
                const auto rest =
                    trouble ? base::Instant::duration(retry_every) : parts.options.publish_every - (parts.clock.now() - published);
                wake.wait_for(lock, stop, std::max(rest, base::Instant::duration(1)), something);
            } else {
                wake.wait(lock, stop, something);
            }
            if (stop.stop_requested() && !something()) break;
            while (!waiting.empty() && batch.size() < parts.options.batch_max) {
                batch.push_back(std::move(waiting.front()));
                waiting.pop_front();
            }
            questions.assign(std::make_move_iterator(asked.begin()), std::make_move_iterator(asked.end()));
            asked.clear();
        }
        if (mended() && !batch.empty()) write(std::move(batch));
        else
            for (Wanted& each : batch)
                if (each.done) each.done(std::unexpected(*trouble));
        if (!questions.empty()) answer(std::move(questions));
        if (log && log->usable() && log->published().size < log->size() && parts.clock.now() - published >= parts.options.publish_every) {
            published = parts.clock.now();
            if (auto shown = log->publish(parts.clock.wall()); !shown) tell(shown.error());
        }
    }
    if (!log || !log->usable()) return;
    if (log->publish(parts.clock.wall())) (void)log->seal();
}

// After trouble: the log is opened again, which finds what is really there, and one record is tried.
bool Journal::State::mended() {
    if (!trouble) return true;
    if (parts.clock.now() - tried < retry_every) return false;
    tried = parts.clock.now();
    if (!log || !log->usable()) {
        if (auto opened = open_log(); !opened) {
            tell(opened.error());
            return false;
        }
    }
    CanonicalObject why;
    why.text("reason", trouble->message);
    const auto now = parts.clock.wall();
    const std::vector record{make_record(new_record_id(now, parts.random), now, parts.keys.origin(), "journal_resumed", why)};
    if (auto written = log->append(record); !written) {
        tell(written.error());
        return false;
    }
    tell(std::nullopt);
    return true;
}

void Journal::State::tell(std::optional<base::Error> error) {
    if (error && !trouble) parts.log.error("journal_stopped", {{"reason", std::string_view(error->message)}});
    if (!error && trouble) parts.log.info("journal_resumed");
    const std::lock_guard lock(mutex);
    trouble = std::move(error);
}

void Journal::State::write(std::vector<Wanted> batch) {
    std::vector<NewRecord> records;
    records.reserve(batch.size());
    for (Wanted& each : batch) records.push_back(std::move(each.record));
    const auto first = log->append(records);
    {
        const std::lock_guard lock(mutex);
        figures.size = log->size();
        ++figures.batches;
        figures.records += first ? records.size() : 0;
    }
    if (!first) tell(first.error());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!batch[i].done) continue;
        if (first) batch[i].done(*first + i);
        else batch[i].done(std::unexpected(first.error()));
    }
    if (first && !log->usable())
        tell(base::Error{base::ErrorKind::unavailable, "the journal cannot write its tiles", "journal_stopped", {}, {}});
}

base::Result<std::string> Journal::State::receipt_of(const RecordId& id) {
    if (!log) return base::fail(base::ErrorKind::unavailable, "the journal is not open", "journal_stopped");
    const auto record = log->find(id);
    if (!record) return std::unexpected(record.error());
    if (record->erased) return base::fail(base::ErrorKind::not_found, "the record of this receipt was erased", "receipt_erased");
    if (record->index >= log->published().size) {
        published = parts.clock.now();
        if (auto shown = log->publish(parts.clock.wall()); !shown) return std::unexpected(shown.error());
    }
    const auto proof = log->prove(record->index, receipt_extra(*record));
    if (!proof) return std::unexpected(proof.error());
    return proof->text();
}

void Journal::State::answer(std::vector<Asked> questions) {
    for (Asked& each : questions) each.done(receipt_of(each.id));
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

base::Result<std::unique_ptr<Journal>> Journal::open(Parts parts) {
    auto state = std::make_unique<State>(std::move(parts));
    if (auto opened = state->open_log(); !opened) return std::unexpected(opened.error());
    state->figures.size = state->log->size();
    state->published = state->parts.clock.now();
    std::unique_ptr<Journal> journal(new Journal(std::move(state)));
    journal->state_->thread = std::jthread([state = journal->state_.get()](std::stop_token stop) { state->run(std::move(stop)); });
    return journal;
}

Journal::~Journal() = default;
const std::string& Journal::origin() const { return state_->parts.keys.origin(); }
const LogKeys& Journal::keys() const { return state_->parts.keys; }
const std::filesystem::path& Journal::folder() const { return state_->parts.folder; }

base::Result<void> Journal::ready() const {
    const std::lock_guard lock(state_->mutex);
    if (state_->trouble)
        return base::fail(base::ErrorKind::unavailable,
                          "no answer is given without evidence, and the journal cannot write: " + state_->trouble->message,
                          "journal_stopped");
    return {};
}

RecordId Journal::new_id() { return new_record_id(state_->parts.clock.wall(), state_->parts.random); }

void Journal::append(NewRecord record, Recorded done) {
    std::optional<base::Error> refused;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->trouble) refused = *state_->trouble;
        else if (state_->waiting.size() >= state_->parts.options.waiting_max)
            refused = base::Error{base::ErrorKind::overloaded,
                                  "the disk of the journal is too slow for what is to be recorded",
                                  "journal_busy",
                                  {},
                                  std::chrono::seconds(1)};
        else state_->waiting.push_back({std::move(record), std::move(done)});
    }
    if (refused) {
        if (done) done(std::unexpected(std::move(*refused)));
        return;
    }
    state_->wake.notify_one();
}

void Journal::append(const RecordId& id, std::string_view kind, CanonicalObject fields, Recorded done) {
    append(make_record(id, state_->parts.clock.wall(), origin(), kind, std::move(fields)), std::move(done));
}

void Journal::receipt(const RecordId& id, std::function<void(base::Result<std::string>)> done) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->asked.push_back({id, std::move(done)});
    }
    state_->wake.notify_one();
}

Journal::Figures Journal::figures() const {
    const std::lock_guard lock(state_->mutex);
    return state_->figures;
}

}  // namespace hanse::journal
