// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace hanse::base {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// One named value of a log line. Numbers stay numbers, so that a line is data.
struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;
};

// Where a room tells what it does: a short fixed event name and named values, never free text from a
// user. Prompt text, answers, keys and passwords must not be given to it. Thread-safe; never blocks the
// caller on a disk for longer than a write to a pipe.
class Log {
public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) = 0;

    void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(LogLevel::info, event, fields); }
    void warning(std::string_view event, std::initializer_list<Field> fields = {}) { write(LogLevel::warning, event, fields); }
    void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(LogLevel::error, event, fields); }
};

// Forgets everything.
Log& silent_log();
// One JSON object a line: {"time":"2026-11-24T05:00:00.123Z","level":"info","event":"…",…}. Each line is one
// write(2), so that lines of several threads never mix. Does not own the descriptor.
std::unique_ptr<Log> json_lines_log(int descriptor, LogLevel least);

}  // namespace hanse::base
