// SPDX-License-Identifier: Apache-2.0
#include "remote_exchange.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

#include "remote_answer.hpp"

namespace hanse::federation {
namespace asio = boost::asio;
using base::ErrorKind;
namespace {

struct Kind {
    std::string_view word, path;
};
constexpr std::array<Kind, 5> kinds{{{"chat", "/v1/chat/completions"},
                                     {"completions", "/v1/completions"},
                                     {"embeddings", "/v1/embeddings"},
                                     {"rerank", "/v1/rerank"},
                                     {"responses", "/v1/responses"}}};
constexpr std::size_t piece_max = 64 * 1024, waiting_max = 128 * 1024;

std::unexpected<base::Error> nobody_waits() { return base::fail(ErrorKind::cancelled, "the partner went away"); }

std::chrono::milliseconds retry_after(const net::Headers& headers) {
    std::int64_t value = 0;
    const auto text = headers.get("retry-after-ms");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return std::chrono::milliseconds(error == std::errc{} ? std::clamp<std::int64_t>(value, 0, 3'600'000) : 1'000);
}

}  // namespace

std::string_view path_of_kind(std::string_view kind) {
    const auto found = std::ranges::find(kinds, kind, &Kind::word);
    return found == kinds.end() ? "" : found->path;
}

std::string_view kind_of_path(std::string_view path) {
    const auto found = std::ranges::find_if(kinds, [&](const Kind& kind) { return kind.path.substr(3) == path; });
    return found == kinds.end() ? "" : found->word;
}

RemoteExchange::RemoteExchange(std::shared_ptr<Way> way, std::string member, const TaskKey& key, wire::Task task, base::Deadline deadline,
                               base::Instant now)
    : way_(std::move(way)),
      member_(std::move(member)),
      key_(key),
      key_text_(text_of(key)),
      model_(task.model) {
    request_.method = net::Method::post;
    request_.path = path_of_kind(task.kind);
    request_.headers.add("content-type", "application/json");
    request_.headers.add("hanse-label", task.label);
    request_.headers.add("idempotency-key", key_text_);
    if (deadline.when()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.left(now)).count();
        request_.headers.add("hanse-deadline-ms", std::to_string(std::clamp<std::int64_t>(left, 1, 86'400'000)));
    }
    if (task.first_token_ms > 0)
        request_.headers.add("hanse-first-token-ms", std::to_string(std::min<std::uint64_t>(task.first_token_ms, 86'400'000)));
    if (!task.trace.empty()) request_.headers.add("traceparent", task.trace);
    request_.body.assign(reinterpret_cast<const char*>(task.body.data()), task.body.size());
    request_.peer = member_;
    request_.secure = true;
    request_.arrived = now;
}

asio::awaitable<base::Result<void>> RemoteExchange::respond(net::Response response) {
    if (state_ != State::none) co_return base::fail(ErrorKind::bug, "a task was answered twice");
    if (response.status >= 500 || response.status == 429) {
        state_ = State::over;
        way_->refuse(key_, wire::Refusal::overloaded, retry_after(response.headers));
        co_return base::Result<void>{};
    }
    // Not there, not for this member, not with this label: an outsider never learns which.
    if (response.status == 401 || response.status == 403 || response.status == 404) {
        state_ = State::over;
        way_->refuse(key_, wire::Refusal::not_found, {});
        co_return base::Result<void>{};
    }
    auto begun = co_await begin(response.status, std::move(response.headers));
    if (begun) begun = co_await send(response.body, 0);
    if (!begun) co_return begun;
    co_return co_await close("finished");
}

asio::awaitable<base::Result<void>> RemoteExchange::begin(unsigned status, net::Headers headers) {
    state_ = State::streaming;
    label_ = headers.get("hanse-label");
    receipt_id_ = headers.get("hanse-receipt");
    co_return co_await send(answer_head(status, headers), 0);
}

asio::awaitable<base::Result<void>> RemoteExchange::write(std::string_view bytes) {
    // Events are counted, not tokens: this room does not read them. A model sends about one token an event.
    std::uint64_t events = 0;
    for (auto at = bytes.find("\n\n"); at != bytes.npos; at = bytes.find("\n\n", at + 2)) ++events;
    return send(bytes, events);
}

asio::awaitable<base::Result<void>> RemoteExchange::send(std::string_view bytes, std::uint64_t count) {
    while (!bytes.empty()) {
        while (!gone_ && way_->waiting(key_) > waiting_max) co_await way_->moved();
        if (gone_) co_return nobody_waits();
        const auto piece = base::bytes_of(bytes.substr(0, piece_max));
        bytes.remove_prefix(piece.size());
        if (!way_->answer(key_, base::Bytes(piece.begin(), piece.end()), std::exchange(count, 0))) {
            went();
            co_return nobody_waits();
        }
    }
    co_return base::Result<void>{};
}

asio::awaitable<base::Result<void>> RemoteExchange::end() { return close("finished"); }

asio::awaitable<base::Result<void>> RemoteExchange::close(std::string outcome) {
    if (state_ == State::over) co_return base::Result<void>{};
    state_ = State::over;
    wire::Done done{.outcome = std::move(outcome), .label = label_, .model = model_};
    // The record is on disk; who has the keys of this log asks for the proof, and refuses an answer without it.
    if (!receipt_id_.empty()) done.receipt = (co_await way_->receipt(receipt_id_)).value_or("");
    way_->finish(key_, std::move(done));
    co_return base::Result<void>{};
}

void RemoteExchange::abort() {
    if (state_ == State::over) return;
    state_ = State::over;
    way_->finish(key_, {.outcome = "broken", .label = label_, .model = model_});
}

void RemoteExchange::went() {
    if (gone_) return;
    gone_ = true;
    if (on_gone_) on_gone_();
}

void RemoteExchange::settle() {
    if (state_ == State::none) {
        state_ = State::over;
        way_->refuse(key_, wire::Refusal::overloaded, std::chrono::milliseconds(1'000));
    }
    abort();
}

}  // namespace hanse::federation
