// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <format>

#include "base/time.hpp"
#include "catalog/files.hpp"
#include "commands.hpp"
#include "label/prove.hpp"
#include "label/reasons.hpp"
#include "node/policy.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

using Policy = std::shared_ptr<const label::Policy>;

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(base::SystemClock().wall().time_since_epoch()).count();
}

// The file named, else that of the node.
base::Result<fs::path> file_of(const Context& context, const PolicyOptions& options) {
    if (!options.policy.empty()) return options.policy;
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    const fs::path config_file = node::config_file(context.config_option, *data, context.environment);
    const auto config = node::load_config(config_file, node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    return node::policy_file(*config, config_file);
}

base::Result<Policy> read(const Context& context, const PolicyOptions& options) {
    const auto file = file_of(context, options);
    if (!file) return std::unexpected(file.error());
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    auto policy = node::read_policy(*file, node::charter_terms(*data));
    if (!policy && policy.error().kind == base::ErrorKind::not_found)
        policy.error().message = context.say(Say::policy_missing, file->string());
    return policy;
}

template <typename List, typename Text>
std::string joined(const List& list, std::string_view between, Text text) {
    std::string out;
    for (const auto& each : list) out += (out.empty() ? "" : std::string(between)) + text(each);
    return out;
}
std::string json_list(const std::vector<std::string>& list) {
    return "[" + joined(list, ",", [](const std::string& each) { return json_text(each); }) + "]";
}

// What kinds accept and yet nothing does by itself: it takes documents and agents, which this node does not have.
std::vector<std::pair<std::string, std::string>> not_carried_out(const label::Policy& policy) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const label::Kind& kind : policy.kinds())
        for (const auto word : {label::Transformation::drop, label::Transformation::branch}) {
            const auto owners = kind.label.owners();
            const bool named = !owners.empty() && std::ranges::all_of(owners, [&](const label::Label::Owned& owned) {
                return owned.terms.accepts.has(bit(word));
            });
            if (named) all.emplace_back(kind.name, std::string(name(word)));
        }
    return all;
}

}  // namespace

base::Result<std::shared_ptr<const label::Policy>> policy_of_node(const Context& context) {
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    const fs::path config_file = node::config_file(context.config_option, *data, context.environment);
    const auto config = node::load_config(config_file, node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    return node::policy_in_force(*config, node::policy_file(*config, config_file), node::charter_terms(*data));
}

base::Result<std::shared_ptr<const label::Policy>> policy_named(const Context& context, const std::string& file) {
    return file.empty() ? policy_of_node(context) : node::read_policy(file);
}

Exit policy_check(const Context& context, const PolicyOptions& options) {
    const auto file = file_of(context, options);
    if (!file) return fail(context, file.error());
    const auto policy = read(context, options);
    if (!policy) return fail(context, policy.error());
    const auto& kinds = (*policy)->kinds();
    const auto& places = (*policy)->places();
    const auto unseen = (*policy)->unseen_kinds();
    if (context.json) {
        put_line(std::format("{{\"file\":{},\"standard\":{},\"kinds\":[{}],\"places\":[{}],\"unseen_kinds\":{}}}",
                             json_text(file->string()), json_text((*policy)->standard().name),
                             joined(kinds, ",", [](const label::Kind& each) { return json_text(each.name); }),
                             joined(places, ",", [](const label::PolicyPlace& each) { return json_text(each.name); }), json_list(unseen)));
        return Exit::ok;
    }
    put_line(context.say(Say::policy_sound, file->string()));
    put_line(
        context.say(Say::policy_kinds, joined(kinds, ", ", [](const label::Kind& each) { return each.name; }), (*policy)->standard().name));
    put_line(context.say(Say::policy_places, joined(places, ", ", [](const label::PolicyPlace& each) { return each.name; })));
    for (const std::string& kind : unseen) put_line(context.say(Say::policy_unseen, kind));
    for (const auto& [kind, what] : not_carried_out(**policy)) put_line(context.say(Say::policy_not_carried_out, kind, what));
    return Exit::ok;
}

Exit policy_explain(const Context& context, const PolicyOptions& options) {
    const auto policy = read(context, options);
    if (!policy) return fail(context, policy.error());
    const auto& words = (*policy)->words();
    const auto label = options.label.empty() ? base::Result<label::Label>((*policy)->standard().label) : (*policy)->label(options.label);
    if (!label) return fail(context, label.error());
    const auto use = label::read_use(options.use, words, unix_seconds());
    if (!use) return fail(context, use.error());
    const label::Clearance place = (*policy)->clearance(options.place);
    if (context.json) {
        put_line(label::explanation_json(*label, place, *use, words, context.language));
    } else {
        put(label::explanation(*label, place, *use, words, context.language));
        if ((*policy)->place(options.place) == nullptr) put_line(context.say(Say::policy_undeclared, options.place));
    }
    return label::judge(*label, place, *use).outcome == label::Outcome::deny ? Exit::denied : Exit::ok;
}

Exit policy_prove(const Context& context, const PolicyOptions& options) {
    const auto policy = read(context, options);
    if (!policy) return fail(context, policy.error());
    const label::Kind* kind = (*policy)->kind(options.kind);
    if (kind == nullptr)
        return fail(context, {base::ErrorKind::invalid, context.say(Say::policy_kind_unknown, options.kind), "unknown_word", {}, {}});
    const label::Proof proof = label::prove(**policy, *kind, options.place);
    if (context.json) {
        const auto step = [](const label::Step& each) {
            return std::format("{{\"place\":{},\"how\":{}}}", json_text(each.place), json_text(label::text(each, base::Language::english)));
        };
        put_line(std::format("{{\"proved\":{},\"labels\":{},\"places\":{},\"decisions\":{},\"path\":[{}]}}", proof.holds(), proof.labels,
                             proof.places, proof.decisions, joined(proof.path, ",", step)));
    } else {
        put_line(label::text(proof, options.kind, options.place, context.language));
    }
    return proof.holds() ? Exit::ok : Exit::failed;
}

Exit policy_test(const Context& context, const PolicyOptions& options) {
    const auto policy = read(context, options);
    if (!policy) return fail(context, policy.error());
    const auto table = catalog::read_file_whole(options.file, 16U << 20);
    if (!table) return fail(context, table.error());
    const auto report = label::run_cases(*table, options.file, (*policy)->cases(unix_seconds()));
    if (!report) return fail(context, report.error());
    const auto& failures = report->failures;
    if (context.json) {
        const auto failure = [](const label::CaseFailure& each) {
            return std::format("{{\"line\":{},\"expected\":{},\"decided\":{}}}", each.line, json_text(each.expected),
                               json_text(each.decided));
        };
        put_line(std::format("{{\"decisions\":{},\"failures\":[{}]}}", report->decisions, joined(failures, ",", failure)));
    } else {
        for (const auto& each : failures)
            put_line(context.say(Say::policy_case_failed, options.file, each.line, each.expected, each.decided));
        put_line(context.say(Say::policy_cases, report->decisions, report->decisions - failures.size()));
    }
    return failures.empty() ? Exit::ok : Exit::failed;
}

Exit policy_diff(const Context& context, const PolicyOptions& options) {
    const auto before = read(context, options);
    if (!before) return fail(context, before.error());
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto after = node::read_policy(options.file, node::charter_terms(*data));
    if (!after) return fail(context, after.error());
    fs::path file = options.record;
    if (file.empty()) {
        file = data->decisions();
    }
    const auto text = catalog::read_file_whole(file, 16U << 20);
    if (!text && text.error().kind == base::ErrorKind::not_found)
        return fail(context, {base::ErrorKind::not_found, context.say(Say::policy_no_record, file.string()), {}, {}, {}});
    if (!text) return fail(context, text.error());
    const auto record = label::read_record(*text, file.string());
    if (!record) return fail(context, record.error());
    const auto found = label::differences(**before, **after, *record, unix_seconds());
    if (context.json) {
        const auto difference = [](const label::Difference& each) {
            return std::format("{{\"label\":{},\"place\":{},\"use\":{},\"before\":{},\"after\":{}}}", json_text(each.asked.label),
                               json_text(each.asked.place), json_text(each.asked.use), json_text(each.before), json_text(each.after));
        };
        put_line(std::format("{{\"decisions\":{},\"differences\":[{}]}}", record->size(), joined(found, ",", difference)));
    } else {
        for (const auto& each : found)
            put_line(context.say(Say::policy_difference, each.asked.label, each.asked.place, each.asked.use, each.before, each.after));
        put_line(context.say(Say::policy_differences, record->size(), found.size()));
    }
    return found.empty() ? Exit::ok : Exit::failed;
}

}  // namespace hanse::cli
