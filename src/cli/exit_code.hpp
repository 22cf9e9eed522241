// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

namespace hanse::cli {

// What a script can rely on. Told by `hanse --help` and the manual page.
enum class Exit : int { ok = 0, failed = 1, usage = 2, denied = 3, unavailable = 4, not_found = 5, interrupted = 130 };

constexpr Exit exit_for(base::ErrorKind kind) {
    switch (kind) {
        case base::ErrorKind::invalid:
        case base::ErrorKind::too_large: return Exit::usage;
        case base::ErrorKind::unauthenticated:
        case base::ErrorKind::denied: return Exit::denied;
        case base::ErrorKind::not_found: return Exit::not_found;
        case base::ErrorKind::overloaded:
        case base::ErrorKind::unavailable:
        case base::ErrorKind::deadline: return Exit::unavailable;
        case base::ErrorKind::cancelled: return Exit::interrupted;
        case base::ErrorKind::corrupt:
        case base::ErrorKind::bug: return Exit::failed;
    }
    return Exit::failed;
}

}  // namespace hanse::cli
