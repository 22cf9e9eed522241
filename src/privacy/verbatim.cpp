// SPDX-License-Identifier: Apache-2.0
//
// Code, URLs and quotations, by the marks that CommonMark and good typesetting give them.
#include <algorithm>
#include <array>

#include "characters.hpp"
#include "privacy/pseudonyms.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;

std::size_t line_end(std::string_view text, std::size_t at) {
    const auto end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end;
}

void add(std::vector<Span>& parts, std::size_t begin, std::size_t end) {
    parts.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

std::size_t count_of(std::string_view text, std::size_t at, char mark) {
    std::size_t count = 0;
    while (at + count < text.size() && text[at + count] == mark) ++count;
    return count;
}

// CommonMark 4.5: a fence of at least three, closed by one at least as long, or by the end of the text. Block quotes: 5.1.
void add_blocks(std::string_view text, std::vector<Span>& parts) {
    for (std::size_t line = 0; line < text.size();) {
        std::size_t first = line;
        while (first < text.size() && text[first] == ' ' && first - line < 4) ++first;
        const std::size_t end = line_end(text, line);
        if (first < text.size() && (text[first] == '`' || text[first] == '~') && count_of(text, first, text[first]) >= 3) {
            const char mark = text[first];
            const std::size_t length = count_of(text, first, mark);
            std::size_t closing = end;
            while (closing < text.size()) {
                std::size_t begin = closing + 1;
                const std::size_t next_end = line_end(text, begin);
                while (begin < next_end && text[begin] == ' ') ++begin;
                closing = next_end;
                if (count_of(text, begin, mark) >= length) break;
            }
            add(parts, line, closing);
            line = closing + 1;
            continue;
        }
        if (first < text.size() && text[first] == '>') add(parts, line, end);
        line = end + 1;
    }
}

// No search goes further than this, so that a text of nothing but marks is still read in linear time.
constexpr std::size_t code_max = 10'000, quotation_max = 2'000;

std::size_t paragraph_end(std::string_view text, std::size_t at, std::size_t most) {
    const std::string_view near = text.substr(0, std::min(text.size(), at + most));
    return std::min(near.find("\n\n", at), near.size());
}

// CommonMark 6.1: as many backticks close as opened; within a paragraph.
void add_inline_code(std::string_view text, std::vector<Span>& parts) {
    for (std::size_t at = text.find('`'); at != std::string_view::npos;) {
        const std::size_t length = count_of(text, at, '`');
        const std::size_t limit = paragraph_end(text, at, code_max);
        std::size_t close = at + length;
        std::size_t found = std::string_view::npos;
        while (close < limit) {
            close = text.substr(0, limit).find('`', close);
            if (close == std::string_view::npos) break;
            const std::size_t run = count_of(text, close, '`');
            if (run == length) {
                found = close + run;
                break;
            }
            close += run;
        }
        if (found != std::string_view::npos) add(parts, at, found);
        at = text.find('`', found == std::string_view::npos ? at + length : found);
    }
}

void add_urls(std::string_view text, std::vector<Span>& parts) {
    for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 3)) {
        std::size_t begin = at;
        while (begin > 0 && (is_alphanumeric(text[begin - 1]) || text[begin - 1] == '+' || text[begin - 1] == '-') && at - begin < 24)
            --begin;
        std::size_t end = at + 3;
        while (end < text.size() && static_cast<unsigned char>(text[end]) > 0x20 && !"<>\"`{}|\\^"sv.contains(text[end])) ++end;
        if (begin < at) add(parts, begin, end);
    }
}

struct Marks {
    std::string_view open, close;
};
// German, English, French and Scandinavian quotation marks. The straight ones and the English single ones also stand for other
// things, so a quotation in them must be of one line; an apostrophe opens none.
constexpr std::array quotes{Marks{"„"sv, "“"sv}, Marks{"“"sv, "”"sv},   Marks{"»"sv, "«"sv},
                            Marks{"«"sv, "»"sv}, Marks{"\""sv, "\""sv}, Marks{"‚"sv, "‘"sv}};

void add_quotations(std::string_view text, std::vector<Span>& parts) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (const auto& [open, close] : quotes) {
            if (!text.substr(at).starts_with(open)) continue;
            const std::size_t inside = at + open.size();
            const std::size_t limit =
                std::min({text.size(), inside + quotation_max,
                          open.size() == 1 ? line_end(text.substr(0, std::min(text.size(), inside + quotation_max)), inside)
                                           : paragraph_end(text, inside, quotation_max)});
            const std::size_t end = text.substr(0, std::min(limit + close.size(), text.size())).find(close, inside);
            if (end == std::string_view::npos || end >= limit) continue;
            add(parts, at, end + close.size());
            at = end + close.size() - 1;
            break;
        }
    }
}

}  // namespace

std::vector<Span> verbatim_parts(std::string_view text) {
    std::vector<Span> parts;
    add_blocks(text, parts);
    add_inline_code(text, parts);
    add_urls(text, parts);
    add_quotations(text, parts);
    std::ranges::sort(parts, {}, &Span::begin);
    std::vector<Span> joined;
    for (const Span& part : parts) {
        if (!joined.empty() && part.begin <= joined.back().end) joined.back().end = std::max(joined.back().end, part.end);
        else joined.push_back(part);
    }
    return joined;
}

}  // namespace hanse::privacy
