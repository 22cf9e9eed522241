// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/identity.hpp"
#include "federation/signatures.hpp"
#include "label/vocabulary.hpp"

// The charter: what all members of a federation hold in common, and the only thing they do. Who is a member and by
// which keys, which words labels may use, who may change it. There is no super-user: whoever wants a change needs the
// signatures that the change asks for (needs_of), and every node counts them for itself.
namespace hanse::federation {

enum class Standing : std::uint8_t { active, suspended };

struct CharterMember {
    std::string name;           // a word of labels
    std::string country;        // the region whose law it is under
    std::string control;        // the smallest region whose authorities alone can order it to hand data over
    std::string house_in = {};  // the smallest region that holds all its sites; empty: no house
    Standing standing = Standing::active;
    std::string title = {};                    // its full name, one line
    std::vector<crypto::PublicKey> keys = {};  // root identity: those of a profile
    std::vector<std::string> addresses = {};   // "host:port"
    std::vector<std::string> log_keys = {};    // of its journal, as C2SP vkeys: what its receipts are checked with
    std::vector<std::string> sites = {};
    std::vector<std::string> people = {};

    crypto::Identity identity() const;
    friend bool operator==(const CharterMember&, const CharterMember&) = default;
};

// A member's lines as they stand in the charter's text; what a newcomer says of itself. `corrupt` for any other form.
std::string text(const CharterMember& member);
base::Result<CharterMember> read_member(std::string_view text);

// A handling release and the members who may say that a place holds it.
struct CharterHandling {
    std::string name;
    std::vector<std::string> granters = {};
    friend bool operator==(const CharterHandling&, const CharterHandling&) = default;
};
struct CharterWitness {
    std::string name;
    std::string vkey;
    friend bool operator==(const CharterWitness&, const CharterWitness&) = default;
};
// The name of a member that was removed. It comes back with the same keys, or by the word of every member.
struct FormerMember {
    std::string name;
    std::string fingerprint;
    friend bool operator==(const FormerMember&, const FormerMember&) = default;
};

// One version. Names of members, groups and former members stand in order. The text is the form that is signed, and
// the only one: lines of words with one space between,
//
//   hanse-charter v1
//   federation NAME
//   version 1
//   previous -                        or the SHA-256 of the version before, in hex
//   issued 2026-11-24T12:00:00Z
//   expires 2027-11-24T12:00:00Z
//   amend 2 acme bolt clinic          so many of these sign the next version; more than half of them
//   receipts demanded                 an answer without a receipt that proves itself is not taken; left out where it may be
//   region NAME PARENT                …
//   content NAME / purpose NAME       …
//   handling NAME [GRANTER…]          …
//   witness NAME VKEY                 …
//   member NAME COUNTRY CONTROL HOUSE|- active|suspended
//     title …, key ALGORITHM BASE64 (twice), address HOST:PORT, log VKEY, site NAME, person NAME   of the member before
//   group NAME READER…                …
//   former NAME FINGERPRINT           …
struct Charter {
    std::string federation;
    std::uint32_t version = 1;
    std::optional<Digest> previous = {};
    std::int64_t issued = 0;   // Unix seconds
    std::int64_t expires = 0;  // the first second at which it no longer holds
    std::uint32_t quorum = 1;
    std::vector<std::string> amenders = {};
    bool receipts_demanded = false;
    std::vector<label::VocabularySource::Region> regions = {};
    std::vector<std::string> contents = {};
    std::vector<std::string> purposes = {};
    std::vector<CharterHandling> handling = {};
    std::vector<CharterWitness> witnesses = {};
    std::vector<CharterMember> members = {};
    std::vector<label::VocabularySource::Group> groups = {};
    std::vector<FormerMember> former = {};

    const CharterMember* member(std::string_view name) const;
    // A member that is not suspended: one that others speak with.
    const CharterMember* active(std::string_view name) const;
    // What labels of this federation may name.
    label::VocabularySource vocabulary() const;
    std::string text() const;
};
inline constexpr std::size_t charter_text_max = 1024 * 1024;
// Clocks may be minutes apart: so much earlier or later is taken for now.
inline constexpr std::int64_t clock_leeway = 600;

// A first version for one member: the usual words, itself as the only amender.
Charter first_charter(std::string federation, CharterMember founder, std::int64_t now, std::int64_t expires);

// A charter with who signed its text (context "charter"). A value; the charter in it is sound: names, keys and words
// hold together, whoever signed. Signatures are for CharterChain to judge.
class CharterDocument {
public:
    struct Signature {
        std::string member;
        crypto::HybridSignature signature;
        friend bool operator==(const Signature&, const Signature&) = default;
    };
    static constexpr std::string_view context = "charter";
    static constexpr std::size_t signatures_max = 512;
    static constexpr std::ptrdiff_t signatures_of_one_max = 4;  // by old keys and by new ones; checking them is dear

    // `invalid` with what is wrong in it.
    static base::Result<CharterDocument> of(Charter charter);
    // The text, then lines "signature MEMBER HALF HALF". `corrupt` for anything but the one form, `invalid` as above,
    // `too_large` over charter_text_max and signatures_max.
    static base::Result<CharterDocument> parse(std::string_view whole) { return parse(whole, {}); }
    // The same; a text that `known` gives a document for is not read again (null: read it).
    using Known = std::function<const CharterDocument*(std::string_view text)>;
    static base::Result<CharterDocument> parse(std::string_view whole, const Known& known);

    const Charter& charter() const { return inside_->charter; }
    const std::string& text() const { return inside_->text; }
    const Digest& digest() const { return inside_->digest; }
    const std::shared_ptr<const label::Vocabulary>& words() const { return inside_->words; }
    const std::vector<Signature>& signatures() const { return signatures_; }
    std::string whole() const;
    // What two people compare: the first 40 hex digits of the digest in groups.
    std::string fingerprint() const;
    void sign(const std::string& member, const Sign& sign);
    // Leaves out the signatures that are not good.
    void keep(const std::function<bool(const Signature&)>& good) {
        std::erase_if(signatures_, [&](const Signature& each) { return !good(each); });
    }
    // Takes over what another copy of the same version has more; false if it is another version.
    bool gather(const CharterDocument& other);

private:
    struct Inside {
        Charter charter;
        std::string text;
        Digest digest;
        std::shared_ptr<const label::Vocabulary> words;
    };
    static base::Result<CharterDocument> read_text(std::string_view text);
    explicit CharterDocument(std::shared_ptr<const Inside> inside) : inside_(std::move(inside)) {}
    std::shared_ptr<const Inside> inside_;
    std::vector<Signature> signatures_;
};

std::string fingerprint_text(const Digest& digest);

// Whose signatures a change asks for, besides a quorum of the amenders: with their keys in the version before, with
// those in the new one, and why, a sentence each.
struct ChangeNeeds {
    std::uint32_t quorum = 0;
    std::vector<std::string> by_old_key = {};
    std::vector<std::string> by_new_key = {};
    std::vector<std::string> why = {};
};
// `invalid` if `after` can be no successor of `before`. The rules: docs/federation.md, "Who may change what".
base::Result<ChangeNeeds> needs_of(const CharterDocument& before, const CharterDocument& after);

}  // namespace hanse::federation
