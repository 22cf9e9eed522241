// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.hpp"

#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string_view>

namespace hanse::crypto {
namespace {

template <auto free>
struct Free {
    template <typename T>
    void operator()(T* object) const { free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;

std::unexpected<base::Error> failed() { return base::fail(base::ErrorKind::bug, "OpenSSL could not make a certificate"); }

bool looks_like_address(std::string_view name) {
    return name.contains(':') || name.find_first_not_of("0123456789.") == name.npos;
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string text_of(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

base::Result<PemPair> make_self_signed(const std::vector<std::string>& names, std::chrono::days valid) {
    if (names.empty()) return base::fail(base::ErrorKind::invalid, "a certificate needs at least one name");
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate(X509_new());
    if (!key || !certificate) return failed();

    std::uint64_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -300);  // clocks differ
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), std::chrono::seconds(valid).count());
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(names.front().c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);

    std::string alternatives;
    for (const std::string& name : names)
        alternatives += (alternatives.empty() ? "" : ",") + std::string(looks_like_address(name) ? "IP:" : "DNS:") + name;
    const bool made = add_extension(certificate.get(), NID_subject_alt_name, alternatives) &&
                      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
    const Memory certificate_text(BIO_new(BIO_s_mem()));
    const Memory key_text(BIO_new(BIO_s_secmem()));
    if (!made || PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
        PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return failed();
    return PemPair{text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace hanse::crypto
