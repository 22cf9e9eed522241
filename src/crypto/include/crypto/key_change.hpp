// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/key_file.hpp"
#include "crypto/signature.hpp"

namespace hanse::crypto {

// That keys were replaced or are no longer to be believed, said by those keys themselves. Text:
//
//   hanse-key-change v1
//   kind rotation                 or: revocation
//   purpose identity
//   name stadtwerke.example
//   time 1795527600               POSIX seconds
//   reason laptop lost            one line; left out if there is nothing to say
//   old ed25519 <base64>          the keys that end, each on its line
//   new ed25519 <base64>          of a rotation: those that take their place
//   by old ed25519 <base64>       signatures of all lines before the first "by", by all old keys
//   by new ed25519 <base64>       and of a rotation by all new ones, which shows that somebody holds them
//
// Every key must sign: one algorithm that is broken one day replaces nobody. At most 64 KiB and eight keys a side. A value.
struct KeyChange {
    enum class Kind : std::uint8_t { rotation, revocation };
    struct Signed {
        bool by_new = false;
        Algorithm algorithm{};
        base::Bytes bytes;
    };

    Kind kind = Kind::rotation;
    std::string purpose;
    std::string name;
    std::uint64_t time = 0;
    std::string reason = {};
    std::vector<PublicKey> old_keys;
    std::vector<PublicKey> new_keys = {};
    std::vector<Signed> signatures = {};

    std::string text() const;
    // `corrupt` with the line if it is not of this form. Whether the signatures hold is another question.
    static base::Result<KeyChange> parse(std::string_view text);
    // All that must sign did, and each signature is good.
    bool holds() const;
};

// `invalid` if both sets are not of one purpose and name, or the reason has more than one line or 200 bytes; `unavailable`
// if a token did not sign.
base::Result<KeyChange> rotate(const KeySet& before, const KeySet& after, std::uint64_t time, std::string_view reason = {});
base::Result<KeyChange> revoke(const KeySet& keys, std::uint64_t time, std::string_view reason = {});

// Who is to be believed now, if these keys were believed at first and these changes followed, in any order.
struct KeyStanding {
    std::vector<PublicKey> keys;
    bool revoked = false;
    std::uint64_t since = 0;                     // time of the last change; 0 if there was none
    std::vector<std::vector<PublicKey>> former;  // those that were replaced, the oldest first
};
// `denied` if a change of these keys does not hold, or two changes of the same keys contradict each other: then nobody knows
// who holds them, and they count as lost. Changes of other keys are passed over.
base::Result<KeyStanding> standing_of(std::vector<PublicKey> trusted, std::span<const KeyChange> changes);

}  // namespace hanse::crypto
