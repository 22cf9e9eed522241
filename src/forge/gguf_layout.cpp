// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <format>
#include <type_traits>

#include "forge/tensor_writer.hpp"
#include "printable.hpp"

namespace hanse::forge {
namespace {

constexpr std::size_t name_length_max = 63;  // GGML_MAX_NAME with its zero

template <typename T>
    requires std::is_arithmetic_v<T>
void put(std::string& out, T value) {
    static_assert(std::endian::native == std::endian::little);
    if constexpr (std::is_same_v<T, bool>) {
        out += static_cast<char>(value ? 1 : 0);
    } else {
        char raw[sizeof(T)];
        std::memcpy(raw, &value, sizeof(T));
        out.append(raw, sizeof(T));
    }
}

void put(std::string& out, std::string_view text) {
    put<std::uint64_t>(out, text.size());
    out += text;
}

// GGUF's numbers of value types.
template <typename T>
constexpr std::uint32_t number_of = std::is_same_v<T, std::uint8_t>    ? 0
                                    : std::is_same_v<T, std::int8_t>   ? 1
                                    : std::is_same_v<T, std::uint16_t> ? 2
                                    : std::is_same_v<T, std::int16_t>  ? 3
                                    : std::is_same_v<T, std::uint32_t> ? 4
                                    : std::is_same_v<T, std::int32_t>  ? 5
                                    : std::is_same_v<T, float>         ? 6
                                    : std::is_same_v<T, bool>          ? 7
                                    : std::is_same_v<T, std::string>   ? 8
                                    : std::is_same_v<T, std::uint64_t> ? 10
                                    : std::is_same_v<T, std::int64_t>  ? 11
                                                                       : 12;

void put(std::string& out, const MetadataValue& value) {
    std::visit(
        [&]<typename T>(const T& held) {
            if constexpr (std::is_arithmetic_v<T>) {
                put<std::uint32_t>(out, number_of<T>);
                put(out, held);
            } else if constexpr (std::is_same_v<T, std::string>) {
                put<std::uint32_t>(out, number_of<T>);
                put(out, std::string_view(held));
            } else {
                using Item = typename T::value_type;
                put<std::uint32_t>(out, 9);
                put<std::uint32_t>(out, number_of<Item>);
                put<std::uint64_t>(out, held.size());
                for (const auto& item : held) {
                    if constexpr (std::is_same_v<Item, std::string>) put(out, std::string_view(item));
                    else put(out, static_cast<Item>(item));
                }
            }
        },
        value);
}

}  // namespace

base::Result<TensorLayout> lay_out_gguf(const TensorPlan& plan) {
    const auto refused = [](std::string_view name, std::string_view what) {
        return base::fail(base::ErrorKind::invalid, std::format("tensor {} cannot go into a GGUF file: {}", printable(name), what));
    };
    if (plan.metadata.text("general.architecture").empty())
        return base::fail(base::ErrorKind::invalid, "a GGUF file needs general.architecture", {}, "general.architecture");
    const std::uint64_t alignment = plan.metadata.whole("general.alignment").value_or(32);
    if (!std::has_single_bit(alignment) || alignment < 8 || alignment > (1U << 24))
        return base::fail(base::ErrorKind::invalid, std::format("general.alignment {} is no power of two within reason", alignment), {},
                          "general.alignment");
    TensorLayout layout;
    std::string& head = layout.head;
    head = "GGUF";
    put<std::uint32_t>(head, 3);
    put<std::uint64_t>(head, plan.tensors.size());
    put<std::uint64_t>(head, plan.metadata.entries().size());
    for (const auto& [key, value] : plan.metadata.entries()) {
        put(head, std::string_view(key));
        put(head, value);
    }
    std::uint64_t at = 0;
    for (const Tensor& tensor : plan.tensors) {
        const auto number = gguf_number(tensor.type);
        if (!number) return refused(tensor.name, std::format("it has no type {}", name(tensor.type)));
        if (tensor.name.size() > name_length_max) return refused(tensor.name, std::format("its name is over {} bytes", name_length_max));
        if (tensor.shape.size() > 4) return refused(tensor.name, "it has more than 4 dimensions");
        if (tensor.elements() == 0) return refused(tensor.name, "it is empty");
        if (tensor.row() % block(tensor.type).elements != 0)
            return refused(tensor.name, std::format("rows of {} are no whole blocks of {}", tensor.row(), name(tensor.type)));
        put(head, std::string_view(tensor.name));
        put<std::uint32_t>(head, static_cast<std::uint32_t>(std::max<std::size_t>(tensor.shape.size(), 1)));
        if (tensor.shape.empty()) put<std::uint64_t>(head, 1);
        for (std::size_t i = tensor.shape.size(); i > 0; --i) put<std::uint64_t>(head, tensor.shape[i - 1]);
        put<std::uint32_t>(head, *number);
        put<std::uint64_t>(head, at);
        layout.offsets.push_back(at);
        at = (at + tensor.bytes() + alignment - 1) / alignment * alignment;
    }
    head.resize((head.size() + alignment - 1) / alignment * alignment, '\0');
    for (std::uint64_t& offset : layout.offsets) offset += head.size();
    layout.file_bytes = head.size() + at;
    return layout;
}

}  // namespace hanse::forge
