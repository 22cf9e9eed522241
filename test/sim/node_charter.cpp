// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "running.hpp"

// What a node hears and says beside tasks: charter, offers, and lies.
namespace hanse::sim {
namespace {

using federation::CharterChain;
using federation::CharterDocument;
namespace wire = federation::wire;

}  // namespace

void Node::on(const federation::SessionEvent& event, Connection& connection, std::uint64_t link) {
    const std::size_t peer = connection.peer;
    std::visit(
        [&]<typename E>(const E& each) {
            if constexpr (std::is_same_v<E, federation::Ready>) running_->health[peer].connected(moment().instant);
            else if constexpr (std::is_same_v<E, federation::Run>) run(each, link);
            else if constexpr (std::is_same_v<E, federation::Stop>) {
                if (const auto found = running_->runs.find(each.key); found != running_->runs.end() && found->second.link == link)
                    found->second.stopped = true;
            } else if constexpr (std::is_same_v<E, federation::Part>)
                connection.session.consumed(each.key, each.tokens.events.size(), moment());
            else if constexpr (std::is_same_v<E, federation::Ended>) ended(each, connection);
            else if constexpr (std::is_same_v<E, federation::CharterNews>) {
                world_.note(index_, std::format("charter {}: {}", each.version, static_cast<int>(each.news)));
                if (each.news == CharterChain::News::fork && !liar_)
                    world_.violate(std::format("{} is shown a second charter {} that is signed by enough", name(), each.version));
                if (each.news == CharterChain::News::accepted) charter_changed(link);
            } else if constexpr (std::is_same_v<E, federation::Proposal>) proposed(each.document);
            else if constexpr (std::is_same_v<E, federation::OfferNews>) {
                if (each.news != federation::OfferMirror::News::accepted) return;
                std::vector<std::uint64_t> links;
                for (auto& [id, other] : running_->connections) {
                    other.session.offers_changed(moment());
                    links.push_back(id);
                }
                in(Span(0), [this, links] {
                    for (const auto id : links) effects(id);
                });
            } else if constexpr (std::is_same_v<E, federation::ConsistencyWanted>) {
                if (const auto proof = running_->log->prove_consistency(each.from, each.to))
                    connection.session.prove_consistency(each.from, each.to, *proof, moment());
            } else if constexpr (std::is_same_v<E, federation::LogNews>) {
                if (each.news == federation::LogWatch::News::forked)
                    world_.violate(std::format("{} finds two logs of {}, which has one", name(), each.member));
            } else if constexpr (std::is_same_v<E, federation::Misbehaved>) {
                running_->health[peer].misbehaved(moment().instant);
                world_.accused(index_, peer, each.code, each.sentence);
            } else if constexpr (std::is_same_v<E, federation::Closed>) {
                world_.note(index_, std::format("{} closed: {}", cast()[peer].name, each.reason));
                const auto shared = connection.link;
                // The session is asked no more; what runs for it is told by its own stop.
                in(Span(0), [this, link] { running_->connections.erase(link); });
                world_.hang_up(shared, index_);
            }
        },
        event);
}

void Node::charter_changed(std::uint64_t but) {
    Running& r = *running_;
    world_.check_charter(index_);
    std::string whole;
    for (const auto& version : r.charters.versions()) whole += version.whole();
    disk_job([this, whole] { return disk_.replace("/charter", base::bytes_of(whole)).has_value(); }, [] {});
    std::erase_if(r.proposals, [&](const auto& each) { return each.second.charter().version <= r.charters.charter().version; });
    std::vector<std::uint64_t> links;
    for (auto& [id, connection] : r.connections)
        if (id != but) links.push_back(id);
    for (const auto id : links) {
        const auto found = r.connections.find(id);
        if (found != r.connections.end()) found->second.session.charter_changed(moment());
        in(Span(0), [this, id] { effects(id); });
    }
}

void Node::propose() {
    if (!running_ || liar_) return;
    const auto& current = running_->charters.current();
    if (!running_->proposals.empty() && chance_.one_in(2)) return;
    federation::Charter charter = current.charter();
    ++charter.version;
    charter.previous = current.digest();
    charter.issued = std::max(charter.issued, began);
    const std::size_t liar = 1 + chance_.below(std::max<std::size_t>(world_.faults().liars, 1));
    auto* suspended = const_cast<federation::CharterMember*>(charter.active(cast()[liar].name));
    if (world_.faults().liars > 0 && suspended && chance_.one_in(3)) {
        suspended->standing = federation::Standing::suspended;
        if (std::erase(charter.amenders, suspended->name) > 0)
            charter.quorum = std::min<std::uint32_t>(charter.quorum, static_cast<std::uint32_t>(charter.amenders.size()));
    } else {
        if (charter.purposes.size() > 30) return;
        charter.purposes.push_back(std::format("p{}-{}-{}", charter.version, index_, chance_.below(1'000)));
    }
    auto document = CharterDocument::of(std::move(charter));
    if (!document) return world_.violate("an honest proposal is not sound: " + document.error().message);
    world_.note(index_, std::format("proposes charter {}", document->charter().version));
    proposed(std::move(*document));
}

// A version that lacks signatures: gathered, signed once, handed on, and tried.
void Node::proposed(CharterDocument document) {
    Running& r = *running_;
    if (document.charter().version != r.charters.charter().version + 1) return;
    const auto digest = document.digest();
    const bool fresh = !r.proposals.contains(digest);
    const std::size_t before = fresh ? 0 : r.proposals.at(digest).signatures().size();
    if (fresh && r.proposals.size() >= 8) return;
    CharterDocument& gathered = r.proposals.try_emplace(digest, document).first->second;
    gathered.gather(document);
    const bool amender =
        std::ranges::contains(document.charter().amenders, name()) || std::ranges::contains(r.charters.charter().amenders, name());
    const bool has_signed = std::ranges::contains(gathered.signatures(), name(), &CharterDocument::Signature::member);
    const bool whatever = liar_ || world_.options().plant == Plant::signed_twice;
    if (amender && !has_signed && (whatever || r.ballot.sign(document.charter().version, digest))) {
        const auto text = r.ballot.text();
        // Durable before the signature leaves the house.
        disk_job([this, text] { return disk_.replace("/ballot", base::bytes_of(text)).has_value(); },
                 [this, digest] {
                     const auto found = running_->proposals.find(digest);
                     if (found == running_->proposals.end()) return;
                     auto mine = found->second;
                     mine.sign(name(), sign_of(index_, world_.faults().real_signatures));
                     proposed(std::move(mine));
                 });
    }
    if (!fresh && gathered.signatures().size() == before) return;
    const auto whole = gathered;
    for (auto& [id, connection] : r.connections) {
        connection.session.propose(whole, moment());
        in(Span(0), [this, id] { effects(id); });
    }
    if (r.charters.take(whole, moment().wall_seconds()).news == CharterChain::News::accepted) {
        r.offers.charter_changed(r.charters.charter());
        charter_changed(0);
    }
}

void Node::offer() {
    if (!running_ || !running_->charters.charter().active(name())) return;
    const Facts facts = facts_of(index_);
    // A liar says that it is cleared for everything.
    const std::string clearance =
        liar_ ? "receivers=" + name() + " place=DE control=DE releases=none contents=personal keep=none learn=no acts-on=outside"
              : std::format("receivers={} place={} control={} releases=none contents={} keep=none learn=no acts-on=outside", name(),
                            facts.country, facts.control, facts.personal ? "personal" : "none");
    federation::OfferList list{.member = name(),
                               .node = name() + "-1",
                               .sequence = ++offer_sequence_,
                               .issued = began,
                               .expires = began + 7 * 86'400,
                               .offers = {{.model = "law",
                                           .skills = {"legal"},
                                           .languages = {"de"},
                                           .answer_price = 1'000 * (1 + chance_.below(9)),
                                           .clearance = clearance}}};
    const auto document = list.signed_text(sign_of(index_, world_.faults().real_signatures));
    const auto news = running_->offers.take(document, running_->charters.charter(), began);
    if (news != federation::OfferMirror::News::accepted && !liar_) return world_.violate(name() + " cannot make an offer of its own");
    for (auto& [id, connection] : running_->connections) {
        connection.session.offers_changed(moment());
        in(Span(0), [this, id] { effects(id); });
    }
}

// One lie at a time, told to somebody it is connected to.
void Node::lie() {
    if (!running_ || running_->connections.empty()) return;
    auto at = running_->connections.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(chance_.below(running_->connections.size())));
    Connection& connection = at->second;
    if (!connection.session.ready()) return;
    const auto say = [&](const wire::Message& message, wire::Stream stream = 0) {
        base::Bytes bytes;
        wire::encode(message, stream, bytes);
        world_.send(connection.link, index_, std::move(bytes));
    };
    const std::size_t somebody = chance_.below(world_.nodes().size());
    const auto sign = sign_of(index_, world_.faults().real_signatures);
    federation::TaskKey key{};
    switch (chance_.below(9)) {
        case 0: {
            base::Bytes noise(64);
            chance_.fill(noise);
            return world_.send(connection.link, index_, std::move(noise));
        }
        case 1: {
            federation::OfferList list{
                .member = cast()[somebody].name, .node = "x", .sequence = 1'000'000, .issued = began, .expires = began + 86'400};
            return say(wire::OfferGive{list.signed_text(sign)});
        }
        case 2: {
            federation::OfferList list{.member = name(),
                                       .node = "x",
                                       .sequence = offer_sequence_ + 1,
                                       .issued = began,
                                       .expires = began + 86'400 + static_cast<std::int64_t>(chance_.below(1'000))};
            return say(wire::OfferGive{list.signed_text(sign)});
        }
        case 3: {
            federation::Charter charter = running_->charters.charter();
            ++charter.version;
            charter.previous = running_->charters.current().digest();
            charter.purposes.push_back(std::format("forged-{}", chance_.below(100'000)));
            auto document = *CharterDocument::of(std::move(charter));
            for (const auto& amender : document.charter().amenders) document.sign(amender, sign);
            return say(wire::CharterGive{document.whole()});
        }
        case 4:
            for (int i = 0; i < 300; ++i) say(wire::Ping{1});
            return;
        case 5: {
            // Somebody's data with a label that lets everything through is no secret of anybody: the liar's own.
            chance_.fill(key);
            return say(wire::Task{.key = key,
                                  .kind = "chat",
                                  .model = "law",
                                  .label = "public; integrity=own",
                                  .purpose = "answer",
                                  .made_ms = 1,
                                  .credit = 1},
                       1'000'001);
        }
        case 6: return say(wire::Tokens{0, base::Bytes(10), 1}, 7);
        case 7: return say(wire::Hello{.member = cast()[somebody].name});
        default: return say(wire::Done{.messages = 3}, 2);
    }
}

}  // namespace hanse::sim
