// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::federation {

// The ledger of tasks on disk: lines at its end, durable before append() returns. A thread of its own writes and syncs,
// so that the sessions never wait for a disk, and lines that come meanwhile share the next sync.
class TaskFile {
public:
    // Begins the file anew with `text`.
    static base::Result<std::unique_ptr<TaskFile>> open(const std::filesystem::path& path, std::string_view text);
    ~TaskFile();
    boost::asio::awaitable<base::Result<void>> append(std::string line);

private:
    explicit TaskFile(int descriptor) : descriptor_(descriptor) {}
    struct Waiting {
        std::string line;
        std::function<void(bool)> done;
    };
    void write_all();

    int descriptor_;
    std::mutex mutex_;
    std::vector<Waiting> waiting_;
    boost::asio::thread_pool writer_{1};
};

}  // namespace hanse::federation
