// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hanse::federation {

// What kinds of work a remote task may be, and which request each is. Empty for a word or path that is none.
std::string_view path_of_kind(std::string_view kind);  // "chat" -> "/v1/chat/completions"
std::string_view kind_of_path(std::string_view path);  // the same back, of a path below /v1: "/chat/completions"

}  // namespace hanse::federation
