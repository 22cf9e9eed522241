// SPDX-License-Identifier: Apache-2.0
#include "journal_peers.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace hanse::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

[[noreturn]] void stop(const char* what) {
    std::perror(what);
    std::exit(1);
}
void must(sqlite3* database, int result) {
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW) return;
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(database));
    std::exit(1);
}

}  // namespace

double Latencies::at(double part) {
    if (took_.empty()) return 0;
    if (!sorted_) std::ranges::sort(took_);
    sorted_ = true;
    return took_[std::min(took_.size() - 1, static_cast<std::size_t>(part * static_cast<double>(took_.size())))];
}

Line plain_loop(const std::filesystem::path& folder, unsigned writers, double batch, std::size_t record_bytes,
                std::chrono::duration<double> time) {
    const auto path = folder / "plain";
    const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) stop("plain loop");
    const std::vector<char> bytes(static_cast<std::size_t>(std::lround(batch)) * record_bytes, 'x');
    Latencies latencies;
    const auto begin = SteadyClock::now();
    while (SteadyClock::now() - begin < time) {
        const auto before = SteadyClock::now();
        if (write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || fdatasync(file) != 0) stop("plain loop");
        latencies.add(SteadyClock::now() - before);
    }
    const double took = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    close(file);
    std::filesystem::remove(path);
    return {"write and fdatasync", writers,           static_cast<double>(latencies.count()) * std::round(batch) / took,
            std::round(batch),     latencies.at(0.5), latencies.at(0.99)};
}

Line sqlite_loop(const std::filesystem::path& folder, unsigned writers, unsigned rows, const std::string& text,
                 std::chrono::duration<double> time) {
    const auto path = folder / "sqlite.db";
    sqlite3* database = nullptr;
    must(database, sqlite3_open(path.c_str(), &database));
    for (const char* statement :
         {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE record(id INTEGER PRIMARY KEY, text TEXT)"})
        must(database, sqlite3_exec(database, statement, nullptr, nullptr, nullptr));
    sqlite3_stmt* insert = nullptr;
    must(database, sqlite3_prepare_v2(database, "INSERT INTO record(text) VALUES(?)", -1, &insert, nullptr));
    Latencies latencies;
    std::uint64_t written = 0;
    const auto begin = SteadyClock::now();
    while (SteadyClock::now() - begin < time) {
        const auto before = SteadyClock::now();
        if (rows > 1) must(database, sqlite3_exec(database, "BEGIN", nullptr, nullptr, nullptr));
        for (unsigned i = 0; i < rows; ++i) {
            must(database, sqlite3_bind_text(insert, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC));
            must(database, sqlite3_step(insert));
            must(database, sqlite3_reset(insert));
        }
        if (rows > 1) must(database, sqlite3_exec(database, "COMMIT", nullptr, nullptr, nullptr));
        latencies.add(SteadyClock::now() - before);
        written += rows;
    }
    const double took = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    sqlite3_finalize(insert);
    sqlite3_close(database);
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + suffix);
    // With one row a transaction a writer waits for all that stand before it.
    const double turns = rows == 1 ? writers : 1;
    return {rows == 1 ? "SQLite, one row a transaction" : "SQLite, group commit",
            writers,
            static_cast<double>(written) / took,
            static_cast<double>(rows),
            latencies.at(0.5) * turns,
            latencies.at(0.99) * turns};
}

}  // namespace hanse::bench
