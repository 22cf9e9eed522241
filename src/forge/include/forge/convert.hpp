// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "forge/crew.hpp"
#include "forge/tensor_file.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {

// A tensor of the output and the one that it is made of: its values as they are, its rows in another order, its type changed.
struct TensorMove {
    std::size_t source = 0;  // in the source file
    // The heads of a query or key projection, whose rows are reordered between the two layouts of rotary embeddings: pairs of halves
    // (Hugging Face) and adjacent pairs (ggml's llama). 0: no reordering.
    std::uint64_t heads = 0;
    std::vector<float> made = {};  // not from the source but these values
};

// A conversion that is laid out and can be run: what will be written and from what. Files beside the weights come with it.
struct Conversion {
    enum class Direction : std::uint8_t { to_gguf, to_folder, same } direction = Direction::same;
    TensorPlan plan;
    std::vector<TensorMove> moves;                                // one for each planned tensor
    std::vector<std::pair<std::string, std::string>> files = {};  // name and content, for a folder
    std::uint64_t bytes() const;
};

// A folder with config.json, weights and a tokenizer, as Hugging Face's transformers has them, to one GGUF file that llama.cpp and our
// engine load. The Llama family: Llama, Mistral, SmolLM2, EuroLLM, Salamandra, Teuken (architecture llama) and Apertus. `type`: of the
// matrices; none: as they are. Vectors are f32, as ggml wants them. `invalid` names what is not known, never guesses.
base::Result<Conversion> plan_to_gguf(const TensorFile& model, std::optional<TensorType> type);

// And back: config.json, model.safetensors, tokenizer.json or tokenizer.model, tokenizer_config.json.
base::Result<Conversion> plan_to_folder(const TensorFile& model, std::optional<TensorType> type);

// A GGUF file with its matrices in the types of a mix ("Q4_K_M"): the same rules as llama.cpp's, which give sensitive tensors more bits.
base::Result<Conversion> plan_quantised(const TensorFile& model, std::string_view mix);
std::vector<std::string> quantised_mixes();

using ConvertProgress = std::function<void(std::uint64_t done, std::uint64_t total, std::uint64_t resumed)>;
// Streams by rows from all threads. `output`: the file, or the folder.
base::Result<void> run_conversion(const Conversion& conversion, const TensorFile& model, const std::filesystem::path& output, Crew& crew,
                                  const ConvertProgress& progress = {});

}  // namespace hanse::forge
