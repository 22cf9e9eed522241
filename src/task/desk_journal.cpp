// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "desk_state.hpp"
#include "label/reasons.hpp"
#include "signal.hpp"

// The stop `journal`: what was done for a task is durable before anybody sees it.
namespace hanse::task {
namespace {

// Awaits the recorder's call. Neither a client that goes away nor a deadline ends this wait: what was done is written down.
template <typename T>
struct Writing : Signal {
    std::mutex guard;
    std::optional<base::Result<T>> result;
};

template <typename T, typename Start>
boost::asio::awaitable<base::Result<T>> written(Start start) {
    auto writing = std::make_shared<Writing<T>>();
    start(std::function<void(base::Result<T>)>([writing](base::Result<T> result) {
        {
            const std::lock_guard lock(writing->guard);
            writing->result.emplace(std::move(result));
        }
        writing->notify();
    }));
    while (true) {
        {
            const std::lock_guard lock(writing->guard);
            if (writing->result) co_return std::move(*writing->result);
        }
        co_await writing->wait();
    }
}

// Why it may not go there, or the answer not back.
std::string why(const Passage& refused) {
    const auto& words = refused.policy->words();
    return refused.there.permit() ? label::refusal(refused.answer_label, refused.caller, refused.use, words, base::Language::english)
                                  : label::refusal(refused.label, refused.destination, refused.use, words, base::Language::english);
}

// Whatever kept the record from the disk: what was done cannot be shown, and asking again at once would not help.
base::Result<void> or_stopped(base::Result<void> written) {
    if (written || written.error().code == "journal_stopped") return written;
    return base::fail(base::ErrorKind::unavailable,
                      "no answer is given without evidence, and the journal cannot write: " + written.error().message, "journal_stopped");
}

}  // namespace

base::Result<void> Desk::begin(Task& task) const {
    Recorder* recorder = state_->parts.recorder;
    if (recorder == nullptr) return {};
    if (auto ready = recorder->ready(); !ready) return ready;
    task.evidence = std::make_shared<Evidence>();
    task.evidence->id = recorder->new_id();
    task.evidence->began = state_->parts.clock.wall();
    return {};
}

base::Result<void> Desk::State::expect(Task& task, std::string_view backend) const {
    if (parts.recorder == nullptr) return {};
    if (!task.evidence) return base::fail(base::ErrorKind::bug, "a task came to the desk that had not begun");
    task.evidence->backend = backend;
    return {};
}

void Desk::State::compute(Task& task, const engine::ModelFacts& facts) {
    if (!task.evidence) return;
    task.evidence->model_digest = facts.digest;
    task.evidence->backend = facts.backend;
    if (parts.energy != nullptr && !task.evidence->energy_mark) task.evidence->energy_mark = parts.energy->enter();
}

// From here on the evidence belongs to the recorder until it calls back.
void Desk::State::hand_over(Task& task, std::string_view outcome) {
    Evidence& evidence = *task.evidence;
    evidence.recorded = true;
    if (evidence.energy_mark) evidence.energy = parts.energy->leave(*std::exchange(evidence.energy_mark, {}));
    evidence.task = task.id;
    evidence.model = task.model;
    evidence.key = task.key;
    evidence.passage = task.passage;
    evidence.outcome = outcome;
    const auto took = parts.clock.wall() - evidence.began;
    evidence.took_ms =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
}

boost::asio::awaitable<base::Result<void>> Desk::record(Task& task, std::string_view outcome) {
    // Without a passage nothing was allowed, so nothing was done.
    if (!task.evidence || task.evidence->recorded || !task.passage) {
        task.trace.open(Stop::api_out, state_->parts.clock.now());
        co_return base::Result<void>();
    }
    task.trace.open(Stop::journal, state_->parts.clock.now());
    state_->hand_over(task, outcome);
    auto done = co_await written<void>(
        [recorder = state_->parts.recorder, evidence = task.evidence](auto call) { recorder->answer(evidence, std::move(call)); });
    task.trace.open(Stop::api_out, state_->parts.clock.now());
    co_return or_stopped(std::move(done));
}

void Desk::record_abandoned(Task& task, std::string_view outcome) {
    if (!task.evidence || task.evidence->recorded || !task.passage) return;
    state_->hand_over(task, outcome);
    state_->parts.recorder->answer(task.evidence, {});
}

boost::asio::awaitable<base::Result<void>> Desk::record_denial(Task& task, const base::Error& denial) {
    if (!task.evidence || task.evidence->recorded) co_return base::Result<void>();
    task.trace.open(Stop::journal, state_->parts.clock.now());
    task.evidence->recorded = true;
    journal::CanonicalObject fields;
    fields.text("task", task.id).text_if_any("route", task.evidence->route).text_if_any("model", task.model);
    if (task.key) fields.text("caller", task.key->facts().id);
    if (task.rules) fields.text("label", label::text(task.label, task.rules->policy().words()));
    // Owners, places and words of the policy: a refusal's sentence holds nothing else. Strangers are told less than is so.
    const Passage* refused = task.evidence->passage.get();
    if (refused != nullptr) fields.text("place", (refused->there.permit() ? refused->caller : refused->destination).name());
    fields.text("reason", refused != nullptr ? why(*refused) : denial.message);
    auto done = co_await written<void>([this, &task, &fields](auto call) {
        state_->parts.recorder->event(task.evidence->id, "denial", std::move(fields), std::move(call));
    });
    task.trace.open(Stop::api_out, state_->parts.clock.now());
    co_return or_stopped(std::move(done));
}

boost::asio::awaitable<base::Result<void>> Desk::record_transformation(Task& task, std::string_view what, std::string_view evidence) {
    if (!task.evidence) co_return base::Result<void>();
    const auto& words = task.rules->policy().words();
    const auto id = state_->parts.recorder->new_id();
    journal::CanonicalObject fields;
    fields.text("task", task.id).text("what", what).text("evidence", evidence).text("label", label::text(task.label, words));
    if (task.returns_as) fields.text("from", label::text(*task.returns_as, words));
    fields.text("answer", journal::text_of(task.evidence->id));
    if (task.key) fields.text("caller", task.key->facts().id);
    task.evidence->transformations.emplace_back(what);
    auto done = co_await written<void>(
        [this, &id, &fields](auto call) { state_->parts.recorder->event(id, "transformation", std::move(fields), std::move(call)); });
    co_return or_stopped(std::move(done));
}

boost::asio::awaitable<base::Result<void>> Desk::record_declassified(Task& task) {
    if (!task.evidence) co_return base::Result<void>();
    for (const Declassified& each : task.declassified) {
        const auto id = state_->parts.recorder->new_id();
        journal::CanonicalObject fields;
        fields.text("task", task.id)
            .text("answer", journal::text_of(task.evidence->id))
            .text("declassification", each.id)
            .text("text", each.text);
        if (task.key) fields.text("caller", task.key->facts().id);
        task.evidence->parents.push_back(journal::text_of(id));
        auto done = co_await written<void>(
            [this, &id, &fields](auto call) { state_->parts.recorder->event(id, "declassification", std::move(fields), std::move(call)); });
        if (!done) co_return or_stopped(std::move(done));
    }
    co_return base::Result<void>();
}

boost::asio::awaitable<base::Result<Recorder::Found>> Desk::receipt(journal::RecordId id) {
    if (state_->parts.recorder == nullptr) co_return base::fail(base::ErrorKind::not_found, "no journal is kept here", "receipt_not_found");
    auto found = co_await written<Recorder::Found>([this, &id](auto call) { state_->parts.recorder->receipt(id, std::move(call)); });
    co_return found;
}

}  // namespace hanse::task
