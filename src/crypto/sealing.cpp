// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealing.hpp"

#include <openssl/core_names.h>

#include "openssl.hpp"

namespace hanse::crypto {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

const EVP_CIPHER* cipher() {
    static EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    require(fetched != nullptr);
    return fetched;
}

}  // namespace

base::Bytes seal(const Secret& key, std::span<const std::byte> plain, std::span<const std::byte> bound, base::Random& random) {
    require(key.reveal().size() == 32);
    base::Bytes sealed(nonce_size + plain.size() + tag_size);
    const std::span out(sealed);
    random.fill(out.first(nonce_size));
    const EvpCipherContext context(EVP_CIPHER_CTX_new());
    int size = 0;
    require(context && EVP_EncryptInit_ex2(context.get(), cipher(), raw(key.reveal()), raw(out), nullptr) == 1 &&
            EVP_EncryptUpdate(context.get(), nullptr, &size, raw(bound), static_cast<int>(bound.size())) == 1 &&
            EVP_EncryptUpdate(context.get(), raw_out(out.subspan(nonce_size)), &size, raw(plain), static_cast<int>(plain.size())) == 1 &&
            EVP_EncryptFinal_ex(context.get(), raw_out(out.last(tag_size)), &size) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, raw_out(out.last(tag_size))) == 1);
    return sealed;
}

base::Result<Secret> open_sealed(const Secret& key, std::span<const std::byte> sealed, std::span<const std::byte> bound) {
    require(key.reveal().size() == 32);
    const auto refuse = [] { return base::fail(base::ErrorKind::corrupt, "the seal does not open: another key, or changed bytes"); };
    if (sealed.size() < sealed_overhead) return refuse();
    const auto hidden = sealed.subspan(nonce_size, sealed.size() - sealed_overhead);
    Secret plain(hidden.size());
    const EvpCipherContext context(EVP_CIPHER_CTX_new());
    int size = 0;
    std::array<std::byte, tag_size> tag{};
    std::ranges::copy(sealed.last(tag_size), tag.begin());
    require(context && EVP_DecryptInit_ex2(context.get(), cipher(), raw(key.reveal()), raw(sealed), nullptr) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1);
    std::array<unsigned char, tag_size> rest{};
    unsigned char* out = hidden.empty() ? rest.data() : raw_out(plain.fill());
    if (EVP_DecryptUpdate(context.get(), nullptr, &size, raw(bound), static_cast<int>(bound.size())) != 1 ||
        EVP_DecryptUpdate(context.get(), out, &size, raw(hidden), static_cast<int>(hidden.size())) != 1 ||
        EVP_DecryptFinal_ex(context.get(), rest.data(), &size) != 1)
        return refuse();
    return plain;
}

base::Result<Secret> key_from_passphrase(const Secret& passphrase, const PassphraseSalt& salt, const PassphraseCost& cost) {
    if (cost.memory_kib < 8'192 || cost.memory_kib > 1'048'576 || cost.passes < 1 || cost.passes > 16 || cost.lanes < 1 || cost.lanes > 16)
        return base::fail(base::ErrorKind::invalid, "the cost of the passphrase is outside 8 MiB to 1 GiB, 1 to 16 passes, 1 to 16 lanes");
    const EvpKdf kdf(EVP_KDF_fetch(nullptr, "ARGON2ID", nullptr));
    const EvpKdfContext context(EVP_KDF_CTX_new(kdf.get()));
    require(kdf && context);
    auto memory = cost.memory_kib;
    auto passes = cost.passes;
    auto lanes = cost.lanes;
    std::uint32_t threads = 1;
    std::array parameters{OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, const_cast<unsigned char*>(raw(passphrase.reveal())),
                                                            passphrase.reveal().size()),
                          OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<unsigned char*>(raw(salt)), salt.size()),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &memory),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &passes),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &lanes),
                          OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &threads),
                          OSSL_PARAM_construct_end()};
    Secret key(32);
    if (EVP_KDF_derive(context.get(), raw_out(key.fill()), key.fill().size(), parameters.data()) != 1)
        return base::fail(base::ErrorKind::unavailable, "there is not memory enough to check the passphrase");
    return key;
}

}  // namespace hanse::crypto
