// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "net/http.hpp"
#include "router.hpp"

namespace hanse::api {

// What is written down about one request: who, what, how long, how much. Nothing of what was said.
struct AccessRecord {
    base::WallTime when{};
    net::Method method = net::Method::get;
    Route route = Route::unknown;
    unsigned status = 0;
    bool stream = false;
    std::string request_id = {};
    std::string key_id = {};
    std::string model = {};
    std::string peer = {};
    std::string error = {};  // the error's code
    std::string pseudonyms = {};  // what was replaced before the text left: kinds and counts
    std::chrono::microseconds took{0};
    std::chrono::microseconds first_token{0};
    std::uint32_t prompt_tokens = 0;
    std::uint32_t cached_tokens = 0;
    std::uint32_t completion_tokens = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

void append_access_line(std::string& out, const AccessRecord& record);

// JSON lines, written in batches by whoever calls flush() (a background thread), so that a request costs a
// move under a short lock and no system call. Bounded: what finds no room is dropped and counted.
class AccessLog {
public:
    AccessLog(int descriptor, std::atomic<std::uint64_t>& dropped) : descriptor_(descriptor), dropped_(dropped) {}
    bool on() const { return descriptor_.load(std::memory_order_relaxed) >= 0; }
    void add(AccessRecord&& record);
    void flush();
    void redirect(int descriptor) { descriptor_.store(descriptor); }

private:
    static constexpr std::size_t waiting_max = 65'536;
    std::atomic<int> descriptor_;
    std::atomic<std::uint64_t>& dropped_;
    std::mutex mutex_;
    std::vector<AccessRecord> waiting_;
    std::mutex writing_;  // one flush at a time
};

}  // namespace hanse::api
