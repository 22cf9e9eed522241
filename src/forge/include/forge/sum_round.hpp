// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "forge/secure_sum.hpp"

namespace hanse::forge {

// A secure sum (secure_sum.hpp) by files: a folder that all members see, carried however they like, and a home folder of each that
// nobody else sees. Every step runs at the member's own machine and leaves one file:
//
//   ROUND/round.txt            once, by anybody: name, members, threshold, and a number that no other round has
//   ROUND/MEMBER.shares        each member's shares of its own secret, sealed for each other member
//   ROUND/MEMBER.masked.safetensors   its numbers under masks
//   ROUND/sent.txt             once, by anybody, when all have sent or waiting is over: who is in the sum
//   ROUND/MEMBER.reveal        what each survivor tells for exactly that list, and never for another
//   HOME/OTHER.pair            32 secret bytes that the member shares with OTHER, as 64 hexadecimal digits: carried by the two
//   HOME/ROUND.state           the seed of all that the member draws for the round, and what it has told; mode 0600
//
// Steps may be repeated: the same input gives the same file. Another input under the same masks, or another list of who sent, is
// `denied`, since the two together would uncover what the masks hide. Whoever sees ROUND learns the sum and nothing else, as long as fewer
// than `threshold` members work together and nobody changes files in it; a member that drops out after sending is still in the sum.
struct SumPlan {
    std::string text;  // of round.txt, which is also the round's name in all that is derived
    std::string name;
    std::vector<std::string> members;
    std::uint32_t threshold = 0;

    SumRound round() const;
    // `corrupt`, naming the line.
    static base::Result<SumPlan> parse(std::string_view text);
    // `not_found`: no member of this name.
    base::Result<std::uint32_t> number(std::string_view member) const;
};

// What is summed: whole numbers, and what they are, the same words for all ("statistics 4 1024 DIGEST").
struct SumVector {
    std::string layout;
    std::vector<std::uint64_t> numbers;
};

// Where a member's step runs.
struct SumPlace {
    std::filesystem::path round;
    std::filesystem::path home;
    std::string member;
};

base::Result<SumPlan> begin_sum(const std::filesystem::path& round, std::string_view name, std::vector<std::string> members,
                                std::uint32_t threshold, base::Random& random);
base::Result<SumPlan> read_sum(const std::filesystem::path& round);
// A secret for two members' homes.
base::Result<void> make_pair(const std::filesystem::path& file, base::Random& random);
base::Result<void> share_sum(const SumPlace& place, base::Random& random);
base::Result<void> mask_sum(const SumPlace& place, const SumVector& vector);
// Who has sent, in the members' order. `invalid` below the threshold; what stands in sent.txt already stays.
base::Result<std::vector<std::string>> close_sum(const std::filesystem::path& round);
base::Result<void> reveal_sum(const SumPlace& place);
// `invalid` if reveals are missing or are for another list, or layouts differ.
base::Result<SumVector> finish_sum(const std::filesystem::path& round);

// The lines of MEMBER.reveal; `corrupt`, naming the line. Outside text.
base::Result<SumReveal> parse_reveal(const SumPlan& plan, std::string_view member, std::string_view text, std::vector<std::uint32_t>& sent);

}  // namespace hanse::forge
