// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <format>

#include "terminal.hpp"

namespace hanse::cli {

using namespace std::chrono_literals;

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, 359'999.0)));
    if (whole < 60) return std::format("{} s", whole);
    if (whole < 3600) return std::format("{} min {:02} s", whole / 60, whole % 60);
    return std::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

void Progress::measure(base::Instant now, std::uint64_t done, std::uint64_t resumed) {
    if (!measured_) {
        measured_ = now;
        measured_done_ = std::max(resumed, std::min(done, resumed));
        return;
    }
    const double seconds = std::chrono::duration<double>(now - *measured_).count();
    if (seconds < 0.25 || done < measured_done_) {
        if (done < measured_done_) measured_done_ = done;  // it began anew
        return;
    }
    const double current = static_cast<double>(done - measured_done_) / seconds;
    // A time constant of three seconds; the first measure counts whole.
    const double weight = speed_ == 0 ? 1.0 : 1.0 - std::exp(-seconds / 3.0);
    speed_ += weight * (current - speed_);
    measured_ = now;
    measured_done_ = done;
}

std::string Progress::update(base::Instant now, std::string_view what, std::uint64_t done, std::uint64_t total, std::uint64_t resumed) {
    measure(now, done, resumed);
    const double share = total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const bool complete = total != 0 && done >= total;
    std::string figures = std::format("{:3.0f} %  {} / {}", std::floor(share * 100), size_text(done), size_text(total));
    if (speed_ > 0) figures += std::format("  {}/s", size_text(static_cast<std::uint64_t>(speed_)));
    if (speed_ > 0 && !complete) figures += "  " + duration_text(static_cast<double>(total - std::min(done, total)) / speed_);
    if (style_ == Style::lines) {
        const int tenth = static_cast<int>(share * 10);
        if (tenth == tenth_) return {};
        tenth_ = tenth;
        return std::format("{}: {}\n", plain_line(what), figures);
    }
    if (drawn_ && now - *drawn_ < 100ms && !complete) return {};
    drawn_ = now;
    open_ = true;
    const std::size_t used = columns(figures) + 4;
    const std::size_t room = width_ > used + 10 ? std::min<std::size_t>(width_ - used - 1, 40) : 0;
    std::string bar;
    if (room > 0) {
        const auto full = static_cast<std::size_t>(share * static_cast<double>(room));
        bar = "[" + std::string(full, '#') + std::string(room - full, '.') + "] ";
    }
    return "\r\x1b[2K" + bar + figures;
}

std::string Progress::finish() {
    if (!open_) return {};
    open_ = false;
    return "\n";
}

}  // namespace hanse::cli
