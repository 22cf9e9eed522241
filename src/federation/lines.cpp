// SPDX-License-Identifier: Apache-2.0
#include "lines.hpp"

#include <chrono>
#include <format>

namespace hanse::federation {

std::string time_text(std::int64_t seconds) {
    return std::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

std::optional<std::int64_t> time_of(std::string_view text) {
    // YYYY-MM-DDTHH:MM:SSZ
    constexpr std::string_view shape = "0000-00-00T00:00:00Z";
    if (text.size() != shape.size()) return {};
    for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return {};
    const auto at = [&](std::size_t from, std::size_t count) {
        int value = 0;
        for (const char c : text.substr(from, count)) value = value * 10 + (c - '0');
        return value;
    };
    const std::chrono::year_month_day day{std::chrono::year(at(0, 4)), std::chrono::month(static_cast<unsigned>(at(5, 2))),
                                          std::chrono::day(static_cast<unsigned>(at(8, 2)))};
    if (!day.ok() || at(11, 2) > 23 || at(14, 2) > 59 || at(17, 2) > 59) return {};
    const auto seconds = std::chrono::sys_days(day).time_since_epoch() + std::chrono::hours(at(11, 2)) + std::chrono::minutes(at(14, 2)) +
                         std::chrono::seconds(at(17, 2));
    return std::chrono::duration_cast<std::chrono::seconds>(seconds).count();
}

}  // namespace hanse::federation
