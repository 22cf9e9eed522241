// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hanse::forge {

// A tensor's name taken apart around its layer's number: "model.layers.", 3, ".mlp.up_proj.weight".
struct LayerName {
    std::string before;
    std::uint64_t layer = 0;
    std::string after;
    std::string with(std::uint64_t other) const { return before + std::to_string(other) + after; }
};
// Nothing for tensors outside the layers (embedding, last norm, head).
std::optional<LayerName> layer_name(std::string_view tensor);

// Whether a tensor outside the layers comes before them.
bool is_before_layers(std::string_view tensor);
// The token embedding or the output layer: one row a token.
bool is_vocabulary_tensor(std::string_view tensor);
// Which tensor stands for an output layer that a model does not have of its own; empty: none.
std::string_view tied_to(std::string_view tensor);

// The names of the Llama family in GGUF and with Hugging Face; nothing where there is no counterpart.
std::optional<std::string> gguf_name(std::string_view hugging_face);
std::optional<std::string> hugging_face_name(std::string_view gguf);

}  // namespace hanse::forge
