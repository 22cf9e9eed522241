// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the texts of this room are made of: lines of words, numbers without leading zeros, times in UTC.
namespace hanse::federation {

// Lines that each end in a newline; what is left without one counts as a line that nothing matches.
class Lines {
public:
    explicit Lines(std::string_view text) : rest_(text) {}
    bool at_end() const { return rest_.empty(); }
    std::string_view next() {
        const auto end = rest_.find('\n');
        const std::string_view line = end == rest_.npos ? std::string_view{} : rest_.substr(0, end);
        rest_ = end == rest_.npos ? std::string_view{} : rest_.substr(end + 1);
        return line;
    }
    // What follows `word` in the next line, empty if the line does not begin with it.
    std::string_view after(std::string_view word) {
        const std::string_view line = next();
        return line.starts_with(word) ? line.substr(word.size()) : std::string_view{};
    }

private:
    std::string_view rest_;
};

// Split at each space; empty words where two follow each other.
inline std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        const auto space = line.find(' ');
        words.push_back(line.substr(0, space));
        if (space == line.npos) return words;
        line.remove_prefix(space + 1);
    }
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0')) return {};
    return value;
}

// RFC 3339 in UTC with whole seconds: "2026-11-24T12:00:00Z".
std::string time_text(std::int64_t seconds);
std::optional<std::int64_t> time_of(std::string_view text);

}  // namespace hanse::federation
