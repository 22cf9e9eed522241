// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace hanse::base {

std::string_view name(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::unauthenticated: return "unauthenticated";
        case ErrorKind::denied: return "denied";
        case ErrorKind::not_found: return "not_found";
        case ErrorKind::too_large: return "too_large";
        case ErrorKind::overloaded: return "overloaded";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::deadline: return "deadline";
        case ErrorKind::cancelled: return "cancelled";
        case ErrorKind::corrupt: return "corrupt";
        case ErrorKind::bug: return "bug";
    }
    return "bug";
}

}  // namespace hanse::base
