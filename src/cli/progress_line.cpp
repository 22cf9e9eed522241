// SPDX-License-Identifier: Apache-2.0
#include "progress_line.hpp"

#include <unistd.h>
#include <chrono>

#include "context.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

void print(std::string_view text) {
    if (text.ends_with('\n')) tell(text.substr(0, text.size() - 1));
    else if (!text.empty()) (void)!::write(2, text.data(), text.size());
}

}  // namespace

ProgressLine::ProgressLine(bool silent)
    : silent_(silent),
      progress_(is_terminal(2) ? Progress::Style::bar : Progress::Style::lines, terminal_width()) {}
ProgressLine::~ProgressLine() { print(progress_.finish()); }

void ProgressLine::show(std::string_view what, std::uint64_t done, std::uint64_t total, std::uint64_t resumed) {
    if (!silent_) print(progress_.update(std::chrono::steady_clock::now(), what, done, total, resumed));
}

}  // namespace hanse::cli
