// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <chrono>
#include <format>
#include <unistd.h>

namespace hanse::base {
namespace {

class SilentLog final : public Log {
public:
    void write(LogLevel, std::string_view, std::initializer_list<Field>) override {}
};

std::string_view word(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warning: return "warning";
        case LogLevel::error: return "error";
    }
    return "error";
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (byte < 0x20 || byte == 0x7f) out += std::format("\\u{:04x}", byte);
        else out += c;
    }
    out += '"';
}

struct AppendValue {
    std::string& out;
    void operator()(std::string_view text) const { append_quoted(out, text); }
    void operator()(std::int64_t number) const { out += std::to_string(number); }
    void operator()(double number) const { out += std::format("{:.6g}", number); }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

class JsonLinesLog final : public Log {
public:
    JsonLinesLog(int descriptor, LogLevel least) : descriptor_(descriptor), least_(least) {}

    void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields) override {
        if (level < least_) return;
        const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        std::string line = std::format("{{\"time\":\"{:%FT%T}Z\",\"level\":\"{}\",\"event\":", now, word(level));
        append_quoted(line, event);
        for (const Field& field : fields) {
            line += ',';
            append_quoted(line, field.name);
            line += ':';
            std::visit(AppendValue{line}, field.value);
        }
        line += "}\n";
        // A log that cannot be written must not stop the node: there is nowhere left to say it.
        [[maybe_unused]] const ssize_t written = ::write(descriptor_, line.data(), line.size());
    }

private:
    int descriptor_;
    LogLevel least_;
};

}  // namespace

Log& silent_log() {
    static SilentLog log;
    return log;
}

std::unique_ptr<Log> json_lines_log(int descriptor, LogLevel least) {
    return std::make_unique<JsonLinesLog>(descriptor, least);
}

}  // namespace hanse::base
