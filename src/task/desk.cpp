// SPDX-License-Identifier: Apache-2.0
#include "task/desk.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <unordered_map>

#include "desk_state.hpp"
#include "task/declassifications.hpp"
#include "task/partner_place.hpp"
#include "waiting.hpp"

namespace hanse::task {

Ticket& Ticket::operator=(Ticket&& other) noexcept {
    std::swap(line_, other.line_);
    return *this;
}

Ticket::~Ticket() {
    if (line_) line_->in_flight.fetch_sub(1, std::memory_order_relaxed);
}

boost::asio::awaitable<base::Result<label::Labelled<std::string_view>>> Forward::read() {
    auto piece = co_await stream_->read();
    if (!piece || piece->empty()) ended();
    if (!piece) co_return std::unexpected(piece.error());
    co_return label::Labelled<std::string_view>(*piece, label_);
}

boost::asio::awaitable<base::Result<label::Labelled<std::string>>> Forward::read_all(std::size_t limit) {
    auto body = co_await stream_->read_all(limit);
    ended();
    if (!body) co_return std::unexpected(body.error());
    co_return label::Labelled<std::string>(std::move(*body), label_);
}

void Forward::ended() {
    if (const auto call = std::exchange(at_end_, {})) call();
}

Desk::Desk(Parts parts) : state_(std::make_unique<State>(std::move(parts))) {
    state_->rules = state_->parts.rules;
    // The text is our own and reads; so says a test.
    if (!state_->rules)
        state_->rules = std::make_shared<Rules>(label::Policy::read(label::policy_without_file({}), "the policy without a file").value());
    reload(state_->parts.upstreams);
}
Desk::~Desk() { state_->workers.join(); }

void Desk::reload(std::vector<std::shared_ptr<engine::Upstream>> upstreams) {
    auto fresh = std::make_shared<Directory>();
    const auto before = state_->directory();
    const auto add = [&](std::string name, std::shared_ptr<engine::Upstream> upstream, std::string name_there) {
        if (fresh->contains(name)) return;
        // A line that stays what it was keeps its count; one that changed gets a new line, and its tickets
        // drain on the old one.
        if (before) {
            const auto found = before->find(name);
            if (found != before->end() && found->second->upstream == upstream && found->second->name_there == name_there) {
                fresh->emplace(std::move(name), found->second);
                return;
            }
        }
        auto line = std::make_shared<Ticket::Line>();
        line->name = name;
        line->upstream = std::move(upstream);
        line->name_there = std::move(name_there);
        line->in_flight_max = state_->parts.options.in_flight_max;
        fresh->emplace(std::move(name), std::move(line));
    };
    for (auto& name : state_->parts.models.names()) add(name, nullptr, {});
    for (const auto& upstream : upstreams)
        for (const auto& [ours, theirs] : upstream->spec().models) add(ours, upstream, theirs);
    const std::lock_guard lock(state_->mutex);
    state_->lines = std::move(fresh);
}

std::shared_ptr<Rules> Desk::rules() const {
    const std::lock_guard lock(state_->mutex);
    return state_->rules;
}

void Desk::rules(std::shared_ptr<Rules> fresh) {
    const std::lock_guard lock(state_->mutex);
    state_->rules = std::move(fresh);
}

std::shared_ptr<const route::Fit> Desk::fit() const {
    const std::lock_guard lock(state_->mutex);
    return state_->fit;
}

void Desk::fit(std::shared_ptr<const route::Fit> fresh) {
    const std::lock_guard lock(state_->mutex);
    state_->fit = std::move(fresh);
}

std::optional<Place> Desk::find(std::string_view model) const {
    const auto lines = state_->directory();
    const auto found = lines->find(model);
    if (found == lines->end()) return std::nullopt;
    return Place{found->second->upstream, found->second->name_there, found->second};
}

std::vector<ModelStatus> Desk::models() const {
    const auto lines = state_->directory();
    std::vector<ModelStatus> all;
    all.reserve(lines->size());
    for (const auto& [name, line] : *lines) {
        ModelStatus status{.name = name};
        status.in_flight = line->in_flight.load(std::memory_order_relaxed);
        if (line->upstream) {
            status.upstream = line->upstream->spec().name;
            status.healthy = line->upstream->healthy();
        } else if (const auto model = state_->parts.models.if_loaded(name)) {
            status.loaded = true;
            status.facts = model->facts();
            status.load = model->load();
        }
        all.push_back(std::move(status));
    }
    std::ranges::sort(all, {}, &ModelStatus::name);
    return all;
}

Way Desk::State::way(const Task& task, const Ticket::Line& line) {
    return {.model = line.name,
            .upstream = line.upstream ? std::string_view(line.upstream->spec().name) : "",
            .caller = task.key ? std::string_view(task.key->facts().place) : ""};
}

std::int64_t Desk::State::unix_seconds() const {
    return std::chrono::duration_cast<std::chrono::seconds>(parts.clock.wall().time_since_epoch()).count();
}

Declassifications* Desk::declassifications() const { return state_->parts.declassifications.get(); }

boost::asio::awaitable<base::Result<void>> Desk::beside(Task& task, std::size_t bytes, std::function<base::Result<void>()> work,
                                                        std::string what) {
    if (bytes < state_->parts.options.long_prompt) co_return work();
    struct Finished {};
    auto done = co_await called_back<Finished>(
        [this, work = std::move(work)](Done<Finished> tell) {
            boost::asio::post(state_->workers, [work, tell = std::move(tell)] {
                auto result = work();
                tell(result ? base::Result<Finished>(Finished{}) : std::unexpected(std::move(result.error())));
            });
        },
        task.stop.get_token(), state_->parts.clock, task.deadline, std::move(what));
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return base::Result<void>();
}

bool Desk::wants_pseudonyms(const Task& task, const Place& place) const {
    if (!task.rules) return false;
    const auto passage = task.rules->pass(task.label, State::way(task, *place.line), state_->unix_seconds());
    const label::Verdict& verdict = passage->there.verdict();
    return verdict.outcome == label::Outcome::permit_after &&
           verdict.after == label::Transformations::of(bit(label::Transformation::pseudonymise));
}

base::Result<void> Desk::State::decide(Task& task, const label::Label& label, const Ticket::Line& line) {
    task.trace.open(Stop::label, parts.clock.now());
    if (!task.rules) return base::fail(base::ErrorKind::bug, "a task came to the desk without the rules that it entered with");
    auto passage = task.rules->pass(label, way(task, line), unix_seconds(), task.returns_as ? &*task.returns_as : nullptr);
    if (!passage->permitted()) {
        if (task.evidence) task.evidence->passage = passage;  // what was really decided, for the record
        return std::unexpected(passage->denial(task.language));
    }
    // From here on the data goes: what was signed for one answer is used up, whatever becomes of it there.
    if (!task.declassified.empty()) {
        if (auto used = parts.declassifications->use_up(task.declassified, unix_seconds()); !used) return used;
    }
    // The caches of the engine are parted by who could read what is in them. Where nothing may be kept, a partition that
    // nobody names again keeps it from everyone.
    task.partition = passage->partition + "/" + task.partition;
    if (!passage->outlives_request || !task.declassified.empty()) task.partition += "/" + task.id;
    task.passage = std::move(passage);
    return {};
}

boost::asio::awaitable<base::Result<Seat>> Desk::State::sit(Task& task, label::Label label) {
    if (draining.load(std::memory_order_relaxed))
        co_return base::fail(base::ErrorKind::unavailable, "this node is shutting down", "shutting_down");
    task.trace.open(Stop::task, parts.clock.now());
    const auto lines = directory();
    const auto found = lines->find(task.model);
    if (found == lines->end() || found->second->upstream) co_return std::unexpected(no_such_model(task.model));
    auto ticket = Ticket::Line::admit(found->second);
    if (!ticket) co_return std::unexpected(ticket.error());
    if (task.deadline.passed(parts.clock.now()))
        co_return base::fail(base::ErrorKind::deadline, "the deadline had passed before the work began");
    if (const auto expected = expect(task, {}); !expected) co_return std::unexpected(expected.error());
    const auto decided = decide(task, label, *found->second);
    if (!decided) co_return std::unexpected(decided.error());
    Seat seat{.line = found->second, .ticket = std::move(*ticket), .model = parts.models.if_loaded(task.model)};
    if (!seat.model) {
        const auto limit = task.deadline.sooner(base::Deadline::after(parts.clock.now(), parts.options.load_timeout));
        auto loaded = co_await called_back<std::shared_ptr<engine::Model>>(
            [this, name = task.model](auto done) { parts.models.get(name, std::move(done)); }, task.stop.get_token(), parts.clock, limit,
            "loading the model");
        if (!loaded) co_return std::unexpected(loaded.error());
        seat.model = std::move(*loaded);
    }
    co_return seat;
}

void Desk::State::note_receipt(const std::string& member, const federation::PartnerStream& stream, Evidence* evidence) {
    const auto receipt = stream.receipt();
    if (!receipt) return;  // it broke off
    std::string unverified = receipt->unverified;
    if (evidence != nullptr && !evidence->recorded && evidence->partner) {
        if (unverified.empty() && receipt->id != evidence->partner->receipt)
            unverified = "the receipt is of another record than the one that the answer named";
        evidence->partner->unverified = unverified;
    }
    // A request that was refused as such leaves no record there.
    if (stream.status() >= 300 && !unverified.empty()) return;
    const std::lock_guard lock(receipts_mutex);
    ++(unverified.empty() ? receipts[member].verified : receipts[member].unverified);
}

std::map<std::string, Desk::PartnerReceipts> Desk::partner_receipts() const {
    const std::lock_guard lock(state_->receipts_mutex);
    return state_->receipts;
}

boost::asio::awaitable<base::Result<Forward>> Desk::forward(Task& task, Place place, std::string path, net::Headers headers,
                                                            label::Labelled<std::string_view> body) {
    if (draining()) co_return base::fail(base::ErrorKind::unavailable, "this node is shutting down", "shutting_down");
    task.trace.open(Stop::task, state_->parts.clock.now());
    auto ticket = Ticket::Line::admit(place.line);
    if (!ticket) co_return std::unexpected(ticket.error());
    if (const auto expected = state_->expect(task, place.upstream->spec().name); !expected) co_return std::unexpected(expected.error());
    const auto decided = state_->decide(task, body.label(), *place.line);
    if (!decided) co_return std::unexpected(decided.error());
    if (task.evidence) task.evidence->partner.reset();  // of an attempt before
    if (auto* partner = dynamic_cast<PartnerPlace*>(place.upstream.get())) {
        // A partner gets the label with the data; its node opens it there, by a decision of its own.
        task.trace.open(Stop::engine, state_->parts.clock.now());
        const auto bytes = [](std::string_view text) {
            const auto view = base::bytes_of(text);
            return base::Bytes(view.begin(), view.end());
        };
        auto far = co_await partner->ask({.path = std::move(path),
                                          .model = std::string(place.name_there),
                                          .body = body.derive(bytes),
                                          .permit = *task.passage->there.permit(),
                                          .place = task.passage->destination,
                                          .policy = task.passage->policy,
                                          .language = task.language,
                                          .deadline = task.deadline,
                                          .first_token_deadline = task.first_token_deadline,
                                          .trace = state_->parts.traces ? task.trace.self.text() : std::string()});
        if (!far) co_return std::unexpected(far.error());
        const std::string member = place.upstream->spec().name;
        if (task.evidence) {
            const auto named = (*far)->headers().get("hanse-receipt");
            task.evidence->partner = {.member = member, .receipt = {}, .unverified = "the answer did not end"};
            if (journal::record_id_of(named)) task.evidence->parents.emplace_back(task.evidence->partner->receipt = named);
        }
        const auto& stream = **far;
        co_return Forward(std::move(*far), std::move(*ticket), task.passage->answer_label, [state = state_.get(), member, &stream, evidence = task.evidence] {
            state->note_receipt(member, stream, evidence.get());
        });
    }
    auto opened = body.open(*task.passage->there.permit(), task.passage->destination);
    if (!opened) co_return std::unexpected(opened.error());
    if (state_->parts.traces) headers.set("traceparent", task.trace.self.text());
    task.trace.open(Stop::engine, state_->parts.clock.now());
    auto stream = co_await place.upstream->post(std::move(path), std::move(headers),
                                                opened->plaintext(label::PlaintextAccess::at_boundary()), task.deadline);
    if (!stream) co_return std::unexpected(stream.error());
    if (task.evidence && journal::record_id_of((*stream)->headers().get("hanse-receipt")))
        task.evidence->parents.emplace_back((*stream)->headers().get("hanse-receipt"));
    co_return Forward(std::move(*stream), std::move(*ticket), task.passage->answer_label);
}

void Desk::finish(Task& task, unsigned status) {
    if (!state_->parts.traces) return;
    task.trace.close(state_->parts.clock.now());
    task.trace.ended = state_->parts.clock.now();
    task.trace.status = status;
    state_->parts.traces->accept(task.trace);
}

bool Desk::tracing() const { return state_->parts.traces != nullptr; }
void Desk::drain() { state_->draining.store(true, std::memory_order_relaxed); }
bool Desk::draining() const { return state_->draining.load(std::memory_order_relaxed); }

std::uint32_t Desk::in_flight() const {
    std::uint32_t sum = 0;
    for (const auto& [name, line] : *state_->directory()) sum += line->in_flight.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace hanse::task
