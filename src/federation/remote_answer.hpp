// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "federation/partners.hpp"
#include "federation/session.hpp"
#include "net/client.hpp"
#include "net/http.hpp"

namespace hanse::federation {

// The answer to a task is the answer to a request: its head and then its body, cut anywhere,
//
//   "200\n" "content-type: text/event-stream\n" …  "\n" | body
//
// with the fields of the head that mean something at the other end.
std::string answer_head(unsigned status, const net::Headers& headers);
struct AnswerHead {
    unsigned status = 0;
    net::Headers headers = {};
    std::size_t size = 0;  // bytes that it took
};
inline constexpr std::size_t answer_head_max = 16 * 1024;
// Nothing while it is not there whole; `corrupt` if it is none.
base::Result<std::optional<AnswerHead>> read_answer_head(std::string_view bytes);

// An answer on its way from the sessions' thread to the coroutine that asked, on another one. The session pushes and
// never waits: its credit bounds what can lie here. Whoever goes away first harms nobody.
class RemoteAnswer : public std::enable_shared_from_this<RemoteAnswer> {
public:
    // Sessions' thread.
    void push(const base::Bytes& events);
    void proven(FarReceipt receipt);  // before end()
    void end(base::Error error);  // it did not end well
    void end();

    // The reader's. Whatever has come since the last call; empty at the end. One reader.
    boost::asio::awaitable<base::Result<std::string>> next();
    bool ended_well() const;
    std::optional<FarReceipt> receipt() const;

private:
    void wake(std::unique_lock<std::mutex> lock);
    boost::asio::awaitable<void> wait();

    mutable std::mutex mutex_;
    std::string arrived_;
    bool ended_ = false;
    std::optional<base::Error> error_;
    std::optional<FarReceipt> receipt_;
    bool called_off_ = false;
    boost::asio::any_completion_handler<void()> waiting_;
    boost::asio::any_io_executor executor_;
};

// What the asker reads. `consumed` and `over` are called on its own thread: bytes used; that nobody reads any more, and
// whether it was read to a good end. `must_prove`: the member whose receipt the charter demands; without a proven one the end
// is an error (`unavailable`, "partner_unproven"). Empty: it may prove nothing.
std::unique_ptr<PartnerStream> remote_stream(std::shared_ptr<RemoteAnswer> answer, AnswerHead head, std::string rest,
                                                 std::function<void(std::size_t)> consumed, std::function<void(bool)> over,
                                             std::string must_prove = {});

// The words for an end that is no answer, for the caller at home.
base::Error error_of(const Ended& ended, std::string_view member);

}  // namespace hanse::federation
