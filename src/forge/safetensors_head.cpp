// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <format>
#include <glaze/glaze.hpp>
#include <map>
#include <unordered_set>

#include "base/encoding.hpp"
#include "forge/tensor_file.hpp"
#include "printable.hpp"

// safetensors (README of the format): u64 length N, little-endian; N bytes of JSON {name: {dtype, shape, data_offsets: [begin, end]},
// __metadata__: {text: text}}; then the data, packed. Offsets count from the data's beginning.

struct SafetensorsEntry {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::vector<std::uint64_t> data_offsets;
};

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::Result;

constexpr std::uint64_t head_bytes_max = 100'000'000;  // the format's own limit
constexpr std::size_t tensors_max = 1'000'000;
constexpr std::size_t dimensions_max = 16;

std::unexpected<base::Error> wrong(std::string_view field, std::string_view what) {
    return base::fail(ErrorKind::corrupt, std::format("safetensors file, {}: {}", field, what), "invalid_safetensors", std::string(field));
}

// The head never nests deeper than {tensor: {shape: [n]}}; whoever sends more wants the parser's stack.
bool nests_too_deep(std::string_view json) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (quoted) {
            if (c == '\\') ++i;
            else if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > 4) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

using Members = std::vector<std::pair<std::string, glz::raw_json>>;
constexpr glz::opts strict{.null_terminated = false, .error_on_unknown_keys = true};

Result<void> read_metadata(std::string_view json, Metadata& to) {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (glz::read<strict>(pairs, json)) return wrong("__metadata__", "it is not an object of texts");
    std::unordered_set<std::string_view> seen;
    for (auto& [key, value] : pairs) {
        const auto field = std::format("__metadata__.{}", printable(key));
        if (!base::is_valid_utf8(key) || !base::is_valid_utf8(value)) return wrong(field, "it is no valid UTF-8");
        if (!seen.insert(key).second) return wrong(field, "the key is given twice");
        to.set(key, value);
    }
    return {};
}

Result<Tensor> read_entry(std::string_view name, std::string_view json, std::array<std::uint64_t, 2>& offsets) {
    const auto field = std::format("tensor {}", printable(name));
    SafetensorsEntry entry;
    if (const auto error = glz::read<strict>(entry, json))
        return wrong(field,
                     std::format("it is not {{dtype, shape, data_offsets}} with whole numbers, at byte {} of its entry", error.count));
    const auto type = tensor_type_of_safetensors(entry.dtype);
    if (!type) return wrong(field, std::format("its dtype {} is not known", printable(entry.dtype)));
    if (entry.shape.size() > dimensions_max) return wrong(field, std::format("{} dimensions are beyond reason", entry.shape.size()));
    std::uint64_t elements = 1;
    for (const std::uint64_t length : entry.shape)
        if (__builtin_mul_overflow(elements, length, &elements) || elements > tensor_bytes_max / 8)
            return wrong(field, "its shape is beyond reason");
    if (entry.data_offsets.size() != 2) return wrong(field, "its data_offsets are not two numbers");
    offsets = {entry.data_offsets[0], entry.data_offsets[1]};
    if (offsets[0] > offsets[1]) return wrong(field, "its data_offsets end before they begin");
    if (offsets[1] - offsets[0] != elements * block(*type).bytes)
        return wrong(field, std::format("its data_offsets span {} bytes, its shape needs {}", offsets[1] - offsets[0],
                                        elements * block(*type).bytes));
    return Tensor{std::string(name), *type, std::move(entry.shape)};
}

Result<void> check_places(const TensorHead& head, std::uint64_t begin, std::uint64_t size) {
    std::vector<std::size_t> order(head.tensors.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(head.offsets[i], head.tensors[i].bytes()); });
    std::uint64_t end = begin;
    for (const std::size_t i : order) {
        const auto field = std::format("tensor {}", printable(head.tensors[i].name));
        const std::uint64_t bytes = head.tensors[i].bytes();
        if (head.offsets[i] > size || bytes > size - head.offsets[i])
            return wrong(field, std::format("its data end beyond the file's {} bytes; the file may be incomplete", size));
        if (head.offsets[i] < end) return wrong(field, "its data lie over another's");
        if (head.offsets[i] > end) return wrong(field, "there is a hole before its data");
        end = head.offsets[i] + bytes;
    }
    if (end != size) return wrong("data", std::format("{} bytes at the end belong to no tensor", size - end));
    return {};
}

}  // namespace

Result<TensorHead> read_safetensors_head(std::span<const std::byte> file) {
    std::uint64_t length = 0;
    if (file.size() < 8) return wrong("head length", "the file ends within it");
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(&length, file.data(), 8);
    if (length > head_bytes_max) return wrong("head length", std::format("{} is over the limit of {}", length, head_bytes_max));
    if (length > file.size() - 8) return wrong("head length", std::format("{} is beyond the file's end", length));
    const std::string_view json(reinterpret_cast<const char*>(file.data()) + 8, length);
    if (!base::is_valid_utf8(json)) return wrong("head", "it is no valid UTF-8");
    if (!json.starts_with('{')) return wrong("head", "it does not begin with {");
    if (nests_too_deep(json)) return wrong("head", "it nests too deep");
    Members members;
    if (const auto error = glz::read<strict>(members, json))
        return wrong("head", std::format("it is no JSON object, at byte {}", error.count));
    if (members.size() > tensors_max) return wrong("head", std::format("{} tensors are beyond reason", members.size()));
    TensorHead head;
    std::unordered_set<std::string_view> seen;
    for (const auto& [name, value] : members) {
        const auto field = name == "__metadata__" ? name : std::format("tensor {}", printable(name));
        if (!base::is_valid_utf8(name)) return wrong(field, "the name is no valid UTF-8");
        if (!seen.insert(name).second) return wrong(field, "the name is given twice");
        if (name == "__metadata__") {
            if (auto done = read_metadata(value.str, head.metadata); !done) return std::unexpected(done.error());
            continue;
        }
        std::array<std::uint64_t, 2> offsets{};
        auto tensor = read_entry(name, value.str, offsets);
        if (!tensor) return std::unexpected(tensor.error());
        if (offsets[1] > file.size())
            return wrong(field, std::format("its data end beyond the file's {} bytes; the file may be incomplete", file.size()));
        head.tensors.push_back(std::move(*tensor));
        head.offsets.push_back(8 + length + offsets[0]);
    }
    if (auto done = check_places(head, 8 + length, file.size()); !done) return std::unexpected(done.error());
    return head;
}

}  // namespace hanse::forge
