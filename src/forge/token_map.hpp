// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "forge/merge_recipe.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// A model's vocabulary, as far as its files tell it: each token's number. Empty where there is no tokenizer.
struct Vocabulary {
    std::map<std::string, std::uint64_t> tokens;
    bool empty() const { return tokens.empty(); }
    bool operator==(const Vocabulary&) const = default;
};
// From GGUF's metadata, or from tokenizer.json (or tokenizer.model) in a model's folder. `corrupt` if a tokenizer is there and makes no
// sense.
base::Result<Vocabulary> read_vocabulary(const TensorFile& model);

// How the rows of each model's embedding become rows of the output's.
struct TokenMap {
    // Where a row comes from: one row of one model, the mean of several, or nothing (zeros).
    using Row = std::vector<std::pair<std::uint32_t, std::uint64_t>>;  // model, row

    std::vector<std::string> tokens;     // of the output
    std::vector<std::vector<Row>> rows;  // [model][row of the output]
    std::uint64_t count = 0;             // rows of the output, with padding
};

// For each token that a model lacks: the base's row if the base has it, else the mean of those that do; as the rule's own entries say
// otherwise. `invalid` if a rule names what is not there.
base::Result<TokenMap> map_tokens(const TokenizerRule& rule, const std::vector<ModelName>& names,
                                  const std::vector<Vocabulary>& vocabularies, std::size_t base);

}  // namespace hanse::forge
