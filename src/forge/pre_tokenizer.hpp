// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model_config.hpp"

namespace hanse::forge {

// How a byte-level BPE tokenizer cuts text before it merges, by llama.cpp's name for it. Recognised by what tokenizer.json says, not by
// trying texts: nothing if it is none of those known here.
std::optional<std::string> pre_tokenizer_name(const Json& tokenizer);
// The pre_tokenizer of a tokenizer.json with that name, as JSON; empty if it is not known.
std::string pre_tokenizer_json(std::string_view name);
// Whether a tokenizer.json made of a SentencePiece model puts a blank before the text.
bool prepends_blank(const Json& tokenizer);

}  // namespace hanse::forge
