// SPDX-License-Identifier: Apache-2.0
#include "crypto/signature.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <array>

#include "signing_key.hpp"

namespace hanse::crypto {
namespace {

struct Facts {
    std::string_view name;
    const char* openssl;
    std::size_t public_size;
    bool post_quantum;
};
constexpr std::array<Facts, 5> table{{{"ed25519", "ED25519", 32, false},
                                      {"ecdsa-p256", "EC", 65, false},
                                      {"ml-dsa-44", "ML-DSA-44", 1312, true},
                                      {"ml-dsa-65", "ML-DSA-65", 1952, true},
                                      {"ml-dsa-87", "ML-DSA-87", 2592, true}}};
const Facts& facts(Algorithm algorithm) { return table[static_cast<std::size_t>(algorithm)]; }

using Number = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using Group = std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Free<EC_POINT_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

EvpKey from_parameters(const char* type, int selection, OSSL_PARAM* parameters) {
    const EvpKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, selection, parameters) != 1)
        return {};
    return EvpKey(key);
}

EvpKey p256_public(std::span<const std::byte> point) {
    std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>("P-256"), 0),
                          OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<unsigned char*>(raw(point)), point.size()),
                          OSSL_PARAM_construct_end()};
    EvpKey key = from_parameters("EC", EVP_PKEY_PUBLIC_KEY, parameters.data());
    if (!key) return {};
    // The point must be on the curve and not at infinity: what a caller sends is not to be trusted.
    const EvpKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(key) : EvpKey();
}

EvpKey p256_private(std::span<const std::byte> seed) {
    const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    const Number scalar(BN_bin2bn(raw(seed), static_cast<int>(seed.size()), nullptr));
    require(group && scalar);
    if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0) return {};
    BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
    const Point point(EC_POINT_new(group.get()));
    std::array<unsigned char, 65> encoded{};
    require(point && EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1 &&
            EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(), nullptr) ==
                encoded.size());
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    require(builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()) == 1 &&
            OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1);
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    return from_parameters("EC", EVP_PKEY_KEYPAIR, parameters.get());
}

EvpKey ml_dsa_private(const char* type, std::span<const std::byte> seed) {
    std::array parameters{
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_DSA_SEED, const_cast<unsigned char*>(raw(seed)), seed.size()),
        OSSL_PARAM_construct_end()};
    return from_parameters(type, EVP_PKEY_KEYPAIR, parameters.data());
}

base::Bytes public_bytes(const EVP_PKEY* key, Algorithm algorithm) {
    base::Bytes bytes(facts(algorithm).public_size);
    std::size_t size = 0;
    require(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw_out(bytes), bytes.size(), &size) == 1 &&
            size == bytes.size());
    return bytes;
}

// The context string and the choice of randomness, for ML-DSA only.
struct SignatureParameters {
    SignatureParameters(std::span<const std::byte> context, Signing how) : deterministic(how == Signing::deterministic ? 1 : 0) {
        values = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, const_cast<unsigned char*>(raw(context)),
                                                    context.size()),
                  OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic), OSSL_PARAM_construct_end()};
    }
    int deterministic;
    std::array<OSSL_PARAM, 3> values;
};

const char* digest_of(Algorithm algorithm) { return algorithm == Algorithm::ecdsa_p256 ? "SHA256" : nullptr; }

}  // namespace

std::string_view name(Algorithm algorithm) { return facts(algorithm).name; }
bool is_post_quantum(Algorithm algorithm) { return facts(algorithm).post_quantum; }

std::optional<Algorithm> algorithm_named(std::string_view name) {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].name == name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

struct PublicKey::State {
    Algorithm algorithm;
    base::Bytes bytes;
    EvpKey key;
};

base::Result<PublicKey> PublicKey::from_bytes(Algorithm algorithm, std::span<const std::byte> bytes) {
    const auto refuse = [&] {
        return base::fail(base::ErrorKind::invalid, "these bytes are no public key of " + std::string(name(algorithm)));
    };
    if (bytes.size() != facts(algorithm).public_size) return refuse();
    EvpKey key = algorithm == Algorithm::ecdsa_p256
                     ? p256_public(bytes)
                     : EvpKey(EVP_PKEY_new_raw_public_key_ex(nullptr, facts(algorithm).openssl, nullptr, raw(bytes), bytes.size()));
    if (!key) return refuse();
    return PublicKey(std::make_shared<State>(algorithm, base::Bytes(bytes.begin(), bytes.end()), std::move(key)));
}

Algorithm PublicKey::algorithm() const { return state_->algorithm; }
const base::Bytes& PublicKey::bytes() const { return state_->bytes; }
bool PublicKey::operator==(const PublicKey& other) const {
    return state_->algorithm == other.state_->algorithm && state_->bytes == other.state_->bytes;
}

bool PublicKey::verifies(std::span<const std::byte> message, std::span<const std::byte> signature,
                         std::span<const std::byte> context) const {
    const bool post_quantum = is_post_quantum(state_->algorithm);
    if (post_quantum ? context.size() > 255 : !context.empty()) return false;
    SignatureParameters parameters(context, Signing::hedged);
    const EvpDigestContext digest(EVP_MD_CTX_new());
    require(digest != nullptr);
    return EVP_DigestVerifyInit_ex(digest.get(), nullptr, digest_of(state_->algorithm), nullptr, nullptr, state_->key.get(),
                                   post_quantum ? parameters.values.data() : nullptr) == 1 &&
           EVP_DigestVerify(digest.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
}

SigningKey::SigningKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

base::Result<SigningKey> SigningKey::from_seed(Algorithm algorithm, const Secret& seed) {
    const auto bytes = seed.reveal();
    const auto refuse = [&] { return base::fail(base::ErrorKind::invalid, "this is no seed of a key of " + std::string(name(algorithm))); };
    if (bytes.size() != seed_size) return refuse();
    EvpKey key;
    if (algorithm == Algorithm::ecdsa_p256) key = p256_private(bytes);
    else if (algorithm == Algorithm::ed25519)
        key.reset(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, raw(bytes), bytes.size()));
    else key = ml_dsa_private(facts(algorithm).openssl, bytes);
    if (!key) return refuse();
    auto shown = PublicKey::from_bytes(algorithm, public_bytes(key.get(), algorithm));
    if (!shown) return std::unexpected(shown.error());
    return SigningKey(std::make_unique<State>(std::move(key), std::move(*shown)));
}

Algorithm SigningKey::algorithm() const { return state_->public_key.algorithm(); }
const PublicKey& SigningKey::public_key() const { return state_->public_key; }

base::Bytes SigningKey::sign(std::span<const std::byte> message, std::span<const std::byte> context, Signing how) const {
    const bool post_quantum = is_post_quantum(algorithm());
    require(post_quantum ? context.size() <= 255 : context.empty());
    SignatureParameters parameters(context, how);
    const EvpDigestContext digest(EVP_MD_CTX_new());
    std::size_t size = 0;
    base::Bytes signature;
    bool signed_it = digest &&
                     EVP_DigestSignInit_ex(digest.get(), nullptr, digest_of(algorithm()), state_->context, nullptr, state_->key.get(),
                                           post_quantum ? parameters.values.data() : nullptr) == 1 &&
                     EVP_DigestSign(digest.get(), nullptr, &size, raw(message), message.size()) == 1;
    if (signed_it) {
        signature.resize(size);
        signed_it = EVP_DigestSign(digest.get(), raw_out(signature), &size, raw(message), message.size()) == 1;
    }
    require(signed_it || in_token());
    signature.resize(signed_it ? size : 0);
    return signature;
}

Secret SigningKey::pkcs8() const {
    if (in_token()) return {};
    unsigned char* der = nullptr;
    const int size = i2d_PrivateKey(state_->key.get(), &der);
    require(size > 0);
    const std::span bytes(reinterpret_cast<std::byte*>(der), static_cast<std::size_t>(size));
    Secret made = Secret::copy_of(bytes);
    wipe(bytes);
    OPENSSL_free(der);
    return made;
}

bool SigningKey::in_token() const { return state_->context != nullptr; }

}  // namespace hanse::crypto
