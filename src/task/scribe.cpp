// SPDX-License-Identifier: Apache-2.0
#include "task/scribe.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "federation/receipts.hpp"
#include "journal/answer_text.hpp"
#include "journal/receipt.hpp"
#include "task/rules.hpp"

namespace hanse::task {
namespace {

struct Wanted {
    std::shared_ptr<const Evidence> evidence;
    Recorder::Done done;
};

// How many days all owners allow that their data is kept; none for less than a day.
std::uint32_t retention_days(const label::Label& label) {
    if (label.is_top()) return 0;
    label::Retention shortest = label::Retention::contract();
    for (const auto& owned : label.owners()) shortest = std::min(shortest, owned.terms.retention);
    if (shortest == label::Retention::contract()) return label::Retention::days_max;
    return shortest.day_count().value_or(0);
}

// To hand more than this over to another thread costs less than to digest it.
constexpr std::size_t digested_at_once_max = 64 * 1024;

std::size_t text_size(const Evidence& evidence) {
    std::size_t size = evidence.input.size();
    for (const std::string& output : evidence.outputs) size += output.size();
    return size;
}

journal::Journal::Recorded without_index(Recorder::Done done) {
    if (!done) return {};
    return [done = std::move(done)](base::Result<std::uint64_t> index) {
        if (index) done({});
        else done(std::unexpected(std::move(index.error())));
    };
}

}  // namespace

struct Scribe::State {
    explicit State(Parts given) : parts(std::move(given)) {}
    void run(std::stop_token stop);
    void write(const Evidence& evidence, Recorder::Done done);
    base::Result<void> keep(const Evidence& evidence, journal::AnswerRecord& record);

    Parts parts;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::vector<Wanted> waiting;
    std::jthread thread;  // last: ends before the rest goes
};

void Scribe::State::run(std::stop_token stop) {
    std::vector<Wanted> taken;
    while (true) {
        {
            std::unique_lock lock(mutex);
            wake.wait(lock, stop, [this] { return !waiting.empty(); });
            if (waiting.empty()) return;
            std::swap(taken, waiting);
        }
        for (Wanted& each : taken) write(*each.evidence, std::move(each.done));
        taken.clear();
    }
}

// Texts are there before the record that tells of them.
base::Result<void> Scribe::State::keep(const Evidence& evidence, journal::AnswerRecord& record) {
    if (parts.texts == nullptr || !evidence.passage) return {};
    const auto until = parts.texts->keeps_until(retention_days(evidence.passage->answer_label), parts.clock.wall());
    if (!until) return {};
    auto kept = parts.texts->keep(evidence.id, *until, {evidence.input, evidence.outputs});
    if (kept) record.kept_until = journal::time_text(*until);
    return kept;
}

void Scribe::State::write(const Evidence& evidence, Recorder::Done done) {
    auto record = answer_record(evidence, parts.profile, parts.random);
    if (auto kept = keep(evidence, record); !kept) {
        if (done) done(std::unexpected(std::move(kept.error())));
        return;
    }
    if (!evidence.asked_by.empty()) {
        // A task of a partner's says whose, and which: so its receipt is good for that one alone.
        auto fields = record.fields();
        federation::name_remote_task(fields, evidence.asked_as, evidence.asked_by);
        return parts.journal.append(evidence.id, "answer", std::move(fields), without_index(std::move(done)));
    }
    parts.journal.append(journal::make_answer_record(evidence.id, parts.clock.wall(), parts.journal.origin(), record),
                         without_index(std::move(done)));
}

Scribe::Scribe(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {
    state_->thread = std::jthread([state = state_.get()](std::stop_token stop) { state->run(std::move(stop)); });
}
Scribe::~Scribe() = default;

base::Result<void> Scribe::ready() const { return state_->parts.journal.ready(); }
journal::RecordId Scribe::new_id() { return state_->parts.journal.new_id(); }

void Scribe::answer(std::shared_ptr<const Evidence> evidence, Done done) {
    if (state_->parts.texts == nullptr && text_size(*evidence) <= digested_at_once_max) return state_->write(*evidence, std::move(done));
    {
        const std::lock_guard lock(state_->mutex);
        state_->waiting.push_back({std::move(evidence), std::move(done)});
    }
    state_->wake.notify_one();
}

void Scribe::event(const journal::RecordId& id, std::string_view kind, journal::CanonicalObject fields, Done done) {
    state_->parts.journal.append(id, kind, std::move(fields), without_index(std::move(done)));
}

void Scribe::receipt(const journal::RecordId& id, std::function<void(base::Result<Found>)> done) {
    state_->parts.journal.receipt(id, [done = std::move(done)](base::Result<std::string> text) {
        if (!text) return done(std::unexpected(std::move(text.error())));
        // Our own proof, checked before it leaves; no signature is asked for here.
        auto read = journal::read_receipt(*text, {});
        if (!read) return done(std::unexpected(std::move(read.error())));
        done(Found{std::move(read->record), std::move(*text)});
    });
}

}  // namespace hanse::task
