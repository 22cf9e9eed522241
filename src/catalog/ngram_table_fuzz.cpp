// SPDX-License-Identifier: Apache-2.0
// A table that is read is the one that was written: parse() takes one form only.
#include <cmath>
#include <cstdlib>

#include "catalog/ngram_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    auto table = hanse::catalog::NgramTable::parse(bytes);
    if (!table) return 0;
    if (!std::ranges::equal(table->to_bytes(), bytes)) std::abort();
    for (const auto& one : table->scores("what is this like?"))
        if (!std::isfinite(one.log_likelihood) || one.log_likelihood > 1e-9) std::abort();
    return 0;
}
