// SPDX-License-Identifier: Apache-2.0
#include "task_file.hpp"

#include "federation/home.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <format>


namespace hanse::federation {
namespace asio = boost::asio;

base::Result<std::unique_ptr<TaskFile>> TaskFile::open(const std::filesystem::path& path, std::string_view text) {
    if (auto written = write_file(path, text); !written) return std::unexpected(written.error());
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor < 0) return base::fail(base::ErrorKind::unavailable, std::format("cannot write to {}", path.string()));
    return std::unique_ptr<TaskFile>(new TaskFile(descriptor));
}

TaskFile::~TaskFile() {
    writer_.join();
    ::close(descriptor_);
}

void TaskFile::write_all() {
    std::vector<Waiting> batch;
    {
        const std::lock_guard lock(mutex_);
        std::swap(batch, waiting_);
    }
    if (batch.empty()) return;  // the call before took these too
    std::string lines;
    for (const auto& each : batch) lines += each.line;
    std::size_t at = 0;
    while (at < lines.size()) {
        const auto count = ::write(descriptor_, lines.data() + at, lines.size() - at);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        at += static_cast<std::size_t>(count);
    }
    const bool good = at == lines.size() && ::fdatasync(descriptor_) == 0;
    for (auto& each : batch) each.done(good);
}

asio::awaitable<base::Result<void>> TaskFile::append(std::string line) {
    const bool good = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
        [this, &line](auto handler) {
            const asio::any_io_executor executor =
                asio::prefer(asio::any_io_executor(asio::get_associated_executor(handler)), asio::execution::outstanding_work.tracked);
            auto shared = std::make_shared<asio::any_completion_handler<void(bool)>>(std::move(handler));
            const std::lock_guard lock(mutex_);
            waiting_.push_back({std::move(line), [executor, shared](bool result) {
                                    asio::post(executor, [shared, result] { std::move (*shared)(result); });
                                }});
            asio::post(writer_, [this] { write_all(); });
        },
        asio::use_awaitable);
    if (!good) co_return base::fail(base::ErrorKind::unavailable, "the ledger of tasks cannot be written");
    co_return base::Result<void>{};
}

}  // namespace hanse::federation
