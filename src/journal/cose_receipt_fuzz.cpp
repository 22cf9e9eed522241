// SPDX-License-Identifier: Apache-2.0
#include "journal/cose_receipt.hpp"

#include <cstdlib>

#include "sample_log.hpp"

// No bytes but those that the log signed are a receipt.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse;
    static const auto keys = journal::sample_keys(4711).verifiers();
    const std::array<std::byte, 33> entry{};
    if (journal::read_cose_receipt({reinterpret_cast<const std::byte*>(data), size}, entry, keys)) std::abort();
    return 0;
}
