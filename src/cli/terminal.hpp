// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hanse::cli {

// What a model or a hub wrote is text of strangers: a terminal would obey escape sequences in it (titles,
// clipboard, even typed input). This takes out all control characters but newline and tab, C1 controls
// (U+0080 to U+009F) and the marks that reorder text, and repairs UTF-8. Works on a stream: a character cut
// in two by the pieces is kept until its rest comes.
class PlainText {
public:
    std::string take(std::string_view piece);
    std::string finish();  // what was left of a cut character

private:
    std::string rest_;
};
std::string plain(std::string_view text);
// The same for one line: newlines and tabs become blanks.
std::string plain_line(std::string_view text);

bool is_terminal(int descriptor);
std::size_t terminal_width();  // 80 if unknown

// Columns on a screen, as many as there are code points (wide ones are rare here).
std::size_t columns(std::string_view text);
// Rows of cells separated by tabs as aligned columns; the last is not padded.
std::string table(const std::vector<std::string>& rows);
std::string size_text(std::uint64_t bytes);  // "4.85 GB"

}  // namespace hanse::cli
