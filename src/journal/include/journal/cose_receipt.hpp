// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "base/encoding.hpp"
#include "base/result.hpp"
#include "journal/log.hpp"
#include "journal/log_proof.hpp"

namespace hanse::journal {

// A receipt's place in the log as others read it: a COSE receipt (RFC 9942) over the verifiable data structure
// RFC9162_SHA256, which is the tree of journal/tree.hpp. A COSE_Sign1 (RFC 9052), tagged, in deterministic CBOR
// (RFC 8949, section 4.2.1):
//
//   18([ << {1: algorithm, 4: key id, 15: {1: origin, 2: "tree size"}, 395: 1} >>,
//        {396: {-1: [ << [tree size, index, [hash, …]] >> ]}}, null, signature ])
//
// The signature is over the root that the proof leads to, which the receipt itself leaves out. algorithm is -8 (EdDSA)
// or -48 (ML-DSA-44), one receipt each; key id is the four bytes of the log's key in signed notes, big-endian; 15 are
// the CWT claims: the issuer, and as the subject the tree's size in decimal, which the root alone does not fix. The entry is not in it: it
// is computed from the record and its salt, as in the receipt of journal/receipt.hpp.
base::Result<base::Bytes> cose_receipt(const LogProof& proof, const LogKeys& keys, crypto::Algorithm algorithm);

struct CoseReceipt {
    std::string origin;
    crypto::Algorithm algorithm{};
    std::uint64_t index = 0;
    std::uint64_t size = 0;  // of the tree
    Hash root{};
};
// What it proves about an entry of the log. `corrupt` if it is not of exactly this form or does not verify, with what is wrong;
// `not_found` if none of `keys` is the one it names.
base::Result<CoseReceipt> read_cose_receipt(std::span<const std::byte> receipt, std::span<const std::byte> entry,
                                            std::span<const NoteVerifier> keys);

}  // namespace hanse::journal
