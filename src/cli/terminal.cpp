// SPDX-License-Identifier: Apache-2.0
#include "terminal.hpp"

#include <algorithm>
#include <cstdint>
#include <format>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/encoding.hpp"

namespace hanse::cli {
namespace {

bool is_harmless(char32_t point) {
    if (point < 0x20) return point == '\n' || point == '\t';
    if (point == 0x7f || (point >= 0x80 && point <= 0x9f)) return false;
    // Bidirectional overrides and isolates can make a line read otherwise than it is.
    if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return false;
    return true;
}

char32_t decode(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
    switch (character.size()) {
        case 1: return byte(0);
        case 2: return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
        case 3: return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
        default: return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
    }
}

std::size_t length_of(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// `text` must be valid UTF-8.
std::string harmless(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::string_view character = text.substr(0, length_of(text[0]));
        if (is_harmless(decode(character))) out += character;
        text.remove_prefix(character.size());
    }
    return out;
}

}  // namespace

std::string PlainText::take(std::string_view piece) {
    rest_ += piece;
    const std::size_t whole = base::whole_utf8_prefix(rest_);
    const std::string text = base::repaired_utf8(std::string_view(rest_).substr(0, whole));
    rest_.erase(0, whole);
    return harmless(text);
}

std::string PlainText::finish() {
    const std::string text = base::repaired_utf8(rest_);
    rest_.clear();
    return harmless(text);
}

std::string plain(std::string_view text) { return harmless(base::repaired_utf8(text)); }

std::string plain_line(std::string_view text) {
    std::string line = plain(text);
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return line;
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    return 80;
}

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string table(const std::vector<std::string>& rows) {
    std::vector<std::vector<std::string>> cells;
    std::vector<std::size_t> widths;
    for (const std::string& row : rows) {
        auto& line = cells.emplace_back();
        for (std::string_view rest = row;;) {
            const std::string_view cell = rest.substr(0, rest.find('\t'));
            line.emplace_back(cell);
            if (widths.size() < line.size()) widths.push_back(0);
            widths[line.size() - 1] = std::max(widths[line.size() - 1], columns(cell));
            if (cell.size() == rest.size()) break;
            rest.remove_prefix(cell.size() + 1);
        }
    }
    std::string out;
    for (const auto& line : cells) {
        for (std::size_t i = 0; i < line.size(); ++i) {
            out += line[i];
            if (i + 1 < line.size()) out.append(widths[i] - columns(line[i]) + 2, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string size_text(std::uint64_t bytes) {
    const auto value = static_cast<double>(bytes);
    if (bytes >= 1'000'000'000) return std::format("{:.2f} GB", value / 1e9);
    if (bytes >= 1'000'000) return std::format("{:.1f} MB", value / 1e6);
    if (bytes >= 1'000) return std::format("{:.1f} kB", value / 1e3);
    return std::format("{} B", bytes);
}

}  // namespace hanse::cli
