// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "net/server.hpp"

namespace hanse::net {

// A request that came from a partner's node over its own connection, not from a client of this house. Who it is was
// proved by the transport; nothing that stands in the request can say so.
class MemberExchange : public Exchange {
public:
    virtual const std::string& member() const = 0;
    virtual const std::string& task_key() const = 0;  // of the federation's task: the same for every retry of it
};

}  // namespace hanse::net
