// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

// What script/bench journal compares with, and one line of its table.
namespace hanse::bench {

struct Line {
    std::string what;
    unsigned writers = 0;
    double per_second = 0;  // durable records
    double batch = 0;       // records that share one sync
    double p50_ms = 0;      // from handing a record over to knowing it durable
    double p99_ms = 0;
};

class Latencies {
public:
    void add(std::chrono::steady_clock::duration took) { took_.push_back(std::chrono::duration<float, std::milli>(took).count()); }
    std::size_t count() const { return took_.size(); }
    double at(double part);  // sorts

private:
    std::vector<float> took_;
    bool sorted_ = false;
};

// Nothing but write and fdatasync of so many bytes at the end of one file: what the disk allows.
Line plain_loop(const std::filesystem::path& folder, unsigned writers, double batch, std::size_t record_bytes,
                std::chrono::duration<double> time);

// SQLite in WAL mode, synchronous=FULL, `rows` of them in each transaction.
Line sqlite_loop(const std::filesystem::path& folder, unsigned writers, unsigned rows, const std::string& text,
                 std::chrono::duration<double> time);

}  // namespace hanse::bench
