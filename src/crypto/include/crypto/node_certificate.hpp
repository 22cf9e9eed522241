// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/digest.hpp"
#include "crypto/identity.hpp"

// Certificates of the nodes of a federation. Each member's root identity (crypto/identity.hpp), whose public keys
// stand in the charter, certifies the nodes of that member and of no other; there is no authority above it, and
// the system's store has no part in it.
//
// The certificate is X.509 v3 (RFC 5280) with the node's ML-DSA-65 key, signed by the root's ML-DSA-65 key (RFC 9881),
// so that TLS and its tools read it. What counts beside that is a statement in an extension of its own,
//
//   hanse-node v1
//   member acme
//   node n1
//   valid 1790000000 1790259200            Unix seconds, from and until
//   key ed25519 <base64>                   the node's second key, which signs the channel (or ecdsa-p256)
//   certified <SHA-256 of the key in the certificate, in hex>
//   signature ed25519:<base64> ml-dsa-65:<base64>      of the root, over all lines before
//
// so that both algorithms of the root vouch for both keys of the node.
namespace hanse::crypto {

// A node's keys are an identity named "member/node".
std::string node_identity_name(std::string_view member, std::string_view node);

struct Validity {
    base::WallTime from;
    base::WallTime until;
};

// PEM. `invalid` if the node's name is not one of the root's member, or the profiles differ.
base::Result<std::string> issue_node_certificate(const IdentityKey& root, const Identity& node, const Validity& validity);
// The root as a certificate that vouches for itself, for tools that want one; nodes trust the charter's keys alone.
base::Result<std::string> issue_root_certificate(const IdentityKey& root, const Validity& validity);

// What a certificate says, once it was checked.
struct NodeCertificate {
    std::string member;
    std::string node;
    Validity validity;
    Identity identity;         // both keys of the node
    Sha256Digest fingerprint;  // of the certificate in DER
};

// The root of a member by the charter in force; null if there is no such member, or its sessions are cut.
using FindRoot = std::function<const Identity*(std::string_view member)>;
// Clocks of two members may differ by this much.
inline constexpr std::chrono::minutes clock_skew_max{10};

// Everything that makes a peer's certificate good: `denied` otherwise, with the reason. DER, at most 32 KiB.
base::Result<NodeCertificate> check_node_certificate(std::span<const std::byte> der, const FindRoot& find_root, base::WallTime now);
// The same of the first certificate in PEM text.
base::Result<NodeCertificate> check_node_certificate_pem(std::string_view pem, const FindRoot& find_root, base::WallTime now);
base::Result<base::Bytes> certificate_der(std::string_view pem);

// What a node asks its member's root for, where that key is on another machine: the node's public keys, and a
// signature that it holds both. Text, to be carried by hand or by whatever the house has.
//
//   hanse-node-request v1
//   name acme/n1
//   key ed25519 <base64>
//   key ml-dsa-65 <base64>
//   signature …
std::string request_node_certificate(const IdentityKey& node);
base::Result<Identity> read_node_request(std::string_view text);

}  // namespace hanse::crypto
