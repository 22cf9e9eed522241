// SPDX-License-Identifier: Apache-2.0
#include "forge/secure_sum.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <format>

#include "crypto/digest.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

base::Bytes bytes_with(std::string_view what, std::span<const std::byte> name, std::uint64_t number) {
    const auto head = base::bytes_of(what);
    base::Bytes message(head.begin(), head.end());
    const auto digits = std::as_bytes(std::span(&number, 1));
    message.insert(message.end(), digits.begin(), digits.end());
    message.insert(message.end(), name.begin(), name.end());
    return message;
}

SumSecret round_secret(const SumSecret& secret, const SumRound& round) {
    return crypto::hmac_sha256(secret, bytes_with("hanse secure sum, pair", round.name, round.members));
}

enum class Sign : std::uint8_t { plus, minus };

// Counter mode (NIST SP 800-108, section 4.1): block n is HMAC(secret, n), four numbers each.
void add_stream(const SumSecret& secret, Sign sign, std::span<std::uint64_t> to) {
    static_assert(std::endian::native == std::endian::little);
    for (std::size_t begin = 0; begin < to.size(); begin += 4) {
        const auto block = crypto::hmac_sha256(secret, bytes_with("hanse secure sum, mask", {}, begin / 4));
        for (std::size_t i = 0; i < 4 && begin + i < to.size(); ++i) {
            std::uint64_t value = 0;
            std::memcpy(&value, block.data() + 8 * i, 8);
            to[begin + i] += sign == Sign::plus ? value : -value;
        }
    }
}

// The pair's mask is added by the lower of the two.
Sign sign_of(std::uint32_t own, std::uint32_t other) { return own < other ? Sign::plus : Sign::minus; }

Result<void> check(const SumRound& round) {
    if (round.members < 2 || round.members > 255) return fail(ErrorKind::invalid, "a secure sum has 2 to 255 members");
    if (round.threshold < 2 || round.threshold > round.members)
        return fail(ErrorKind::invalid,
                    std::format("the threshold {} is not between 2 and the {} members", round.threshold, round.members));
    return {};
}

// FIPS 197, section 4.2; without tables, so that its time does not depend on what is multiplied.
std::uint8_t times(std::uint8_t a, std::uint8_t b) {
    std::uint32_t product = 0;
    for (int bit = 0; bit < 8; ++bit) {
        product ^= a & (0U - (b >> bit & 1U));
        a = static_cast<std::uint8_t>(a << 1 ^ (0x1BU & (0U - (a >> 7))));
    }
    return static_cast<std::uint8_t>(product);
}

std::uint8_t inverse(std::uint8_t a) {  // a^254
    std::uint8_t result = 1;
    for (int i = 0; i < 7; ++i) {
        a = times(a, a);
        result = times(result, a);
    }
    return result;
}

}  // namespace

std::vector<std::array<std::byte, 32>> split_secret(const SumSecret& secret, std::uint32_t shares, std::uint32_t threshold,
                                                    base::Random& random) {
    std::vector<std::array<std::byte, 32>> factors(threshold);  // of the polynomial, from the constant one
    factors.front() = secret;
    for (std::size_t i = 1; i < factors.size(); ++i) random.fill(factors[i]);
    std::vector<std::array<std::byte, 32>> result(shares);
    for (std::uint32_t share = 0; share < shares; ++share) {
        for (std::size_t i = 0; i < 32; ++i) {
            std::uint8_t value = 0;
            for (std::size_t k = factors.size(); k-- > 0;)
                value = static_cast<std::uint8_t>(times(value, static_cast<std::uint8_t>(share + 1)) ^
                                                  static_cast<std::uint8_t>(factors[k][i]));
            result[share][i] = std::byte{value};
        }
    }
    for (auto& one : factors) crypto::wipe(one);
    return result;
}

SumSecret join_secret(const std::map<std::uint32_t, std::array<std::byte, 32>>& shares) {
    SumSecret secret = {};
    for (const auto& [own, value] : shares) {
        std::uint8_t weight = 1;  // Lagrange at 0
        for (const auto& [other, unused] : shares)
            if (other != own)
                weight =
                    times(weight, times(static_cast<std::uint8_t>(other + 1), inverse(static_cast<std::uint8_t>((other + 1) ^ (own + 1)))));
        for (std::size_t i = 0; i < 32; ++i) secret[i] ^= std::byte{times(weight, static_cast<std::uint8_t>(value[i]))};
    }
    return secret;
}

Result<SumMember> SumMember::create(SumRound round, std::uint32_t own, std::vector<SumSecret> secrets, base::Random& random) {
    if (auto sound = check(round); !sound) return std::unexpected(sound.error());
    if (own >= round.members || secrets.size() != round.members)
        return fail(ErrorKind::invalid, std::format("member {} needs {} shared secrets, one for each member", own, round.members));
    SumMember member;
    member.own_ = own;
    for (auto& secret : secrets) {
        member.pairs_.push_back(round_secret(secret, round));
        crypto::wipe(secret);
    }
    random.fill(member.self_);
    for (const auto& value : split_secret(member.self_, round.members, round.threshold, random)) member.shares_.push_back({own, value});
    member.taken_[own] = member.shares_[own].value;
    member.round_ = std::move(round);
    return member;
}

Result<void> SumMember::take(const SumShare& share) {
    if (share.of >= round_.members) return fail(ErrorKind::invalid, std::format("there is no member {}", share.of));
    if (!taken_.emplace(share.of, share.value).second)
        return fail(ErrorKind::invalid, std::format("member {} has given its share already", share.of));
    return {};
}

Result<std::vector<std::uint64_t>> SumMember::masked(std::span<const std::uint64_t> vector) {
    if (masked_) return fail(ErrorKind::bug, "a mask hides one vector only");
    if (taken_.size() != round_.members) return fail(ErrorKind::invalid, "not all members have given their share");
    masked_ = true;
    std::vector<std::uint64_t> result(vector.begin(), vector.end());
    add_stream(self_, Sign::plus, result);
    for (std::uint32_t other = 0; other < round_.members; ++other)
        if (other != own_) add_stream(pairs_[other], sign_of(own_, other), result);
    return result;
}

Result<SumReveal> SumMember::reveal(std::span<const std::uint32_t> sent) {
    if (revealed_) return fail(ErrorKind::denied, "this round has been revealed already");
    if (std::ranges::any_of(sent, [&](auto one) { return one >= round_.members || std::ranges::count(sent, one) > 1; }))
        return fail(ErrorKind::denied, "the list of who sent names a member twice, or one that does not exist");
    if (sent.size() < round_.threshold || std::ranges::find(sent, own_) == sent.end())
        return fail(ErrorKind::denied, std::format("a sum of {} owners would hide too little; {} are needed, this one among them",
                                                   sent.size(), round_.threshold));
    revealed_ = true;
    SumReveal reveal;
    reveal.from = own_;
    for (std::uint32_t other = 0; other < round_.members; ++other) {
        if (std::ranges::find(sent, other) != sent.end()) {
            reveal.shares[other] = taken_[other];
        } else {
            reveal.pairs[other] = pairs_[other];
        }
    }
    return reveal;
}

Result<SumCollector> SumCollector::create(SumRound round, std::size_t length) {
    if (auto sound = check(round); !sound) return std::unexpected(sound.error());
    SumCollector collector;
    collector.round_ = std::move(round);
    collector.sum_.resize(length);
    return collector;
}

Result<void> SumCollector::add(std::uint32_t member, std::span<const std::uint64_t> masked) {
    if (member >= round_.members) return fail(ErrorKind::invalid, std::format("there is no member {}", member));
    if (masked.size() != sum_.size())
        return fail(ErrorKind::invalid, std::format("member {} sent {} numbers, not {}", member, masked.size(), sum_.size()));
    if (std::ranges::find(sent_, member) != sent_.end()) return fail(ErrorKind::invalid, std::format("member {} has sent already", member));
    sent_.push_back(member);
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += masked[i];
    return {};
}

std::vector<std::uint32_t> SumCollector::sent() const {
    auto sent = sent_;
    std::ranges::sort(sent);
    return sent;
}

Result<std::vector<std::uint64_t>> SumCollector::finish(std::span<const SumReveal> reveals) const {
    auto sum = sum_;
    for (std::uint32_t member = 0; member < round_.members; ++member) {
        if (std::ranges::find(sent_, member) != sent_.end()) {
            std::map<std::uint32_t, std::array<std::byte, 32>> shares;
            for (const auto& reveal : reveals)
                if (const auto found = reveal.shares.find(member); found != reveal.shares.end() && shares.size() < round_.threshold)
                    shares.emplace(reveal.from, found->second);
            if (shares.size() < round_.threshold)
                return fail(ErrorKind::invalid,
                            std::format("{} shares of member {} are there, {} are needed", shares.size(), member, round_.threshold));
            add_stream(join_secret(shares), Sign::minus, sum);
            continue;
        }
        // It dropped out: the masks that the senders put on for it are taken off.
        for (const auto sender : sent_) {
            const auto reveal = std::ranges::find(reveals, sender, &SumReveal::from);
            if (reveal == reveals.end() || !reveal->pairs.contains(member))
                return fail(ErrorKind::invalid, std::format("the secret of members {} and {} is missing", sender, member));
            add_stream(reveal->pairs.at(member), sign_of(sender, member) == Sign::plus ? Sign::minus : Sign::plus, sum);
        }
    }
    return sum;
}

}  // namespace hanse::forge
