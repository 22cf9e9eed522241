// SPDX-License-Identifier: Apache-2.0
#include "crypto/node_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <charconv>
#include <format>

#include "crypto/digest.hpp"
#include "crypto/key_file.hpp"
#include "openssl.hpp"

namespace hanse::crypto {
namespace {

using base::ErrorKind;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT_free>>;

// An arc of a UUID (ITU-T X.667), which nobody has to be asked for.
constexpr const char* statement_oid = "2.25.275722875464005552902545247258340206661";
constexpr std::string_view statement_context = "node-certificate", request_context = "node-request";
constexpr std::string_view statement_head = "hanse-node v1", request_head = "hanse-node-request v1";
constexpr std::size_t certificate_max = 32U << 10, request_max = 32U << 10;
constexpr auto tls_algorithm = Algorithm::ml_dsa_65;

std::unexpected<base::Error> bad(std::string reason) {
    return base::fail(ErrorKind::denied, "the certificate is not accepted: " + std::move(reason), "bad_certificate");
}
std::unexpected<base::Error> failed() { return base::fail(ErrorKind::bug, "OpenSSL could not make a certificate"); }

std::int64_t seconds(base::WallTime time) { return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count(); }
base::WallTime wall(std::int64_t seconds) { return base::WallTime{} + std::chrono::seconds(seconds); }

const PublicKey& tls_key(const Identity& identity) { return identity.keys()[1]; }
const PublicKey& second_key(const Identity& identity) { return identity.keys()[0]; }

EvpKey public_key(const PublicKey& key) {
    return EvpKey(EVP_PKEY_new_raw_public_key_ex(nullptr, "ML-DSA-65", nullptr, raw(key.bytes()), key.bytes().size()));
}
EvpKey private_key(const IdentityKey& key) {
    const Secret der = key.keys()[1].pkcs8();
    const unsigned char* at = raw(der.reveal());
    return EvpKey(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.reveal().size())));
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_statement(X509* certificate, const std::string& text) {
    const Object object(OBJ_txt2obj(statement_oid, 1));
    const Octets octets(ASN1_OCTET_STRING_new());
    if (!object || !octets || ASN1_OCTET_STRING_set(octets.get(), raw(base::bytes_of(text)), static_cast<int>(text.size())) != 1)
        return false;
    const Extension extension(X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, octets.get()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(X509_NAME* name, const char* field, std::string_view value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
}

// What both kinds have in common; the issuer's and the subject's organisation is the member.
Certificate blank(std::string_view member, std::string_view common_name, const PublicKey& key, const Validity& validity) {
    Certificate made(X509_new());
    std::uint64_t serial = 0;
    const EvpKey shown = public_key(key);
    if (!made || !shown || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return {};
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_TIME_set(X509_getm_notBefore(made.get()), seconds(validity.from));
    ASN1_TIME_set(X509_getm_notAfter(made.get()), seconds(validity.until));
    X509_set_pubkey(made.get(), shown.get());
    const bool named = add_name(X509_get_subject_name(made.get()), "O", member) &&
                       add_name(X509_get_subject_name(made.get()), "CN", common_name) &&
                       add_name(X509_get_issuer_name(made.get()), "O", member) && add_name(X509_get_issuer_name(made.get()), "CN", "root");
    return named ? std::move(made) : Certificate();
}

base::Result<std::string> signed_pem(Certificate certificate, const IdentityKey& root) {
    const EvpKey key = private_key(root);
    const Memory text(BIO_new(BIO_s_mem()));
    if (!key || !text || X509_sign(certificate.get(), key.get(), nullptr) <= 0 || PEM_write_bio_X509(text.get(), certificate.get()) != 1)
        return failed();
    char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::string statement_of(std::string_view member, std::string_view node, const Identity& keys, const Validity& validity) {
    return std::format("{}\nmember {}\nnode {}\nvalid {} {}\nkey {} {}\ncertified {}\n", statement_head, member, node,
                       seconds(validity.from), seconds(validity.until), name(second_key(keys).algorithm()),
                       base::base64(second_key(keys).bytes()), base::hex(sha256(tls_key(keys).bytes())));
}

// Lines of a text that must be exactly as they were written, taken from the front.
class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}
    // What follows `word` and a blank in the next line.
    std::optional<std::string_view> value(std::string_view word) {
        const auto line = whole();
        if (!line || !line->starts_with(word) || line->size() <= word.size() + 1 || (*line)[word.size()] != ' ') return std::nullopt;
        return line->substr(word.size() + 1);
    }
    std::optional<std::string_view> whole() {
        const auto end = text_.find('\n', at_);
        if (end == text_.npos) return std::nullopt;
        const auto line = text_.substr(at_, end - at_);
        at_ = end + 1;
        return line;
    }
    std::string_view read() const { return text_.substr(0, at_); }
    bool ended() const { return at_ == text_.size(); }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

std::optional<PublicKey> key_of(std::optional<std::string_view> value) {
    if (!value) return std::nullopt;
    const auto space = value->find(' ');
    const auto algorithm = algorithm_named(value->substr(0, space));
    if (space == value->npos || !algorithm) return std::nullopt;
    const auto bytes = base::from_base64(value->substr(space + 1));
    if (!bytes) return std::nullopt;
    auto key = PublicKey::from_bytes(*algorithm, *bytes);
    return key ? std::optional(std::move(*key)) : std::nullopt;
}

std::optional<Validity> validity_of(std::optional<std::string_view> value) {
    if (!value) return std::nullopt;
    std::int64_t from = 0, until = 0;
    const char* const end = value->data() + value->size();
    const auto first = std::from_chars(value->data(), end, from);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ' ') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, until);
    // A year of 32 bits is more than any certificate's; beyond it WallTime would overflow.
    if (second.ec != std::errc{} || second.ptr != end || from < 0 || until < from || until > 0xffffffffLL) return std::nullopt;
    return Validity{wall(from), wall(until)};
}

struct Statement {
    std::string member, node;
    Validity validity;
    PublicKey second;
    std::string certified;
    std::string_view signed_text;
    HybridSignature signature;
};

std::optional<Statement> read_statement(std::string_view text) {
    Lines lines(text);
    if (lines.whole() != statement_head) return std::nullopt;
    const auto member = lines.value("member"), node = lines.value("node");
    const auto validity = validity_of(lines.value("valid"));
    auto second = key_of(lines.value("key"));
    const auto certified = lines.value("certified");
    const auto signed_text = lines.read();
    const auto signature_text = lines.value("signature");
    if (!member || !node || !validity || !second || !certified || !signature_text || !lines.ended()) return std::nullopt;
    auto signature = HybridSignature::parse(*signature_text);
    if (!signature) return std::nullopt;
    return Statement{std::string(*member), std::string(*node),   *validity, std::move(*second), std::string(*certified),
                     signed_text,          std::move(*signature)};
}

std::optional<std::string> statement_in(const X509* certificate) {
    const Object object(OBJ_txt2obj(statement_oid, 1));
    const int at = X509_get_ext_by_OBJ(certificate, object.get(), -1);
    if (at < 0 || X509_get_ext_by_OBJ(certificate, object.get(), at) >= 0) return std::nullopt;
    const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(X509_get_ext(certificate, at));
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)), static_cast<std::size_t>(ASN1_STRING_length(data)));
}

// The ML-DSA-65 key in a certificate.
std::optional<PublicKey> key_in(const X509* certificate) {
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_is_a(key, "ML-DSA-65") != 1) return std::nullopt;
    base::Bytes bytes(1952);
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key, raw_out(bytes), &size) != 1 || size != bytes.size()) return std::nullopt;
    auto made = PublicKey::from_bytes(tls_algorithm, bytes);
    return made ? std::optional(std::move(*made)) : std::nullopt;
}

}  // namespace

std::string node_identity_name(std::string_view member, std::string_view node) { return std::format("{}/{}", member, node); }

base::Result<std::string> issue_node_certificate(const IdentityKey& root, const Identity& node, const Validity& validity) {
    const std::string& member = root.identity().name();
    if (!node.name().starts_with(member + "/") || node.name().size() == member.size() + 1)
        return base::fail(ErrorKind::invalid, std::format("{} certifies its own nodes, and {} is none", member, node.name()));
    if (node.profile() != root.identity().profile())
        return base::fail(ErrorKind::invalid, std::format("the keys of {} are of another profile than those of {}", node.name(), member));
    const std::string own_name = node.name().substr(member.size() + 1);
    std::string statement = statement_of(member, own_name, node, validity);
    statement += std::format("signature {}\n", root.sign(statement_context, base::bytes_of(statement)).text());
    Certificate certificate = blank(member, own_name, tls_key(node), validity);
    if (!certificate) return failed();
    const bool made = add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
                      add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
                      add_statement(certificate.get(), statement);
    if (!made) return failed();
    return signed_pem(std::move(certificate), root);
}

base::Result<std::string> issue_root_certificate(const IdentityKey& root, const Validity& validity) {
    Certificate certificate = blank(root.identity().name(), "root", tls_key(root.identity()), validity);
    if (!certificate) return failed();
    const bool made = add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                      add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!made) return failed();
    return signed_pem(std::move(certificate), root);
}

base::Result<NodeCertificate> check_node_certificate(std::span<const std::byte> der, const FindRoot& find_root, base::WallTime now) {
    if (der.empty() || der.size() > certificate_max) return bad("it is empty or longer than 32 KiB");
    const unsigned char* at = raw(der);
    const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (!certificate || at != raw(der) + der.size()) return bad("it is no X.509 certificate");
    const auto text = statement_in(certificate.get());
    auto statement = text ? read_statement(*text) : std::nullopt;
    auto key = key_in(certificate.get());
    if (!statement || !key) return bad("it is not one of a node of a federation");
    const Identity* const root = find_root(statement->member);
    if (root == nullptr) return bad("its member is not in the charter in force");
    if (root->name() != statement->member || base::hex(sha256(key->bytes())) != statement->certified)
        return bad("what it says does not belong together");
    const EvpKey root_key = public_key(tls_key(*root));
    const bool outer = root_key && X509_verify(certificate.get(), root_key.get()) == 1;
    const bool inner = root->verifies(statement_context, base::bytes_of(statement->signed_text), statement->signature);
    if (!outer || !inner) return bad("the root of " + statement->member + " did not sign it");
    if (X509_check_ca(certificate.get()) != 0) return bad("it is one of an authority, not of a node");
    if (now + clock_skew_max < statement->validity.from) return bad("it is not valid yet; do the clocks agree?");
    if (now - clock_skew_max >= statement->validity.until) return bad("it has expired");
    std::vector<PublicKey> keys;
    keys.push_back(std::move(statement->second));
    keys.push_back(std::move(*key));
    auto identity = Identity::from_keys(node_identity_name(statement->member, statement->node), std::move(keys));
    if (!identity || identity->profile() != root->profile()) return bad("its keys are of no profile of the federation");
    return NodeCertificate{std::move(statement->member), std::move(statement->node), statement->validity, std::move(*identity),
                           sha256(der)};
}

base::Result<base::Bytes> certificate_der(std::string_view pem) {
    const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!certificate) return base::fail(ErrorKind::corrupt, "there is no certificate in this text");
    unsigned char* data = nullptr;
    const int size = i2d_X509(certificate.get(), &data);
    if (size <= 0) return failed();
    base::Bytes der(reinterpret_cast<std::byte*>(data), reinterpret_cast<std::byte*>(data) + size);
    OPENSSL_free(data);
    return der;
}

base::Result<NodeCertificate> check_node_certificate_pem(std::string_view pem, const FindRoot& find_root, base::WallTime now) {
    const auto der = certificate_der(pem);
    if (!der) return std::unexpected(der.error());
    return check_node_certificate(*der, find_root, now);
}

std::string request_node_certificate(const IdentityKey& node) {
    std::string text = std::format("{}\nname {}\n", request_head, node.identity().name());
    for (const PublicKey& key : node.identity().keys())
        text += std::format("key {} {}\n", name(key.algorithm()), base::base64(key.bytes()));
    return text + std::format("signature {}\n", node.sign(request_context, base::bytes_of(text)).text());
}

base::Result<Identity> read_node_request(std::string_view text) {
    const auto wrong = [] { return base::fail(ErrorKind::corrupt, "this is no request for a node's certificate"); };
    if (text.size() > request_max) return wrong();
    Lines lines(text);
    if (lines.whole() != request_head) return wrong();
    const auto name = lines.value("name");
    auto first = key_of(lines.value("key")), second = key_of(lines.value("key"));
    const auto signed_text = lines.read();
    const auto signature_text = lines.value("signature");
    if (!name || !first || !second || !signature_text || !lines.ended()) return wrong();
    std::vector<PublicKey> keys;
    keys.push_back(std::move(*first));
    keys.push_back(std::move(*second));
    auto identity = Identity::from_keys(std::string(*name), std::move(keys));
    const auto signature = HybridSignature::parse(*signature_text);
    if (!identity || !signature) return wrong();
    if (!identity->verifies(request_context, base::bytes_of(signed_text), *signature))
        return base::fail(ErrorKind::denied, std::format("the request of {} is not signed by the keys in it", *name));
    return identity;
}

}  // namespace hanse::crypto
