// SPDX-License-Identifier: Apache-2.0
#include "content.hpp"

#include <algorithm>
#include <vector>

#include "body_texts.hpp"

namespace hanse::api {
namespace {

base::Result<void> add_kinds(const privacy::Recogniser& recogniser, const JsonDocument& document, std::vector<privacy::Kind>& kinds) {
    return each_text(document, [&](BodyText text) -> base::Result<void> {
        if (text.sort == BodyText::Sort::opaque) return {};
        if (text.sort == BodyText::Sort::arguments)
            if (const auto inner = JsonDocument::parse(text.text)) return add_kinds(recogniser, *inner, kinds);
        const auto findings = scan_text(recogniser, text);
        if (!findings) return std::unexpected(findings.error());
        for (const privacy::Finding& finding : *findings)
            if (!std::ranges::contains(kinds, finding.kind)) kinds.push_back(finding.kind);
        return {};
    });
}

}  // namespace

base::Result<void> read_content(Call& call, std::string_view body) {
    task::Task& task = call.task;
    if (!task.rules->looks_into_content()) return {};
    const auto recogniser = task.rules->recogniser();
    if (!recogniser) return std::unexpected(recogniser.error());
    const auto document = JsonDocument::parse(body);
    if (!document) return std::unexpected(document.error());
    std::vector<privacy::Kind> kinds;
    if (auto done = add_kinds(**recogniser, *document, kinds); !done) return done;
    auto label = task.rules->tightened(task.key ? &task.key->facts() : nullptr, task.label, kinds);
    if (!label) return std::unexpected(label.error());
    task.label = std::move(*label);
    return {};
}

}  // namespace hanse::api
