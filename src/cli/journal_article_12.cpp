// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <map>

#include "commands.hpp"
#include "journal/record.hpp"
#include "node/identity.hpp"
#include "node/version.hpp"
#include "record_line.hpp"

// The events that Regulation (EU) 2024/1689, Article 12, asks a high-risk system to record over its lifetime, for one system and
// one period: its use with begin and end (paragraph 3a), what may be a risk or a change (2a), and what serves to watch it in use (2b, 2c).
namespace hanse::cli {
namespace {

// What of the article an event serves; empty: nothing of it.
std::string_view purpose_of(const RecordLine& line) {
    if (line.kind == "answer") return "use";
    if (line.kind == "denial" || line.kind == "transformation" || line.kind == "declassification") return "risk";
    if (line.kind.starts_with("model_") || line.kind.ends_with("_changed")) return "change";
    if (line.kind == "node_started" || line.kind == "node_stopped" || line.kind == "journal_resumed") return "operation";
    if (line.kind == "erasure" || line.kind.starts_with("key_")) return "administration";
    return {};
}

bool of_system(const RecordLine& line, const std::string& system) {
    if (system.empty()) return true;
    if (line.kind == "answer") return line.model_of_answer.name == system || line.model_of_answer.digest == system;
    return line.model.empty() || line.model == system;
}

}  // namespace

Exit journal_article_12(const Context& context, const JournalOptions& options, const SelectRecords& select) {
    std::map<std::string, std::uint64_t> counts;
    const auto head = std::format("{{\"form\":\"hanse-article-12 v1\",\"law\":\"Regulation (EU) 2024/1689, Article 12\",\"system\":{},\"since\":{},\"until\":{},\"made_by\":{}}}",
                                  json_text(options.system), json_text(options.since), json_text(options.until), json_text(std::format("hanse {}", node::version())));
    put_line(head);
    const auto done = select([&](const journal::StoredRecord& record, const RecordLine& line) {
        const auto purpose = purpose_of(line);
        if (purpose.empty() || !of_system(line, options.system)) return;
        ++counts[std::string(purpose)];
        put_line(std::format("{{\"index\":{},\"event\":\"{}\",\"begin\":{},\"end\":{},\"system\":{},\"digest\":{},\"person\":{},\"decision\":{},\"outcome\":{},\"record\":{}}}", record.index,
                             purpose, json_text(line.began.empty() ? line.time : line.began), json_text(line.time),
                             json_text(line.kind == "answer" ? line.model_of_answer.name : line.model), json_text(line.model_of_answer.digest), json_text(line.caller),
                             json_text(line.decision.empty() ? line.reason : line.decision), json_text(line.outcome), record.text));
    });
    if (!done) return fail(context, done.error());
    std::string sums;
    for (const auto& [purpose, count] : counts) sums += std::format("{}\"{}\":{}", sums.empty() ? "" : ",", purpose, count);
    put_line(std::format("{{\"events\":{{{}}}}}", sums));
    return Exit::ok;
}

}  // namespace hanse::cli
