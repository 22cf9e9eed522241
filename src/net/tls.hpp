// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <string>

#include "base/result.hpp"
#include "net/server.hpp"

namespace hanse::net {

// TLS 1.3 alone, key exchange X25519MLKEM768 first and X25519 for clients that have no hybrid yet.
base::Result<boost::asio::ssl::context> tls_server_context(const TlsFiles& files);
// Trusts the system's authorities, or those of `ca_file` alone.
base::Result<boost::asio::ssl::context> tls_client_context(const std::string& ca_file);

}  // namespace hanse::net
