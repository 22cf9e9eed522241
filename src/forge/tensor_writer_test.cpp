// SPDX-License-Identifier: Apache-2.0
#include "forge/tensor_writer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "forge/crew.hpp"
#include "part_output.hpp"
#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

TensorPlan sample(TensorFormat format) {
    TensorPlan plan{
        format,
        {},
        {{"blk.0.attn_q.weight", TensorType::bf16, {4, 64}}, {"norm.weight", TensorType::f32, {64}}, {"x", TensorType::i8, {3}}},
        0};
    plan.metadata.set("general.architecture", std::string("llama"));
    plan.metadata.set("kept", std::string("Möwe \"quoted\"\n"));
    return plan;
}

// Every byte of a tensor is its number plus its place.
std::vector<std::byte> content(std::size_t tensor, std::size_t size) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + tensor * 31 + 1);
    return out;
}

void write_all(TensorWriter& writer) {
    Crew crew(2);
    const auto& tensors = writer.plan().tensors;
    const auto done = crew.for_each(tensors.size() * 5, [&](std::size_t piece, unsigned) -> base::Result<void> {
        const std::size_t tensor = tensors.size() - 1 - piece / 5;  // backwards
        if (writer.done(tensor)) return {};
        const auto all = content(tensor, tensors[tensor].bytes());
        const std::size_t from = piece % 5 * all.size() / 5, to = (piece % 5 + 1) * all.size() / 5;
        return writer.write(tensor, from, std::span(all).subspan(from, to - from));
    });
    ASSERT_TRUE(done) << done.error().message;
    for (std::size_t i = 0; i < tensors.size(); ++i) ASSERT_TRUE(writer.complete(i));
}

void expect_whole(const std::filesystem::path& path, const TensorPlan& plan) {
    const auto file = TensorFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->format(), plan.format);
    EXPECT_EQ(file->metadata().text("kept"), "Möwe \"quoted\"\n");
    ASSERT_EQ(file->tensors().size(), plan.tensors.size());
    for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
        const auto found = file->find(plan.tensors[i].name);
        ASSERT_TRUE(found);
        EXPECT_EQ(file->tensor(*found), plan.tensors[i]);
        EXPECT_TRUE(std::ranges::equal(file->bytes(*found), content(i, plan.tensors[i].bytes()))) << plan.tensors[i].name;
    }
}

TEST(TensorWriter, writes_both_formats_in_any_order_as_the_reader_reads_them) {
    const TemporaryFolder folder;
    for (const auto& [format, file] : {std::pair(TensorFormat::safetensors, "m.safetensors"), std::pair(TensorFormat::gguf, "m.gguf")}) {
        auto writer = TensorWriter::create(folder / file, sample(format));
        ASSERT_TRUE(writer) << writer.error().message;
        write_all(*writer);
        EXPECT_FALSE(std::filesystem::exists(folder / file)) << "no name before it is whole";
        ASSERT_TRUE(writer->finish());
        expect_whole(folder / file, sample(format));
    }
}

TEST(TensorWriter, splits_a_large_model_into_files_with_an_index) {
    const TemporaryFolder folder;
    auto plan = sample(TensorFormat::safetensors);
    plan.shard_bytes = 600;
    auto writer = TensorWriter::create(folder / "model", plan);
    ASSERT_TRUE(writer) << writer.error().message;
    write_all(*writer);
    ASSERT_TRUE(writer->finish());
    EXPECT_TRUE(std::filesystem::exists(folder / "model/model-00002-of-00002.safetensors"));
    expect_whole(folder / "model", plan);
}

TEST(TensorWriter, keeps_every_kind_of_metadata_in_gguf) {
    const TemporaryFolder folder;
    TensorPlan plan{TensorFormat::gguf, {}, {{"t", TensorType::f32, {1}}}, 0};
    plan.metadata.set("general.architecture", std::string("llama"));
    plan.metadata.set("a", std::uint8_t{200});
    plan.metadata.set("b", std::int16_t{-5});
    plan.metadata.set("c", 1.5F);
    plan.metadata.set("d", true);
    plan.metadata.set("e", std::vector<std::string>{"", "x", "\xff"});
    plan.metadata.set("f", std::vector<float>{1, -2});
    plan.metadata.set("g", std::vector<bool>{true, false});
    plan.metadata.set("h", std::uint64_t{1} << 40);
    plan.metadata.set("i", std::vector<std::int32_t>{1, 2, 3});
    auto writer = TensorWriter::create(folder / "m.gguf", plan);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->complete(0));
    ASSERT_TRUE(writer->finish());
    EXPECT_EQ(TensorFile::open(folder / "m.gguf")->metadata(), plan.metadata);
}

TEST(TensorWriter, long_stretches_from_buffers_of_the_file_land_where_they_belong) {
    const TemporaryFolder folder;
    TensorPlan plan = sample(TensorFormat::safetensors);
    plan.tensors = {{"a", TensorType::i8, {1'000'003}},
                    {"b", TensorType::i8, {5}},
                    {"c", TensorType::i8, {2'345'678}},
                    {"d", TensorType::i8, {300'000}}};
    auto writer = TensorWriter::create(folder / "m", plan);
    ASSERT_TRUE(writer) << writer.error().message;
    constexpr std::size_t piece = 333'333;
    Crew crew(2);
    std::vector<FileBuffer> buffers(crew.size());
    for (std::size_t tensor = 0; tensor < plan.tensors.size(); ++tensor) {
        const auto all = content(tensor, plan.tensors[tensor].bytes());
        const auto done = crew.for_each((all.size() + piece - 1) / piece, [&](std::size_t i, unsigned worker) {
            const auto bytes = std::span(all).subspan(i * piece, std::min(piece, all.size() - i * piece));
            const auto to = buffers[worker].at(writer->file_offset(tensor) + i * piece, bytes.size());
            std::ranges::copy(bytes, to.begin());
            return writer->write(tensor, i * piece, to);
        });
        ASSERT_TRUE(done) << done.error().message;
        ASSERT_TRUE(writer->complete(tensor));
    }
    ASSERT_TRUE(writer->finish());
    expect_whole(folder / "m", plan);
}

TEST(TensorWriter, goes_on_where_an_interrupted_run_stopped) {
    const TemporaryFolder folder;
    const auto plan = sample(TensorFormat::safetensors);
    {
        auto writer = TensorWriter::create(folder / "m", plan, "recipe 1");
        ASSERT_TRUE(writer);
        ASSERT_TRUE(writer->write(0, 0, content(0, plan.tensors[0].bytes())));
        ASSERT_TRUE(writer->complete(0));
        ASSERT_TRUE(writer->write(1, 0, content(2, 17)));  // half done, and wrong
    }
    {
        auto other = TensorWriter::create(folder / "n", plan, "recipe 1");
        ASSERT_TRUE(other);
        EXPECT_FALSE(other->done(0)) << "another output";
    }
    auto writer = TensorWriter::create(folder / "m", plan, "recipe 1");
    ASSERT_TRUE(writer);
    EXPECT_TRUE(writer->done(0));
    EXPECT_FALSE(writer->done(1));
    write_all(*writer);
    ASSERT_TRUE(writer->finish());
    expect_whole(folder / "m", plan);
    EXPECT_FALSE(std::filesystem::exists(folder / "m.progress"));
}

TEST(TensorWriter, begins_anew_for_another_recipe_and_cleans_up_without_one) {
    const TemporaryFolder folder;
    const auto plan = sample(TensorFormat::safetensors);
    {
        auto writer = TensorWriter::create(folder / "m", plan, "recipe 1");
        ASSERT_TRUE(writer);
        ASSERT_TRUE(writer->complete(0));
    }
    auto writer = TensorWriter::create(folder / "m", plan, "recipe 2");
    ASSERT_TRUE(writer);
    EXPECT_FALSE(writer->done(0));
    { auto gone = TensorWriter::create(folder / "gone", plan); }
    EXPECT_FALSE(std::filesystem::exists(folder / "gone.part"));
}

TEST(TensorWriter, refuses_what_a_format_cannot_hold_and_a_model_that_is_not_whole) {
    const TemporaryFolder folder;
    auto plan = sample(TensorFormat::gguf);
    plan.tensors[0].type = TensorType::f8_e4m3;
    EXPECT_TRUE(TensorWriter::create(folder / "m", plan).error().message.contains("blk.0.attn_q.weight"));
    plan = sample(TensorFormat::safetensors);
    plan.tensors[0].type = TensorType::q8_0;
    EXPECT_TRUE(TensorWriter::create(folder / "m", plan).error().message.contains("Q8_0"));
    plan.tensors[0] = plan.tensors[1];
    EXPECT_TRUE(TensorWriter::create(folder / "m", plan).error().message.contains("twice"));
    auto writer = TensorWriter::create(folder / "m", sample(TensorFormat::gguf));
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer->finish().error().kind, base::ErrorKind::bug);
    EXPECT_FALSE(writer->write(0, 500, content(0, 13)));
}

}  // namespace
}  // namespace hanse::forge
