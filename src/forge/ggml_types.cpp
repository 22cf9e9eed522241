// SPDX-License-Identifier: Apache-2.0
#include "ggml_types.hpp"

#include <ggml.h>

namespace hanse::forge::ggml {

TypeFacts facts(std::uint32_t type) {
    if (type >= GGML_TYPE_COUNT) return {};
    const ggml_type_traits* traits = ggml_get_type_traits(static_cast<ggml_type>(type));
    if (traits == nullptr || traits->blck_size == 0) return {};
    const bool writable = traits->is_quantized && traits->from_float_ref != nullptr && traits->to_float != nullptr &&
                          !ggml_quantize_requires_imatrix(static_cast<ggml_type>(type));
    return {static_cast<std::uint32_t>(traits->blck_size), static_cast<std::uint32_t>(traits->type_size), traits->to_float != nullptr,
            writable};
}

void dequantise(std::uint32_t type, const std::byte* from, float* to, std::uint64_t elements) {
    ggml_get_type_traits(static_cast<ggml_type>(type))->to_float(from, to, static_cast<std::int64_t>(elements));
}

void quantise(std::uint32_t type, const float* from, std::byte* to, std::uint64_t rows, std::uint64_t row) {
    (void)ggml_quantize_chunk(static_cast<ggml_type>(type), from, to, 0, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(row),
                              nullptr);
}

}  // namespace hanse::forge::ggml
