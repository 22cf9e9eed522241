// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <sched.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "journal/cose_receipt.hpp"
#include "journal/receipt.hpp"

namespace hanse::journal {
namespace {

constexpr std::chrono::seconds retry_every{1};

// A sync costs the processor as much as several requests. Where so many records come in so short a time that waiting for
// them pays, so long passes from the beginning of one batch to that of the next; a single record never waits.
constexpr std::chrono::microseconds gather_for{500};
constexpr double gather_from = 10;

// The thread works for microseconds and answers wait for it; so on a busy core it asks for its turns to be short and soon
// (EEVDF's slice, Linux 6.12 and later; older ones take no notice). Without it a sync that is over is often seen
// milliseconds later.
void take_short_turns() {
    sched_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.sched_policy = SCHED_OTHER;
    attributes.sched_runtime = 100'000;  // nanoseconds
    (void)::sched_setattr(0, &attributes, 0);
}

struct Wanted {
    NewRecord record;
    Journal::Recorded done;
};
// What is asked of the log beside appending; runs on the journal's thread, with the log or the reason why there is none.
using Question = std::function<void()>;

}  // namespace

struct Journal::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    base::Result<void> open_log() {
        log.reset();
        auto opened = Log::open({.disk = parts.disk,
                                 .random = parts.random,
                                 .keys = parts.keys,
                                 .folder = parts.folder,
                                 .seal_every = parts.options.seal_every,
                                 .policy = parts.policy ? &*parts.policy : nullptr,
                                 .former = parts.former},
                                parts.clock.wall());
        if (!opened) return std::unexpected(opened.error());
        log = std::move(*opened);
        show_figures();
        return {};
    }
    void run(std::stop_token stop);
    void gather(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
    void begin_batch(std::size_t size);
    void write(std::vector<Wanted> batch);
    void ask(Question question);
    void publish();
    void show_figures();
    base::Result<StoredRecord> published_record(const RecordId& id);
    bool mended();
    void tell(std::optional<base::Error> error);

    Parts parts;

    // The journal's thread only.
    std::unique_ptr<Log> log;
    base::Instant published{};
    base::Instant tried{};
    base::Instant batch_begun{};
    double pace = 0;  // records that come in the time of one rest, of late

    mutable std::mutex mutex;
    std::condition_variable_any wake;
    std::vector<Wanted> waiting;
    std::deque<Question> asked;
    bool gathering = false;
    std::optional<base::Error> trouble;
    Figures figures;
    Note published_note;

    std::jthread thread;  // last: stops before the rest goes
};

void Journal::State::run(std::stop_token stop) {
    while (true) {
        std::vector<Wanted> batch;
        std::vector<Question> questions;
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
            gather(lock, stop);
            const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(std::min(waiting.size(), parts.options.batch_max));
            batch.assign(std::make_move_iterator(waiting.begin()), std::make_move_iterator(end));
            waiting.erase(waiting.begin(), end);
            if (!batch.empty()) begin_batch(batch.size());
            questions.assign(std::make_move_iterator(asked.begin()), std::make_move_iterator(asked.end()));
            asked.clear();
        }
        if (mended() && !batch.empty()) write(std::move(batch));
        else
            for (Wanted& each : batch)
                if (each.done) each.done(std::unexpected(*trouble));
        for (const Question& question : questions) question();
        if (log && log->usable() && log->published().size < log->size() && parts.clock.now() - published >= parts.options.publish_every)
            publish();
    }
    if (!log || !log->usable()) return;
    if (log->publish(parts.clock.wall())) (void)log->seal();
}

// Rests before a batch, if so much came lately that it will be the fuller for it. Only a question ends the rest early.
void Journal::State::gather(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    const base::Instant::duration most = gather_for;
    const auto since = parts.clock.now() - batch_begun;
    if (trouble || waiting.empty() || since >= most || pace < gather_from) return;
    gathering = true;
    wake.wait_for(lock, stop, most - since, [&] { return !asked.empty() || waiting.size() >= parts.options.batch_max; });
    gathering = false;
}

void Journal::State::begin_batch(std::size_t size) {
    const auto now = parts.clock.now();
    const std::chrono::duration<double> since = now - batch_begun;
    const std::chrono::duration<double> most = gather_for;
    batch_begun = now;
    pace += (static_cast<double>(size) * most.count() / std::max(since.count(), most.count() / 10) - pace) / 4;
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
    const auto first = log->append(records, [&](std::uint64_t begin) {
        {
            const std::lock_guard lock(mutex);
            figures.size = begin + records.size();
            ++figures.batches;
            figures.records += records.size();
        }
        for (std::size_t i = 0; i < batch.size(); ++i)
            if (batch[i].done) batch[i].done(begin + i);
    });
    if (!first) {
        tell(first.error());
        for (Wanted& each : batch)
            if (each.done) each.done(std::unexpected(first.error()));
    } else if (!log->usable()) {
        tell(base::Error{base::ErrorKind::unavailable, "the journal cannot write its tiles", "journal_stopped", {}, {}});
    }
}

void Journal::State::publish() {
    published = parts.clock.now();
    if (auto shown = log->publish(parts.clock.wall()); !shown) tell(shown.error());
    show_figures();
}

void Journal::State::show_figures() {
    if (!log) return;
    const std::lock_guard lock(mutex);
    figures.size = log->size();
    figures.witnessed = log->witnessed_size();
    figures.pruned = log->minimum();
    published_note = log->published_note();
}

void Journal::State::ask(Question question) {
    {
        const std::lock_guard lock(mutex);
        asked.push_back(std::move(question));
    }
    wake.notify_one();
}

// A record in a tree that was shown; where it is too young for that, one is shown now.
base::Result<StoredRecord> Journal::State::published_record(const RecordId& id) {
    if (!log) return base::fail(base::ErrorKind::unavailable, "the journal is not open", "journal_stopped");
    auto record = log->find(id);
    if (!record) return record;
    if (record->erased) return base::fail(base::ErrorKind::not_found, "the record of this receipt was erased", "receipt_erased");
    if (record->index >= log->published().size) {
        published = parts.clock.now();
        if (auto shown = log->publish(parts.clock.wall()); !shown) return std::unexpected(shown.error());
        show_figures();
    }
    return record;
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}

base::Result<std::unique_ptr<Journal>> Journal::open(Parts parts) {
    auto state = std::make_unique<State>(std::move(parts));
    if (auto opened = state->open_log(); !opened) return std::unexpected(opened.error());
    state->published = state->parts.clock.now();
    std::unique_ptr<Journal> journal(new Journal(std::move(state)));
    journal->state_->thread = std::jthread([state = journal->state_.get()](std::stop_token stop) {
        take_short_turns();
        state->run(std::move(stop));
    });
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
    bool first = false;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->trouble) refused = *state_->trouble;
        else if (state_->waiting.size() >= state_->parts.options.waiting_max)
            refused = base::Error{base::ErrorKind::overloaded,
                                  "the disk of the journal is too slow for what is to be recorded",
                                  "journal_busy",
                                  {},
                                  std::chrono::seconds(1)};
        else {
            first = state_->waiting.empty() && !state_->gathering;
            state_->waiting.push_back({std::move(record), std::move(done)});
            first = first || state_->waiting.size() == state_->parts.options.batch_max;
        }
    }
    if (refused) {
        if (done) done(std::unexpected(std::move(*refused)));
        return;
    }
    if (first) state_->wake.notify_one();
}

void Journal::append(const RecordId& id, std::string_view kind, CanonicalObject fields, Recorded done) {
    append(make_record(id, state_->parts.clock.wall(), origin(), kind, std::move(fields)), std::move(done));
}

void Journal::receipt(const RecordId& id, std::function<void(base::Result<std::string>)> done) {
    state_->ask([state = state_.get(), id, done = std::move(done)] {
        const auto record = state->published_record(id);
        if (!record) return done(std::unexpected(record.error()));
        const auto proof = state->log->prove(record->index, receipt_extra(*record));
        if (!proof) return done(std::unexpected(proof.error()));
        done(proof->text());
    });
}

void Journal::cose_receipt(const RecordId& id, crypto::Algorithm algorithm, std::function<void(base::Result<base::Bytes>)> done) {
    state_->ask([state = state_.get(), id, algorithm, done = std::move(done)] {
        const auto record = state->published_record(id);
        if (!record) return done(std::unexpected(record.error()));
        const auto proof = state->log->prove(record->index, {});
        if (!proof) return done(std::unexpected(proof.error()));
        done(journal::cose_receipt(*proof, state->parts.keys, algorithm));
    });
}

void Journal::prune(const Retention& retention, Recorded done) {
    state_->ask([state = state_.get(), retention, done = std::move(done)] {
        const auto told = [&](base::Result<std::uint64_t> result) {
            if (!result && state->log && !state->log->usable()) state->tell(result.error());
            state->show_figures();
            if (done) done(std::move(result));
        };
        if (!state->log || state->trouble)
            return told(base::fail(base::ErrorKind::unavailable, "the journal cannot write", "journal_stopped"));
        const auto now = state->parts.clock.wall();
        const auto cutoff = std::chrono::duration_cast<std::chrono::milliseconds>((now - retention.days()).time_since_epoch()).count();
        const auto first = state->log->first_after(cutoff < 0 ? 0 : static_cast<std::uint64_t>(cutoff));
        if (!first || *first <= state->log->minimum()) return told(first);
        CanonicalObject what;
        what.number("minimum", *first).number("days", static_cast<std::uint64_t>(retention.days().count()));
        const std::vector record{make_record(new_record_id(now, state->parts.random), now, state->parts.keys.origin(), "pruned", what)};
        if (const auto written = state->log->append(record); !written) return told(written);
        if (const auto shown = state->log->publish(now); !shown) return told(std::unexpected(shown.error()));
        if (const auto pruned = state->log->prune(*first, retention); !pruned) return told(std::unexpected(pruned.error()));
        told(*first);
    });
}

Note Journal::published() const {
    const std::lock_guard lock(state_->mutex);
    return state_->published_note;
}
const std::optional<WitnessPolicy>& Journal::policy() const { return state_->parts.policy; }

void Journal::consistency(std::uint64_t old_size, std::uint64_t size, std::function<void(base::Result<std::vector<Hash>>)> done) {
    state_->ask([state = state_.get(), old_size, size, done = std::move(done)] {
        if (!state->log) return done(base::fail(base::ErrorKind::unavailable, "the journal is not open", "journal_stopped"));
        done(state->log->prove_consistency(old_size, size));
    });
}

void Journal::add_cosignatures(Note checkpoint, std::function<void(base::Result<void>)> done) {
    state_->ask([state = state_.get(), checkpoint = std::move(checkpoint), done = std::move(done)] {
        base::Result<void> added = base::fail(base::ErrorKind::unavailable, "the journal is not open", "journal_stopped");
        if (state->log) {
            added = state->log->add_cosignatures(checkpoint);
            if (!added && !state->log->usable()) state->tell(added.error());
            state->show_figures();
        }
        if (done) done(std::move(added));
    });
}

void Journal::erase(const RecordId& id, CanonicalObject why, Recorded done) {
    state_->ask([state = state_.get(), id, why = std::move(why), done = std::move(done)] {
        const auto told = [&](base::Result<std::uint64_t> result) {
            if (!result && state->log && !state->log->usable()) state->tell(result.error());
            state->show_figures();
            if (done) done(std::move(result));
        };
        if (!state->log || state->trouble)
            return told(base::fail(base::ErrorKind::unavailable, "the journal cannot write", "journal_stopped"));
        const auto record = state->log->find(id);
        if (!record) return told(std::unexpected(record.error()));
        if (record->erased) return told(base::fail(base::ErrorKind::not_found, "the record was erased before", "erased_before"));
        const auto now = state->parts.clock.wall();
        CanonicalObject what = why;
        what.text("record", text_of(id)).number("index", record->index);
        const std::vector said{make_record(new_record_id(now, state->parts.random), now, state->parts.keys.origin(), "erasure", what)};
        const auto written = state->log->append(said);
        if (!written) return told(written);
        if (const auto erased = state->log->erase(record->index); !erased) return told(std::unexpected(erased.error()));
        told(*written);
    });
}

Journal::Figures Journal::figures() const {
    const std::lock_guard lock(state_->mutex);
    return state_->figures;
}

}  // namespace hanse::journal
