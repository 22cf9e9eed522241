// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "federation/offers.hpp"
#include "federation/task_ledger.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::federation;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto offers = SignedOffers::parse(text); offers && offers->list.text().size() > text.size()) std::abort();
    if (auto ledger = TaskLedger::parse(text, 0); ledger && !TaskLedger::parse(ledger->text(), 0)) std::abort();
    return 0;
}
