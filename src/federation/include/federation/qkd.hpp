// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/secret.hpp"

namespace hanse::federation {

// A key of a pair of sites, and the name under which both get it. Used once.
struct QkdKey {
    std::string id;
    crypto::Secret key;
};

// Quantum keys by partner, whatever brings them.
class QkdSource {
public:
    virtual ~QkdSource() = default;
    // Whether this site shares a device link with that member's.
    virtual bool reaches(std::string_view member) const = 0;
    virtual boost::asio::awaitable<base::Result<QkdKey>> fresh(std::string member) = 0;
    virtual boost::asio::awaitable<base::Result<QkdKey>> by_id(std::string member, std::string id) = 0;
};

}  // namespace hanse::federation
