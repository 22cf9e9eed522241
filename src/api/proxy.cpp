// SPDX-License-Identifier: Apache-2.0
#include "proxy.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <memory>
#include <utility>

#include "label/decide.hpp"
#include "sse.hpp"
#include "veil.hpp"
#include "veil_stream.hpp"

namespace hanse::api {
namespace {

namespace asio = boost::asio;

constexpr std::size_t whole_max = 1U << 20;      // longer answers are passed on piece by piece
constexpr std::size_t held_max = 16U << 20;      // a longer end of a stream is not held back, only its very last byte
constexpr std::size_t unknown_max = 256U << 20;  // an answer without a length that is no stream

net::Headers headers_to_send(const Call& call) {
    net::Headers headers;
    headers.add("content-type", "application/json");
    headers.add("x-request-id", call.task.id);
    const auto& given = call.exchange.request().headers;
    constexpr std::array<std::string_view, 5> passed{"accept", "traceparent", "tracestate", "hanse-deadline-ms", "hanse-priority"};
    for (const auto name : passed)
        if (const auto value = given.get(name); !value.empty()) headers.add(name, value);
    return headers;
}

net::Headers headers_to_return(const Call& call, const task::Forward& stream) {
    auto headers = call.common_headers({});
    headers.add("hanse-route", call.task.model);
    constexpr std::array<std::string_view, 4> passed{"content-type", "retry-after", "retry-after-ms", "cache-control"};
    for (const auto name : passed)
        if (const auto value = stream.headers().get(name); !value.empty()) headers.add(name, value);
    return headers;
}

void count(Call& call, std::string_view tail) {
    if (const auto usage = find_usage(tail)) call.count_tokens(usage->prompt, usage->cached, usage->completion);
}

bool is_event_stream(const task::Forward& stream) { return stream.headers().get("content-type").starts_with("text/event-stream"); }

std::optional<std::size_t> length_of(const task::Forward& stream) {
    const auto text = stream.headers().get("content-length");
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return length;
}

asio::awaitable<std::optional<base::Error>> pass_whole(Call& call, task::Forward& stream, Veil* veil) {
    auto answered = co_await stream.read_all(unknown_max);
    auto body = answered ? call.opened(std::move(*answered)) : std::unexpected(answered.error());
    if (!body) {
        co_return std::move(body.error());
    }
    if (veil != nullptr) {
        *body = veil->uncover(*body);
        call.record.pseudonyms = veil->pseudonyms().evidence().text();  // for the head, which comes after
    }
    count(call, std::string_view(*body).substr(body->size() - std::min<std::size_t>(body->size(), 2048)));
    // The recorder reads the body where it is.
    if (call.task.evidence) call.task.evidence->outputs.push_back(std::move(*body));
    auto recorded = co_await call.write_down();
    if (call.task.evidence) *body = std::move(call.task.evidence->outputs.front());
    if (!recorded) {
        co_return std::move(recorded.error());
    }
    call.record.status = stream.status();
    call.record.bytes_out = body->size();
    net::Response response{stream.status(), headers_to_return(call, stream), std::move(*body)};
    auto sent = co_await call.exchange.respond(std::move(response));
    if (!sent) call.saw_cancel();
    co_return std::nullopt;
}

asio::awaitable<std::optional<base::Error>> pass_stream(Call& call, task::Forward& stream, Veil* veil, bool must_end_with_done) {
    const OpenStream counted(call.around.metrics);
    const bool events = is_event_stream(stream);
    call.record.stream = true;
    call.record.status = stream.status();
    StreamTail tail;
    std::optional<VeilStream> names;
    if (veil != nullptr) names.emplace(*veil);
    if (call.task.evidence) {
        call.passing.emplace(call.around.random);
        call.task.evidence->output_form = events ? "stream" : "body";
    }
    std::string held;  // what must not be seen before the whole is on record: the last events, or the last piece
    bool begun = false;
    while (true) {
        auto answered = co_await stream.read();
        auto piece = answered ? call.opened(std::move(*answered)) : std::unexpected(answered.error());
        // Nothing has left yet: the failure can still have a status.
        if (!piece && !begun) {
            co_return std::move(piece.error());
        }
        if (!begun) {
            auto ready = co_await call.exchange.begin(stream.status(), headers_to_return(call, stream));
            if (!ready) {
                call.saw_cancel();
                co_return std::nullopt;
            }
            begun = true;
        }
        if (!piece || piece->empty()) {
            count(call, tail.text());
            if (names) {
                const std::string rest = names->finish();
                if (call.passing) call.passing->saw(rest);
                held += rest;
            }
            const bool whole = piece && (!must_end_with_done || tail.done());
            base::Error broken = whole ? base::Error{}
                                 : piece ? base::Error{base::ErrorKind::unavailable, "the upstream's answer ended before its end", "upstream_broken", {}, {}}
                                         : std::move(piece.error());
            auto recorded = co_await call.write_down(whole ? "finished" : broken.code.empty() ? std::string(base::name(broken.kind)) : broken.code);
            if (!recorded) broken = std::move(recorded.error());
            // What the charter lets nobody take has no good end.
            if (broken.code == "partner_unproven") held.clear();
            const bool written = !recorded || held.empty() || co_await call.write(held);
            if (!written) co_return std::nullopt;
            if (whole && recorded) {
                co_await call.end();
                co_return std::nullopt;
            }
            // In the middle of an event nothing can be said any more.
            if (events && tail.between_events()) {
                co_await break_events(call, broken);
            } else {
                call.record.error = "upstream_broken";
                call.exchange.abort();
            }
            co_return std::nullopt;
        }
        if (events) call.saw_tokens();
        tail.saw(*piece);
        const std::string restored = names ? names->feed(*piece) : std::string();
        const std::string_view out = names ? std::string_view(restored) : *piece;
        if (call.passing) call.passing->saw(out);
        // Before the last events nothing is held, since a token is waited for. Of other bodies the last piece is the end.
        const bool hold = call.passing && (events ? tail.ending() && held.size() < held_max : true);
        const std::string earlier = hold && events ? std::string() : std::exchange(held, {});
        if (hold) held += out;
        const bool before = earlier.empty() || co_await call.write(earlier);
        const bool written = before && (hold || out.empty() || co_await call.write(out));
        if (!written) co_return std::nullopt;
    }
}

// The one transformation that this room can do: names and numbers out before sending, in again in the answer. The task's label
// goes along changed, and the desk decides on that; what comes back has the label of what went in.
// A long body is looked through beside the listener's threads; what is worked on there lives as long as that takes.
asio::awaitable<base::Result<std::shared_ptr<Veil>>> veiled(Call& call, std::shared_ptr<std::string> body) {
    const auto recogniser = call.task.rules->recogniser();
    if (!recogniser) co_return std::unexpected(recogniser.error());
    auto opened = Veil::open(**recogniser, call.around.random, call.task.language);
    if (!opened) co_return std::unexpected(opened.error());
    const std::shared_ptr<Veil> veil = std::move(*opened);
    auto cover = [rules = call.task.rules, veil, body]() -> base::Result<void> {
        auto covered = veil->cover(*body);
        if (!covered) return std::unexpected(std::move(covered.error()));
        *body = std::move(*covered);
        return {};
    };
    const std::size_t size = body->size();
    auto done = co_await call.around.desk.beside(call.task, size, std::move(cover), "pseudonymising the request");
    if (!done) co_return std::unexpected(std::move(done.error()));
    call.task.returns_as = call.task.label;
    call.task.label = label::after(call.task.label, label::Transformation::pseudonymise);
    call.record.pseudonyms = veil->pseudonyms().evidence().text();
    co_return veil;
}

asio::awaitable<std::optional<base::Error>> forward(Call& call, const Glance& glance, task::Place place, std::string_view body) {
    // A cancelled wait comes back as an error, as every other one does.
    co_await asio::this_coro::throw_if_cancelled(false);
    std::string renamed;
    if (place.name_there != glance.model) {
        renamed = with_model(body, glance, place.name_there);
        body = renamed;
    }
    std::shared_ptr<std::string> covered;
    std::shared_ptr<Veil> veil;
    if (call.around.desk.wants_pseudonyms(call.task, place)) {
        covered = std::make_shared<std::string>(body);
        auto made = co_await veiled(call, covered);
        if (!made) {
            co_return std::move(made.error());
        }
        veil = std::move(*made);
        body = *covered;
        auto recorded = co_await call.around.desk.record_transformation(call.task, name(label::Transformation::pseudonymise), call.record.pseudonyms);
        if (!recorded) {
            co_return std::move(recorded.error());
        }
    }
    std::string path(name(call.route).substr(3));  // without "/v1"
    auto sent =
        co_await call.around.desk.forward(call.task, std::move(place), std::move(path), headers_to_send(call), {body, call.task.label});
    if (!sent) {
        co_return std::move(sent.error());
    }
    task::Forward& stream = *sent;
    const auto length = length_of(stream);
    const bool whole = !is_event_stream(stream) && length && *length <= whole_max;
    const bool done_expected = is_event_stream(stream) && stream.status() == 200 && (call.route == Route::chat || call.route == Route::completions);
    std::optional<base::Error> failed;
    // An answer of another shape is read whole, since names are put into whole texts.
    if (whole || (veil && !is_event_stream(stream)))
        failed = co_await pass_whole(call, stream, veil.get());
    else
        failed = co_await pass_stream(call, stream, veil.get(), done_expected);
    if (veil) call.record.pseudonyms = veil->pseudonyms().evidence().text();
    co_return failed;
}

// `"name":` and a number behind it, anywhere in the text.
std::optional<std::uint32_t> number_of(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    auto rest = text.substr(at + name.size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    return error == std::errc{} && end != rest.data() ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<ForwardUsage> find_usage(std::string_view tail) {
    // Inside a string the quotes would be escaped, so this can only be the field itself.
    for (auto at = tail.rfind("\"usage\""); at != std::string_view::npos && at > 0; at = tail.rfind("\"usage\"", at - 1)) {
        if (tail[at - 1] == '\\') continue;
        const auto usage = tail.substr(at);
        auto prompt = number_of(usage, "\"prompt_tokens\"");
        if (!prompt) prompt = number_of(usage, "\"input_tokens\"");
        auto completion = number_of(usage, "\"completion_tokens\"");
        if (!completion) completion = number_of(usage, "\"output_tokens\"");
        if (!prompt) continue;
        return ForwardUsage{*prompt, number_of(usage, "\"cached_tokens\"").value_or(0), completion.value_or(0)};
    }
    return std::nullopt;
}

void StreamTail::saw(std::string_view piece) {
    if (!ending_) {
        // A mark stands at the beginning of a line: behind a newline, which JSON never holds as it is, or where all begins.
        constexpr std::array<std::string_view, 5> marks{"\ndata: [DONE]", "\ndata:[DONE]", "\nevent: response.completed",
                                                        "\nevent: response.incomplete", "\nevent: response.failed"};
        std::string seam(begun_ ? "" : "\n");
        seam.append(tail_, tail_.size() - std::min(tail_.size(), mark_max)).append(piece.substr(0, mark_max));
        ending_ = std::ranges::any_of(marks, [&](std::string_view mark) { return seam.contains(mark) || piece.contains(mark); });
        begun_ = true;
    }
    if (piece.size() >= kept) {
        tail_.assign(piece.substr(piece.size() - kept));
        return;
    }
    if (tail_.size() + piece.size() > kept) tail_.erase(0, tail_.size() + piece.size() - kept);
    tail_ += piece;
}

boost::asio::awaitable<std::optional<base::Error>> serve_forward(Call& call, const Glance& glance, task::Place place, std::string_view body) {
    // When the client goes away, whatever the forwarding waits for is called off at once.
    auto gone = std::make_shared<asio::cancellation_signal>();
    call.exchange.on_gone([gone, stop = call.task.stop]() mutable {
        stop.request_stop();
        gone->emit(asio::cancellation_type::terminal);
    });
    const auto executor = co_await asio::this_coro::executor;
    auto failed = co_await asio::co_spawn(executor, forward(call, glance, std::move(place), body),
                                          asio::bind_cancellation_slot(gone->slot(), asio::use_awaitable));
    call.exchange.on_gone({});
    co_return failed;
}

}  // namespace hanse::api
