// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <format>

#include "commands.hpp"
#include "forge/core_file.hpp"
#include "forge/lora.hpp"
#include "forge/statistics_file.hpp"
#include "forge/sum_round.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::Result;

constexpr std::string_view statistics_word = "statistics ", core_word = "core";

base::Error needs(const Context& context, std::string_view what, std::string_view missing) {
    return {ErrorKind::invalid, context.say(Say::forge_sum_needs, what, missing), {}, {}, {}};
}

Result<forge::SumVector> vector_of(const forge::StatisticsFile& file) {
    return forge::SumVector{std::format("{}{} {} {}", statistics_word, file.statistics.layers, file.statistics.width, file.trunk_digest),
                            file.statistics.products};
}

Result<forge::SumVector> vector_of(const std::vector<forge::Core>& cores) {
    forge::SumVector vector{std::string(core_word), {}};
    for (const auto& core : cores) {
        vector.layout += std::format(" {} {}", core.name, core.size);
        const auto fixed = forge::core_to_fixed(core.values);
        if (!fixed) return std::unexpected(fixed.error());
        vector.numbers.insert(vector.numbers.end(), fixed->begin(), fixed->end());
    }
    return vector;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (; !text.empty(); text.remove_prefix(std::min(text.find(' ') + 1, text.size()))) {
        out.emplace_back(text.substr(0, text.find(' ')));
        if (!text.contains(' ')) break;
    }
    return out;
}

std::uint32_t number(std::string_view text) {
    std::uint32_t value = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// The sum in the form in which it goes on: statistics of nobody, or the mean of the small matrices.
Result<void> write_sum(const forge::SumVector& sum, std::size_t owners, const std::string& output) {
    const auto wrong =
        base::fail(ErrorKind::corrupt, std::format("the sum's layout does not fit its {} numbers", sum.numbers.size()), "invalid_sum");
    const auto parts = words(sum.layout);
    if (sum.layout.starts_with(statistics_word) && parts.size() == 4) {
        const auto layers = number(parts[1]), width = number(parts[2]);
        if (width > 65'536 || layers > 4'096 || layers * forge::Statistics::triangle(width) != sum.numbers.size()) return wrong;
        forge::StatisticsFile file{std::string(forge::summed_expert), parts[3], forge::Statistics(layers, width)};
        file.statistics.products = sum.numbers;
        return forge::write_statistics(output, file);
    }
    if (parts.empty() || parts[0] != core_word || parts.size() % 2 == 0) return wrong;
    std::vector<forge::Core> cores;
    std::size_t at = 0;
    for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
        forge::Core core{parts[i], number(parts[i + 1]), {}};
        const std::size_t size = std::size_t{core.size} * core.size;
        if (size == 0 || size > sum.numbers.size() - at) return wrong;
        core.values = forge::mean_core(std::span(sum.numbers).subspan(at, size), static_cast<std::uint32_t>(owners));
        at += size;
        cores.push_back(std::move(core));
    }
    if (at != sum.numbers.size()) return wrong;
    return forge::write_cores(output, cores);
}

Exit mask(const Context& context, const RecombinationOptions& options, const forge::SumPlace& place) {
    const auto target = (place.round / std::format("{}.masked.safetensors", place.member)).string();
    if (options.statistics.size() + (options.core.empty() ? 0 : 1) != 1)
        return fail(context, needs(context, "sum mask", "--statistics / --core"));
    if (!options.core.empty()) {
        const auto cores = forge::read_cores(options.core);
        if (!cores) return fail(context, cores.error());
        const auto vector = vector_of(*cores);
        if (!vector) return fail(context, vector.error());
        if (auto done = forge::mask_sum(place, *vector); !done) return fail(context, done.error());
        put_line(context.say(Say::forge_sum_written, target));
        return Exit::ok;
    }
    auto file = forge::read_statistics(options.statistics.front());
    if (!file) return fail(context, file.error());
    const auto vector = vector_of(*file);
    if (!vector) return fail(context, vector.error());
    if (auto done = forge::mask_sum(place, *vector); !done) return fail(context, done.error());
    std::ranges::fill(file->statistics.products, 0U);
    const auto open = (place.round / std::format("{}.open.safetensors", place.member)).string();
    if (auto wrote = forge::write_statistics(open, *file); !wrote) return fail(context, wrote.error());
    put_line(context.say(Say::forge_sum_public, target, open));
    return Exit::ok;
}

Exit begin(const Context& context, const RecombinationOptions& options) {
    const auto members = static_cast<std::uint32_t>(options.experts.size());
    const auto threshold = options.threshold != 0 ? options.threshold : std::max(2U, members - std::min(members, 1U));
    base::SystemRandom random;
    const auto plan = forge::begin_sum(options.model, options.name, options.experts, threshold, random);
    if (!plan) return fail(context, plan.error());
    put_line(context.say(Say::forge_sum_begun, plan->members.size(), options.model, plan->threshold));
    return Exit::ok;
}

std::string list_of(std::span<const std::string> names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
}

}  // namespace

Exit forge_sum(const Context& context, const RecombinationOptions& options) {
    base::SystemRandom random;
    const auto wrote = [&](Result<void> done, const std::string& target) {
        if (!done) return fail(context, done.error());
        put_line(context.say(Say::forge_sum_written, target));
        return Exit::ok;
    };
    if (options.action == "begin") return begin(context, options);
    if (options.action == "pair") return wrote(forge::make_pair(options.model, random), options.model);
    if (options.action == "close") {
        const auto sent = forge::close_sum(options.model);
        if (!sent) return fail(context, sent.error());
        put_line(context.say(Say::forge_sum_closed, list_of(*sent)));
        return Exit::ok;
    }
    if (options.action == "finish") {
        if (options.output.empty()) return fail(context, needs(context, "sum finish", "--output"));
        const auto sent = forge::close_sum(options.model);
        if (!sent) return fail(context, sent.error());
        const auto sum = forge::finish_sum(options.model);
        if (!sum) return fail(context, sum.error());
        put_line(context.say(Say::forge_sum_closed, list_of(*sent)));
        return wrote(write_sum(*sum, sent->size(), options.output), options.output);
    }
    if (options.experts.size() != 1 || options.home.empty())
        return fail(context, needs(context, "sum " + options.action, "--member, --home"));
    const forge::SumPlace place{options.model, options.home, options.experts.front()};
    if (options.action == "share") return wrote(forge::share_sum(place, random), (place.round / (place.member + ".shares")).string());
    if (options.action == "mask") return mask(context, options, place);
    return wrote(forge::reveal_sum(place), (place.round / (place.member + ".reveal")).string());
}

}  // namespace hanse::cli
