// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace hanse::base {

// What the one who meets an error should do next. Few kinds, on purpose: whoever handles an error asks
// "retry, correct, wait, or give up?", not "which of 200 things was it?". One file in `api` maps kinds to
// HTTP; rooms that must tell more put a stable word into Error::code.
enum class ErrorKind : std::uint8_t {
    invalid,          // the caller's input is wrong: correct it, retrying is useless
    unauthenticated,  // no key, or one we do not know
    denied,           // known, but not allowed
    not_found,        // the thing named does not exist (or must look so)
    too_large,        // over a limit that is stated in the message
    overloaded,       // no room now: wait retry_after and try again
    unavailable,      // something we depend on does not answer: try elsewhere or later
    deadline,         // the time given was used up, or cannot suffice
    cancelled,        // the caller went away
    corrupt,          // stored or received bytes are not what they claim to be
    bug,              // ours: report it
};

std::string_view name(ErrorKind kind);

// An error is data: a kind, one human sentence that names the thing, and for programs a stable code and
// the field concerned. Never holds prompt text or a secret, since errors are logged.
struct Error {
    ErrorKind kind = ErrorKind::bug;
    std::string message;
    std::string code = {};   // stable word for programs, e.g. "model_not_found"; empty: the kind's name
    std::string param = {};  // the input field concerned, e.g. "messages[2].content"
    std::optional<std::chrono::milliseconds> retry_after = {};
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string code = {}, std::string param = {}) {
    return std::unexpected(Error{kind, std::move(message), std::move(code), std::move(param), {}});
}

}  // namespace hanse::base
