// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "journal/receipt.hpp"
#include "running.hpp"

// Questions of this house on their way out, and tasks of others on their way through.
namespace hanse::sim {
namespace {

using federation::Ended;
using federation::TaskKey;
using route::TryEnd;

constexpr std::uint64_t budget = 20;

label::Use answer_use(const label::Vocabulary& words) { return {.purpose = *words.purpose("answer"), .now = began}; }

base::Bytes some_bytes(std::size_t count) { return base::Bytes(count, std::byte{'t'}); }

}  // namespace

// What may go where, as this node's own rule has it.
federation::Admission Node::admit(const federation::PeerName& from, const federation::wire::Task& task) const {
    using Verdict = federation::Admission::Verdict;
    if (world_.options().plant == Plant::receiver_trusts) return {Verdict::run};
    const auto& words = *running_->charters.current().words();
    const auto label = label::read_label(task.label, words);
    const auto purpose = words.purpose(task.purpose);
    if (!label || !purpose || task.model != "law") return {Verdict::not_found};
    // A house that takes no questions of some other, whatever they are.
    if ((index_of(from.member) + index_) % 11 == 3) return {Verdict::not_found};
    if (label::judge(*label, true_clearance(index_, words), {.purpose = *purpose, .now = began}).outcome != label::Outcome::permit)
        return {Verdict::not_found};
    if (running_->runs.size() > 40) return {Verdict::overloaded, Span(500)};
    return {Verdict::run};
}

// --- Of others ---------------------------------------------------------------------------------------------------

void Node::run(const federation::Run& run, std::uint64_t link) {
    Running& r = *running_;
    const auto& words = *r.charters.current().words();
    const std::string member = r.connections.at(link).session.peer().member;
    // Whoever decided, this is what holds: the rule of this house, asked once more.
    const auto label = label::read_label(run.task.label, words);
    if (!liar_ && (!label || run.task.model != "law" || (index_of(member) + index_) % 11 == 3 ||
                   label::judge(*label, true_clearance(index_, words), answer_use(words)).outcome != label::Outcome::permit))
        world_.violate(std::format("{} runs a task of {} that its own rule forbids", name(), member));
    if (!liar_ && !r.charters.charter().active(member))
        world_.violate(std::format("{} runs a task of {}, which is suspended", name(), member));
    // Sent again after it was forgotten, it would be an entry of its own.
    r.runs.insert_or_assign(run.key, Run{link, member, 1 + chance_.below(6)});
    const bool endless = liar_ && chance_.one_in(3);
    const auto line = federation::TaskLedger::begun_line(member, run.key, static_cast<federation::WallMs>(run.task.made_ms));
    const auto write = [this, line] {
        auto file = disk_.open("/ledger", base::Disk::Open::create);
        if (!file || !(*file)->write(running_->ledger_size, base::bytes_of(line)) || !(*file)->sync() || !disk_.sync_folder("/"))
            return false;
        running_->ledger_size += line.size();
        return true;
    };
    if (world_.options().plant == Plant::ledger_not_durable) {
        begin(run.key, endless);
        in(Span(3'000), [this, write] { disk_job(write, [] {}); });
        return;
    }
    disk_job(write, [this, key = run.key, endless] { begin(key, endless); });
}

void Node::begin(const TaskKey& key, bool endless) {
    const auto found = running_->runs.find(key);
    if (found == running_->runs.end()) return;
    if (!liar_) world_.check_run(index_, key);
    in(chance_.between(Span(2), Span(chance_.one_in(10) ? 6'000 : 200)), [this, key, endless] { piece(key, endless); });
}

void Node::piece(const TaskKey& key, bool endless) {
    const auto found = running_->runs.find(key);
    if (found == running_->runs.end() || found->second.writing) return;
    Run& run = found->second;
    const auto connection = running_->connections.find(run.link);
    if (run.stopped || connection == running_->connections.end()) return finish(key, "cancelled");
    if (run.pieces == 0 && !endless) return finish(key, "finished");
    --run.pieces;
    if (!connection->second.session.answer(key, some_bytes(20 + chance_.below(200)), 1, moment())) run.stopped = true;
    const std::uint64_t link = run.link;
    in(chance_.between(Span(2), Span(150)), [this, key, endless] { piece(key, endless); });
    effects(link);
}

std::string Node::receipt(const std::string& id, const std::string& record) {
    if (!world_.faults().real_receipts) return quick_receipt(index_, id, record);
    const auto record_id = journal::record_id_of(id);
    if (!record_id) return {};
    const auto stored = running_->log->find(*record_id);
    if (!stored) return {};
    const auto proof = running_->log->prove(stored->index, journal::receipt_extra(*stored));
    return proof ? proof->text() : std::string();
}

// The record is durable before the answer is said to be done.
void Node::finish(const TaskKey& key, std::string_view outcome) {
    Run& run = running_->runs.at(key);
    run.writing = true;
    const auto tell = [this, key, outcome = std::string(outcome)](const std::string& id, const std::string& record) {
        const auto found = running_->runs.find(key);
        if (found == running_->runs.end()) return;
        const Run run = found->second;
        running_->runs.erase(found);
        const auto connection = running_->connections.find(run.link);
        if (connection == running_->connections.end()) return running_->ledger.abandon(run.member, key);
        federation::wire::Done done{.outcome = outcome, .label = "public; integrity=member", .receipt = receipt(id, record)};
        // A liar shows what it has from another task.
        if (liar_ && chance_.one_in(2)) done.receipt = quick_receipt(index_, id, "{\"another\":1}");
        connection->second.session.finish(key, std::move(done), moment());
        effects(run.link);
    };
    if (liar_ && chance_.one_in(4)) return tell("hr_none", "{\"nothing\":1}");
    if (world_.options().plant == Plant::done_before_durable) {
        journal::CanonicalObject fields;
        federation::name_remote_task(fields, key, run.member);
        const std::string member = run.member;
        tell("hr_soon", fields.text());
        return write_record("answer", key, member, {}, [](const std::string&, const std::string&) {});
    }
    write_record("answer", key, run.member, {}, tell);
}

// Tells the others how far the log is, so that they can see that it only grows.
void Node::show_log() {
    if (!world_.faults().real_receipts) return;
    for (auto& [id, connection] : running_->connections) {
        connection.session.checkpoint(running_->log->published_note().whole(), moment());
        in(Span(0), [this, id] { effects(id); });
    }
}

// --- Of this house -----------------------------------------------------------------------------------------------

std::vector<route::Candidate> Node::snapshot(const label::Label& label, std::vector<label::Clearance>& places) const {
    const Running& r = *running_;
    const auto& words = *r.charters.current().words();
    const auto federation = r.charters.federation();
    const auto verify = verify_of(world_.faults().real_signatures);
    std::vector<route::Candidate> candidates;
    for (const auto* offers : r.offers.valid(moment().wall_seconds())) {
        if (offers->list.member == name()) continue;
        const std::size_t peer = index_of(offers->list.member);
        const auto health = r.health.find(peer);
        const bool ready =
            std::ranges::any_of(r.connections, [&](const auto& each) { return each.second.peer == peer && each.second.session.ready(); });
        for (const auto& offer : offers->list.offers) {
            auto place = world_.options().plant == Plant::offer_believed
                             ? *label::read_clearance(offers->list.member, offer.clearance, words)
                             : federation::believed_clearance(r.charters.current(), federation, offers->list, offer,
                                                              true_clearance(peer, words), verify, moment().wall_seconds());
            route::Candidate candidate{
                .member = offers->list.member, .model = offer.model, .skills = offer.skills, .answer_price = offer.answer_price};
            candidate.verdict = label::judge(label, place, answer_use(words));
            candidate.may_be_asked = ready && (health == r.health.end() || health->second.may_ask(moment().instant));
            if (health != r.health.end()) {
                candidate.latency = health->second.latency();
                candidate.failure_share = health->second.failure_share();
            }
            candidates.push_back(std::move(candidate));
            places.push_back(std::move(place));
        }
    }
    return candidates;
}

void Node::ask() {
    if (!running_ || liar_) return;
    Running& r = *running_;
    const auto& words = *r.charters.current().words();
    const auto self = *words.member(name());
    label::Terms terms;
    switch (chance_.below(5)) {
        case 0: break;
        case 1: terms = {.readers = *words.readers("federation"), .place = *words.place("EU"), .control = *words.place("EU")}; break;
        case 2: terms = {.readers = *words.readers("federation"), .place = *words.place("DE"), .control = *words.place("DE")}; break;
        case 3:
            terms = {.readers = *words.readers("federation"), .place = *words.place("EU"), .control = *words.place("EU")};
            terms.content.add(label::bit(label::personal));
            break;
        default:
            terms.readers = *words.readers(name()) | *words.readers(cast()[neighbours_[chance_.below(neighbours_.size())]].name);
            break;
    }
    Question question{.label = label::Label::of(self, terms, label::Integrity::own)};
    question.asked = {.model = chance_.one_in(3)   ? "hanse/auto"
                               : chance_.one_in(2) ? "hanse/legal"
                                                   : "law",
                      .prompt_tokens = 100,
                      .answer_tokens = 20};
    // Planted: the label is lost before anything is decided.
    const label::Label decided_by = world_.options().plant == Plant::label_dropped ? label::Label::bottom() : question.label;
    question.candidates = snapshot(decided_by, question.places);
    question.plan = route::choose(question.candidates, question.asked);
    question.attempts = route::Attempts(question.plan.order.size());
    question.attempts.begin();
    question.deadline = base::Deadline::after(moment().instant, chance_.between(Span(4'000), Span(20'000)));
    ++world_.outcome().asked;
    const auto id = r.next_question++;
    r.questions.emplace(id, std::move(question));
    try_next(id);
}

void Node::try_next(std::uint64_t id) {
    const auto found = running_->questions.find(id);
    if (found == running_->questions.end()) return;
    Question& question = found->second;
    if (question.attempts.next() != route::Attempts::Next::go) {
        running_->questions.erase(found);
        return;
    }
    chance_.fill(question.key);
    question.made = moment().wall_ms();
    question.retried = false;
    try_at(id, false);
}

void Node::try_at(std::uint64_t id, bool again) {
    const auto found = running_->questions.find(id);
    if (found == running_->questions.end()) return;
    Question& question = found->second;
    const std::size_t chosen = question.plan.order[question.attempts.candidate()].candidate;
    const std::size_t peer = index_of(question.candidates[chosen].member);
    Connection* connection = connection_to(peer);
    const auto& words = *running_->charters.current().words();
    const label::Label label = world_.options().plant == Plant::label_dropped ? label::Label::bottom() : question.label;
    const auto decision = label::decide(label, question.places[chosen], answer_use(words));
    auto& health = running_->health[peer];
    if (!connection || !decision.permit() || !health.ask(moment().instant)) return tried(id, TryEnd::not_taken, false);
    const federation::RemoteTask task{.key = question.key,
                                      .kind = "chat",
                                      .model = question.candidates[chosen].model,
                                      .made_ms = question.made,
                                      .deadline = question.deadline,
                                      .first_token_deadline = base::Deadline::after(moment().instant, Span(4'000)),
                                      .budget_tokens = budget,
                                      .answer_bytes_max = 1'000'000};
    world_.truth(question.key, {index_, question.label});
    label::Labelled<base::Bytes> body(some_bytes(100), label);
    const auto started = connection->session.start(task, std::move(body), *decision.permit(), question.places[chosen], words, moment());
    if (!started) {
        health.abandoned(moment().instant);
        return tried(id, TryEnd::not_taken, false);
    }
    world_.check_flow(question.key, peer);
    question.waiting = true;
    world_.note(index_, std::format("{} {} at {}", again ? "asks again" : "asks", federation::text_of(question.key).substr(0, 8),
                                    cast()[peer].name));
    const std::uint64_t link = connection->link->id;
    effects(link);
}

void Node::tried(std::uint64_t id, TryEnd how, bool after_first_token) {
    const auto found = running_->questions.find(id);
    if (found == running_->questions.end()) return;
    found->second.attempts.ended(how, after_first_token);
    in(Span(0), [this, id] { try_next(id); });
}

void Node::ended(const Ended& ended, Connection& connection) {
    Running& r = *running_;
    const auto found = std::ranges::find_if(r.questions, [&](const auto& each) { return each.second.key == ended.key; });
    if (found == r.questions.end()) return;
    const std::uint64_t id = found->first;
    Question& question = found->second;
    const auto now = moment().instant;
    auto& health = r.health[connection.peer];
    question.waiting = false;
    world_.note(index_, std::format("{} ends: {}", federation::text_of(ended.key).substr(0, 8), static_cast<int>(ended.how)));
    switch (ended.how) {
        case Ended::How::answered: health.succeeded(now, Span(50)); return acknowledge(id, ended, connection.link->id, connection.peer);
        case Ended::How::not_found: health.abandoned(now); return tried(id, TryEnd::not_taken, ended.after_first_token);
        case Ended::How::overloaded: health.busy(now, ended.retry_after); return tried(id, TryEnd::not_taken, ended.after_first_token);
        case Ended::How::misbehaved: health.misbehaved(now); return tried(id, TryEnd::broken, ended.after_first_token);
        case Ended::How::budget:
        case Ended::How::cancelled: health.abandoned(now); return tried(id, TryEnd::stopped, ended.after_first_token);
        case Ended::How::deadline:
            health.failed(now);
            return tried(id, question.deadline.passed(now) ? TryEnd::out_of_time : TryEnd::broken, ended.after_first_token);
        case Ended::How::broken: break;
    }
    health.failed(now);
    if (world_.options().plant == Plant::end_forgotten) return;
    // The same key at the same peer may be sent once more: if it ran, nothing runs again.
    if (!ended.after_first_token && !question.retried && chance_.one_in(2)) {
        question.retried = true;
        in(chance_.between(Span(500), Span(6'000)), [this, id] { try_at(id, true); });
        return;
    }
    tried(id, TryEnd::broken, ended.after_first_token);
}

// First the record, with the far receipt as its parent; then the caller is told; then the peer is paid.
void Node::acknowledge(std::uint64_t id, const Ended& ended, std::uint64_t link, std::size_t peer) {
    const TaskKey key = ended.key;
    const auto tell = [this, id, key, link, peer](const std::string& record_id, const std::string&) {
        world_.note(index_, "acknowledges " + federation::text_of(key).substr(0, 8));
        world_.acknowledged(index_, record_id, peer, key);
        if (const auto connection = running_->connections.find(link); connection != running_->connections.end()) {
            connection->second.session.settle(key, record_id, moment());
            effects(link);
        }
        tried(id, TryEnd::answered, true);
    };
    if (world_.options().plant == Plant::acknowledged_before_durable) {
        tell("hr_soon", {});
        return write_record("answer", key, {}, {ended.receipt.id}, [](const std::string&, const std::string&) {});
    }
    write_record("answer", key, {}, {ended.receipt.id}, tell);
}

}  // namespace hanse::sim
