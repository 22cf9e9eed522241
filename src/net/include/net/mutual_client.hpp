// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "net/client.hpp"

namespace hanse::net {

// A client that shows a certificate of its own, to servers that ask who comes by that (devices of the house, such as key
// management entities). TLS 1.2 is taken as well, since such devices live long. `invalid` for files that cannot be used.
base::Result<std::shared_ptr<Client>> open_mutual_client(Url origin, ClientOptions options, const std::string& certificate_file,
                                                         const std::string& key_file);

}  // namespace hanse::net
