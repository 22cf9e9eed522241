// SPDX-License-Identifier: Apache-2.0
#include "access_log.hpp"

#include <cerrno>
#include <format>
#include <iterator>
#include <unistd.h>
#include <utility>

#include "json_write.hpp"

namespace hanse::api {
namespace {

void append_text(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += ",\"";
    out += name;
    out += "\":";
    append_quoted(out, value);
}

void append_count(std::string& out, std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    std::format_to(std::back_inserter(out), ",\"{}\":{}", name, value);
}

}  // namespace

void append_access_line(std::string& out, const AccessRecord& record) {
    const auto time = std::chrono::floor<std::chrono::milliseconds>(record.when);
    std::format_to(std::back_inserter(out), R"({{"time":"{:%FT%T}Z","method":"{}","route":"{}","status":{},"milliseconds":{:.3f})", time,
                   net::name(record.method), name(record.route), record.status, static_cast<double>(record.took.count()) / 1000);
    append_text(out, "request", record.request_id);
    append_text(out, "key", record.key_id);
    append_text(out, "model", record.model);
    append_text(out, "peer", record.peer);
    append_text(out, "error", record.error);
    append_text(out, "pseudonyms", record.pseudonyms);
    if (record.stream) out += ",\"stream\":true";
    if (record.first_token.count() > 0)
        std::format_to(std::back_inserter(out), ",\"first_token_milliseconds\":{:.3f}", static_cast<double>(record.first_token.count()) / 1000);
    append_count(out, "prompt_tokens", record.prompt_tokens);
    append_count(out, "cached_tokens", record.cached_tokens);
    append_count(out, "completion_tokens", record.completion_tokens);
    append_count(out, "bytes_in", record.bytes_in);
    append_count(out, "bytes_out", record.bytes_out);
    out += "}\n";
}

void AccessLog::add(AccessRecord&& record) {
    if (!on()) return;
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    waiting_.push_back(std::move(record));
}

void AccessLog::flush() {
    const std::lock_guard writing(writing_);
    std::vector<AccessRecord> records;
    {
        const std::lock_guard lock(mutex_);
        records.swap(waiting_);
    }
    const int descriptor = descriptor_.load();
    if (descriptor < 0) return;
    std::string text;
    const auto write_out = [&] {
        for (std::string_view rest = text; !rest.empty();) {
            const auto written = ::write(descriptor, rest.data(), rest.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) {
                dropped_.fetch_add(1, std::memory_order_relaxed);
                break;
            }
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
        text.clear();
    };
    for (const auto& record : records) {
        append_access_line(text, record);
        if (text.size() > 64 * 1024) write_out();
    }
    write_out();
    // The room is kept for the next batch.
    records.clear();
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) waiting_.swap(records);
}

}  // namespace hanse::api
