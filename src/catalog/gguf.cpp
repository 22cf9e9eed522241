// SPDX-License-Identifier: Apache-2.0
#include "catalog/gguf.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>
#include <istream>
#include <map>
#include <unordered_set>

#include "base/encoding.hpp"

namespace hanse::catalog {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::uint64_t keys_max = 65'536;
constexpr std::uint64_t tensors_max = 500'000;
constexpr std::uint64_t key_length_max = 65'535;   // GGUF specification
constexpr std::uint64_t name_length_max = 63;      // GGML_MAX_NAME with its zero
constexpr std::uint64_t kept_text_max = 1U << 20;  // of the texts that become facts
constexpr std::uint32_t dimensions_max = 4;
constexpr std::uint64_t data_bytes_max = std::uint64_t{1} << 60;

enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };
constexpr std::array<std::uint64_t, 13> value_sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// ggml's types of tensors: elements and bytes of a block. Numbers without a name are no longer in use.
struct TensorType {
    std::uint32_t number;
    std::string_view name;
    std::uint64_t elements, bytes;
};
constexpr TensorType tensor_types[] = {
    {0, "F32", 1, 4},        {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},    {3, "Q4_1", 32, 20},    {6, "Q5_0", 32, 22},
    {7, "Q5_1", 32, 24},     {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},    {10, "Q2_K", 256, 84},  {11, "Q3_K", 256, 110},
    {12, "Q4_K", 256, 144},  {13, "Q5_K", 256, 176},   {14, "Q6_K", 256, 210}, {15, "Q8_K", 256, 292}, {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74}, {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50}, {20, "IQ4_NL", 32, 18}, {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},  {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},       {25, "I16", 1, 2},      {26, "I32", 1, 4},
    {27, "I64", 1, 8},       {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56}, {30, "BF16", 1, 2},     {34, "TQ1_0", 256, 54},
    {35, "TQ2_0", 256, 66},  {39, "MXFP4", 32, 17},    {40, "NVFP4", 64, 36},  {41, "Q1_0", 128, 18},  {42, "Q2_0", 64, 18}};

std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 64)) out += c > 0x20 && c < 0x7F ? c : '?';
    return out;
}

std::unexpected<base::Error> wrong(std::string_view field, std::string_view what) {
    return fail(ErrorKind::corrupt, std::format("GGUF file, {}: {}", field, what), "invalid_gguf", std::string(field));
}

// Little-endian values one after another; knows how much of the file is left.
class Reader {
public:
    Reader(std::istream& from, std::uint64_t size) : from_(from), size_(size) {}

    std::uint64_t at() const { return at_; }
    std::uint64_t left() const { return size_ - at_; }
    std::uint64_t size() const { return size_; }

    template <typename T>
    bool read(T& value) {
        std::array<char, sizeof(T)> bytes{};
        if (!take(bytes.data(), bytes.size())) return false;
        static_assert(std::endian::native == std::endian::little);
        std::memcpy(&value, bytes.data(), bytes.size());
        return true;
    }
    bool take(char* to, std::uint64_t count) {
        if (count > left() || !from_.read(to, static_cast<std::streamsize>(count))) return false;
        at_ += count;
        return true;
    }
    bool skip(std::uint64_t count) {
        if (count > left()) return false;
        from_.ignore(static_cast<std::streamsize>(count));
        if (!from_ || from_.gcount() != static_cast<std::streamsize>(count)) return false;
        at_ += count;
        return true;
    }

private:
    std::istream& from_;
    std::uint64_t size_;
    std::uint64_t at_ = 0;
};

class Checker {
public:
    Checker(std::istream& from, std::uint64_t size) : in_(from, size) {}

    Result<GgufFacts> check() {
        facts_.bytes = in_.size();
        if (auto done = header(); !done) return std::unexpected(done.error());
        for (std::uint64_t i = 0; i < keys_; ++i)
            if (auto done = key_and_value(i); !done) return std::unexpected(done.error());
        if (facts_.architecture.empty()) return wrong("general.architecture", "is missing");
        if (auto done = take_facts(); !done) return std::unexpected(done.error());
        for (std::uint64_t i = 0; i < facts_.tensors; ++i)
            if (auto done = tensor(i); !done) return std::unexpected(done.error());
        if (auto done = places(); !done) return std::unexpected(done.error());
        return std::move(facts_);
    }

private:
    struct Value {
        ValueType type;
        std::uint64_t whole = 0;
        std::string text = {};
    };
    struct Tensor {
        std::uint64_t offset, bytes;
        std::string name;
    };

    static std::unexpected<base::Error> short_file(std::string_view field) { return wrong(field, "the file ends within it"); }

    Result<void> header() {
        std::array<char, 4> magic{};
        if (!in_.take(magic.data(), magic.size())) return short_file("magic");
        if (std::string_view(magic.data(), 4) != "GGUF") return wrong("magic", "this is no GGUF file");
        if (!in_.read(facts_.version)) return short_file("version");
        if (facts_.version != 2 && facts_.version != 3)
            return wrong("version", (facts_.version & 0xFFFF) == 0 ? "the file is for big-endian machines"
                                                                   : std::format("{} is not known, 2 and 3 are", facts_.version));
        if (!in_.read(facts_.tensors)) return short_file("tensor count");
        if (!in_.read(keys_)) return short_file("key count");
        // The least that each takes in the file.
        if (facts_.tensors > tensors_max || facts_.tensors > in_.left() / 24)
            return wrong("tensor count", std::format("{} is more than the file can hold", facts_.tensors));
        if (keys_ > keys_max || keys_ > in_.left() / 13) return wrong("key count", std::format("{} is more than the file can hold", keys_));
        return {};
    }

    Result<std::string> text(std::string_view field, std::uint64_t length_max) {
        std::uint64_t length = 0;
        if (!in_.read(length)) return short_file(field);
        if (length > in_.left()) return wrong(field, std::format("a length of {} is beyond the file's end", length));
        if (length > length_max) return wrong(field, std::format("a length of {} is over the limit of {}", length, length_max));
        std::string out(length, '\0');
        if (!in_.take(out.data(), length)) return short_file(field);
        return out;
    }

    Result<void> skip_text(std::string_view field) {
        std::uint64_t length = 0;
        if (!in_.read(length)) return short_file(field);
        if (length > in_.left()) return wrong(field, std::format("a length of {} is beyond the file's end", length));
        if (!in_.skip(length)) return short_file(field);
        return {};
    }

    static bool is_wanted_text(std::string_view key) {
        return key == "general.architecture" || key == "general.name" || key == "general.license" || key == "general.size_label" ||
               key == "tokenizer.ggml.model" || key == "tokenizer.chat_template";
    }

    Result<void> key_and_value(std::uint64_t index) {
        auto key = text(std::format("key {}", index), key_length_max);
        if (!key) return std::unexpected(key.error());
        if (key->empty()) return wrong(std::format("key {}", index), "it is empty");
        const auto field = shown(*key);
        if (!seen_keys_.insert(*key).second) return wrong(field, "the key is given twice");
        ValueType type{};
        if (!read_type(type)) return short_file(field);
        if (static_cast<std::uint32_t>(type) >= value_sizes.size())
            return wrong(field, std::format("the value's type {} is not known", static_cast<std::uint32_t>(type)));
        if (type == ValueType::array) return array(*key, field);
        if (type == ValueType::text) {
            if (!is_wanted_text(*key)) {
                values_[*key] = {type, 0, {}};  // its type may be wrong for what the key means
                return skip_text(field);
            }
            auto value = text(field, kept_text_max);
            if (!value) return std::unexpected(value.error());
            if (!base::is_valid_utf8(*value)) return wrong(field, "it is no valid UTF-8");
            if (*key == "general.architecture") facts_.architecture = *value;
            values_[*key] = {type, 0, std::move(*value)};
            return {};
        }
        std::uint64_t whole = 0;
        const auto size = value_sizes[static_cast<std::size_t>(type)];
        std::array<char, 8> bytes{};
        if (!in_.take(bytes.data(), size)) return short_file(field);
        std::memcpy(&whole, bytes.data(), 8);
        if (type == ValueType::boolean && whole > 1) return wrong(field, "a truth value must be 0 or 1");
        // Negative numbers stay out of what is kept: none of the facts can be one.
        const bool is_signed = type == ValueType::i8 || type == ValueType::i16 || type == ValueType::i32 || type == ValueType::i64;
        const bool kept = type != ValueType::f32 && type != ValueType::f64 && !(is_signed && (whole >> (8 * size - 1)) != 0);
        if (kept) values_[*key] = {type, whole, {}};
        return {};
    }

    bool read_type(ValueType& type) {
        std::uint32_t number = 0;
        if (!in_.read(number)) return false;
        type = static_cast<ValueType>(number);
        return true;
    }

    Result<void> array(std::string_view key, std::string_view field) {
        ValueType type{};
        std::uint64_t count = 0;
        if (!read_type(type) || !in_.read(count)) return short_file(field);
        if (static_cast<std::uint32_t>(type) >= value_sizes.size())
            return wrong(field, std::format("the items' type {} is not known", static_cast<std::uint32_t>(type)));
        if (type == ValueType::array) return wrong(field, "an array of arrays is not supported");
        const auto least = type == ValueType::text ? 8 : value_sizes[static_cast<std::size_t>(type)];
        if (count > in_.left() / least) return wrong(field, std::format("{} items are more than the file can hold", count));
        if (key == "tokenizer.ggml.tokens") {
            if (type != ValueType::text) return wrong(field, "the tokens must be strings");
            facts_.vocabulary = count;
        }
        if (type != ValueType::text) return in_.skip(count * least) ? Result<void>{} : short_file(field);
        for (std::uint64_t i = 0; i < count; ++i) {
            if (key == "general.languages" && i < 1000) {
                auto item = text(field, 1024);
                if (!item) return std::unexpected(item.error());
                if (!base::is_valid_utf8(*item)) return wrong(field, "it is no valid UTF-8");
                facts_.languages.push_back(std::move(*item));
            } else if (auto skipped = skip_text(field); !skipped) {
                return skipped;
            }
        }
        return {};
    }

    Result<std::optional<std::uint64_t>> whole(const std::string& key) const {
        const auto found = values_.find(key);
        if (found == values_.end()) return std::nullopt;
        if (found->second.type == ValueType::text || found->second.type == ValueType::boolean)
            return wrong(shown(key), "it must be a whole number");
        return found->second.whole;
    }

    std::string text_of(const std::string& key) {
        const auto found = values_.find(key);
        return found == values_.end() ? std::string{} : std::move(found->second.text);
    }

    Result<void> take_facts() {
        facts_.name = text_of("general.name");
        facts_.licence = text_of("general.license");
        facts_.size_label = text_of("general.size_label");
        facts_.tokenizer = text_of("tokenizer.ggml.model");
        facts_.chat_template = text_of("tokenizer.chat_template");
        for (const char c : facts_.architecture)
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.'))
                return wrong("general.architecture", "it is no architecture's name");
        std::optional<std::uint64_t> file_type;
        std::optional<std::uint64_t> pooling;
        std::optional<std::uint64_t> alignment;
        const std::pair<std::string, std::optional<std::uint64_t>*> numbers[] = {
            {facts_.architecture + ".context_length", &facts_.context_length},
            {facts_.architecture + ".embedding_length", &facts_.embedding_length},
            {facts_.architecture + ".block_count", &facts_.block_count},
            {facts_.architecture + ".pooling_type", &pooling},
            {"general.file_type", &file_type},
            {"general.alignment", &alignment}};
        for (const auto& [key, to] : numbers) {
            auto value = whole(key);
            if (!value) return std::unexpected(value.error());
            *to = *value;
            if (*value && **value > UINT32_MAX) return wrong(shown(key), std::format("{} is beyond reason", **value));
        }
        if (file_type) facts_.file_type = static_cast<std::uint32_t>(*file_type);
        if (pooling) facts_.pooling_type = static_cast<std::uint32_t>(*pooling);
        if (alignment) {
            if (!std::has_single_bit(*alignment) || *alignment > (1U << 24))
                return wrong("general.alignment", std::format("{} is no power of two within reason", *alignment));
            alignment_ = *alignment;
        }
        return {};
    }

    // --- Tensors ------------------------------------------------------------------------------------

    Result<void> tensor(std::uint64_t index) {
        const auto number = std::format("tensor {}", index);
        auto name = text(number, name_length_max);
        if (!name) return std::unexpected(name.error());
        const auto field = std::format("tensor {}", shown(*name));
        if (!seen_tensors_.insert(*name).second) return wrong(field, "the name is given twice");
        std::uint32_t dimensions = 0;
        if (!in_.read(dimensions)) return short_file(field);
        if (dimensions > dimensions_max) return wrong(field, std::format("{} dimensions are more than {}", dimensions, dimensions_max));
        std::uint64_t elements = 1;
        std::uint64_t row = 1;
        for (std::uint32_t i = 0; i < dimensions; ++i) {
            std::uint64_t length = 0;
            if (!in_.read(length)) return short_file(field);
            if (length == 0 || __builtin_mul_overflow(elements, length, &elements) || elements > data_bytes_max)
                return wrong(field, "its shape is empty or beyond reason");
            if (i == 0) row = length;
        }
        std::uint32_t type_number = 0;
        std::uint64_t offset = 0;
        if (!in_.read(type_number) || !in_.read(offset)) return short_file(field);
        const auto* type = std::ranges::find(tensor_types, type_number, &TensorType::number);
        if (type == std::end(tensor_types)) return wrong(field, std::format("its type {} is not known", type_number));
        if (row % type->elements != 0) return wrong(field, std::format("rows of {} are no whole blocks of {}", row, type->name));
        std::uint64_t bytes = 0;
        if (__builtin_mul_overflow(elements / type->elements, type->bytes, &bytes) || bytes > data_bytes_max)
            return wrong(field, "its size is beyond reason");
        if (offset % alignment_ != 0) return wrong(field, std::format("its offset {} is not aligned to {}", offset, alignment_));
        facts_.parameters += elements;
        facts_.tensor_bytes += bytes;
        if (facts_.tensor_bytes > data_bytes_max || facts_.parameters > data_bytes_max)
            return wrong(field, "the tensors together are beyond reason");
        bytes_of_type_[type->name] += bytes;
        tensors_.push_back({offset, bytes, std::move(*name)});
        return {};
    }

    Result<void> places() {
        const auto begin = (in_.at() + alignment_ - 1) / alignment_ * alignment_;
        std::ranges::sort(tensors_, {}, &Tensor::offset);
        std::uint64_t end = 0;
        for (const auto& tensor : tensors_) {
            const auto field = std::format("tensor {}", shown(tensor.name));
            if (tensor.offset < end) return wrong(field, "its data lie over another's");
            if (begin > in_.size() || tensor.offset > in_.size() - begin || tensor.bytes > in_.size() - begin - tensor.offset)
                return wrong(field, std::format("its data end beyond the file's {} bytes; the file may be incomplete", in_.size()));
            end = tensor.offset + tensor.bytes;
        }
        const auto most = std::ranges::max_element(bytes_of_type_, {}, [](const auto& entry) { return entry.second; });
        if (most != bytes_of_type_.end()) facts_.weights = most->first;
        return {};
    }

    Reader in_;
    GgufFacts facts_;
    std::uint64_t keys_ = 0;
    std::uint64_t alignment_ = 32;
    std::unordered_set<std::string> seen_keys_;
    std::unordered_set<std::string> seen_tensors_;
    std::map<std::string, Value> values_;
    std::vector<Tensor> tensors_;
    std::map<std::string_view, std::uint64_t> bytes_of_type_;
};

}  // namespace

base::Result<GgufFacts> check_gguf(std::istream& head, std::uint64_t size) { return Checker(head, size).check(); }

base::Result<GgufFacts> check_gguf(const std::filesystem::path& file) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (error || !std::filesystem::exists(status))
        return fail(ErrorKind::not_found, std::format("the model file {} does not exist", file.string()));
    if (!std::filesystem::is_regular_file(status)) return fail(ErrorKind::invalid, std::format("{} is no regular file", file.string()));
    const auto size = std::filesystem::file_size(file, error);
    std::ifstream in(file, std::ios::binary);
    if (error || !in) return fail(ErrorKind::unavailable, std::format("the model file {} cannot be read", file.string()));
    auto facts = check_gguf(in, size);
    if (in.bad()) return fail(ErrorKind::unavailable, std::format("the model file {} cannot be read", file.string()));
    return facts;
}

}  // namespace hanse::catalog
