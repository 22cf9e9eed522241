// SPDX-License-Identifier: Apache-2.0
#include "node/federation.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <format>
#include <glaze/glaze.hpp>
#include <utility>

#include "catalog/files.hpp"
#include "crypto/node_certificate.hpp"
#include "federation/home.hpp"
#include "federation/invitation.hpp"
#include "net/client.hpp"
#include "net/peer.hpp"
#include "node/identity.hpp"

namespace hanse::node {
namespace {

namespace fed = federation;
namespace fs = std::filesystem;
using base::ErrorKind;
constexpr std::size_t file_max = 8U << 20;

std::int64_t seconds(const FederationParts& parts) { return std::chrono::duration_cast<std::chrono::seconds>(parts.clock.wall().time_since_epoch()).count(); }
fed::Home home_of(const FederationParts& parts) { return {parts.data.root / "federation"}; }

fed::Sign signer(const crypto::IdentityKey& root) {
    return [&root](std::string_view context, std::span<const std::byte> message) { return root.sign(context, message); };
}

// This member's name, from its node key.
base::Result<std::string> own_name(const fed::Home& home) {
    const auto node = fed::read_identity(home.node_key());
    if (!node) return std::unexpected(node.error());
    const auto& name = node->identity().name();
    return name.substr(0, name.find('/'));
}

CharterSheet sheet_of(const fed::CharterDocument& document, std::string_view self) {
    const fed::Charter& charter = document.charter();
    CharterSheet sheet{.federation = charter.federation, .version = charter.version, .fingerprint = document.fingerprint(), .expires = charter.expires, .quorum = charter.quorum, .members = {}};
    for (const auto& member : charter.members)
        sheet.members.push_back({.name = member.name,
                                 .title = member.title,
                                 .country = member.country,
                                 .control = member.control,
                                 .standing = member.standing == fed::Standing::active ? "active" : "suspended",
                                 .fingerprint = member.identity().fingerprint(),
                                 .addresses = member.addresses,
                                 .amends = std::ranges::contains(charter.amenders, member.name),
                                 .self = member.name == self});
    return sheet;
}

struct OwnKeys {
    crypto::IdentityKey root;
    crypto::IdentityKey node;
};
// Those that are there, of the right names; else new ones.
base::Result<OwnKeys> own_keys(const FederationParts& parts, const MemberWish& self) {
    const fed::Home home = home_of(parts);
    if (auto made = fed::prepare(home); !made) return std::unexpected(made.error());
    const auto profile = crypto::profile_named(self.profile);
    if (!profile) return base::fail(ErrorKind::invalid, std::format("\"{}\" is no profile of keys: default and bsi are", self.profile));
    const auto get = [&](const fs::path& file, const std::string& name) -> base::Result<crypto::IdentityKey> {
        auto key = fed::read_identity(file);
        if (!key && key.error().kind == ErrorKind::not_found) key = fed::create_identity(file, name, *profile, {}, parts.random);
        if (key && key->identity().name() != name) return base::fail(ErrorKind::invalid, std::format("{} is the key of {}, not of {}", file.string(), key->identity().name(), name));
        return key;
    };
    auto root = get(home.root_key(), self.name);
    if (!root) return std::unexpected(root.error());
    auto node = get(home.node_key(), crypto::node_identity_name(self.name, self.node));
    if (!node) return std::unexpected(node.error());
    return OwnKeys{std::move(*root), std::move(*node)};
}

fed::CharterMember entry_of(const MemberWish& self, const crypto::Identity& root) {
    return {.name = self.name,
            .country = self.country,
            .control = self.control.empty() ? self.country : self.control,
            .house_in = self.house_in.empty() ? self.country : self.house_in,
            .title = self.title,
            .keys = root.keys(),
            .addresses = self.addresses,
            .log_keys = self.log_keys};
}

base::Result<void> not_in_one(const fed::Home& home) {
    if (!home.in_federation()) return {};
    return base::fail(ErrorKind::invalid, std::format("this house is in a federation already; its charter lies in {}", home.charter().string()));
}

// Takes effect if it has the signatures; else it becomes the proposal.
base::Result<CharterChange> put_forward(const FederationParts& parts, const fed::CharterChain& chain, fed::CharterDocument document, std::string_view self) {
    const fed::Home home = home_of(parts);
    const auto root = fed::read_identity(home.root_key());
    if (!root) return std::unexpected(root.error());
    if (auto cast = fed::cast_ballot(home, document); !cast) return std::unexpected(cast.error());
    document.sign(std::string(self), signer(*root));
    const auto follows = fed::CharterChain::follows(chain.current(), document, fed::verify_with_keys());
    const auto file = follows ? home.charter() / std::format("{:06}", document.charter().version) : home.proposal();
    if (auto saved = catalog::write_file_whole(file, document.whole(), 0600); !saved) return std::unexpected(saved.error());
    if (follows) {
        std::error_code gone;
        fs::remove(home.proposal(), gone);
    }
    return CharterChange{sheet_of(document, self), follows.has_value(), follows ? "" : follows.error().message};
}

// --- Joining over the network

struct Newcomer {
    fed::Joining joining;
    std::unique_ptr<net::PeerConnection> connection;
    std::optional<std::vector<fed::CharterDocument>> joined = {};
    std::string ended = {};
};

boost::asio::awaitable<base::Result<void>> converse(Newcomer& self, const std::function<bool(const fed::TermsShown&)>& agree, base::Clock& clock) {
    base::Bytes buffer(16 * 1024);
    self.joining.open();
    while (true) {
        bool close = false;
        while (true) {
            fed::JoinEffects effects = self.joining.take();
            if (effects.send.empty() && effects.events.empty() && !effects.close) break;
            if (!effects.send.empty()) {
                auto written = co_await self.connection->write(effects.send);
                if (!written) co_return std::unexpected(written.error());
            }
            for (fed::JoinEvent& event : effects.events) {
                if (const auto* terms = std::get_if<fed::TermsShown>(&event)) agree(*terms) ? self.joining.agree() : self.joining.refuse();
                else if (auto* joined = std::get_if<fed::Joined>(&event)) self.joined = std::move(joined->versions);
                else if (const auto* ended = std::get_if<fed::JoinEnded>(&event)) self.ended = ended->reason;
            }
            close = close || effects.close;
        }
        if (close || self.joined) co_return base::Result<void>{};
        const auto count = co_await self.connection->read(buffer);
        if (!count) co_return std::unexpected(count.error());
        if (*count == 0) co_return base::fail(ErrorKind::unavailable, "the other node ended the conversation: the code is used, has expired, or was refused there", "join_ended");
        self.joining.received(std::span(buffer).first(*count), std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count());
    }
}

}  // namespace

base::Result<CharterSheet> create_federation(const FederationParts& parts, const std::string& federation, const MemberWish& self, const CharterTerms& terms) {
    const fed::Home home = home_of(parts);
    if (auto free = not_in_one(home); !free) return std::unexpected(free.error());
    const auto keys = own_keys(parts, self);
    if (!keys) return std::unexpected(keys.error());
    const auto now = seconds(parts);
    auto charter = fed::first_charter(federation, entry_of(self, keys->root.identity()), now, now + std::chrono::duration_cast<std::chrono::seconds>(terms.valid).count());
    charter.receipts_demanded = terms.receipts_demanded;
    auto document = fed::CharterDocument::of(std::move(charter));
    if (!document) return std::unexpected(document.error());
    if (auto cast = fed::cast_ballot(home, *document); !cast) return std::unexpected(cast.error());
    document->sign(self.name, signer(keys->root));
    if (auto saved = fed::save_version(home, *document); !saved) return std::unexpected(saved.error());
    return sheet_of(*document, self.name);
}

base::Result<CharterSheet> invite(const FederationParts& parts, const InviteWish& wish, const InviteSteps& steps) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    const auto* member = chain->charter().member(*self);
    const std::string address = !wish.address.empty() ? wish.address : member != nullptr && !member->addresses.empty() ? member->addresses.front() : "";
    if (address.empty()) return base::fail(ErrorKind::invalid, "say where the newcomer reaches this node: --address HOST:PORT");
    if (wish.newcomer.empty() || wish.newcomer.find_first_of("/\\ \n") != std::string::npos || wish.newcomer.starts_with('.')) return base::fail(ErrorKind::invalid, "a member's name is one word");
    if (!running_node(parts.data)) return base::fail(ErrorKind::unavailable, "the node must run to receive the newcomer; start it with: hanse serve", "no_node");
    const auto file = [&](std::string_view kind) { return home.invitations() / std::format("{}.{}", wish.newcomer, kind); };
    std::error_code gone;
    for (const auto kind : {"code", "error", "asks", "yes", "no", "done"}) fs::remove(file(kind), gone);
    const auto text = std::format("address {}\nvalid {}\nconfirm {}\n", address, wish.valid.count(), wish.confirm ? "ask" : "auto");
    if (auto written = catalog::write_file_whole(file("wish"), text, 0600); !written) return std::unexpected(written.error());
    const auto line = [](std::string whole) {
        while (whole.ends_with('\n')) whole.pop_back();
        return whole;
    };
    bool shown = false, confirmed = false;
    while (true) {
        if (const auto error = catalog::read_file_whole(file("error"), file_max)) return base::fail(ErrorKind::denied, line(*error));
        if (const auto code = shown ? base::fail(ErrorKind::not_found, "") : catalog::read_file_whole(file("code"), file_max)) {
            steps.show(line(*code), chain->current().fingerprint());
            shown = true;
            fs::remove(file("code"), gone);  // a secret that was told need not lie about
            if (!wish.confirm) return sheet_of(chain->current(), *self);
        }
        if (const auto asks = confirmed ? base::fail(ErrorKind::not_found, "") : catalog::read_file_whole(file("asks"), file_max)) {
            const auto begin = asks->find(' ') + 1;
            confirmed = true;
            const bool good = steps.confirm(asks->substr(begin, asks->find('\n') - begin));
            if (auto written = catalog::write_file_whole(file(good ? "yes" : "no"), "", 0600); !written) return std::unexpected(written.error());
            if (!good) return base::fail(ErrorKind::denied, std::format("{} was refused", wish.newcomer), "refused_here");
        }
        if (catalog::read_file_whole(file("done"), file_max)) return federation_sheet(parts);
        if (!steps.wait()) return base::fail(ErrorKind::deadline, std::format("{} did not come", wish.newcomer));
    }
}

base::Result<std::string> invited_name(const std::string& code) {
    auto read = fed::InvitationCode::parse(code);
    if (!read) return std::unexpected(read.error());
    return read->newcomer;
}

base::Result<CharterSheet> join(const FederationParts& parts, const std::string& code_text, MemberWish self,
                                const std::function<bool(const CharterSheet&, const std::string&)>& agree) {
    const fed::Home home = home_of(parts);
    if (auto free = not_in_one(home); !free) return std::unexpected(free.error());
    auto code = fed::InvitationCode::parse(code_text);
    if (!code) return std::unexpected(code.error());
    self.name = code->newcomer;
    const auto url = net::Url::parse("http://" + code->address);
    if (!url) return base::fail(ErrorKind::invalid, std::format("the code names no address to go to: \"{}\"", code->address));
    const auto keys = own_keys(parts, self);
    if (!keys) return std::unexpected(keys.error());
    const auto pem = crypto::issue_node_certificate(keys->root, keys->node.identity(), {parts.clock.wall() - crypto::clock_skew_max, parts.clock.wall() + fed::certificate_life});
    if (!pem) return std::unexpected(pem.error());
    // Whom it speaks with, the code's secret proves in both directions; no certificate is known yet.
    const auto groups = keys->root.identity().profile() == crypto::Profile::bsi ? net::PeerGroups::bsi : net::PeerGroups::standard;
    auto context = net::PeerContext::create({.certificate = *pem, .key = keys->node.keys()[1].pkcs8(), .groups = groups, .accepts = [](std::span<const std::byte>) { return base::Result<void>{}; }});
    if (!context) return std::unexpected(context.error());

    const auto shown = [&](const fed::TermsShown& terms) {
        auto sheet = sheet_of(terms.document, self.name);
        sheet.fingerprint = terms.fingerprint;
        const bool good = agree(sheet, keys->root.identity().fingerprint());
        // What is signed here is written down first, as every signature.
        return good && fed::cast_ballot(home, terms.document).has_value();
    };
    Newcomer newcomer{fed::Joining(*code, entry_of(self, keys->root.identity()), signer(keys->root), fed::verify_with_keys(), parts.random), nullptr};
    boost::asio::io_context io{1};
    std::optional<base::Result<void>> outcome;
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<base::Result<void>> {
            auto connection = co_await net::dial_peer(*context, url->host, url->port, base::Deadline::after(std::chrono::steady_clock::now(), std::chrono::seconds(10)));
            if (!connection) co_return std::unexpected(connection.error());
            newcomer.connection = std::move(*connection);
            co_return co_await converse(newcomer, shown, parts.clock);
        },
        [&](std::exception_ptr thrown, base::Result<void> result) {
            if (thrown) std::rethrow_exception(thrown);
            outcome = std::move(result);
        });
    while (!outcome && io.run_one() > 0) {}
    newcomer.connection.reset();
    if (outcome && !*outcome) return std::unexpected(outcome->error());
    if (!newcomer.joined) return base::fail(ErrorKind::denied, newcomer.ended.empty() ? "the other side ended it" : "not joined: " + newcomer.ended, "not_joined");
    auto chain = fed::CharterChain::open(*newcomer.joined, fed::verify_with_keys());
    if (!chain) return std::unexpected(chain.error());
    for (const auto& version : chain->versions())
        if (auto saved = fed::save_version(home, version); !saved) return std::unexpected(saved.error());
    return sheet_of(chain->current(), self.name);
}

base::Result<CharterSheet> federation_sheet(const FederationParts& parts) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    return sheet_of(chain->current(), *self);
}

base::Result<std::string> federation_status(const FederationParts& parts) {
    const fed::Home home = home_of(parts);
    if (!home.in_federation()) return base::fail(ErrorKind::not_found, "this house is in no federation yet; see: hanse federation create, hanse federation join", "no_federation");
    if (!running_node(parts.data)) return base::fail(ErrorKind::unavailable, "the node does not run; start it with: hanse serve", "no_node");
    return catalog::read_file_whole(home.root / "status.json", file_max);
}

namespace {

// The fields of the status that the commands show; what else is in it is for machines.
struct StatusFields {
    std::vector<PartnerState> partners = {};
};

}  // namespace

base::Result<std::vector<PartnerState>> read_federation_status(const std::string& json) {
    StatusFields fields;
    if (const auto error = glz::read<glz::opts{.error_on_unknown_keys = false}>(fields, json)) return base::fail(ErrorKind::corrupt, "the status of the federation cannot be read");
    return std::move(fields.partners);
}

base::Result<CharterChange> change_member(const FederationParts& parts, MemberStep step, const std::string& named) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    const std::string name = step == MemberStep::leave ? *self : named;
    fed::Charter charter = chain->charter();
    const auto member = std::ranges::find(charter.members, name, &fed::CharterMember::name);
    if (member == charter.members.end()) return base::fail(ErrorKind::not_found, std::format("{} is no member of {}", name, charter.federation));
    ++charter.version;
    charter.previous = chain->current().digest();
    charter.issued = std::max(seconds(parts), charter.issued);
    if (step == MemberStep::suspend || step == MemberStep::restore) {
        member->standing = step == MemberStep::suspend ? fed::Standing::suspended : fed::Standing::active;
    } else {
        if (charter.members.size() == 1) return base::fail(ErrorKind::invalid, "the last member cannot leave; delete the folder instead");
        const fed::FormerMember former{name, member->identity().fingerprint()};
        charter.former.insert(std::ranges::lower_bound(charter.former, name, {}, &fed::FormerMember::name), former);
        charter.members.erase(member);
        std::erase(charter.amenders, name);
        // Who amends from now on: those who are left, or, if nobody is, every member.
        if (charter.amenders.empty())
            for (const auto& each : charter.members) charter.amenders.push_back(each.name);
        charter.quorum = std::clamp<std::uint32_t>(charter.quorum, static_cast<std::uint32_t>(charter.amenders.size() / 2 + 1), static_cast<std::uint32_t>(charter.amenders.size()));
        for (auto& handling : charter.handling) std::erase(handling.granters, name);
        for (auto& group : charter.groups) std::erase_if(group.members, [&](const std::string& each) { return each == name || each.starts_with(name + "/"); });
        std::erase_if(charter.groups, [](const auto& group) { return group.members.empty(); });
    }
    auto document = fed::CharterDocument::of(std::move(charter));
    if (!document) return std::unexpected(document.error());
    return put_forward(parts, *chain, std::move(*document), *self);
}

base::Result<CharterChange> update_member(const FederationParts& parts, const MemberUpdate& update) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    fed::Charter charter = chain->charter();
    const auto member = std::ranges::find(charter.members, *self, &fed::CharterMember::name);
    if (member == charter.members.end()) return base::fail(ErrorKind::denied, std::format("{} is no member any more", *self), "no_member");
    if (!update.addresses.empty()) member->addresses = update.addresses;
    // Those of this node's log; those of other nodes' logs stay.
    std::vector<std::string> names;
    for (const auto& key : update.log_keys) names.push_back(key.substr(0, key.find('+')));
    std::erase_if(member->log_keys, [&](const std::string& key) { return std::ranges::contains(names, key.substr(0, key.find('+'))); });
    member->log_keys.insert(member->log_keys.end(), update.log_keys.begin(), update.log_keys.end());
    if (*member == *chain->charter().member(*self)) return CharterChange{sheet_of(chain->current(), *self), true, ""};
    ++charter.version;
    charter.previous = chain->current().digest();
    charter.issued = std::max(seconds(parts), charter.issued);
    auto document = fed::CharterDocument::of(std::move(charter));
    if (!document) return std::unexpected(document.error());
    return put_forward(parts, *chain, std::move(*document), *self);
}

base::Result<std::optional<CharterChange>> proposed(const FederationParts& parts) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto text = catalog::read_file_whole(home.proposal(), file_max);
    if (!text && text.error().kind == ErrorKind::not_found) return std::nullopt;
    if (!text) return std::unexpected(text.error());
    const auto document = fed::CharterDocument::parse(*text);
    if (!document) return std::unexpected(document.error());
    const auto self = own_name(home);
    const auto follows = fed::CharterChain::follows(chain->current(), *document, fed::verify_with_keys());
    return CharterChange{sheet_of(*document, self.value_or("")), false, follows ? "" : follows.error().message};
}

base::Result<CharterChange> approve(const FederationParts& parts) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto text = catalog::read_file_whole(home.proposal(), file_max);
    if (!text) return base::fail(ErrorKind::not_found, "no change of the charter waits for a signature");
    auto document = fed::CharterDocument::parse(*text);
    if (!document) return std::unexpected(document.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    return put_forward(parts, *chain, std::move(*document), *self);
}

base::Result<std::string> certify(const FederationParts& parts, const std::string& request_text) {
    const auto root = fed::read_identity(home_of(parts).root_key());
    if (!root) return std::unexpected(root.error());
    const auto node = crypto::read_node_request(request_text);
    if (!node) return std::unexpected(node.error());
    return crypto::issue_node_certificate(*root, *node, {parts.clock.wall() - crypto::clock_skew_max, parts.clock.wall() + fed::certificate_life});
}

base::Result<void> take_node_certificate(const FederationParts& parts, const std::string& pem) {
    const fed::Home home = home_of(parts);
    const auto chain = fed::read_charter(home);
    if (!chain) return std::unexpected(chain.error());
    const auto self = own_name(home);
    if (!self) return std::unexpected(self.error());
    const auto* member = chain->charter().member(*self);
    if (member == nullptr) return base::fail(ErrorKind::denied, std::format("{} is no member any more", *self));
    return fed::take_certificate(home, member->identity(), pem, parts.clock.wall());
}

base::Result<std::vector<std::string>> log_keys(const DataDirectory& data) {
    const auto shown = shown_identity(data);
    if (!shown) return std::unexpected(shown.error());
    std::vector<std::string> keys;
    for (const auto& verifier : shown->log) keys.push_back(verifier.vkey());
    return keys;
}

}  // namespace hanse::node
