// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "forge/merge_recipe.hpp"

// What is read as a recipe can be evaluated anywhere in a model.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::forge;
    const auto recipe = MergeRecipe::parse(std::string_view(reinterpret_cast<const char*>(data), size));
    if (!recipe) return 0;
    if (recipe->slices.empty()) __builtin_trap();
    for (const Slice& slice : recipe->slices)
        for (const SliceSource& source : slice.sources)
            for (const double place : {0.0, 0.3, 1.0})
                (void)parameter("weight", {&source.parameters, nullptr, &slice.parameters, &recipe->parameters},
                                {"model.layers.0.mlp.up_proj.weight"}, place);
    return 0;
}
