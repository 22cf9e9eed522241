// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "catalog/ngram_table.hpp"
#include "route/choose.hpp"

namespace hanse::route {

// Whose texts a request is like: n-gram tables of owners (catalog/ngram_table.hpp) that speak for candidates, so that a whole
// request goes to the model of the owner whom it is likeliest from. Measured in docs/forge-recombination.md.
//
// Each candidate's request is as likely as by the best of its tables; a candidate's `fit` is that in proportion to the best
// candidate's, with the evidence of at most `counted` bytes, since runs of bytes are not independent and two good owners
// should not be a world apart. Only what the rule permits is compared. Where fewer than two candidates have a table nothing can be
// compared, and a candidate without one has no fit: choose() then takes the middle.
//
// Time is bounded: the end of the text is read, `text_most` bytes of it or fewer the more tables there are, `looks` in all.
// A value of 0.8 MB a table; const functions are thread-safe.
class Fit {
public:
    static constexpr std::size_t text_most = 1024;
    static constexpr std::size_t looks = 32'768;
    static constexpr std::size_t tables_max = 256;
    static constexpr double counted = 64;

    // Every owner in the table speaks for the candidate of that name ("law", "clinic/law"). `invalid`: too many tables in all.
    base::Result<void> speak_for(std::string_view candidate, const catalog::NgramTable& table);
    // Every owner in the table speaks for the candidate of its own name.
    base::Result<void> add(const catalog::NgramTable& table);

    bool empty() const { return tables_.empty(); }
    // Of the end of a text, with so many tables to look it up in.
    static std::size_t bytes_read(std::size_t tables);
    // Sets `nats_per_byte` and `fit` of those that have a table and are not forbidden. Nothing for an empty text.
    void weigh(std::vector<Candidate>& snapshot, std::string_view text) const;

private:
    base::Result<void> add(std::string_view candidate, const catalog::NgramCounts& counts);
    std::map<std::string, std::vector<catalog::NgramCounts>, std::less<>> tables_;
    std::size_t count_ = 0;
};

}  // namespace hanse::route
