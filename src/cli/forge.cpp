// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <format>
#include <map>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "crypto/identity.hpp"
#include "forge/compare.hpp"
#include "forge/merge.hpp"
#include "forge/tensor_file.hpp"
#include "progress_line.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

std::string shape_text(const forge::Tensor& tensor) {
    std::string out;
    for (const std::uint64_t length : tensor.shape) out += std::format("{}{}", out.empty() ? "" : "x", length);
    return out.empty() ? "-" : out;
}

std::string shape_json(const forge::Tensor& tensor) {
    std::string out;
    for (const std::uint64_t length : tensor.shape) out += std::format("{}{}", out.empty() ? "" : ",", length);
    return "[" + out + "]";
}

std::string_view word(forge::TensorDifference::Kind kind) {
    using enum forge::TensorDifference::Kind;
    switch (kind) {
        case equal: return "equal";
        case only_first: return "only_first";
        case only_second: return "only_second";
        case other_shape: return "other_shape";
        case other_type: return "other_type";
        case values: return "values";
    }
    return "";
}

// Signs with an identity's key file; the passphrase comes from the environment, never from the command line.
base::Result<forge::Signer> forge_signer(const Context& context, const std::string& key_file) {
    if (key_file.empty()) return forge::Signer();
    const auto file = crypto::read_key_file(key_file);
    if (!file) return std::unexpected(file.error());
    auto keys = file->unlock(crypto::Secret::copy_of(context.variable("HANSE_KEY_PASSPHRASE")));
    if (!keys) return std::unexpected(keys.error());
    auto identity = crypto::IdentityKey::from_keys(std::move(*keys));
    if (!identity) return std::unexpected(identity.error());
    const auto key = std::make_shared<crypto::IdentityKey>(std::move(*identity));
    return forge::Signer([key](std::string_view statement) -> base::Result<std::string> {
        return std::format("{} {} {}", key->identity().name(), key->identity().fingerprint(),
                           key->sign("forge-manifest", base::bytes_of(statement)).text());
    });
}

}  // namespace

Exit forge_inspect(const Context& context, const ForgeOptions& options) {
    const auto file = forge::TensorFile::open(options.file);
    if (!file) return fail(context, file.error());
    std::map<forge::TensorType, std::pair<std::uint64_t, std::uint64_t>> types;  // tensors, bytes
    std::uint64_t elements = 0;
    for (const forge::Tensor& tensor : file->tensors()) {
        elements += tensor.elements();
        types[tensor.type].first += 1;
        types[tensor.type].second += tensor.bytes();
    }
    if (context.json) {
        std::string tensors, metadata;
        for (const forge::Tensor& tensor : file->tensors())
            tensors += std::format("{}{{\"name\":{},\"type\":\"{}\",\"shape\":{},\"bytes\":{}}}", tensors.empty() ? "" : ",",
                                   json_text(tensor.name), forge::name(tensor.type), shape_json(tensor), tensor.bytes());
        for (const auto& [key, value] : file->metadata().entries())
            metadata += std::format("{}{}:{}", metadata.empty() ? "" : ",", json_text(key), json_text(forge::shown(value)));
        put_line(std::format("{{\"format\":\"{}\",\"files\":{},\"bytes\":{},\"parameters\":{},\"metadata\":{{{}}},\"tensors\":[{}]}}",
                             forge::name(file->format()), file->files().size(), file->file_bytes(), elements, metadata, tensors));
        return Exit::ok;
    }
    std::vector<std::string> rows;
    for (const auto& [key, value] : file->metadata().entries())
        rows.push_back(plain_line(key) + "\t" + plain_line(forge::shown(value)).substr(0, 120));
    put(table(rows));
    if (!rows.empty()) put_line("");
    rows = {context.say(Say::forge_inspect_header)};
    for (const forge::Tensor& tensor : file->tensors())
        rows.push_back(std::format("{}\t{}\t{}\t{}", plain_line(tensor.name), forge::name(tensor.type), shape_text(tensor),
                                   size_text(tensor.bytes())));
    put(table(rows));
    std::string mix;
    for (const auto& [type, sums] : types)
        mix += std::format("{}{} {} ({})", mix.empty() ? "" : ", ", sums.first, forge::name(type), size_text(sums.second));
    put_line(context.say(Say::forge_inspect_sum, forge::name(file->format()), file->tensors().size(), elements, mix));
    return Exit::ok;
}

Exit forge_diff(const Context& context, const ForgeOptions& options) {
    const auto first = forge::TensorFile::open(options.file);
    if (!first) return fail(context, first.error());
    const auto second = forge::TensorFile::open(options.other);
    if (!second) return fail(context, second.error());
    forge::Crew crew(options.threads);
    const auto found = forge::compare(*first, *second, crew);
    if (!found) return fail(context, found.error());
    using enum forge::TensorDifference::Kind;
    const auto differing = std::ranges::count_if(found->tensors, [](const auto& each) { return each.kind != equal; });
    if (context.json) {
        std::string tensors, keys;
        for (const auto& each : found->tensors)
            if (each.kind != equal)
                tensors +=
                    std::format("{}{{\"name\":{},\"difference\":\"{}\",\"elements\":{},\"differing\":{},\"largest\":{},\"relative\":{}}}",
                                tensors.empty() ? "" : ",", json_text(each.name), word(each.kind), each.elements, each.differing,
                                each.largest < 1e300 ? each.largest : -1, each.relative);
        for (const std::string& key : found->metadata) keys += (keys.empty() ? "" : ",") + json_text(key);
        put_line(std::format("{{\"equal\":{},\"tensors\":{},\"differing\":{},\"metadata\":[{}],\"differences\":[{}]}}", found->equal(),
                             found->tensors.size(), differing, keys, tensors));
    } else {
        std::vector<std::string> rows{context.say(Say::forge_diff_header)};
        for (const auto& each : found->tensors)
            if (each.kind != equal)
                rows.push_back(std::format("{}\t{}\t{}\t{:.3g}\t{:.3g}", plain_line(each.name), word(each.kind), each.differing,
                                           each.largest, each.relative));
        if (rows.size() > 1) put(table(rows));
        for (const std::string& key : found->metadata) put_line(context.say(Say::forge_diff_metadata, plain_line(key)));
        put_line(context.say(Say::forge_diff_sum, found->tensors.size(), differing));
    }
    return found->equal() ? Exit::ok : Exit::failed;
}

Exit forge_merge(const Context& context, const ForgeOptions& options) {
    const auto text = catalog::read_file_whole(options.file, 1U << 20U);
    if (!text) return fail(context, text.error());
    const auto recipe = forge::MergeRecipe::parse(*text);
    if (!recipe) return fail(context, recipe.error());
    auto signer = forge_signer(context, options.sign);
    if (!signer) return fail(context, signer.error());
    auto merge = forge::Merge::plan(
        *recipe, {.output = options.output, .seed = options.seed, .shard_bytes = options.shard_bytes, .digests = !options.no_digests});
    if (!merge) return fail(context, merge.error());
    forge::Crew crew(options.threads);
    const forge::MergeSummary& plan = merge->summary();
    if (!context.json || options.dry_run) {
        if (!context.json) {
            tell(context.say(Say::forge_merge_plan, plan.method, plan.parents.size(), plan.layers, plan.tensors.size(), plan.copied_tensors,
                             size_text(plan.bytes_to_read), size_text(plan.bytes_to_write)));
            for (const forge::MergeParent& parent : plan.parents) tell("  " + plain_line(parent.name) + "  " + size_text(parent.bytes));
        }
        if (options.dry_run && !context.json) return Exit::ok;
    }
    const auto summary_json = [&](double seconds) {
        std::string parents;
        for (const forge::MergeParent& parent : plan.parents)
            parents += std::format("{}{{\"name\":{},\"bytes\":{}}}", parents.empty() ? "" : ",", json_text(parent.name), parent.bytes);
        return std::format(
            "{{\"method\":{},\"format\":\"{}\",\"layers\":{},\"tensors\":{},\"copied_tensors\":{},\"bytes_to_read\":{},\"bytes_to_write\":{"
            "},\"parents\":[{}],\"output\":{},\"seconds\":{:.3f}}}",
            json_text(plan.method), forge::name(plan.format), plan.layers, plan.tensors.size(), plan.copied_tensors, plan.bytes_to_read,
            plan.bytes_to_write, parents, json_text(options.output), seconds);
    };
    if (options.dry_run) {
        put_line(summary_json(0));
        return Exit::ok;
    }
    const auto begin = std::chrono::steady_clock::now();
    base::Result<void> done;
    {
        ProgressLine rate(context.json);
        done = merge->run(
            crew, [&](std::uint64_t so_far, std::uint64_t total, std::uint64_t resumed) { rate.show(plan.method, so_far, total, resumed); },
            *signer);
    }
    if (!done) return fail(context, done.error());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (context.json) put_line(summary_json(seconds));
    else
        put_line(context.say(Say::forge_merge_done, options.output, size_text(plan.bytes_to_write), std::format("{:.1f}", seconds),
                             size_text(static_cast<std::uint64_t>(static_cast<double>(plan.bytes_to_read + plan.bytes_to_write) /
                                                                  std::max(seconds, 1e-3)))));
    return Exit::ok;
}

}  // namespace hanse::cli
