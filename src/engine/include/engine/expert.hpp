// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hanse::engine {

// One expert of a mixture that `hanse forge recombine` made, as the model file tells of it; its number is its place in
// ModelFacts::experts. A request may leave experts out (GenerateRequest::experts_left_out): they then take no part in any token of
// its prompt or answer, while others in the same batch use them.
struct ExpertFacts {
    std::string name;
    std::string owner = {};
    std::string licence = {};
    std::string label = {};         // where its weights may lie
    std::string output_floor = {};  // what answers that it took part in carry at least
    std::string digest = {};
    bool operator==(const ExpertFacts&) const = default;
};

// The names of those that could take part: what the receipt of an answer tells.
std::vector<std::string> experts_taking_part(std::span<const ExpertFacts> experts, std::span<const std::uint32_t> left_out);

}  // namespace hanse::engine
