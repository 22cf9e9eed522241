// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"
#include "net/http.hpp"

namespace hanse::api {

// The one place where kinds of errors become HTTP, in the form that OpenAI's clients read.
unsigned http_status(const base::Error& error);
// {"error":{"message":…,"type":…,"param":…,"code":…}}
std::string error_json(const base::Error& error);
// With Retry-After where waiting helps.
net::Response error_response(const base::Error& error);

}  // namespace hanse::api
