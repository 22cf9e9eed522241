// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.hpp"
#include "base/result.hpp"

namespace hanse::catalog {

// How often bytes follow each other in one owner's texts: runs of one, two and three bytes, the last ones hashed
// into 131,072 cells. Enough to tell whose texts a request is like, and little enough to hand out: no text can be
// read from it, though who knows three bytes can see whether they occur. Counts only add up, so the order of texts
// does not matter and two tables of one owner are added by adding their counts. A value of about 0.8 MB.
class NgramCounts {
public:
    static constexpr std::size_t cells = 1U << 17;

    NgramCounts();
    // One document. Counts stop at 2^32 - 1.
    void add(std::string_view text);
    void add(const NgramCounts& other);

    // log p(text) / bytes under this owner's texts, each order smoothed by the one below it (MacKay and Peto 1995: a
    // hierarchical Dirichlet model); 0 for an empty text. Between about -12 and 0.
    double log_likelihood(std::string_view text) const;

    bool empty() const { return bytes_ == 0; }
    std::uint64_t bytes() const { return bytes_; }
    bool operator==(const NgramCounts&) const = default;

private:
    friend class NgramTable;
    std::uint64_t bytes_ = 0;             // counted, for people; not needed to score
    std::vector<std::uint32_t> singles_;  // 256
    std::vector<std::uint32_t> pairs_;    // 65,536
    std::vector<std::uint32_t> triples_;  // hashed
};

// The tables of all owners that take part, to choose for a whole request the owner whose model should answer it. In
// measurements this comes within a few hundredths of a nat of always knowing the right owner, where routers that
// decide for each token do not (docs/forge-recombination.md).
//
// Owners stand side by side and share nothing: a table that an owner has left is byte for byte the one that it never
// joined. As bytes (little-endian):
//   "hanse-ngrams 1\n"  u32 owners, each: u16 length, name (UTF-8), u64 bytes counted, then for singles, pairs and
//   triples: u32 entries, each a varint step from the last place and a varint count
// Owners by rising name, no count of 0, varints as short as can be: one table has one form. At most 4,096 owners.
// A value; const functions are thread-safe.
class NgramTable {
public:
    struct Score {
        std::string owner;
        double log_likelihood;  // nats a byte; the owner with the highest is the likeliest
        double probability;     // of the owners, all as likely before the request was read
    };

    // `invalid`: the name is empty, longer than 256 bytes, no UTF-8 or taken already.
    base::Result<void> join(std::string_view owner, NgramCounts counts);
    // `not_found`: nobody has this name.
    base::Result<void> leave(std::string_view owner);
    const NgramCounts* find(std::string_view owner) const;
    std::vector<std::string> owners() const;

    // One entry an owner, the likeliest first; of equals the earlier name. Only the first `most` bytes of the text
    // are read: a few hundred tell as much as all.
    std::vector<Score> scores(std::string_view text, std::size_t most = 2048) const;

    base::Bytes to_bytes() const;
    // `corrupt`, naming the field.
    static base::Result<NgramTable> parse(std::span<const std::byte> bytes);
    bool operator==(const NgramTable&) const = default;

private:
    struct Entry {
        std::string owner;
        NgramCounts counts;
        bool operator==(const Entry&) const = default;
    };
    std::vector<Entry> entries_;  // by name
};

}  // namespace hanse::catalog
