// SPDX-License-Identifier: Apache-2.0
#include "catalog/gguf.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <spanstream>

namespace hanse::catalog {
namespace {

// Writes GGUF byte by byte, right or wrong.
struct Writer {
    std::string bytes;
    template <typename T>
    Writer& put(T value) {
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof(T));
        bytes.append(raw, sizeof(T));
        return *this;
    }
    Writer& text(std::string_view value) {
        put<std::uint64_t>(value.size());
        bytes += value;
        return *this;
    }
    Writer& head(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
        bytes += "GGUF";
        return put<std::uint32_t>(version).put(tensors).put(keys);
    }
    Writer& key(std::string_view name, std::uint32_t type) { return text(name).put(type); }
    Writer& key_text(std::string_view name, std::string_view value) { return key(name, 8).text(value); }
    Writer& key_u32(std::string_view name, std::uint32_t value) { return key(name, 4).put(value); }
    Writer& architecture() { return key_text("general.architecture", "llama"); }
    Writer& tensor(std::string_view name, std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t offset) {
        text(name).put(static_cast<std::uint32_t>(shape.size()));
        for (const auto length : shape) put(length);
        return put(type).put(offset);
    }
    Writer& data(std::size_t size) {
        bytes.resize((bytes.size() + 31) / 32 * 32 + size);
        return *this;
    }
};

base::Result<GgufFacts> check(const Writer& file) {
    std::ispanstream in(std::span<const char>(file.bytes));
    return check_gguf(in, file.bytes.size());
}

void expect_corrupt(const Writer& file, std::string_view field, std::string_view what) {
    const auto facts = check(file);
    ASSERT_FALSE(facts) << field << ": " << what;
    EXPECT_EQ(facts.error().kind, base::ErrorKind::corrupt);
    EXPECT_EQ(facts.error().param, field);
    EXPECT_TRUE(facts.error().message.contains(what)) << facts.error().message;
}

Writer sound() {
    Writer file;
    file.head(2, 9)
        .architecture()
        .key_text("general.name", "Möwe")
        .key_u32("llama.context_length", 2048)
        .key_text("general.license", "apache-2.0");
    file.key_u32("general.file_type", 3).key("general.languages", 9).put<std::uint32_t>(8).put<std::uint64_t>(2).text("de").text("en");
    file.key("tokenizer.ggml.tokens", 9).put<std::uint32_t>(8).put<std::uint64_t>(3).text("a").text("").text("\xff");
    file.key("some.float", 6).put(1.5F).key("some.flag", 7).put<std::uint8_t>(1);
    file.tensor("a", {64, 2}, 2, 0).tensor("b", {8}, 0, 96);
    return file.data(96 + 32);
}

TEST(Gguf, tells_what_a_sound_file_says) {
    const auto facts = check(sound());
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->architecture, "llama");
    EXPECT_EQ(facts->name, "Möwe");
    EXPECT_EQ(facts->context_length, 2048U);
    EXPECT_EQ(facts->licence, "apache-2.0");
    EXPECT_EQ(facts->languages, (std::vector<std::string>{"de", "en"}));
    EXPECT_EQ(facts->vocabulary, 3U);
    EXPECT_EQ(facts->parameters, 136U);
    EXPECT_EQ(facts->tensor_bytes, 72U + 32U);
    EXPECT_EQ(facts->weights, "Q4_0");
}

TEST(Gguf, reports_a_file_cut_off_anywhere) {
    const auto whole = sound();
    for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
        Writer cut{whole.bytes.substr(0, size)};
        const auto facts = check(cut);
        ASSERT_FALSE(facts) << size;
        EXPECT_EQ(facts.error().kind, base::ErrorKind::corrupt);
    }
}

TEST(Gguf, survives_any_single_wrong_byte) {
    const auto whole = sound();
    for (std::size_t at = 0; at < whole.bytes.size(); ++at)
        for (const int value : {0, 1, 127, 128, 255}) {
            auto changed = whole;
            changed.bytes[at] = static_cast<char>(value);
            (void)check(changed);
        }
}

TEST(Gguf, names_the_field_that_is_wrong) {
    expect_corrupt({"GGML...."}, "magic", "no GGUF");
    expect_corrupt(Writer{}.head(0, 0, 1), "version", "not known");
    expect_corrupt(Writer{}.head(0, 0, 0x03000000), "version", "big-endian");
    expect_corrupt(Writer{}.head(UINT64_MAX, 0), "tensor count", "more than the file can hold");
    expect_corrupt(Writer{}.head(0, UINT64_MAX / 2), "key count", "more than the file can hold");
    expect_corrupt(Writer{}.head(0, 1).text("general.architecture").put<std::uint32_t>(8).put(UINT64_MAX), "general.architecture",
                   "beyond the file's end");
    expect_corrupt(Writer{}.head(0, 1).key("x", 13).put<std::uint64_t>(0), "x", "type 13");
    expect_corrupt(Writer{}.head(0, 1).key("x", 9).put<std::uint32_t>(9).put<std::uint64_t>(0), "x", "array of arrays");
    expect_corrupt(Writer{}.head(0, 1).key("x", 9).put<std::uint32_t>(10).put(UINT64_MAX / 8 + 1), "x", "more than the file can hold");
    expect_corrupt(Writer{}.head(0, 1).key("x", 7).put<std::uint8_t>(2), "x", "0 or 1");
    expect_corrupt(Writer{}.head(0, 2).architecture().architecture(), "general.architecture", "twice");
    expect_corrupt(Writer{}.head(0, 1).key_u32("a.very.long.key.of.no.meaning", 1), "general.architecture", "missing");
    expect_corrupt(Writer{}.head(0, 2).architecture().key_text("llama.context_length", "long"), "llama.context_length", "whole number");
    expect_corrupt(Writer{}.head(0, 2).architecture().key_u32("general.alignment", 24), "general.alignment", "power of two");
    const auto one = [](auto... of) { return Writer{}.head(1, 1).architecture().tensor(of...).data(64); };
    using Shape = std::vector<std::uint64_t>;
    expect_corrupt(one("t", Shape{1, 1, 1, 1, 1}, 0, 0), "tensor t", "dimensions");
    expect_corrupt(one("t", Shape{0}, 0, 0), "tensor t", "shape");
    expect_corrupt(one("t", Shape{1ULL << 32, 1ULL << 32}, 0, 0), "tensor t", "beyond reason");
    expect_corrupt(one("t", Shape{4}, 4, 0), "tensor t", "type 4");
    expect_corrupt(one("t", Shape{33}, 2, 0), "tensor t", "whole blocks");
    expect_corrupt(one("t", Shape{4}, 0, 8), "tensor t", "aligned");
    expect_corrupt(one("t", Shape{64}, 0, 0), "tensor t", "beyond the file");
    expect_corrupt(one("t", Shape{4}, 0, 1ULL << 62), "tensor t", "beyond the file");
    expect_corrupt(one(std::string(64, 'n'), Shape{4}, 0, 0), "tensor 0", "over the limit");
    expect_corrupt(Writer{}.head(2, 1).architecture().tensor("t", {4}, 0, 0).tensor("t", {4}, 0, 32).data(64), "tensor t", "twice");
    expect_corrupt(Writer{}.head(2, 1).architecture().tensor("t", {16}, 0, 0).tensor("u", {4}, 0, 32).data(96), "tensor u", "over another");
}

TEST(Gguf, tells_a_missing_file_from_a_damaged_one) {
    const auto facts = check_gguf(std::filesystem::path("/nonexistent/model.gguf"));
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().kind, base::ErrorKind::not_found);
}

TEST(Gguf, reads_the_test_model) {
    const char* path = std::getenv("HANSE_TEST_MODEL");
    if (path == nullptr || *path == 0) GTEST_SKIP() << "HANSE_TEST_MODEL names no model";
    const auto facts = check_gguf(std::filesystem::path(path));
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_FALSE(facts->architecture.empty());
    EXPECT_GT(facts->parameters, 1'000'000U);
    EXPECT_GT(facts->vocabulary, 1000U);
}

}  // namespace
}  // namespace hanse::catalog
