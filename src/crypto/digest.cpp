// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include "openssl.hpp"

namespace hanse::crypto {
namespace {

const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    require(algorithm != nullptr);
    return algorithm;
}

}  // namespace

// One context a thread, begun anew each time: making one costs more than a short message's digest.
Sha256Digest sha256(std::span<const std::byte> bytes) {
    thread_local const EvpDigestContext context(EVP_MD_CTX_new());
    Sha256Digest digest{};
    require(context && EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1 &&
            EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
            EVP_DigestFinal_ex(context.get(), raw_out(digest), nullptr) == 1);
    return digest;
}

struct Sha256::State {
    State() : context(EVP_MD_CTX_new()) { begin(); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
    void begin() { require(context != nullptr && EVP_DigestInit_ex(context, sha256_algorithm(), nullptr) == 1); }
    EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) { require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1); }

Sha256Digest Sha256::finish() {
    Sha256Digest digest{};
    require(EVP_DigestFinal_ex(state_->context, raw_out(digest), nullptr) == 1);
    state_->begin();
    return digest;
}

Sha256Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) {
    using Context = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;
    thread_local const Context context = [] {
        const std::unique_ptr<EVP_MAC, Free<EVP_MAC_free>> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
        require(algorithm != nullptr);
        Context made(EVP_MAC_CTX_new(algorithm.get()));
        std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
                              OSSL_PARAM_construct_end()};
        require(made && EVP_MAC_CTX_set_params(made.get(), parameters.data()) == 1);
        return made;
    }();
    Sha256Digest tag{};
    std::size_t size = 0;
    require(EVP_MAC_init(context.get(), raw(key), key.size(), nullptr) == 1 &&
            EVP_MAC_update(context.get(), raw(message), message.size()) == 1 &&
            EVP_MAC_final(context.get(), raw_out(tag), &size, tag.size()) == 1);
    return tag;
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace hanse::crypto
