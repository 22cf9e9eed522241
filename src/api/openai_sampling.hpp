// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/generate.hpp"
#include "fields.hpp"

namespace hanse::api {

constexpr std::int64_t choices_max = 128;

// What chat, completions and responses say alike: temperature, top_p, top_k, min_p, penalties, seed,
// logit_bias, grammar, lora, ignore_eos. Ranges are OpenAI's where it has the field.
void read_sampling(Fields& body, engine::GenerateRequest& request);
// "stop": a string or up to 16 of them.
void read_stop(Fields& body, engine::GenerateRequest& request);
// The first of the names that is there.
void read_max_tokens(Fields& body, engine::GenerateRequest& request, std::initializer_list<std::string_view> names);
// "response_format" and the schema in it; also "text.format" of the Responses API, whose schema is not nested.
void read_format(Fields& format, engine::GenerateRequest& request);

}  // namespace hanse::api
