// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "grammar.hpp"

namespace hanse::engine {

// Grammars of JSON texts. What they generate is what OpenAI's strict structured output promises: an object's
// properties in the schema's order, and no others unless additionalProperties asks for them. Between tokens at
// most one space may come, and at most one line break with little indentation: small models otherwise lose
// themselves in blanks.
//
// Understood: type (also a list), properties, required, additionalProperties, items, prefixItems, minItems,
// maxItems, minLength, maxLength, pattern, format (date, time, date-time, uuid, ipv4, email), enum, const,
// minimum, maximum and their exclusive forms for integers, anyOf, oneOf (as anyOf), allOf (of objects, or with
// one that says more), $ref within the schema also recursive, $defs, definitions, nullable. Annotations are passed over.
// Everything else is `invalid` with JSON pointer and keyword: a promise half kept would be worse.
base::Result<GrammarSource> json_schema_grammar(std::string_view schema);

// Adds the schema's rules to `source`, under names that begin with `name`, which is the value's rule.
base::Result<void> append_json_schema(GrammarSource& source, const std::string& name, std::string_view schema);

// Any JSON object.
GrammarSource any_json_object_grammar();

}  // namespace hanse::engine
