// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "json.hpp"
#include "privacy/recogniser.hpp"

namespace hanse::api {

// One text of a request's body, where somebody's data could stand: a string, a field's name, or a long number.
struct BodyText {
    enum class Sort : std::uint8_t {
        text,       // may become another text
        name,       // of a field, or a word of the protocol: what is found in it cannot be changed
        number,     // likewise
        arguments,  // JSON in a string, as of a tool call
        opaque,     // a picture, a file: nobody looked into it
    } sort = Sort::text;
    std::string_view raw;    // in the body, with its quotes
    std::string_view field;  // whose value it is, decoded; empty in a list
    std::string text;        // decoded
};

// All texts of a document in their order. Stops with the first error that `visit` returns.
base::Result<void> each_text(const JsonDocument& document, const std::function<base::Result<void>(BodyText)>& visit);

// The end of what a request says, about `most` bytes: its messages or prompt, without instructions and the descriptions of tools.
std::string said_last(const JsonDocument& document, std::size_t most);

// What is found in a text, with its field's name as context ("iban": "…"). Places are those of the text.
base::Result<std::vector<privacy::Finding>> scan_text(const privacy::Recogniser& recogniser, const BodyText& text);

}  // namespace hanse::api
