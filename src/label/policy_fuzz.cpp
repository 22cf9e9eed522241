// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "label/policy.hpp"

// Policy files and tables of expected decisions. A policy that reads must stand up to being asked.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::label;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const auto mittelstand = Policy::read(profile_text(Profile::mittelstand, "acme", "DE"), "policy.toml").value();
    (void)run_cases(text, "table.case", mittelstand->cases(0));
    if (const auto record = read_record(text, "record")) {
        if (read_record(record_text(*record), "record") != *record) std::abort();
        (void)differences(*mittelstand, *mittelstand, *record, 0);
    }
    const auto policy = Policy::read(text, "policy.toml");
    if (!policy) return 0;
    const Kind& standard = (*policy)->standard();
    if (!standard.label.is_top() && (*policy)->kind(standard.name) == nullptr) std::abort();
    for (const Kind& kind : (*policy)->kinds()) {
        const auto label = (*policy)->label(hanse::label::text(kind.label, (*policy)->words()));
        const bool named_by_terms = kind.label.is_top() || !label || *label == kind.label;
        if (!named_by_terms) std::abort();
    }
    (void)(*policy)->unseen_kinds();
    return 0;
}
