// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <numeric>
#include <span>

#include "base/config.hpp"

extern char** environ;

namespace hanse::base {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// A whole number and a unit, as "10s" or "1_000 MiB" without its blanks.
Result<std::uint64_t> with_unit(std::string_view text, std::span<const Unit> units, std::string_view example) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string wrong = std::format("\"{}\" is not of the form {}", text.substr(0, 40), example);
    if (error != std::errc{}) return fail(ErrorKind::invalid, wrong);
    std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto unit = std::ranges::find(units, rest, &Unit::name);
    if (unit == units.end()) return fail(ErrorKind::invalid, wrong);
    if (number > std::uint64_t{1} << 62 || (number != 0 && unit->factor > (std::uint64_t{1} << 62) / number))
        return fail(ErrorKind::invalid, std::format("\"{}\" is too large", text.substr(0, 40)));
    return number * unit->factor;
}

// Levenshtein's distance, on two rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
        }
    }
    return row.back();
}

}  // namespace

Environment system_environment() {
    Environment found;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
        const std::string_view line = *each;
        if (const auto equals = line.find('='); equals != std::string_view::npos) found.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
    return found;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    static constexpr std::array<Unit, 10> units{{{"", 1}, {"B", 1}, {"kB", 1'000}, {"KiB", 1ULL << 10}, {"MB", 1'000'000}, {"MiB", 1ULL << 20},
                                                 {"GB", 1'000'000'000}, {"GiB", 1ULL << 30}, {"TB", 1'000'000'000'000}, {"TiB", 1ULL << 40}}};
    return with_unit(text, units, "\"512MiB\" or \"40GB\"");
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    static constexpr std::array<Unit, 6> units{{{"ms", 1}, {"s", 1'000}, {"", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
    const auto count = with_unit(text, units, "\"250ms\", \"30s\", \"5m\" or \"1h\"");
    if (!count) return std::unexpected(count.error());
    return std::chrono::milliseconds{static_cast<std::int64_t>(*count)};
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string>& words) {
    if (word.size() > 64) return {};
    std::string_view nearest;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& candidate : words) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace hanse::base
