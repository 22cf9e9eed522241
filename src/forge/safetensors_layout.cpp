// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <format>

#include "base/encoding.hpp"
#include "forge/tensor_writer.hpp"
#include "json_text.hpp"
#include "printable.hpp"

namespace hanse::forge {
base::Result<TensorLayout> lay_out_safetensors(const TensorPlan& plan) {
    const auto refused = [](std::string_view name, std::string_view what) {
        return base::fail(base::ErrorKind::invalid, std::format("tensor {} cannot go into a safetensors file: {}", printable(name), what));
    };
    std::vector<std::size_t> order(plan.tensors.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // Packed without holes, and yet each aligned to its own elements: the widest first.
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return block(plan.tensors[i].type).bytes; });
    TensorLayout layout;
    layout.offsets.resize(plan.tensors.size());
    std::uint64_t at = 0;
    for (const std::size_t i : order) {
        const Tensor& tensor = plan.tensors[i];
        if (safetensors_name(tensor.type).empty()) return refused(tensor.name, std::format("it has no type {}", name(tensor.type)));
        if (!base::is_valid_utf8(tensor.name) || tensor.name == "__metadata__") return refused(tensor.name, "it cannot have this name");
        layout.offsets[i] = at;
        at += tensor.bytes();
    }
    std::string json = "{";
    std::string metadata;
    for (const auto& [key, value] : plan.metadata.entries()) {
        const auto* text = std::get_if<std::string>(&value);
        metadata += std::format("{}{}:{}", metadata.empty() ? "" : ",", json_text(key),
                                json_text(text != nullptr ? *text : shown(value, SIZE_MAX)));
    }
    if (!metadata.empty()) json += "\"__metadata__\":{" + metadata + "}";
    for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
        const Tensor& tensor = plan.tensors[i];
        std::string shape;
        for (const std::uint64_t length : tensor.shape) shape += std::format("{}{}", shape.empty() ? "" : ",", length);
        json += std::format("{}{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", json.size() > 1 ? "," : "",
                            json_text(tensor.name), safetensors_name(tensor.type), shape, layout.offsets[i],
                            layout.offsets[i] + tensor.bytes());
    }
    json += "}";
    json.resize((json.size() + 7) / 8 * 8, ' ');
    if (json.size() > 100'000'000) return base::fail(base::ErrorKind::too_large, "the head of a safetensors file is over 100 MB");
    std::uint64_t length = json.size();
    static_assert(std::endian::native == std::endian::little);
    layout.head.assign(reinterpret_cast<const char*>(&length), 8);
    layout.head += json;
    for (std::uint64_t& offset : layout.offsets) offset += layout.head.size();
    layout.file_bytes = layout.head.size() + at;
    return layout;
}

}  // namespace hanse::forge
