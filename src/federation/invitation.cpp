// SPDX-License-Identifier: Apache-2.0
#include "federation/invitation.hpp"

#include <algorithm>
#include <format>

namespace hanse::federation {
namespace {

using base::Bytes;
using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::string_view prefix = "hanse1.";

void put(Bytes& out, std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }
void put_text(Bytes& out, std::string_view text) {
    out.push_back(static_cast<std::byte>(text.size()));
    put(out, base::bytes_of(text));
}

// Standard alphabet with padding, for the strict reader that there is.
std::string padded(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c == '+' || c == '/' || c == '=' ? ' ' : c;
    while (out.size() % 4 != 0) out += '=';
    return out;
}

// Proofs are over everything that was said so far, each part with its length before it.
Digest proof_of(const InvitationCode& code, std::string_view step, const wire::JoinAsk& ask, const std::vector<std::string>& said = {}) {
    Bytes all;
    const auto part = [&](std::span<const std::byte> bytes) {
        for (int shift = 56; shift >= 0; shift -= 8) all.push_back(static_cast<std::byte>(bytes.size() >> shift));
        put(all, bytes);
    };
    part(base::bytes_of(step));
    part(code.id);
    part(code.charter);
    part(ask.nonce);
    part(base::bytes_of(ask.member));
    for (const auto& each : said) part(base::bytes_of(each));
    return crypto::hmac_sha256(code.secret, all);
}

std::vector<std::string> said_in(const wire::JoinTerms& terms) {
    std::vector<std::string> said{terms.proposal};
    said.insert(said.end(), terms.versions.begin(), terms.versions.end());
    return said;
}

template <typename Handler>
void read_frames(wire::FrameReader& reader, std::span<const std::byte> bytes, Handler handle) {
    reader.add(bytes);
    while (true) {
        const auto frame = reader.next();
        if (frame && !*frame) return;
        auto message = frame ? wire::decode(**frame) : std::unexpected(frame.error());
        // Nothing stands for what cannot be read.
        if (!message) handle(std::optional<wire::Message>{});
        if (!message || (*message && !handle(std::move(*message)))) return;
    }
}

}  // namespace

std::string InvitationCode::text() const {
    Bytes out;
    put(out, id);
    put(out, secret);
    put(out, charter);
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(expires >> shift));
    for (const auto* each : {&inviter, &newcomer, &address}) put_text(out, *each);
    const auto digest = crypto::sha256(out);
    put(out, std::span(digest).first(4));
    return std::string(prefix) + base::base64url(out);
}

Result<InvitationCode> InvitationCode::parse(std::string_view text) {
    const auto wrong = [] {
        return fail(ErrorKind::invalid, "this is not a whole invitation code: it begins with hanse1. and is copied without a gap",
                    "invitation_code");
    };
    if (!text.starts_with(prefix) || text.size() > 1'200) return wrong();
    const auto bytes = base::from_base64(padded(text.substr(prefix.size())));
    if (!bytes || bytes->size() < 16 + 16 + 32 + 8 + 3 + 4) return wrong();
    const auto body = std::span<const std::byte>(*bytes).first(bytes->size() - 4);
    const auto digest = crypto::sha256(body);
    if (!std::ranges::equal(std::span(digest).first(4), std::span(*bytes).last(4))) return wrong();
    InvitationCode code;
    std::ranges::copy(body.first(16), code.id.begin());
    std::ranges::copy(body.subspan(16, 16), code.secret.begin());
    std::ranges::copy(body.subspan(32, 32), code.charter.begin());
    for (const auto byte : body.subspan(64, 8))
        code.expires = static_cast<std::int64_t>(static_cast<std::uint64_t>(code.expires) << 8 | std::to_integer<std::uint64_t>(byte));
    auto rest = body.subspan(72);
    for (auto* each : {&code.inviter, &code.newcomer, &code.address}) {
        if (rest.empty() || rest.size() - 1 < std::to_integer<std::size_t>(rest[0])) return wrong();
        const auto size = std::to_integer<std::size_t>(rest[0]);
        each->assign(reinterpret_cast<const char*>(rest.data()) + 1, size);
        rest = rest.subspan(1 + size);
    }
    if (!rest.empty() || code.text() != text) return wrong();
    return code;
}

Result<InvitationCode> Invitations::invite(std::string newcomer, std::string address, const CharterChain& charters,
                                           std::string_view inviter, std::int64_t now, std::int64_t valid_for, base::Random& random) {
    std::erase_if(open_, [&](const auto& each) { return each.second.code.expires <= now; });
    if (open_.size() >= open_max) return fail(ErrorKind::overloaded, "64 invitations are open; withdraw one first");
    if (newcomer.empty() || newcomer.size() > 64 || address.size() > 255)
        return fail(ErrorKind::invalid, "a member's name has 1 to 64 letters");
    if (charters.charter().member(newcomer)) return fail(ErrorKind::invalid, std::format("{} is a member already", newcomer));
    withdraw(newcomer);
    InvitationCode code{.charter = charters.current().digest(),
                        .expires = now + valid_for,
                        .inviter = std::string(inviter),
                        .newcomer = std::move(newcomer),
                        .address = std::move(address)};
    random.fill(code.id);
    random.fill(code.secret);
    open_.emplace(code.id, Open{code, {}});
    return code;
}

bool Invitations::withdraw(std::string_view newcomer) {
    return std::erase_if(open_, [&](const auto& each) { return each.second.code.newcomer == newcomer; }) > 0;
}

Invitations::Open* Invitations::find(const InvitationId& id, std::int64_t now) {
    const auto found = open_.find(id);
    return found != open_.end() && now < found->second.code.expires ? &found->second : nullptr;
}

std::vector<InvitationCode> Invitations::list(std::int64_t now) {
    std::vector<InvitationCode> all;
    for (const auto& [id, open] : open_)
        if (now < open.code.expires) all.push_back(open.code);
    return all;
}

Result<CharterDocument> version_with(const CharterDocument& before, CharterMember newcomer) {
    Charter charter = before.charter();
    ++charter.version;
    charter.previous = before.digest();
    std::erase_if(charter.former, [&](const FormerMember& former) { return former.name == newcomer.name; });
    const auto place = std::ranges::lower_bound(charter.members, newcomer.name, {}, &CharterMember::name);
    charter.members.insert(place, std::move(newcomer));
    return CharterDocument::of(std::move(charter));
}

// --- Inviter -----------------------------------------------------------------------------------------------------

void Welcoming::end(std::string_view code) {
    if (std::exchange(ended_, true)) return;
    // Whoever has no right to be here is told nothing.
    wire::encode(wire::Problem{"not_found", {}}, 0, effects_.send);
    effects_.events.emplace_back(JoinEnded{std::string(code)});
    effects_.close = true;
}

void Welcoming::received(std::span<const std::byte> bytes, std::int64_t now) {
    read_frames(reader_, bytes, [&](std::optional<wire::Message> message) {
        if (ended_) return false;
        if (message && std::holds_alternative<wire::JoinAsk>(*message)) on(std::get<wire::JoinAsk>(*message), now);
        else if (message && std::holds_alternative<wire::JoinConsent>(*message)) on(std::get<wire::JoinConsent>(*message));
        else end("malformed");
        return !ended_;
    });
}

void Welcoming::on(const wire::JoinAsk& ask, std::int64_t now) {
    if (ask_) return end("asked_twice");
    auto* open = invitations_.find(ask.invitation, now);
    if (!open || !crypto::equal_in_constant_time(proof_of(open->code, "ask", ask), ask.proof)) return end("no_invitation");
    auto member = read_member(ask.member);
    if (!member || member->name != open->code.newcomer || member->standing != Standing::active) return end("other_member");
    // Once: the same newcomer may come again after its connection broke, nobody else.
    const Digest entry = crypto::sha256(base::bytes_of(ask.member));
    if (open->used_by && *open->used_by != entry) return end("used");
    open->used_by = entry;
    ask_ = ask;
    code_ = open->code;
    newcomer_ = std::move(*member);
    offer_terms();
}

void Welcoming::offer_terms() {
    const auto& versions = charters_.versions();
    const auto named = std::ranges::find(versions, code_->charter, &CharterDocument::digest);
    auto proposal = version_with(charters_.current(), *newcomer_);
    if (named == versions.end() || versions.end() - named > 64 || !proposal || !needs_of(charters_.current(), *proposal))
        return end("no_terms");
    const bool again = terms_.has_value();
    terms_ = std::move(*proposal);
    consented_ = handed_on_ = false;
    wire::JoinTerms terms{.proposal = terms_->text()};
    for (auto each = named; each != versions.end(); ++each) terms.versions.push_back(each->whole());
    terms.proof = proof_of(*code_, "terms", *ask_, said_in(terms));
    wire::encode(terms, 0, effects_.send);
    if (!again) effects_.events.emplace_back(NewcomerAsks{*newcomer_, newcomer_->identity().fingerprint()});
}

void Welcoming::on(const wire::JoinConsent& consent) {
    if (!terms_) return end("malformed");
    const auto signature = crypto::HybridSignature::parse(consent.signature);
    if (!signature || !verify_(newcomer_->identity(), CharterDocument::context, base::bytes_of(terms_->text()), *signature)) {
        // A consent to terms that were written anew since may still be on its way; another will follow.
        return;
    }
    terms_->sign(newcomer_->name, [&](std::string_view, std::span<const std::byte>) { return *signature; });
    consented_ = true;
    settle();
}

void Welcoming::agree() {
    agreed_ = true;
    settle();
}

void Welcoming::refuse() { end("refused"); }

void Welcoming::settle() {
    if (ended_ || handed_on_ || !agreed_ || !consented_) return;
    handed_on_ = true;
    effects_.events.emplace_back(NewcomerSigned{*terms_});
}

void Welcoming::charter_changed() {
    if (ended_ || !newcomer_) return;
    const CharterMember* member = charters_.charter().member(newcomer_->name);
    if (!member) return offer_terms();
    if (member->keys != newcomer_->keys) return end("other_member");
    wire::JoinDone done;
    for (const auto& each : charters_.versions()) done.charter.push_back(each.whole());
    wire::encode(done, 0, effects_.send);
    invitations_.forget(code_->id);
    ended_ = true;
    effects_.events.emplace_back(JoinEnded{"joined"});
    effects_.close = true;
}

// --- Newcomer ----------------------------------------------------------------------------------------------------

Joining::Joining(InvitationCode code, CharterMember self, Sign sign, Verify verify, base::Random& random)
    : code_(std::move(code)),
      self_(std::move(self)),
      sign_(std::move(sign)),
      verify_(std::move(verify)) {
    ask_.invitation = code_.id;
    random.fill(ask_.nonce);
    ask_.member = text(self_);
    ask_.proof = proof_of(code_, "ask", ask_);
}

void Joining::open() { wire::encode(ask_, 0, effects_.send); }

void Joining::end(std::string_view reason) {
    if (std::exchange(ended_, true)) return;
    effects_.events.emplace_back(JoinEnded{std::string(reason)});
    effects_.close = true;
}

void Joining::received(std::span<const std::byte> bytes, std::int64_t now) {
    read_frames(reader_, bytes, [&](std::optional<wire::Message> message) {
        if (ended_) return false;
        if (message && std::holds_alternative<wire::JoinTerms>(*message)) on(std::get<wire::JoinTerms>(*message), now);
        else if (message && std::holds_alternative<wire::JoinDone>(*message)) on(std::get<wire::JoinDone>(*message));
        else if (message && std::holds_alternative<wire::Problem>(*message)) end("refused");
        else end("malformed");
        return !ended_;
    });
}

void Joining::on(const wire::JoinTerms& terms, std::int64_t now) {
    // Only who holds the code can have written this; and it leads from the charter that the code names to what is proposed.
    if (!crypto::equal_in_constant_time(proof_of(code_, "terms", ask_, said_in(terms)), terms.proof)) return end("not the inviter");
    std::optional<CharterDocument> last;
    for (const auto& whole : terms.versions) {
        auto document = CharterDocument::parse(whole);
        if (!document) return end("the charter cannot be read");
        if (last ? !CharterChain::follows(*last, *document, verify_) : document->digest() != code_.charter)
            return end("another charter than the code names");
        last = std::move(*document);
    }
    auto proposal = CharterDocument::parse(terms.proposal);
    if (!last || !proposal || !needs_of(*last, *proposal)) return end("the proposal does not follow the charter");
    const CharterMember* self = proposal->charter().member(self_.name);
    if (!self || *self != self_) return end("the proposal says something else of this member");
    if (proposal->charter().expires + clock_leeway <= now) return end("the charter has expired");
    terms_ = *proposal;
    effects_.events.emplace_back(TermsShown{std::move(*proposal), fingerprint_text(code_.charter)});
}

void Joining::agree() {
    if (ended_ || !terms_) return;
    terms_->sign(self_.name, sign_);
    wire::encode(wire::JoinConsent{terms_->signatures().back().signature.text()}, 0, effects_.send);
}

void Joining::refuse() { end("refused here"); }

void Joining::on(const wire::JoinDone& done) {
    std::vector<CharterDocument> versions;
    for (const auto& whole : done.charter) {
        auto document = CharterDocument::parse(whole);
        if (!document) return end("the charter cannot be read");
        versions.push_back(std::move(*document));
    }
    const auto chain = CharterChain::open(versions, verify_);
    if (!chain || !std::ranges::contains(versions, code_.charter, &CharterDocument::digest))
        return end("another charter than the code names");
    const CharterMember* self = chain->charter().member(self_.name);
    if (!self || self->keys != self_.keys) return end("this member is not in it");
    ended_ = true;
    effects_.events.emplace_back(Joined{std::move(versions)});
    effects_.close = true;
}

}  // namespace hanse::federation
