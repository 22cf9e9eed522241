// SPDX-License-Identifier: Apache-2.0
#include "content.hpp"

#include <algorithm>
#include <vector>

#include "body_texts.hpp"
#include "route/fit.hpp"

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

boost::asio::awaitable<base::Result<void>> read_content(Call& call, std::shared_ptr<const std::string> body) {
    task::Task& task = call.task;
    if (!task.rules->looks_into_content()) co_return base::Result<void>();
    const auto recogniser = task.rules->recogniser();
    if (!recogniser) co_return std::unexpected(recogniser.error());
    const auto kinds = std::make_shared<std::vector<privacy::Kind>>();
    const std::size_t size = body->size();
    // The rules keep the recogniser alive.
    auto look = [rules = task.rules, seeing = *recogniser, text = std::move(body), kinds]() -> base::Result<void> {
        const auto document = JsonDocument::parse(*text);
        if (!document) return std::unexpected(document.error());
        return add_kinds(*seeing, *document, *kinds);
    };
    auto looked = co_await call.around.desk.beside(task, size, std::move(look), "looking through the request");
    if (!looked) co_return looked;
    auto label = task.rules->tightened(task.key ? &task.key->facts() : nullptr, task.label, *kinds);
    if (!label) co_return std::unexpected(label.error());
    task.label = std::move(*label);
    co_return base::Result<void>();
}

boost::asio::awaitable<base::Result<std::string>> read_said(Call& call, std::shared_ptr<const std::string> body) {
    if (!call.around.desk.fit()) co_return std::string();
    const auto said = std::make_shared<std::string>();
    const std::size_t size = body->size();
    auto look = [text = std::move(body), said]() -> base::Result<void> {
        if (const auto document = JsonDocument::parse(*text)) *said = said_last(*document, route::Fit::text_most);
        return {};
    };
    auto looked = co_await call.around.desk.beside(call.task, size, std::move(look), "reading the request");
    if (!looked) co_return std::unexpected(looked.error());
    co_return std::move(*said);
}

}  // namespace hanse::api
