// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_derivation.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <array>

#include "openssl.hpp"

namespace hanse::crypto {

Secret hkdf_sha384(const Secret& secret, std::span<const std::byte> salt, std::string_view info, std::size_t size) {
    const EvpKdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    require(kdf != nullptr);
    const EvpKdfContext context(EVP_KDF_CTX_new(kdf.get()));
    const auto octets = [](const char* name, std::span<const std::byte> bytes) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(raw(bytes)), bytes.size());
    };
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>("SHA384"), 0),
                                octets(OSSL_KDF_PARAM_KEY, secret.reveal()), octets(OSSL_KDF_PARAM_SALT, salt),
                                octets(OSSL_KDF_PARAM_INFO, std::as_bytes(std::span(info))), OSSL_PARAM_construct_end()};
    Secret made(size);
    require(context && EVP_KDF_derive(context.get(), raw_out(made.fill()), size, parameters.data()) == 1);
    return made;
}

}  // namespace hanse::crypto
