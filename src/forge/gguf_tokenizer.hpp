// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"
#include "forge/metadata.hpp"
#include "model_config.hpp"

namespace hanse::forge {

// A model's tokenizer as GGUF's metadata: SentencePiece (tokenizer.model, or a tokenizer.json that was made of one) as "llama", byte-level
// BPE (tokenizer.json) as "gpt2" with the name of its pre-tokenizer. Special tokens, their numbers and whether they are added come from
// tokenizer_config.json, then config.json; the chat template from there or from chat_template.jinja. `rows`: of the embedding; the
// vocabulary is padded to it. `invalid` if the kind or the pre-tokenizer is not known: a guess would split texts wrongly without a word.
base::Result<void> add_tokenizer(const std::filesystem::path& folder, const ModelConfig& config, std::uint64_t rows, Metadata& to);

}  // namespace hanse::forge
