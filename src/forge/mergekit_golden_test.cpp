// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <glaze/glaze.hpp>
#include <map>
#include <string>

#include "base/encoding.hpp"
#include "catalog/files.hpp"
#include "forge/merge.hpp"
#include "forge/tensor_writer.hpp"
#include "temporary_folder.hpp"

// What mergekit made of four tiny models, recorded by `script/bench mergekit_parity --golden`: the bits of one matrix and one vector.

struct GoldenMerge {
    std::string name, recipe, type;
    int ulps = 0;
    std::map<std::string, std::string> tensors;
};
struct Golden {
    std::string mergekit;
    std::map<std::string, std::map<std::string, std::string>> models;
    std::vector<GoldenMerge> merges;
};

namespace hanse::forge {
namespace {

constexpr std::uint64_t width = 8, feed = 12, layers = 3;

std::vector<std::uint64_t> shape_of(std::string_view tensor) {
    return tensor.ends_with("up_proj.weight") ? std::vector<std::uint64_t>{feed, width} : std::vector<std::uint64_t>{width};
}

// The recorded tensors stand in the middle layer; the layers around it only make the gradients' places right.
void write_model(const std::filesystem::path& folder, const std::map<std::string, std::string>& tensors) {
    TensorPlan plan;
    std::vector<base::Bytes> contents;
    for (std::uint64_t layer = 0; layer < layers; ++layer)
        for (const auto& [name, bits] : tensors) {
            std::string here = name;
            here.replace(here.find(".1."), 3, "." + std::to_string(layer) + ".");
            plan.tensors.push_back({here, TensorType::bf16, shape_of(name)});
            contents.push_back(base::from_hex(bits).value());
        }
    auto writer = TensorWriter::create(folder / "model.safetensors", plan);
    ASSERT_TRUE(writer) << writer.error().message;
    for (std::size_t i = 0; i < contents.size(); ++i) {
        ASSERT_TRUE(writer->write(i, 0, contents[i]));
        ASSERT_TRUE(writer->complete(i));
    }
    ASSERT_TRUE(writer->finish());
}

template <typename Bits>
std::int64_t distance(std::span<const std::byte> a, std::span<const std::byte> b) {
    std::int64_t most = 0;
    for (std::size_t i = 0; i < a.size(); i += sizeof(Bits)) {
        const auto place = [&](std::span<const std::byte> from) {
            Bits bits{};
            std::memcpy(&bits, from.data() + i, sizeof(Bits));
            return bits < 0 ? std::int64_t{std::numeric_limits<Bits>::min()} - bits : std::int64_t{bits};
        };
        most = std::max(most, std::abs(place(a) - place(b)));
    }
    return most;
}

TEST(MergekitGolden, merges_have_the_bits_that_mergekit_gives) {
    const auto text = catalog::read_file_whole("src/forge/cases/mergekit.json", 8U << 20U);
    ASSERT_TRUE(text) << text.error().message;
    Golden golden;
    const auto error = glz::read<glz::opts{.error_on_unknown_keys = false}>(golden, *text);
    ASSERT_FALSE(error) << glz::format_error(error, *text);
    ASSERT_GT(golden.merges.size(), 10U);
    const TemporaryFolder folder;
    for (const auto& [key, tensors] : golden.models) write_model(folder / key, tensors);
    int number = 0;
    for (const GoldenMerge& each : golden.merges) {
        std::string recipe = each.recipe;
        for (const auto& [key, tensors] : golden.models)
            for (std::size_t at = recipe.find("{" + key + "}"); at != std::string::npos; at = recipe.find("{" + key + "}"))
                recipe.replace(at, key.size() + 2, (folder / key).string());
        const auto parsed = MergeRecipe::parse(recipe);
        ASSERT_TRUE(parsed) << each.name << ": " << parsed.error().message;
        const std::filesystem::path output = folder / ("out-" + std::to_string(number++));
        auto merge = Merge::plan(*parsed, {.output = output, .digests = false});
        ASSERT_TRUE(merge) << each.name << ": " << merge.error().message;
        Crew crew(2);
        ASSERT_TRUE(merge->run(crew)) << each.name;
        const auto file = TensorFile::open(output);
        ASSERT_TRUE(file) << each.name;
        for (const auto& [name, bits] : each.tensors) {
            const auto found = file->find(name);
            ASSERT_TRUE(found) << each.name << " " << name;
            const auto expected = base::from_hex(bits).value();
            ASSERT_EQ(file->bytes(*found).size(), expected.size()) << each.name << " " << name;
            const auto away = file->tensor(*found).type == TensorType::f32 ? distance<std::int32_t>(file->bytes(*found), expected)
                                                                           : distance<std::int16_t>(file->bytes(*found), expected);
            EXPECT_LE(away, each.ulps) << each.name << " " << name;
        }
    }
}

}  // namespace
}  // namespace hanse::forge
