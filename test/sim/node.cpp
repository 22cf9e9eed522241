// SPDX-License-Identifier: Apache-2.0
#include "node.hpp"

#include <algorithm>
#include <format>

#include "running.hpp"

namespace hanse::sim {
namespace {

using federation::Moment;
using federation::Session;

constexpr std::size_t file_max = 16 * 1024 * 1024;

std::string text_of_file(const base::Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::optional<federation::TaskKey> task_of(const journal::StoredRecord& record) {
    const auto at = record.text.find("\"key\":\"");
    return at == std::string::npos ? std::nullopt : federation::task_key_of(std::string_view(record.text).substr(at + 7, 32));
}

}  // namespace

label::Clearance true_clearance(std::size_t index, const label::Vocabulary& words) {
    const Facts facts = facts_of(index);
    const std::string& name = cast()[index].name;
    label::ClearanceTerms terms{.name = name,
                                .receivers = *words.readers(name),
                                .place = *words.place(facts.country),
                                .control = *words.place(facts.control),
                                .retention = label::Retention::none(),
                                .learning = label::Learning::no};
    if (facts.personal) terms.contents.add(label::bit(label::personal));
    return label::Clearance(std::move(terms));
}

Node::Node(World& world, std::size_t index, bool liar)
    : world_(world),
      index_(index),
      liar_(liar),
      chance_(world.options().seed * 131 + index) {}
Node::~Node() = default;

Moment Node::moment() const {
    return {base::Instant{} + std::chrono::hours(1) + world_.now(), base::WallTime{} + std::chrono::seconds(began) + world_.now() + skew_};
}

void Node::in(Span delay, std::function<void()> what) {
    world_.after(delay, [this, life = life_, what = std::move(what)] {
        if (running_ && life == life_) what();
    });
}

bool Node::open_log() {
    journal::Log::Parts parts{disk_, chance_, cast()[index_].log_keys, "/log"};
    auto log = journal::Log::open(parts, moment().wall);
    if (!log) {
        // A disk that fails just now is tried again; one that says something was lost has broken the promise.
        if (log.error().kind == base::ErrorKind::corrupt)
            world_.violate(std::format("the log of {} does not open: {}", name(), log.error().message));
        return false;
    }
    running_->log = std::move(*log);
    for (std::uint64_t i = 0; i < running_->log->size(); ++i) {
        const auto record = running_->log->read(i);
        if (!record) continue;
        running_->records.emplace(journal::text_of(record->id), i);
        if (const auto key = task_of(*record)) running_->records_of.emplace(*key, i);
    }
    return true;
}

void Node::start() {
    if (running_) return;
    const bool first = life_++ == 0;
    const bool real = world_.faults().real_signatures;
    if (!first) disk_.restart(chance_);
    const auto failed = [&] {
        running_.reset();
        world_.after(Span(1'000), [this] { start(); });
    };
    if (first || !disk_.read_whole("/charter", file_max)) {
        if (!disk_.replace("/charter", base::bytes_of(world_.founding().whole()))) return failed();
        if (!disk_.make_folder("/log") || !disk_.sync_folder("/")) return failed();
    }
    const auto chain_text = text_of_file(*disk_.read_whole("/charter", file_max));
    std::vector<federation::CharterDocument> versions;
    for (std::size_t at = 0; at < chain_text.size();) {
        const auto end = std::min(chain_text.find("hanse-charter v1\n", at + 1), chain_text.size());
        auto document = read_charter(std::string_view(chain_text).substr(at, end - at));
        if (document) versions.push_back(std::move(*document));
        at = end;
    }
    // Planted: everybody's signature is good.
    auto verify = world_.options().plant == Plant::signatures_not_checked
                      ? federation::Verify([](const auto&, auto, auto, const auto&) { return true; })
                      : verify_of(real);
    auto chain = federation::CharterChain::open(std::move(versions), verify);
    if (!chain) return world_.violate(std::format("{} cannot read its own charter: {}", name(), chain.error().message));
    running_ = std::make_unique<Running>(std::move(*chain), verify, *this, life_);
    Running& r = *running_;
    r.shared.read_charter = read_charter;
    r.shared.draw = [this] { return chance_.next(); };
    r.shared.admit = [this](const federation::PeerName& from, const federation::wire::Task& task, const Moment&) {
        return admit(from, task);
    };
    r.shared.check_receipt = [this](const federation::PeerName& from, const federation::TaskKey& key,
                                    const federation::wire::Done& done) -> base::Result<federation::FarReceipt> {
        if (world_.options().plant == Plant::receipt_not_checked) return federation::FarReceipt{};
        if (world_.faults().real_receipts)
            return federation::check_far_receipt(running_->charters.charter(), from.member, name(), key, done.receipt);
        return check_quick_receipt(index_of(from.member), name(), key, done.receipt);
    };
    if (const auto ballot = disk_.read_whole("/ballot", file_max)) {
        auto read = federation::Ballot::parse(text_of_file(*ballot));
        if (!read) return world_.violate(name() + " cannot read what it signed");
        r.ballot = std::move(*read);
    }
    const federation::LedgerOptions options;
    if (const auto ledger = disk_.read_whole("/ledger", file_max)) {
        auto read = federation::TaskLedger::parse(text_of_file(*ledger), moment().wall_ms(), options);
        if (!read) return world_.violate(name() + " cannot read which tasks it ran: " + read.error().message);
        r.ledger = std::move(*read);
        // Torn lines go, so that the next one is whole.
        const auto whole = r.ledger.text();
        if (!disk_.replace("/ledger", base::bytes_of(whole))) return failed();
        r.ledger_size = whole.size();
    } else {
        r.ledger = federation::TaskLedger(options);
    }
    if (!open_log()) return failed();
    world_.note(index_, first ? "starts" : "starts again");
    world_.check_charter(index_);
    world_.check_records(index_);
    in(chance_.between(Span(0), Span(200)), [this] { offer(); });
    in(Span(10), [this] { tick(); });
}

void Node::crash() {
    if (!running_) return;
    world_.note(index_, "loses power");
    ++world_.outcome().crashes;
    for (auto& [id, connection] : running_->connections) world_.cut(connection.link);
    running_.reset();
    ++life_;
    world_.after(chance_.between(Span(500), Span(8'000)), [this] { start(); });
}

void Node::broken() {
    // From within a call of what is about to go.
    in(Span(0), [this] { crash(); });
}

void Node::lose_power_soon(std::uint64_t operations) {
    if (running_) disk_.cut_power_after(operations);
}

// The disk does one thing after the other, in its own time; what it says is durable then.
void Node::disk_job(std::function<bool()> work, std::function<void()> then) {
    running_->jobs.emplace_back(std::move(work), std::move(then));
    if (!running_->disk_busy) next_job();
}

void Node::next_job() {
    Running& r = *running_;
    r.disk_busy = !r.jobs.empty();
    if (!r.disk_busy) return;
    in(chance_.between(Span(0), world_.quiet() ? Span(4) : world_.faults().disk_max), [this] {
        auto [work, then] = std::move(running_->jobs.front());
        running_->jobs.pop_front();
        if (!world_.quiet() && chance_.one_in(world_.faults().sync_fails)) disk_.fail_next_sync();
        if (!work()) return broken();
        then();
        if (running_) next_job();
    });
}

void Node::write_record(std::string_view kind, const federation::TaskKey& key, std::string_view from, std::vector<std::string> parents,
                        std::function<void(const std::string&, const std::string&)> then) {
    journal::AnswerRecord answer{.task = federation::text_of(key), .outcome = "finished", .parents = std::move(parents)};
    auto fields = answer.fields();
    if (!from.empty()) federation::name_remote_task(fields, key, from);
    const auto id = journal::new_record_id(moment().wall, chance_);
    auto record = journal::make_record(id, moment().wall, name() + ".example/log", kind, std::move(fields));
    const std::string text = record.text;
    disk_job(
        [this, key, id, remote = !from.empty(), record = std::move(record)] {
            const std::vector records{record};
            const auto index = running_->log->append(records);
            if (!index || !running_->log->usable()) return false;
            if (world_.faults().real_receipts && !running_->log->publish(moment().wall)) return false;
            running_->records.emplace(journal::text_of(id), *index);
            if (remote) running_->records_of.emplace(key, *index);
            return true;
        },
        [this, then = std::move(then), id, text] {
            show_log();
            then(journal::text_of(id), text);
        });
}

std::set<std::string> Node::records_on_disk() {
    running_.reset();
    ++life_;
    disk_.restart(chance_);
    std::set<std::string> there;
    journal::RecordStore store(disk_, chance_, "/log/records");
    const auto opened = store.open(0, 0, [&](const journal::StoredRecord& record) {
        there.insert(journal::text_of(record.id));
        if (const auto key = task_of(record)) there.insert(federation::text_of(*key));
    });
    if (!opened) world_.violate(std::format("the records of {} cannot be read: {}", name(), opened.error().message));
    return there;
}

bool Node::has_record(const std::string& id) const {
    if (!running_ || !disk_.has_power()) return true;  // it is asked when it is back
    const auto found = running_->records.find(id);
    return found != running_->records.end() && running_->log->read(found->second).has_value();
}

bool Node::has_record_of(const federation::TaskKey& key) const {
    if (!running_ || !disk_.has_power()) return true;
    const auto found = running_->records_of.find(key);
    if (found == running_->records_of.end()) return false;
    const auto record = running_->log->read(found->second);
    return record && record->text.contains(federation::text_of(key));
}

const federation::CharterChain* Node::charters() const { return running_ ? &running_->charters : nullptr; }
const federation::OfferMirror* Node::offers() const { return running_ ? &running_->offers : nullptr; }

Node::Connection* Node::connection_to(std::size_t peer) {
    Connection* found = nullptr;
    for (auto& [id, connection] : running_->connections)
        if (connection.peer == peer && connection.session.ready()) found = &connection;
    return found;
}

void Node::connected(const std::shared_ptr<Link>& link, Session::Role role) {
    const std::size_t peer = link->ends[role == Session::Role::dialed ? 1 : 0];
    if (!running_) return world_.cut(link);
    // One who was removed or who lied is not let in; the transport would do the same.
    auto& health = running_->health[peer];
    if (health.state(moment().instant) == federation::PeerHealth::State::distrusted) return world_.hang_up(link, index_);
    const std::string& member = cast()[peer].name;
    auto [at, fresh] = running_->connections.try_emplace(
        link->id, Connection{link, peer, Session(running_->shared, {member, member + "-1"}, role), moment().instant});
    at->second.session.open(moment());
    effects(link->id);
}

void Node::received(std::uint64_t link, const base::Bytes& bytes) {
    if (!running_) return;
    const auto found = running_->connections.find(link);
    if (found == running_->connections.end()) return;
    found->second.session.received(bytes, moment());
    effects(link);
}

void Node::disconnected(std::uint64_t link) {
    if (!running_) return;
    const auto found = running_->connections.find(link);
    if (found == running_->connections.end()) return;
    found->second.session.disconnected(moment());
    running_->health[found->second.peer].disconnected(moment().instant);
    if (world_.options().plant == Plant::ledger_forgets) running_->ledger = federation::TaskLedger();
    effects(link);
}

// Carries out what a session wants, until it wants nothing more.
void Node::effects(std::uint64_t link) {
    while (running_) {
        const auto found = running_->connections.find(link);
        if (found == running_->connections.end()) return;
        auto effects = found->second.session.take();
        if (!effects.send.empty()) world_.send(found->second.link, index_, std::move(effects.send));
        if (effects.events.empty()) return;
        for (const auto& event : effects.events) {
            const auto still = running_->connections.find(link);
            if (still == running_->connections.end()) break;
            on(event, still->second, link);
            if (!running_) return;
        }
    }
}

void Node::tick() {
    in(Span(1'000), [this] { tick(); });
    std::vector<std::uint64_t> links;
    for (auto& [id, connection] : running_->connections) {
        connection.session.tick(moment());
        links.push_back(id);
    }
    for (const auto id : links) effects(id);
    for (const std::size_t peer : neighbours_) {
        if (peer < index_ || !running_->charters.charter().active(cast()[peer].name) || !running_->charters.charter().active(name()))
            continue;
        const bool there = std::ranges::any_of(running_->connections,
                                               [&](const auto& each) { return each.second.peer == peer && !each.second.session.closed(); });
        if (there || running_->health[peer].state(moment().instant) == federation::PeerHealth::State::distrusted) continue;
        in(chance_.between(Span(10), Span(900)), [this, peer] {
            if (std::ranges::any_of(running_->connections, [&](const auto& each) { return each.second.peer == peer; })) return;
            const auto link = world_.connect(index_, peer);
            if (!link) return;
            connected(link, Session::Role::dialed);
            world_.nodes()[peer]->connected(link, Session::Role::accepted);
        });
    }
}

bool Node::speaks_with(std::size_t peer) const {
    return running_ && std::ranges::any_of(running_->connections,
                                           [&](const auto& each) { return each.second.peer == peer && each.second.session.ready(); });
}

std::string Node::unfinished() const {
    std::string out;
    if (!running_->questions.empty()) out += std::format("{} questions, ", running_->questions.size());
    if (!running_->runs.empty()) out += std::format("{} runs, ", running_->runs.size());
    if (!running_->jobs.empty()) out += std::format("{} writes, ", running_->jobs.size());
    for (const auto& [id, connection] : running_->connections)
        if (connection.session.asked() > 0) out += std::format("a task at {}, ", cast()[connection.peer].name);
    return out;
}

}  // namespace hanse::sim
