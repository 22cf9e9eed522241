// SPDX-License-Identifier: Apache-2.0
#include "crypto/token.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>
#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <mutex>

#include "signing_key.hpp"

namespace hanse::crypto {
namespace {

using Store = std::unique_ptr<OSSL_STORE_CTX, Free<OSSL_STORE_close>>;
using StoreInfo = std::unique_ptr<OSSL_STORE_INFO, Free<OSSL_STORE_INFO_free>>;
using UserInterface = std::unique_ptr<UI_METHOD, Free<UI_destroy_method>>;

// One library context for each module, for as long as the process lives: keys and their tokens' sessions hang on it.
base::Result<OSSL_LIB_CTX*> context_of(const std::string& module) {
    static std::mutex mutex;
    static std::map<std::string, OSSL_LIB_CTX*> contexts;
    const std::lock_guard lock(mutex);
    if (const auto found = contexts.find(module); found != contexts.end()) return found->second;
    OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
    require(context != nullptr);
    std::array parameters{OSSL_PARAM_construct_utf8_string("pkcs11-module-path", const_cast<char*>(module.c_str()), 0),
                          OSSL_PARAM_construct_end()};
    OSSL_PROVIDER* provider = OSSL_PROVIDER_load(context, "default") == nullptr
                                  ? nullptr
                                  : OSSL_PROVIDER_load_ex(context, "pkcs11", module.empty() ? nullptr : parameters.data());
    if (provider == nullptr) {
        OSSL_LIB_CTX_free(context);
        ERR_clear_error();
        return base::fail(base::ErrorKind::unavailable,
                          "OpenSSL's provider pkcs11 cannot be loaded: is the package pkcs11-provider installed?", "token_unavailable");
    }
    contexts.emplace(module, context);
    return context;
}

int give_pin(char* out, int size, int, void* given) {
    const auto pin = static_cast<const Secret*>(given)->reveal();
    if (pin.size() > static_cast<std::size_t>(size)) return 0;
    std::ranges::copy(pin, reinterpret_cast<std::byte*>(out));
    return static_cast<int>(pin.size());
}

// X.509 names and ours for the kind of a key.
bool is_of(const EVP_PKEY* key, Algorithm algorithm) {
    if (algorithm == Algorithm::ed25519) return EVP_PKEY_is_a(key, "ED25519") == 1;
    return algorithm == Algorithm::ecdsa_p256 && EVP_PKEY_is_a(key, "EC") == 1;
}

// The public half as the provider writes it, read again by OpenSSL's own.
base::Bytes public_half(const EVP_PKEY* key, Algorithm algorithm) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0) return {};
    const unsigned char* at = der;
    const EvpKey plain(d2i_PUBKEY(nullptr, &at, size));
    OPENSSL_free(der);
    base::Bytes bytes(256);
    std::size_t length = bytes.size();
    if (!plain) return {};
    const bool shown = algorithm == Algorithm::ed25519 ? EVP_PKEY_get_raw_public_key(plain.get(), raw_out(bytes), &length) == 1
                                                       : EVP_PKEY_get_octet_string_param(plain.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                                                         raw_out(bytes), bytes.size(), &length) == 1;
    bytes.resize(shown ? length : 0);
    return bytes;
}

}  // namespace

base::Result<SigningKey> key_in_token(Algorithm algorithm, std::string_view uri, const TokenAccess& access) {
    if (!uri.starts_with("pkcs11:") || uri.contains("pin-value") || uri.contains("pin-source"))
        return base::fail(base::ErrorKind::invalid, "a key in a token is named by a pkcs11: URI without a PIN in it");
    if (is_post_quantum(algorithm))
        return base::fail(base::ErrorKind::invalid, std::format("tokens hold ed25519 and ecdsa-p256, not {}", name(algorithm)));
    const auto context = context_of(access.module);
    if (!context) return std::unexpected(context.error());
    const UserInterface interface(UI_UTIL_wrap_read_pem_callback(give_pin, 0));
    const std::string address = uri.contains("type=") ? std::string(uri) : std::string(uri) + ";type=private";
    const Store store(OSSL_STORE_open_ex(address.c_str(), *context, "provider=pkcs11", interface.get(), const_cast<Secret*>(&access.pin),
                                         nullptr, nullptr, nullptr));
    EvpKey key;
    bool other = false;
    while (store && !key && OSSL_STORE_eof(store.get()) != 1) {
        const StoreInfo info(OSSL_STORE_load(store.get()));
        if (!info) break;
        if (OSSL_STORE_INFO_get_type(info.get()) != OSSL_STORE_INFO_PKEY) continue;
        EvpKey found(OSSL_STORE_INFO_get1_PKEY(info.get()));
        if (is_of(found.get(), algorithm)) key = std::move(found);
        else other = true;
    }
    const unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    if (other && !key) return base::fail(base::ErrorKind::invalid, std::format("the key in the token is not of {}", name(algorithm)));
    if (!key && error != 0)
        return base::fail(base::ErrorKind::denied,
                          std::format("the token does not give the key {}: its PIN is wrong, or it is not there", uri), "token_refused");
    if (!key) return base::fail(base::ErrorKind::not_found, std::format("there is no key {} in any token", uri));
    auto shown = PublicKey::from_bytes(algorithm, public_half(key.get(), algorithm));
    if (!shown) return base::fail(base::ErrorKind::invalid, std::format("the token does not show the public half of {}", uri));
    auto state = std::make_unique<SigningKey::State>(std::move(key), std::move(*shown), *context);
    SigningKey made(std::move(state));
    // What a token says of itself is tried before anything depends on it.
    const auto trial = base::bytes_of("hanse-token-trial v1\n");
    if (!made.public_key().verifies(trial, made.sign(trial)))
        return base::fail(base::ErrorKind::denied,
                          std::format("the token does not sign with {}, or not with the public half that it shows", uri), "token_refused");
    return made;
}

}  // namespace hanse::crypto
