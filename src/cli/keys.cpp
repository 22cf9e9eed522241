// SPDX-License-Identifier: Apache-2.0
#include "node/keys.hpp"

#include <chrono>
#include <format>

#include "commands.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

std::string joined(const std::vector<std::string>& words, std::string_view none) {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
    return out.empty() ? std::string(none) : out;
}

std::string number_or_null(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "null"; }

std::string json_of(const node::KeyEntry& entry) {
    std::string models;
    for (const std::string& model : entry.wish.models) models += (models.empty() ? "" : ",") + json_text(model);
    return std::format("\"id\":{},\"name\":{},\"models\":[{}],\"requests_per_minute\":{},\"tokens_per_minute\":{},\"tokens_per_day\":{},\"tokens_per_month\":{},"
                       "\"label\":{},\"ceiling\":{},\"place\":{},\"created\":{},\"revoked\":{},\"tokens_total\":{},\"requests_total\":{}",
                       json_text(entry.id), json_text(entry.wish.name), models, number_or_null(entry.wish.requests_per_minute), number_or_null(entry.wish.tokens_per_minute),
                       number_or_null(entry.wish.tokens_per_day), number_or_null(entry.wish.tokens_per_month), json_text(entry.wish.label), json_text(entry.wish.ceiling),
                       json_text(entry.wish.place), entry.created,
                       entry.revoked ? std::to_string(*entry.revoked) : "null", entry.tokens_total, entry.requests_total);
}

}  // namespace

Exit key_create(const Context& context, const KeyOptions& options) {
    if (options.name.empty()) return fail(context, {base::ErrorKind::invalid, context.say(Say::key_not_named), {}, {}, {}});
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    // A key whose words mean nothing would be refused at each request; better to be told now.
    const auto policy = policy_of_node(context);
    if (!policy) return fail(context, policy.error());
    for (const std::string& label : {options.label, options.ceiling})
        if (const auto read = label.empty() ? base::Result<label::Label>() : (*policy)->label(label); !read) return fail(context, read.error());
    if (!options.place.empty() && (*policy)->place(options.place) == nullptr)
        return fail(context, {base::ErrorKind::invalid, context.say(Say::policy_undeclared, options.place), "unknown_word", {}, {}});
    const auto created = node::create_key(*data, {.name = options.name,
                                                  .models = options.models,
                                                  .requests_per_minute = options.requests_per_minute,
                                                  .tokens_per_minute = options.tokens_per_minute,
                                                  .tokens_per_day = options.tokens_per_day,
                                                  .tokens_per_month = options.tokens_per_month,
                                                  .partition = options.partition,
                                                  .label = options.label,
                                                  .ceiling = options.ceiling,
                                                  .place = options.place});
    if (!created) return fail(context, created.error());
    if (context.json) {
        put_line(std::format("{{\"secret\":{},{}}}", json_text(created->secret), json_of(created->entry)));
        return Exit::ok;
    }
    // Only the secret goes to standard output, so that a script can take it from there.
    tell(context.say(Say::key_created, created->entry.id, created->entry.wish.name));
    put_line(created->secret);
    tell(context.say(Say::key_once));
    return Exit::ok;
}

Exit key_list(const Context& context, const KeyOptions&) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto entries = node::list_keys(*data);
    if (!entries) return fail(context, entries.error());
    if (context.json) {
        std::string list;
        for (const node::KeyEntry& entry : *entries) list += (list.empty() ? "{" : ",{") + json_of(entry) + "}";
        put_line("[" + list + "]");
        return Exit::ok;
    }
    if (entries->empty()) {
        put_line(context.say(Say::key_none));
        return Exit::ok;
    }
    std::vector<std::string> rows{context.say(Say::key_header)};
    for (const node::KeyEntry& entry : *entries)
        rows.push_back(std::format("{}\t{}\t{}\t{}\t{}", entry.id, plain_line(entry.wish.name), joined(entry.wish.models, context.say(Say::key_all_models)), entry.tokens_total,
                                   entry.revoked ? context.say(Say::key_revoked_mark) : "-"));
    put(table(rows));
    return Exit::ok;
}

Exit key_revoke(const Context& context, const KeyOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    if (auto revoked = node::revoke_key(*data, options.id); !revoked) return fail(context, revoked.error());
    if (context.json) put_line(std::format("{{\"revoked\":{}}}", json_text(options.id)));
    else put_line(context.say(Say::key_revoked, options.id));
    return Exit::ok;
}

}  // namespace hanse::cli
