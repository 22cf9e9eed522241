// SPDX-License-Identifier: Apache-2.0
#include "forge/tensor_file.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

std::string safetensors(std::string_view json, std::size_t data) {
    const std::uint64_t length = json.size();
    std::string out(reinterpret_cast<const char*>(&length), 8);
    return out.append(json) + std::string(data, '\x01');
}

base::Result<TensorHead> head_of(const std::string& file) { return read_safetensors_head(std::as_bytes(std::span(file))); }

void expect_corrupt(const std::string& file, std::string_view field, std::string_view what) {
    const auto head = head_of(file);
    ASSERT_FALSE(head) << field << ": " << what;
    EXPECT_EQ(head.error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(head.error().param, field) << head.error().message;
    EXPECT_TRUE(head.error().message.contains(what)) << head.error().message;
}

constexpr std::string_view sound =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},"b":{"shape":[],"data_offsets":[0,4],"dtype":"F32"}})";

TEST(TensorFile, reads_the_head_of_a_safetensors_file) {
    const auto head = head_of(safetensors(sound, 16));
    ASSERT_TRUE(head) << head.error().message;
    ASSERT_EQ(head->tensors.size(), 2U);
    EXPECT_EQ(head->tensors[0], (Tensor{"a", TensorType::bf16, {2, 3}}));
    EXPECT_EQ(head->tensors[1], (Tensor{"b", TensorType::f32, {}}));
    EXPECT_EQ(head->offsets[0], 8 + sound.size() + 4);
    EXPECT_EQ(head->metadata.text("format"), "pt");
}

TEST(TensorFile, names_the_field_of_a_safetensors_file_that_is_wrong) {
    const auto tensor = [](std::string_view entry) { return safetensors("{\"t\":" + std::string(entry) + "}", 8); };
    expect_corrupt("1234567", "head length", "ends within");
    expect_corrupt(std::string(8, '\xff'), "head length", "over the limit");
    expect_corrupt(safetensors(sound, 16).substr(0, 40), "head length", "beyond the file's end");
    expect_corrupt(safetensors("{\"a\xff\":1}", 0), "head", "UTF-8");
    expect_corrupt(safetensors("[]", 0), "head", "does not begin with {");
    expect_corrupt(safetensors("{" + std::string(1000, '['), 0), "head", "nests too deep");
    expect_corrupt(safetensors("{\"t\":", 0), "head", "no JSON");
    expect_corrupt(safetensors(R"({"__metadata__":{"a":1}})", 0), "__metadata__", "texts");
    expect_corrupt(safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "__metadata__.a", "twice");
    expect_corrupt(tensor(R"({"dtype":"Q9","shape":[2],"data_offsets":[0,8]})"), "tensor t", "dtype Q9");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "tensor t", "whole numbers");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})"), "tensor t", "beyond reason");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,9]})"), "tensor t", "two numbers");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "tensor t", "end before they begin");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "tensor t", "its shape needs 12");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[18446744073709551607,18446744073709551615]})"), "tensor t",
                   "beyond the file");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), "tensor t", "hole");
    expect_corrupt(tensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), "data", "belong to no tensor");
    expect_corrupt(
        safetensors(R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"t":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", 8),
        "tensor t", "twice");
    expect_corrupt(
        safetensors(R"({"t":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},"u":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}})", 8),
        "tensor u", "over another");
}

TEST(TensorFile, survives_any_single_wrong_byte) {
    const auto whole = safetensors(sound, 16);
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const char value : {'\0', '"', '{', '9', '\x7f', '\xff'}) {
            auto changed = whole;
            changed[at] = value;
            (void)head_of(changed);
        }
}

TEST(TensorFile, opens_a_model_of_several_files_by_its_index) {
    const TemporaryFolder folder;
    folder.write("model-00001-of-00002.safetensors", safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4));
    folder.write("model-00002-of-00002.safetensors", safetensors(R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 2));
    folder.write(
        "model.safetensors.index.json",
        R"({"metadata":{"total_size":6},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}})");
    const auto file = TensorFile::open(folder.path());
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->files().size(), 2U);
    ASSERT_TRUE(file->find("b"));
    EXPECT_EQ(file->bytes(*file->find("b")).size(), 2U);
    std::byte one{};
    EXPECT_TRUE(file->read(*file->find("a"), 3, std::span(&one, 1)));
    EXPECT_EQ(one, std::byte{1});
    EXPECT_FALSE(file->read(*file->find("a"), 4, std::span(&one, 1)));
}

TEST(TensorFile, refuses_an_index_that_leads_out_of_its_folder_or_lies) {
    const TemporaryFolder folder;
    folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"../other.safetensors"}})");
    auto file = TensorFile::open(folder.path());
    ASSERT_FALSE(file);
    EXPECT_TRUE(file.error().message.contains("outside its folder")) << file.error().message;
    folder.write("x.safetensors", safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4));
    folder.write("model.safetensors.index.json", R"({"weight_map":{"b":"x.safetensors"}})");
    file = TensorFile::open(folder.path());
    ASSERT_FALSE(file);
    EXPECT_TRUE(file.error().message.contains("where it is not")) << file.error().message;
}

TEST(TensorFile, tells_a_missing_file_from_one_that_is_no_model) {
    EXPECT_EQ(TensorFile::open("/nonexistent/model.gguf").error().kind, base::ErrorKind::not_found);
    const TemporaryFolder folder;
    EXPECT_EQ(TensorFile::open(folder.path()).error().kind, base::ErrorKind::invalid);
    folder.write("model.safetensors", "{}");
    EXPECT_EQ(TensorFile::open(folder.path()).error().kind, base::ErrorKind::corrupt);
}

}  // namespace
}  // namespace hanse::forge
