// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "crypto/digest.hpp"

namespace hanse::journal {

using Hash = crypto::Sha256Digest;

// RFC 6962, section 2.1: SHA-256 of 0x00 and the entry for a leaf, of 0x01 and both children for a node, of
// nothing for the empty tree.
Hash leaf_hash(std::span<const std::byte> entry);
Hash node_hash(const Hash& left, const Hash& right);
Hash empty_root();

// A tree that only grows, reduced to what its root and its growth need: the roots of its complete subtrees from
// left to right, at most 64 hashes however many leaves there are. A value without a thread.
class Frontier {
public:
    Frontier() = default;
    void append(const Hash& leaf);
    std::uint64_t size() const { return size_; }
    Hash root() const;

private:
    std::uint64_t size_ = 0;
    std::vector<Hash> complete_;  // one for each bit that is set in size_, the highest first
};

// The root of the complete subtree of 2^level leaves that begins at leaf index·2^level. Where the hashes lie
// (tiles, memory) is the reader's affair.
using NodeReader = std::function<base::Result<Hash>(unsigned level, std::uint64_t index)>;

// RFC 6962, sections 2.1.1 and 2.1.2, for the tree of the first `size` leaves. `invalid` if the leaf or the old
// size lies beyond it. A consistency proof from or to the same size is empty, and so is one from size zero.
base::Result<Hash> root_at(std::uint64_t size, const NodeReader& read);
base::Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size, const NodeReader& read);
base::Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t size, const NodeReader& read);

// RFC 9162, sections 2.1.3.2 and 2.1.4.2. A proof with a hash too many or too few does not verify.
bool verifies_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof, const Hash& root);
bool verifies_consistency(std::uint64_t old_size, std::uint64_t size, std::span<const Hash> proof, const Hash& old_root, const Hash& root);

}  // namespace hanse::journal
