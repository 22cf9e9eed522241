// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace hanse::task {

// A token bucket: `per_minute` flows in evenly, at most one minute's worth stands in it. Pure: the time is
// passed in and never taken. May be overdrawn by charge(), since an answer's length is known at its end;
// then nothing is let out until the debt has flowed back in.
class Bucket {
public:
    Bucket() = default;  // no limit
    explicit Bucket(std::optional<std::uint64_t> per_minute)
        : limited_(per_minute.has_value()),
          size_(per_minute ? static_cast<double>(*per_minute) : 0.0),
          level_(size_) {}

    // How long until `amount` is there; zero if it is. A bucket of size zero never has any.
    std::chrono::milliseconds wait_for(double amount, base::Instant now) {
        if (!limited_) return {};
        fill(now);
        const double wanted = std::min(amount, std::max(size_, 1.0));
        if (level_ >= wanted) return {};
        if (size_ <= 0) return std::chrono::hours{1};
        const double minutes = (wanted - level_) / size_;
        return std::chrono::milliseconds{static_cast<std::int64_t>(minutes * 60'000.0) + 1};
    }
    void charge(double amount, base::Instant now) {
        if (!limited_) return;
        fill(now);
        level_ -= amount;
    }
    double level() const { return level_; }

private:
    void fill(base::Instant now) {
        if (!last_) last_ = now;
        if (now <= *last_) return;
        const double minutes = std::chrono::duration<double, std::ratio<60>>(now - *last_).count();
        level_ = std::min(size_, level_ + minutes * size_);
        last_ = now;
    }

    bool limited_ = false;
    double size_ = 0;
    double level_ = 0;
    std::optional<base::Instant> last_ = {};
};

}  // namespace hanse::task
