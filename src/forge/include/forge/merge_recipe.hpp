// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "forge/tensor_type.hpp"

namespace hanse::forge {

// A merge as its author wrote it, in the YAML that mergekit made common: which models, in which layers, by which method, with which
// weights. Plain values, checked for form only; what fits which files is merge.hpp's matter.

// A model as named in a recipe: a folder or a file. mergekit's PATH+LORA and PATH@REVISION are told apart, and refused by the plan, since
// adapters are merged into a base by a command of their own and files here have no revisions.
struct ModelName {
    std::string path;
    std::string revision = {};
    std::string adapter = {};
    bool operator==(const ModelName&) const = default;
    static ModelName parse(std::string_view text);
};

// One value for all layers, or a gradient over them: the numbers stand at equal distances from the first layer to the last. `filter` is a
// part of a tensor's name; empty: all.
struct ParameterRule {
    std::string filter = {};
    std::vector<double> values;

    // `place`: 0 at a slice's first layer, 1 at its last.
    double at(double place) const;
    bool operator==(const ParameterRule&) const = default;
};
// The first rule that fits holds.
using Parameter = std::vector<ParameterRule>;
using Parameters = std::map<std::string, Parameter, std::less<>>;

struct RecipeModel {
    ModelName model;
    Parameters parameters = {};
};

struct LayerRange {
    std::uint64_t begin = 0, end = 0;
    bool operator==(const LayerRange&) const = default;
};

struct SliceSource {
    ModelName model;
    std::optional<LayerRange> layers = {};  // none: all
    Parameters parameters = {};
};

struct Slice {
    std::vector<SliceSource> sources;
    std::optional<ModelName> base = {};
    Parameters parameters = {};
};

// Where a token's row in the embedding comes from.
struct TokenRule {
    enum class Kind : std::uint8_t { model, zero, model_token };
    Kind kind = Kind::model;
    ModelName model = {};
    std::string token = {};                // model_token: by its text
    std::optional<std::uint64_t> id = {};  // or by its number
    bool force = false;                    // for models that have the token too
};

struct TokenizerRule {
    enum class Source : std::uint8_t { none, base, union_of_all, model };
    Source source = Source::none;
    ModelName model = {};
    std::map<std::string, TokenRule> tokens = {};
    std::uint64_t pad_to_multiple_of = 0;
};

struct MergeRecipe {
    std::string method;
    std::optional<ModelName> base = {};
    std::vector<Slice> slices;  // `models:` is one slice of all layers
    bool whole_models = false;  // it was written as `models:`
    Parameters parameters = {};
    std::optional<TensorType> dtype = {};
    std::optional<TensorType> out_dtype = {};
    TokenizerRule tokenizer = {};
    std::string chat_template = {};
    std::string yaml = {};  // as it was written, for the record

    // Reads the YAML. `invalid` names the key, as in "slices[0].sources[1].layer_range".
    static base::Result<MergeRecipe> parse(std::string_view yaml);
};

// The parameter as it holds for one tensor: levels in order of precedence, null ones are skipped. A rule's filter may match any of the
// tensor's names.
std::optional<double> parameter(std::string_view name, const std::vector<const Parameters*>& levels,
                                const std::vector<std::string>& tensor_names, double place);

}  // namespace hanse::forge
