// SPDX-License-Identifier: Apache-2.0
#include "house.hpp"

#include <algorithm>
#include <format>
#include <fstream>

#include "federation/partners.hpp"

namespace hanse::federation {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
constexpr std::int64_t offers_life = 24 * 3600;

// JSON text of a string that holds names, addresses and our own sentences.
std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
    return out + '"';
}

}  // namespace

base::Result<House> House::open(Home home, const base::Clock& clock) {
    auto chain = read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    auto node = read_identity(home.node_key());
    if (!node) return std::unexpected(node.error());
    const std::string& name = node->identity().name();
    const auto slash = name.find('/');
    const std::string member = name.substr(0, slash);
    if (slash == name.npos || chain->charter().member(member) == nullptr)
        return base::fail(ErrorKind::denied, std::format("{} is no member of the federation {} now", member, chain->charter().federation),
                          "no_member");
    const auto versions = static_cast<std::uint32_t>(chain->versions().size());
    House made(std::unique_ptr<State>(new State{.clock = clock,
                                                .home = std::move(home),
                                                .member = member,
                                                .node = name.substr(slash + 1),
                                                .node_key = std::move(*node),
                                                .chain = std::move(*chain),
                                                .roots = {},
                                                .saved = versions}));
    made.roots_anew();
    if (auto renewed = made.renew(clock.wall()); !renewed) return std::unexpected(renewed.error());
    return made;
}

void House::roots_anew() {
    state_->roots.clear();
    for (const CharterMember& member : charter().members)
        if (member.standing == Standing::active) state_->roots.emplace(member.name, member.identity());
}

base::Result<crypto::NodeCertificate> House::check(std::span<const std::byte> der) const {
    const auto find = [state = state_.get()](std::string_view member) -> const crypto::Identity* {
        const auto found = state->roots.find(member);
        return found == state->roots.end() ? nullptr : &found->second;
    };
    return crypto::check_node_certificate(der, find, state_->clock.wall());
}

base::Result<void> House::renew(base::WallTime now) {
    const CharterMember* self = charter().member(member());
    if (self == nullptr) return base::fail(ErrorKind::denied, std::format("{} is no member any more", member()), "no_member");
    const auto root = self->identity();
    const auto renewal = renew_certificate(state_->home, state_->node_key, root, now);
    if (!renewal) return std::unexpected(renewal.error());
    const auto pem = read_file(state_->home.certificate());
    const auto find = [&](std::string_view name) { return name == root.name() ? &root : nullptr; };
    if (!pem || !crypto::check_node_certificate_pem(*pem, find, now))
        return base::fail(ErrorKind::unavailable,
                          std::format("this node waits for its certificate: hanse federation certify {}", state_->home.request().string()),
                          "certificate_awaited");
    // A certificate that was brought from elsewhere is taken as well, at the latest now.
    const auto accepts = [state = state_.get()](std::span<const std::byte> der) -> base::Result<void> {
        if (state->strangers) return {};
        const auto find_root = [state](std::string_view name) -> const crypto::Identity* {
            const auto found = state->roots.find(name);
            return found == state->roots.end() ? nullptr : &found->second;
        };
        auto known = crypto::check_node_certificate(der, find_root, state->clock.wall());
        return known ? base::Result<void>{} : std::unexpected(known.error());
    };
    const auto groups = root.profile() == crypto::Profile::bsi ? net::PeerGroups::bsi : net::PeerGroups::standard;
    auto context =
        net::PeerContext::create({.certificate = *pem, .key = state_->node_key.keys()[1].pkcs8(), .groups = groups, .accepts = accepts});
    if (!context) return std::unexpected(context.error());
    state_->context = std::move(*context);
    return {};
}

base::Result<void> House::save_new_versions() {
    const auto& versions = state_->chain.versions();
    for (; state_->saved < versions.size(); ++state_->saved)
        if (auto saved = save_version(state_->home, versions[state_->saved]); !saved) return saved;
    roots_anew();
    // A proposal that is no successor any more is waste paper.
    if (state_->proposal && state_->proposal->charter().version <= charter().version) {
        state_->proposal.reset();
        std::error_code ignored;
        fs::remove(state_->home.proposal(), ignored);
    }
    return {};
}

base::Result<bool> House::look_for_versions(std::int64_t now) {
    bool grew = false;
    while (true) {
        const auto text = read_file(state_->home.charter() / std::format("{:06}", charter().version + 1));
        if (!text && text.error().kind == ErrorKind::not_found) return grew;
        if (!text) return std::unexpected(text.error());
        const auto document = CharterDocument::parse(*text);
        if (!document) return std::unexpected(document.error());
        const auto taken = state_->chain.take(*document, now);
        if (taken.news != CharterChain::News::accepted)
            return base::fail(ErrorKind::corrupt,
                              std::format("version {} of the charter in this folder is not taken: {}", charter().version + 1, taken.why));
        ++state_->saved;
        if (auto done = save_new_versions(); !done) return std::unexpected(done.error());
        grew = true;
    }
}

base::Result<House::Taken> House::take_proposal(const CharterDocument& document, std::int64_t now) {
    if (document.charter().version != charter().version + 1) return Taken{};
    if (auto needs = needs_of(state_->chain.current(), document); !needs) return std::unexpected(needs.error());
    CharterDocument together = document;
    const bool same = state_->proposal && state_->proposal->digest() == document.digest();
    if (same) (void)together.gather(*state_->proposal);
    const bool more = !same || together.signatures().size() > state_->proposal->signatures().size();
    if (CharterChain::follows(state_->chain.current(), together, verify_with_keys())) {
        const auto taken = state_->chain.take(together, now);
        if (taken.news != CharterChain::News::accepted)
            return base::fail(ErrorKind::invalid, "the next version of the charter is not taken: " + taken.why);
        if (auto saved = save_new_versions(); !saved) return std::unexpected(saved.error());
        std::error_code ignored;
        fs::remove(state_->home.proposal(), ignored);
        return Taken{.grew = true};
    }
    // One at a time: the first one that came stays until it is decided, or a command replaces it.
    if (!same && state_->proposal) return Taken{};
    state_->proposal = together;
    if (!more) return Taken{};
    if (auto saved = write_file(state_->home.proposal(), together.whole()); !saved) return std::unexpected(saved.error());
    std::error_code error;
    state_->proposal_seen = fs::last_write_time(state_->home.proposal(), error);
    return Taken{.news = together};
}

std::optional<CharterDocument> House::look_for_proposal() {
    std::error_code error;
    const auto written = fs::last_write_time(state_->home.proposal(), error);
    if (error) {
        state_->proposal.reset();  // withdrawn
        return std::nullopt;
    }
    if (written == state_->proposal_seen) return std::nullopt;
    state_->proposal_seen = written;
    const auto text = read_file(state_->home.proposal());
    auto document = text ? CharterDocument::parse(*text) : std::unexpected(text.error());
    if (!document) return std::nullopt;
    if (state_->proposal && state_->proposal->digest() != document->digest()) state_->proposal.reset();
    return std::move(*document);
}

base::Result<void> House::sign(CharterDocument& document) {
    const auto root = read_identity(state_->home.root_key());
    if (!root) return std::unexpected(root.error());
    if (auto cast = cast_ballot(state_->home, document); !cast) return cast;
    document.sign(member(), [&](std::string_view context, std::span<const std::byte> message) { return root->sign(context, message); });
    return {};
}

base::Result<std::string> House::sign_offers(const std::vector<Offer>& offers, std::int64_t now) {
    std::uint64_t before = 0;
    if (const auto text = read_file(state_->home.offers())) {
        if (const auto old = SignedOffers::parse(*text)) {
            const auto& list = old->list;
            before = list.sequence;
            const bool good =
                list.offers == offers && list.member == member() && list.node == node() && list.expires - now > offers_life / 2;
            if (good) return *text;
        }
    }
    if (!state_->home.has_root_key()) return std::string();
    const auto root = read_identity(state_->home.root_key());
    if (!root) return std::unexpected(root.error());
    // Later lists have higher numbers even if the file before was lost.
    const OfferList list{.member = member(),
                         .node = node(),
                         .sequence = std::max(before + 1, static_cast<std::uint64_t>(now)),
                         .issued = now,
                         .expires = now + offers_life,
                         .grants = {},
                         .offers = offers};
    std::string document =
        list.signed_text([&](std::string_view context, std::span<const std::byte> message) { return root->sign(context, message); });
    if (auto read = SignedOffers::parse(document); !read)
        return base::fail(ErrorKind::invalid, "what this node offers cannot be said: " + read.error().message);
    if (auto saved = write_file(state_->home.offers(), document); !saved) return std::unexpected(saved.error());
    return document;
}

void House::write_status(const FederationView& view) {
    std::string text = std::format("{{\"federation\":{},\"member\":{},\"node\":{},\"charter\":{},\"in_force\":{},\"partners\":[",
                                   json_text(view.charter.charter().federation), json_text(member()), json_text(node()),
                                   view.charter.charter().version, view.in_force);
    for (bool first = true; const PartnerStatus& each : view.partners) {
        text += std::format(
            "{}{{\"member\":{},\"standing\":{},\"connected\":{},\"node\":{},\"address\":{},\"group\":{},\"quantum\":{},\"may_ask\":{},"
            "\"clock_ahead_ms\":{},\"log_forked\":{},\"trouble\":{}}}",
            first ? "" : ",", json_text(each.member), json_text(each.standing), each.connected, json_text(each.node),
            json_text(each.address), json_text(each.group), each.quantum, each.may_ask, each.clock_ahead.count(), each.log_forked, json_text(each.trouble));
        first = false;
    }
    text += "]}\n";
    if (text == state_->status) return;
    // Not synced: it tells of now, and a restart writes it anew.
    const fs::path file = state_->home.root / "status.json", beside = state_->home.root / "status.json.new";
    {
        std::ofstream out(beside, std::ios::trunc);
        out << text;
        if (!out) return;
    }
    std::error_code error;
    fs::rename(beside, file, error);
    if (!error) state_->status = std::move(text);
}

}  // namespace hanse::federation
