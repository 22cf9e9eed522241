// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace hanse::forge {

// A sum of vectors of whole numbers modulo 2^64 that nobody's own vector can be read from (Bonawitz et al., "Practical Secure
// Aggregation for Privacy-Preserving Machine Learning", CCS 2017), for the few owners of a federation, each of whom shares a
// secret with each other one.
//
// The idea: owner i sends  x_i + b_i + Σ_{j>i} m_ij - Σ_{j<i} m_ij , where m_ij is a stream from the secret that i and j share and b_i one
// from a secret of i's own. The pair masks cancel in the sum. Of the own secret every owner holds a Shamir share (over GF(2^8), any
// `threshold` of them make it whole). When all have sent, or the time is over, each survivor gives for each owner that sent its
// share of that owner's own secret, and for each that did not the pair's secret of this round; never both for one owner, which
// would uncover it, so a member reveals once a round. So a sum succeeds when owners drop out
// before they send, as long as the survivors answer; whoever drops out after sending is still in the sum.
//
// Secrets, shares and masked vectors are bytes that the caller carries, sealed between the two concerned; who carries them learns nothing
// as long as fewer than `threshold` owners work together. Assumed is that all see the same list of who sent (the federation's
// log gives that). Streams are HMAC-SHA-256 in counter mode (NIST SP 800-108). Values; not thread-safe.
using SumSecret = std::array<std::byte, 32>;

struct SumRound {
    std::uint32_t members = 0;    // 2 to 255, numbered from 0
    std::uint32_t threshold = 0;  // 2 to members
    std::vector<std::byte> name;  // of this round, the same for all and never used twice
};

// A member's share of another's own secret.
struct SumShare {
    std::uint32_t of = 0;
    std::array<std::byte, 32> value = {};
};

// What a survivor tells when it is known who sent.
struct SumReveal {
    std::uint32_t from = 0;
    std::map<std::uint32_t, std::array<std::byte, 32>> shares;  // by owner that sent
    std::map<std::uint32_t, SumSecret> pairs;                   // of this round, by owner that did not
};

class SumMember {
public:
    // `secrets`: one for each member, shared with it; the entry at the own place is not used. `invalid` if their number or the round is
    // wrong.
    static base::Result<SumMember> create(SumRound round, std::uint32_t own, std::vector<SumSecret> secrets, base::Random& random);

    // One share for each member, the own one as well, to be sent to it sealed.
    const std::vector<SumShare>& shares() const { return shares_; }
    // From each other member, before masked(). `invalid` for an unknown member or a second share of one.
    base::Result<void> take(const SumShare& share);
    // `invalid` until a share of every member has been taken; `bug` the second time: two vectors under one mask would uncover both.
    base::Result<std::vector<std::uint64_t>> masked(std::span<const std::uint64_t> vector);
    // Once. `denied` if it would uncover this member or not enough owners have sent to make a sum that hides each.
    base::Result<SumReveal> reveal(std::span<const std::uint32_t> sent);

private:
    SumMember() = default;
    SumRound round_;
    std::uint32_t own_ = 0;
    std::vector<SumSecret> pairs_;  // of this round
    SumSecret self_ = {};
    std::vector<SumShare> shares_;
    std::map<std::uint32_t, std::array<std::byte, 32>> taken_;
    bool masked_ = false;
    bool revealed_ = false;
};

// Adds up what arrives. Anyone may be the collector; it needs no secret.
class SumCollector {
public:
    static base::Result<SumCollector> create(SumRound round, std::size_t length);
    // `invalid` for an unknown member, a second vector of one, another length.
    base::Result<void> add(std::uint32_t member, std::span<const std::uint64_t> masked);
    std::vector<std::uint32_t> sent() const;
    // The plain sum of those that sent. `invalid` if fewer than `threshold` shares of one are there or a survivor's secret is missing.
    base::Result<std::vector<std::uint64_t>> finish(std::span<const SumReveal> reveals) const;

private:
    SumCollector() = default;
    SumRound round_;
    std::vector<std::uint64_t> sum_;
    std::vector<std::uint32_t> sent_;
};

// Shamir's secret sharing over GF(2^8) with the polynomial of AES (FIPS 197), byte by byte; share i belongs to x = i + 1.
std::vector<std::array<std::byte, 32>> split_secret(const SumSecret& secret, std::uint32_t shares, std::uint32_t threshold,
                                                    base::Random& random);
SumSecret join_secret(const std::map<std::uint32_t, std::array<std::byte, 32>>& shares);

}  // namespace hanse::forge
