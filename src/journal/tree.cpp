// SPDX-License-Identifier: Apache-2.0
#include "journal/tree.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/encoding.hpp"
#include "inclusion.hpp"

namespace hanse::journal {
namespace {

// The largest power of two below `count`, which is at least two (RFC 6962, section 2.1: "k").
std::uint64_t left_part(std::uint64_t count) { return std::bit_floor(count - 1); }

// The root over the leaves [begin, end): one read where the range is a complete subtree, else both parts.
base::Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, const NodeReader& read) {
    const std::uint64_t count = end - begin;
    if (std::has_single_bit(count) && begin % count == 0) return read(static_cast<unsigned>(std::countr_zero(count)), begin / count);
    const std::uint64_t middle = begin + left_part(count);
    auto left = range_root(begin, middle, read);
    if (!left) return left;
    const auto right = range_root(middle, end, read);
    if (!right) return right;
    return node_hash(*left, *right);
}

base::Result<void> add(std::vector<Hash>& proof, std::uint64_t begin, std::uint64_t end, const NodeReader& read) {
    const auto hash = range_root(begin, end, read);
    if (!hash) return std::unexpected(hash.error());
    proof.push_back(*hash);
    return {};
}

}  // namespace

Hash leaf_hash(std::span<const std::byte> entry) {
    // Entries of the journal are short; others are copied once behind their prefix.
    std::array<std::byte, 128> small{};
    base::Bytes large;
    std::span<std::byte> all = small;
    if (entry.size() + 1 > small.size()) {
        large.resize(entry.size() + 1);
        all = large;
    }
    std::ranges::copy(entry, all.begin() + 1);
    return crypto::sha256(all.first(entry.size() + 1));
}

Hash node_hash(const Hash& left, const Hash& right) {
    std::array<std::byte, 1 + 2 * sizeof(Hash)> both{std::byte{1}};
    std::ranges::copy(left, both.begin() + 1);
    std::ranges::copy(right, both.begin() + 1 + sizeof(Hash));
    return crypto::sha256(both);
}

Hash empty_root() { return crypto::sha256({}); }

void Frontier::append(const Hash& leaf) {
    Hash carried = leaf;
    for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
        carried = node_hash(complete_.back(), carried);
        complete_.pop_back();
    }
    complete_.push_back(carried);
    ++size_;
}

Hash Frontier::root() const {
    if (complete_.empty()) return empty_root();
    Hash root = complete_.back();
    for (std::size_t i = complete_.size() - 1; i > 0; --i) root = node_hash(complete_[i - 1], root);
    return root;
}

base::Result<Hash> root_at(std::uint64_t size, const NodeReader& read) { return size == 0 ? empty_root() : range_root(0, size, read); }

base::Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size, const NodeReader& read) {
    if (index >= size) return base::fail(base::ErrorKind::invalid, "the entry lies beyond the tree");
    std::vector<Hash> proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + left_part(end - begin);
        const bool left = index < middle;
        auto added = left ? add(proof, middle, end, read) : add(proof, begin, middle, read);
        if (!added) return std::unexpected(added.error());
        (left ? end : begin) = middle;
    }
    std::ranges::reverse(proof);  // from the leaf's sibling up to the root's child
    return proof;
}

base::Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t size, const NodeReader& read) {
    if (old_size > size) return base::fail(base::ErrorKind::invalid, "the old tree is larger than the new one");
    std::vector<Hash> proof;
    if (old_size == 0 || old_size == size) return proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    bool whole = true;  // RFC 6962's "b": the old tree's root is known as long as nothing was cut off on its left
    while (old_size != end) {
        const std::uint64_t middle = begin + left_part(end - begin);
        const bool left = old_size <= middle;
        auto added = left ? add(proof, middle, end, read) : add(proof, begin, middle, read);
        if (!added) return std::unexpected(added.error());
        (left ? end : begin) = middle;
        if (!left) whole = false;
    }
    if (!whole) {
        auto added = add(proof, begin, end, read);
        if (!added) return std::unexpected(added.error());
    }
    std::ranges::reverse(proof);
    return proof;
}

std::optional<Hash> root_of_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof) {
    if (index >= size) return std::nullopt;
    std::uint64_t at = index;
    std::uint64_t last = size - 1;
    Hash hash = leaf;
    for (const Hash& beside : proof) {
        if (last == 0) return std::nullopt;
        if ((at & 1) != 0 || at == last) {
            hash = node_hash(beside, hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 ? std::optional(hash) : std::nullopt;
}

bool verifies_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof, const Hash& root) {
    return root_of_inclusion(leaf, index, size, proof) == root;
}

bool verifies_consistency(std::uint64_t old_size, std::uint64_t size, std::span<const Hash> proof, const Hash& old_root, const Hash& root) {
    if (old_size > size) return false;
    if (old_size == size) return proof.empty() && old_root == root;
    if (old_size == 0) return proof.empty() && old_root == empty_root();
    // A power of two is a subtree whose root the proof leaves out.
    const bool implied = std::has_single_bit(old_size);
    if (!implied && proof.empty()) return false;
    std::uint64_t at = old_size - 1;
    std::uint64_t last = size - 1;
    while ((at & 1) != 0) {
        at >>= 1;
        last >>= 1;
    }
    Hash before = implied ? old_root : proof.front();
    Hash now = before;
    for (const Hash& beside : implied ? proof : proof.subspan(1)) {
        if (last == 0) return false;
        if ((at & 1) != 0 || at == last) {
            before = node_hash(beside, before);
            now = node_hash(beside, now);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            now = node_hash(now, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && before == old_root && now == root;
}

}  // namespace hanse::journal
