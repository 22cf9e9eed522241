// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <format>
#include <spanstream>

#include "base/encoding.hpp"
#include "catalog/gguf.hpp"
#include "forge/tensor_file.hpp"
#include "printable.hpp"

// GGUF (ggml docs/gguf.md). catalog/gguf checks every count, length, type and place of the head first; what is read here has
// passed that, and the bounds checks below only keep a file that changes meanwhile from doing harm.

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

std::unexpected<base::Error> changed(std::string_view field) {
    return base::fail(ErrorKind::corrupt, std::format("GGUF file, {}: the file ends within it", printable(field)), "invalid_gguf",
                      printable(field));
}

class Cursor {
public:
    explicit Cursor(std::span<const std::byte> file) : file_(file) {}
    std::uint64_t at() const { return at_; }

    template <typename T>
    bool read(T& value) {
        if (file_.size() - at_ < sizeof(T)) return false;
        std::memcpy(&value, file_.data() + at_, sizeof(T));
        at_ += sizeof(T);
        return true;
    }
    bool read(bool& value) {
        std::uint8_t byte = 0;
        if (!read(byte)) return false;
        value = byte != 0;
        return true;
    }
    bool read(std::string& value) {
        std::uint64_t length = 0;
        if (!read(length) || length > file_.size() - at_) return false;
        value.assign(reinterpret_cast<const char*>(file_.data()) + at_, length);
        at_ += length;
        return true;
    }
    template <typename T>
    bool read(std::vector<T>& values, std::uint64_t count) {
        if (count > file_.size() - at_) return false;
        values.resize(count);
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
            for (std::uint64_t i = 0; i < count; ++i) {
                T value{};
                if (!read(value)) return false;
                values[i] = std::move(value);
            }
        } else {
            if (count > (file_.size() - at_) / sizeof(T)) return false;
            if (count > 0) std::memcpy(values.data(), file_.data() + at_, count * sizeof(T));
            at_ += count * sizeof(T);
        }
        return true;
    }

private:
    std::span<const std::byte> file_;
    std::uint64_t at_ = 0;
};

template <typename T>
bool read_value(Cursor& from, MetadataValue& to, std::optional<std::uint64_t> count) {
    if (!count) return from.read(to.emplace<T>());
    return from.read(to.emplace<std::vector<T>>(), *count);
}

// The numbers of GGUF's value types, in their order.
bool read_typed(Cursor& from, std::uint32_t type, MetadataValue& to, std::optional<std::uint64_t> count = {}) {
    switch (type) {
        case 0: return read_value<std::uint8_t>(from, to, count);
        case 1: return read_value<std::int8_t>(from, to, count);
        case 2: return read_value<std::uint16_t>(from, to, count);
        case 3: return read_value<std::int16_t>(from, to, count);
        case 4: return read_value<std::uint32_t>(from, to, count);
        case 5: return read_value<std::int32_t>(from, to, count);
        case 6: return read_value<float>(from, to, count);
        case 7: return read_value<bool>(from, to, count);
        case 8: return read_value<std::string>(from, to, count);
        case 10: return read_value<std::uint64_t>(from, to, count);
        case 11: return read_value<std::int64_t>(from, to, count);
        case 12: return read_value<double>(from, to, count);
        case 9: {
            std::uint32_t inner = 0;
            std::uint64_t items = 0;
            return !count && from.read(inner) && inner != 9 && from.read(items) && read_typed(from, inner, to, items);
        }
        default: return false;
    }
}

Result<Tensor> read_tensor(Cursor& from, std::uint64_t& offset) {
    Tensor tensor;
    std::uint32_t dimensions = 0;
    if (!from.read(tensor.name) || !from.read(dimensions) || dimensions > 4) return changed("tensor");
    if (!base::is_valid_utf8(tensor.name))
        return base::fail(ErrorKind::corrupt, std::format("GGUF file, tensor {}: the name is no valid UTF-8", printable(tensor.name)),
                          "invalid_gguf", "tensor " + printable(tensor.name));
    tensor.shape.resize(dimensions);
    for (std::uint32_t i = 0; i < dimensions; ++i)
        if (!from.read(tensor.shape[dimensions - 1 - i])) return changed(tensor.name);
    std::uint32_t number = 0;
    if (!from.read(number) || !from.read(offset)) return changed(tensor.name);
    const auto type = tensor_type_of_gguf(number);
    if (!type) return changed(tensor.name);
    tensor.type = *type;
    return tensor;
}

}  // namespace

Result<TensorHead> read_gguf_head(std::span<const std::byte> file) {
    std::ispanstream in(std::span(reinterpret_cast<const char*>(file.data()), file.size()));
    const auto facts = catalog::check_gguf(in, file.size());
    if (!facts) return std::unexpected(facts.error());
    Cursor from(file);
    std::uint32_t magic = 0, version = 0;
    std::uint64_t tensors = 0, keys = 0;
    if (!from.read(magic) || !from.read(version) || !from.read(tensors) || !from.read(keys)) return changed("head");
    TensorHead head;
    for (std::uint64_t i = 0; i < keys; ++i) {
        std::string key;
        std::uint32_t type = 0;
        MetadataValue value;
        if (!from.read(key)) return changed("key");
        if (!base::is_valid_utf8(key))
            return base::fail(ErrorKind::corrupt, std::format("GGUF file, {}: the key is no valid UTF-8", printable(key)), "invalid_gguf",
                              printable(key));
        if (!from.read(type) || !read_typed(from, type, value)) return changed(key);
        head.metadata.set(key, std::move(value));
    }
    for (std::uint64_t i = 0; i < tensors; ++i) {
        std::uint64_t offset = 0;
        auto tensor = read_tensor(from, offset);
        if (!tensor) return std::unexpected(tensor.error());
        head.tensors.push_back(std::move(*tensor));
        head.offsets.push_back(offset);
    }
    const std::uint64_t alignment = head.metadata.whole("general.alignment").value_or(32);
    const std::uint64_t begin = (from.at() + alignment - 1) / alignment * alignment;
    for (std::size_t i = 0; i < tensors; ++i) {
        head.offsets[i] += begin;
        if (head.offsets[i] > file.size() || head.tensors[i].bytes() > file.size() - head.offsets[i]) return changed(head.tensors[i].name);
    }
    return head;
}

}  // namespace hanse::forge
