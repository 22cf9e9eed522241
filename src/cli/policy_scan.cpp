// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "node/policy.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t file_max = 256U << 20U;

// The directory lies beside the policy, that of the option or the node's.
base::Result<fs::path> policy_beside(const Context& context, const PolicyOptions& options) {
    if (!options.policy.empty()) return options.policy;
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    const fs::path config_file = node::config_file(context.config_option, *data, context.environment);
    const auto config = node::load_config(config_file, node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    return node::policy_file(*config, config_file);
}

// Lines and columns as editors count them, from 1; columns in bytes.
struct Lines {
    std::string_view text;
    std::size_t line = 1, begin = 0, at = 0;
    void go(std::size_t to) {
        for (; at < to; ++at)
            if (text[at] == '\n') {
                ++line;
                begin = at + 1;
            }
    }
};

}  // namespace

Exit policy_scan(const Context& context, const PolicyOptions& options) {
    const auto policy = policy_beside(context, options);
    if (!policy) return fail(context, policy.error());
    const auto recogniser = node::recogniser_beside(*policy);
    if (!recogniser) return fail(context, recogniser.error());
    const auto text = catalog::read_file_whole(options.file, file_max);
    if (!text) return fail(context, text.error());
    const auto findings = (*recogniser)->scan(*text);
    if (!findings) return fail(context, findings.error());
    Lines lines{*text};
    std::string json;
    std::vector<std::string> rows{context.say(Say::policy_scan_header)};
    for (const privacy::Finding& each : *findings) {
        lines.go(each.begin);
        const std::string_view found = std::string_view(*text).substr(each.begin, each.end - each.begin);
        const auto column = each.begin - lines.begin + 1;
        if (context.json)
            json += std::format(
                "{}{{\"kind\":{},\"ground\":{},\"score\":{:.2f},\"line\":{},\"column\":{},\"begin\":{},\"end\":{},\"text\":{}}}",
                json.empty() ? "" : ",", json_text(name(each.kind)), json_text(name(each.ground)), each.score, lines.line, column,
                each.begin, each.end, json_text(found));
        else
            rows.push_back(std::format("{}:{}\t{}\t{}\t{:.2f}\t{}", lines.line, column, name(each.kind), name(each.ground), each.score,
                                       plain_line(found)));
    }
    if (context.json) put_line("[" + json + "]");
    else if (rows.size() == 1) put_line(context.say(Say::policy_scan_nothing, options.file));
    else put(table(rows));
    return Exit::ok;
}

}  // namespace hanse::cli
