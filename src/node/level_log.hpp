// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "base/log.hpp"

namespace hanse::node {

// A log whose level a reload can change while all rooms hold on to it.
class LevelLog final : public base::Log {
public:
    LevelLog(int descriptor, base::LogLevel least) : inner_(base::json_lines_log(descriptor, base::LogLevel::debug)), least_(least) {}
    void level(base::LogLevel least) { least_.store(least, std::memory_order_relaxed); }
    void write(base::LogLevel level, std::string_view event, std::initializer_list<base::Field> fields) override {
        if (level >= least_.load(std::memory_order_relaxed)) inner_->write(level, event, fields);
    }

private:
    std::unique_ptr<base::Log> inner_;
    std::atomic<base::LogLevel> least_;
};

}  // namespace hanse::node
