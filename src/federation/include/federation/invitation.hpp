// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "federation/charter_chain.hpp"
#include "federation/wire/frame.hpp"

// Joining a federation, in two commands. A member invites by name and hands over a code, on whatever way the two trust;
// the newcomer shows that it holds the code, is shown the charter that it would stand in, and signs it; both people
// compare a fingerprint before anything is signed. The code is good once and for a short time; who only sees the
// connection, or only guesses, learns nothing and gets nowhere. The newcomer is a member when the version with it in
// has the signatures that the charter asks for, and not a moment before.
namespace hanse::federation {

using InvitationId = std::array<std::byte, 16>;

// What the code says: "hanse1." and base64url of
//   id 16 | secret 16 | digest of the charter in force 32 | expiry 8 | lengths and texts of inviter, newcomer, address
//   | the first 4 bytes of the SHA-256 of all this
struct InvitationCode {
    InvitationId id{};
    std::array<std::byte, 16> secret{};
    Digest charter{};
    std::int64_t expires = 0;  // Unix seconds
    std::string inviter = {};  // member
    std::string newcomer = {};
    std::string address = {};  // of the inviter, "host:port"

    std::string text() const;
    // `invalid` for anything that is not a whole code: a letter that was copied wrongly is noticed here.
    static base::Result<InvitationCode> parse(std::string_view text);
    friend bool operator==(const InvitationCode&, const InvitationCode&) = default;
};

// The invitations of this node that are open. Belongs to one thread; the shell keeps text() on disk if they are to
// outlive a restart (it holds secrets: mode 0600).
class Invitations {
public:
    static constexpr std::size_t open_max = 64;
    static constexpr std::int64_t valid_default = 3'600;  // seconds
    // `overloaded` if too many are open, `invalid` for a name that is taken.
    base::Result<InvitationCode> invite(std::string newcomer, std::string address, const CharterChain& charters, std::string_view inviter,
                                        std::int64_t now, std::int64_t valid_for, base::Random& random);
    bool withdraw(std::string_view newcomer);
    struct Open {
        InvitationCode code;
        std::optional<Digest> used_by;  // of the entry that came with it
    };
    // Null for one that is unknown or has expired.
    Open* find(const InvitationId& id, std::int64_t now);
    void forget(const InvitationId& id) { open_.erase(id); }
    std::vector<InvitationCode> list(std::int64_t now);

private:
    std::map<InvitationId, Open> open_;
};

// --- What both sides tell their shells ---------------------------------------------------------------------------

// Inviter: somebody with the code wants in. Show name and fingerprint of its keys; then agree() or refuse().
struct NewcomerAsks {
    CharterMember member;
    std::string fingerprint;
};
// Inviter: the newcomer has signed and this side has agreed. Sign it if the ballot lets (durably before), offer it to
// the chain, and send it to the others as a proposal as long as signatures are missing. When the chain has it: welcome().
struct NewcomerSigned {
    CharterDocument document;
};
// Newcomer: the charter that it would agree to. Show it with the fingerprint; then agree() or refuse().
struct TermsShown {
    CharterDocument document;
    std::string fingerprint;  // of the charter that the code names
};
// Newcomer: it is a member. The versions, to be kept.
struct Joined {
    std::vector<CharterDocument> versions;
};
struct JoinEnded {
    std::string reason = {};
};
using JoinEvent = std::variant<NewcomerAsks, NewcomerSigned, TermsShown, Joined, JoinEnded>;
struct JoinEffects {
    base::Bytes send = {};
    std::vector<JoinEvent> events = {};
    bool close = false;
};

// The inviter's side of one connection that a stranger opened; bounded like a session, and silent about why.
class Welcoming {
public:
    Welcoming(Invitations& invitations, const CharterChain& charters, Verify verify)
        : invitations_(invitations),
          charters_(charters),
          verify_(std::move(verify)) {}
    void received(std::span<const std::byte> bytes, std::int64_t now);
    void agree();
    void refuse();
    // The chain has grown: the newcomer is in it, or the terms must be written anew.
    void charter_changed();
    JoinEffects take() { return std::exchange(effects_, {}); }

private:
    void on(const wire::JoinAsk& ask, std::int64_t now);
    void on(const wire::JoinConsent& consent);
    void offer_terms();
    void settle();
    void end(std::string_view code);

    Invitations& invitations_;
    const CharterChain& charters_;
    Verify verify_;
    wire::FrameReader reader_;
    JoinEffects effects_;
    std::optional<wire::JoinAsk> ask_;
    std::optional<InvitationCode> code_;
    std::optional<CharterMember> newcomer_;
    std::optional<CharterDocument> terms_;
    bool agreed_ = false;
    bool consented_ = false;
    bool handed_on_ = false;
    bool ended_ = false;
};

// The newcomer's side.
class Joining {
public:
    Joining(InvitationCode code, CharterMember self, Sign sign, Verify verify, base::Random& random);
    void open();
    void received(std::span<const std::byte> bytes, std::int64_t now);
    void agree();
    void refuse();
    JoinEffects take() { return std::exchange(effects_, {}); }

private:
    void on(const wire::JoinTerms& terms, std::int64_t now);
    void on(const wire::JoinDone& done);
    void end(std::string_view reason);

    InvitationCode code_;
    CharterMember self_;
    Sign sign_;
    Verify verify_;
    wire::FrameReader reader_;
    JoinEffects effects_;
    wire::JoinAsk ask_;
    std::optional<CharterDocument> terms_;
    bool ended_ = false;
};

// The version that follows `before` with this newcomer in it: a member, and no amender until the members make it one.
base::Result<CharterDocument> version_with(const CharterDocument& before, CharterMember newcomer);

}  // namespace hanse::federation
