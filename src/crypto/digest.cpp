// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "openssl.hpp"

namespace hanse::crypto {
namespace {

const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    require(algorithm != nullptr);
    return algorithm;
}

}  // namespace

Sha256Digest sha256(std::span<const std::byte> bytes) {
    Sha256Digest digest{};
    require(EVP_Digest(bytes.data(), bytes.size(), raw_out(digest), nullptr, sha256_algorithm(), nullptr) == 1);
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
    Sha256Digest tag{};
    std::size_t size = 0;
    require(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, raw(key), key.size(), raw(message), message.size(), raw_out(tag),
                      tag.size(), &size) != nullptr);
    return tag;
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace hanse::crypto
