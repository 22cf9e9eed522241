// SPDX-License-Identifier: Apache-2.0
#include "tls.hpp"

#include <format>
#include <openssl/ssl.h>

namespace hanse::net {
namespace {

namespace ssl = boost::asio::ssl;

void set_protocol(ssl::context& context) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
    // The slash makes two preferences of them: a server asks for the hybrid group of whoever knows it, even if that
    // client sent a share of the other first (OpenSSL 3.5, SSL_CTX_set1_groups_list, "tuples").
    SSL_CTX_set1_groups_list(context.native_handle(), "X25519MLKEM768/X25519");
}

}  // namespace

base::Result<ssl::context> tls_server_context(const TlsFiles& files) {
    ssl::context context(ssl::context::tls_server);
    set_protocol(context);
    SSL_CTX_set_num_tickets(context.native_handle(), 0);
    boost::system::error_code error;
    context.use_certificate_chain_file(files.certificate, error);
    if (error)
        return base::fail(base::ErrorKind::invalid,
                          std::format("the TLS certificate {} cannot be used: {}", files.certificate, error.message()));
    context.use_private_key_file(files.key, ssl::context::pem, error);
    if (error)
        return base::fail(base::ErrorKind::invalid, std::format("the TLS key {} cannot be used: {}", files.key, error.message()));
    return context;
}

base::Result<ssl::context> tls_client_context(const std::string& ca_file) {
    ssl::context context(ssl::context::tls_client);
    set_protocol(context);
    boost::system::error_code error;
    if (ca_file.empty())
        context.set_default_verify_paths(error);
    else
        context.load_verify_file(ca_file, error);
    if (error)
        return base::fail(base::ErrorKind::invalid, std::format("the certificate authorities in {} cannot be read: {}",
                                                                ca_file.empty() ? "the system's store" : ca_file, error.message()));
    return context;
}

}  // namespace hanse::net
