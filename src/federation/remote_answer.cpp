// SPDX-License-Identifier: Apache-2.0
#include "remote_answer.hpp"

#include <array>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <format>

namespace hanse::federation {
namespace asio = boost::asio;
using base::ErrorKind;
namespace {

constexpr std::array<std::string_view, 7> carried{"content-type",   "content-length", "cache-control", "retry-after",
                                                  "retry-after-ms", "hanse-label",    "hanse-receipt"};

class Stream final : public PartnerStream {
public:
    Stream(std::shared_ptr<RemoteAnswer> answer, AnswerHead head, std::string rest, std::function<void(std::size_t)> consumed,
           std::function<void(bool)> over, std::string must_prove)
        : answer_(std::move(answer)),
          head_(std::move(head)),
          rest_(std::move(rest)),
          consumed_(std::move(consumed)),
          over_(std::move(over)),
          must_prove_(std::move(must_prove)) {}
    ~Stream() override { over_(answer_->ended_well()); }

    std::optional<FarReceipt> receipt() const override { return answer_->receipt(); }
    unsigned status() const override { return head_.status; }
    const net::Headers& headers() const override { return head_.headers; }

    asio::awaitable<base::Result<std::string_view>> read() override {
        if (!rest_.empty()) {
            piece_ = std::exchange(rest_, {});
        } else {
            auto next = co_await answer_->next();
            if (!next) co_return std::unexpected(next.error());
            piece_ = std::move(*next);
            if (!piece_.empty()) consumed_(piece_.size());
            else if (auto proven = proof(); !proven) co_return std::unexpected(proven.error());
        }
        co_return std::string_view(piece_);
    }

    asio::awaitable<base::Result<std::string>> read_all(std::size_t limit) override {
        std::string whole;
        while (true) {
            auto piece = co_await read();
            if (!piece) co_return std::unexpected(piece.error());
            if (piece->empty()) co_return whole;
            if (whole.size() + piece->size() > limit)
                co_return base::fail(ErrorKind::too_large, std::format("the partner's answer is longer than {} bytes", limit));
            whole += *piece;
        }
    }

private:
    // A refusal of the request as such, told as its status, is no answer of a model and leaves no record there.
    base::Result<void> proof() const {
        if (must_prove_.empty() || head_.status >= 300) return {};
        const auto receipt = answer_->receipt();
        if (receipt && receipt->unverified.empty()) return {};
        return base::fail(ErrorKind::unavailable,
                          std::format("the charter demands receipts, and that of {} proves nothing: {}", must_prove_,
                                      receipt ? receipt->unverified : "there is none"),
                          "partner_unproven");
    }

    std::shared_ptr<RemoteAnswer> answer_;
    AnswerHead head_;
    std::string rest_;
    std::string piece_;
    std::function<void(std::size_t)> consumed_;
    std::function<void(bool)> over_;
    std::string must_prove_;
};

}  // namespace

std::string answer_head(unsigned status, const net::Headers& headers) {
    std::string out = std::format("{}\n", status);
    for (const auto name : carried)
        if (const auto value = headers.get(name); !value.empty()) out += std::format("{}: {}\n", name, value);
    return out + "\n";
}

base::Result<std::optional<AnswerHead>> read_answer_head(std::string_view bytes) {
    const auto wrong = [] { return base::fail(ErrorKind::corrupt, "the partner's answer does not begin as one"); };
    const auto end = bytes.find("\n\n");
    if (end == bytes.npos) {
        if (bytes.size() > answer_head_max) return wrong();
        return std::nullopt;
    }
    if (end > answer_head_max) return wrong();
    AnswerHead head;
    head.size = end + 2;
    std::string_view rest = bytes.substr(0, end + 1);
    const auto line = rest.substr(0, rest.find('\n'));
    const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), head.status);
    if (error != std::errc{} || at != line.data() + line.size() || head.status < 200 || head.status > 599) return wrong();
    rest.remove_prefix(line.size() + 1);
    while (!rest.empty()) {
        const auto field = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(field.size() + 1);
        const auto colon = field.find(": ");
        if (colon == field.npos) return wrong();
        for (const auto name : carried)
            if (field.substr(0, colon) == name) head.headers.add(name, field.substr(colon + 2));
    }
    return head;
}

void RemoteAnswer::wake(std::unique_lock<std::mutex> lock) {
    if (!waiting_) return;
    auto handler = std::move(waiting_);
    auto executor = std::move(executor_);
    lock.unlock();
    asio::post(executor, std::move(handler));
}

void RemoteAnswer::push(const base::Bytes& events) {
    std::unique_lock lock(mutex_);
    arrived_.append(reinterpret_cast<const char*>(events.data()), events.size());
    wake(std::move(lock));
}

void RemoteAnswer::proven(FarReceipt receipt) {
    const std::lock_guard lock(mutex_);
    receipt_ = std::move(receipt);
}

std::optional<FarReceipt> RemoteAnswer::receipt() const {
    const std::lock_guard lock(mutex_);
    return receipt_;
}

void RemoteAnswer::end(base::Error error) {
    std::unique_lock lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
    wake(std::move(lock));
}

void RemoteAnswer::end() {
    std::unique_lock lock(mutex_);
    ended_ = true;
    wake(std::move(lock));
}

bool RemoteAnswer::ended_well() const {
    const std::lock_guard lock(mutex_);
    return ended_ && !error_ && arrived_.empty();
}

asio::awaitable<void> RemoteAnswer::wait() {
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [self = shared_from_this()](auto handler) {
            const asio::any_io_executor executor = asio::get_associated_executor(handler);
            auto slot = asio::get_associated_cancellation_slot(handler);
            std::unique_lock lock(self->mutex_);
            if (!self->arrived_.empty() || self->ended_ || self->called_off_) {
                lock.unlock();
                asio::post(executor, std::move(handler));
                return;
            }
            if (slot.is_connected())
                slot.assign([self](asio::cancellation_type) {
                    std::unique_lock locked(self->mutex_);
                    self->called_off_ = true;
                    self->wake(std::move(locked));
                });
            self->executor_ = asio::prefer(executor, asio::execution::outstanding_work.tracked);
            self->waiting_ = std::move(handler);
        },
        asio::use_awaitable);
}

asio::awaitable<base::Result<std::string>> RemoteAnswer::next() {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (!arrived_.empty()) co_return std::exchange(arrived_, {});
            if (called_off_) co_return base::fail(ErrorKind::cancelled, "the client went away");
            if (ended_ && error_) co_return std::unexpected(*error_);
            if (ended_) co_return std::string();
        }
        co_await wait();
    }
}

std::unique_ptr<PartnerStream> remote_stream(std::shared_ptr<RemoteAnswer> answer, AnswerHead head, std::string rest,
                                             std::function<void(std::size_t)> consumed, std::function<void(bool)> over,
                                             std::string must_prove) {
    return std::make_unique<Stream>(std::move(answer), std::move(head), std::move(rest), std::move(consumed), std::move(over),
                                    std::move(must_prove));
}

base::Error error_of(const Ended& ended, std::string_view member) {
    const std::string when = ended.after_first_token ? " after its answer had begun" : "";
    switch (ended.how) {
        case Ended::How::not_found:
            return {ErrorKind::not_found, std::format("{} does not answer this for us", member), "partner_refused", "model", {}};
        case Ended::How::overloaded:
            return {ErrorKind::overloaded,
                    std::format("{} has no room now", member),
                    "partner_busy",
                    {},
                    std::max(ended.retry_after, std::chrono::milliseconds(1'000))};
        case Ended::How::deadline: return {ErrorKind::deadline, std::format("{} was not ready by the deadline", member), {}, {}, {}};
        case Ended::How::budget:
            return {
                ErrorKind::too_large, std::format("the answer of {} went beyond the budget of this task", member), "over_budget", {}, {}};
        case Ended::How::cancelled: return {ErrorKind::cancelled, "the client went away", {}, {}, {}};
        case Ended::How::misbehaved:
            return {
                ErrorKind::unavailable, std::format("{} broke the rules of the federation{}", member, when), "partner_misbehaved", {}, {}};
        case Ended::How::broken:
        case Ended::How::answered: break;
    }
    return {ErrorKind::unavailable, std::format("the connection with {} broke{}", member, when), "partner_broken", {}, {}};
}

}  // namespace hanse::federation
