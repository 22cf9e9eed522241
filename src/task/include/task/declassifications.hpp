// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.hpp"
#include "base/result.hpp"
#include "crypto/identity.hpp"
#include "label/declassify.hpp"
#include "label/policy.hpp"
#include "task/declassified.hpp"

namespace hanse::task {

// What stands behind a signer's name in the text of a declassification: its two public keys, then its two signatures,
// "ed25519:… ml-dsa-65:… ed25519:… ml-dsa-65:…". The keys count only if the policy knows their fingerprint.
std::string signature_of(const crypto::IdentityKey& key, std::span<const std::byte> message);
// Good are signatures of the policy's signers, each by the person whose fingerprint it is.
label::VerifySignature verify_by(const label::Policy& policy);

label::PayloadDigest digest_of(std::string_view payload);

// The owners' statements that requests may go by. One is presented once, then named by requests until it expires; a
// statement for one answer is used up by the first request that was decided with it, also across a restart, since what
// is used up lies in a file that is durable before the request goes on. Statements themselves are not kept over a restart: they
// are presented again.
//
// Everything that makes a statement hold is checked when it is presented and again at each use, under the policy in force
// then: a signer who is taken out of the policy has signed nothing. Thread-safe.
class Declassifications {
public:
    static constexpr std::size_t held_max = 1'000;
    struct Parts {
        base::Disk& disk;
        std::filesystem::path used_up;  // the file; made when it is needed
    };
    // `corrupt` if the file is there but is not what it should be: then nothing can be said to be unused.
    static base::Result<std::unique_ptr<Declassifications>> open(Parts parts);

    // `denied` with the code "declassification_refused" and what is missing; `overloaded` where too many are held.
    base::Result<Declassified> present(std::string_view text, const label::Policy& policy, std::int64_t now);
    // The label that this payload has under the statement. `denied` as above; `not_found` for one that was not presented.
    struct Loosened {
        label::Label label;
        Declassified by;
    };
    base::Result<Loosened> loosen(std::string_view id, const label::PayloadDigest& payload, const label::Label& at_hand,
                                  const label::Policy& policy, std::int64_t now) const;
    // Once a request was decided: those for one answer cannot be used again. `denied` if one has been used in the meantime,
    // `unavailable` if that cannot be written down; then nothing may go.
    base::Result<void> use_up(std::span<const Declassified> all, std::int64_t now);

private:
    explicit Declassifications(Parts parts) : parts_(std::move(parts)) {}
    Parts parts_;
    mutable std::mutex mutex_;
    std::map<std::string, Declassified, std::less<>> held_;
    std::map<std::string, std::int64_t, std::less<>> used_up_;  // until they have expired
};

}  // namespace hanse::task
