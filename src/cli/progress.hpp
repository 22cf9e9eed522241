// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace hanse::cli {

// How far a long step is, as text: a bar that redraws its line on a terminal, a plain line at every tenth
// otherwise. Pure: time comes in, text goes out. The speed is a moving average over some seconds, so that
// the time left neither jumps nor lies after a pause.
class Progress {
public:
    enum class Style { bar, lines };
    Progress(Style style, std::size_t width) : style_(style), width_(width) {}

    // What to print now, empty if nothing new. `resumed`: bytes that were there before the first update.
    std::string update(base::Instant now, std::string_view what, std::uint64_t done, std::uint64_t total, std::uint64_t resumed = 0);
    // Ends the bar's line.
    std::string finish();

private:
    void measure(base::Instant now, std::uint64_t done, std::uint64_t resumed);
    Style style_;
    std::size_t width_;
    std::optional<base::Instant> measured_;
    std::optional<base::Instant> drawn_;
    std::uint64_t measured_done_ = 0;
    double speed_ = 0;  // bytes a second
    int tenth_ = -1;
    bool open_ = false;
};

std::string duration_text(double seconds);  // "3 min 20 s"

}  // namespace hanse::cli
