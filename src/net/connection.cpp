// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <boost/asio/error.hpp>
#include <chrono>
#include <exception>
#include <format>

namespace hanse::net {
namespace {

namespace asio = boost::asio;

base::Deadline in(std::chrono::milliseconds span) { return base::Deadline::after(std::chrono::steady_clock::now(), span); }

// RFC 9110, section 6.6.1. Made once a second and thread.
std::string_view date_now() {
    thread_local std::time_t made = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        made = now;
        text = std::format("{:%a, %d %b %Y %T} GMT", std::chrono::sys_seconds(std::chrono::seconds(now)));
    }
    return text;
}

std::unexpected<base::Error> client_went() { return base::fail(base::ErrorKind::cancelled, "the client closed the connection"); }

}  // namespace

Connection::Connection(std::shared_ptr<const Service> service, std::unique_ptr<Wire> wire, std::string peer, bool secure)
    : service_(std::move(service)),
      wire_(std::move(wire)),
      peer_(std::move(peer)),
      secure_(secure),
      reader_({service_->options.header_max, service_->options.body_max}) {}

asio::awaitable<void> Connection::run() {
    arm(in(service_->options.header_timeout));
    const auto failed = co_await wire_->handshake();
    if (failed) co_return;
    while (!last_ && !gone_) {
        const bool read = co_await read_request();
        if (!read) break;
        co_await handle();
    }
    if (!gone_ && answer_ != Answer::broken) {
        arm(in(std::chrono::seconds(2)));
        co_await wire_->close();
    }
    cut();
}

asio::awaitable<bool> Connection::read_request() {
    phase_ = reader_.has_bytes() ? Phase::reading : Phase::idle;
    arm(in(phase_ == Phase::idle ? service_->options.idle_timeout : service_->options.header_timeout));
    bool in_body = false;
    auto arrived = std::chrono::steady_clock::now();
    std::optional<base::Error> error;
    while (!error) {
        auto next = reader_.next();
        if (!next) {
            error = next.error();
            break;
        }
        if (*next) {
            request_ = std::move(**next);
            request_.peer = peer_;
            request_.secure = secure_;
            request_.arrived = arrived;
            last_ = last_ || !reader_.keep_alive();
            disarm();
            co_return true;
        }
        if (!in_body && reader_.in_body()) {
            in_body = true;
            arm(in(service_->options.body_timeout));
            if (reader_.wants_continue()) {
                const auto sent = co_await send({asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"))});
                if (!sent) co_return false;
            }
        }
        const auto [failed, count] = co_await wire_->read(reader_.space());
        if (too_slow_ && phase_ == Phase::reading)
            error = base::Error{base::ErrorKind::deadline, "the request did not arrive in time", "request_timeout", {}, {}};
        else if (failed) co_return false;
        reader_.received(count);
        if (phase_ == Phase::idle && count > 0) {
            phase_ = Phase::reading;
            arrived = std::chrono::steady_clock::now();
            arm(in(service_->options.header_timeout));
        }
    }
    last_ = true;
    phase_ = Phase::handling;
    answer_ = Answer::none;
    request_ = {};
    auto response = service_->on_error(*error);
    co_await respond(std::move(response));
    co_return false;
}

asio::awaitable<void> Connection::handle() {
    phase_ = Phase::handling;
    answer_ = Answer::none;
    bool threw = false;
    try {
        co_await service_->handler(*this);
    } catch (const std::exception& exception) {
        threw = true;
        service_->log.error("handler_threw", {{"path", std::string_view(request_.path)}, {"what", std::string_view(exception.what())}});
    }
    on_gone_ = nullptr;
    if (std::exchange(listening_, false)) {
        boost::system::error_code ignored;
        wire_->socket().cancel(ignored);
    }
    if (answer_ == Answer::streaming) abort();
    if (answer_ == Answer::none && !gone_) {
        if (!threw) service_->log.error("handler_gave_no_answer", {{"path", std::string_view(request_.path)}});
        auto response = service_->on_error({base::ErrorKind::bug, "the node failed to answer this request", {}, {}, {}});
        co_await respond(std::move(response));
    }
    if (answer_ == Answer::broken) last_ = true;
}

void Connection::put_head(unsigned status, const Headers& headers, std::string_view framing) {
    const std::string_view words = reason(status);
    head_.clear();
    head_ += "HTTP/1.1 ";
    head_ += std::to_string(status);
    head_ += ' ';
    head_ += words;
    head_ += "\r\nDate: ";
    head_ += date_now();
    head_ += "\r\n";
    for (const auto& [name, value] : headers) {
        head_ += name;
        head_ += ": ";
        head_ += value;
        head_ += "\r\n";
    }
    head_ += framing;
    if (last_) head_ += "Connection: close\r\n";
    else if (reader_.is_http_1_0()) head_ += "Connection: keep-alive\r\n";
    head_ += "\r\n";
}

asio::awaitable<base::Result<void>> Connection::respond(Response response) {
    if (answer_ != Answer::none) co_return base::fail(base::ErrorKind::bug, "a request was answered twice");
    answer_ = Answer::complete;
    const bool bodiless = response.status == 204 || response.status == 304;
    put_head(response.status, response.headers,
             bodiless ? std::string() : "Content-Length: " + std::to_string(response.body.size()) + "\r\n");
    const bool silent = bodiless || request_.method == Method::head;
    auto sent = co_await send({asio::buffer(head_), silent ? asio::const_buffer() : asio::buffer(response.body)});
    co_return sent;
}

asio::awaitable<base::Result<void>> Connection::begin(unsigned status, Headers headers) {
    if (answer_ != Answer::none) co_return base::fail(base::ErrorKind::bug, "a request was answered twice");
    answer_ = Answer::streaming;
    // RFC 9112, section 7.1: HTTP/1.0 has no chunks; there the end of the connection is the end of the answer.
    chunked_ = !reader_.is_http_1_0();
    if (!chunked_) last_ = true;
    put_head(status, headers, chunked_ ? "Transfer-Encoding: chunked\r\n" : "");
    if (gone_) co_return client_went();
    co_return base::Result<void>{};  // leaves together with the first piece
}

asio::awaitable<base::Result<void>> Connection::write(std::string_view bytes) {
    if (answer_ != Answer::streaming) co_return client_went();
    if (bytes.empty() || request_.method == Method::head) co_return base::Result<void>{};
    if (chunked_) head_ += std::format("{:x}\r\n", bytes.size());
    auto sent =
        co_await send({asio::buffer(head_), asio::buffer(bytes), chunked_ ? asio::buffer(std::string_view("\r\n")) : asio::const_buffer()});
    head_.clear();
    co_return sent;
}

asio::awaitable<base::Result<void>> Connection::end() {
    if (answer_ != Answer::streaming) co_return client_went();
    answer_ = Answer::complete;
    if (chunked_ && request_.method != Method::head) head_ += "0\r\n\r\n";
    auto sent = co_await send({asio::buffer(head_)});
    head_.clear();
    co_return sent;
}

asio::awaitable<base::Result<void>> Connection::send(Wire::Gather pieces) {
    if (gone_) co_return client_went();
    arm(in(service_->options.write_timeout));
    const auto [error, count] = co_await wire_->write(pieces);
    disarm();
    if (!error) co_return base::Result<void>{};
    answer_ = Answer::broken;
    went();
    co_return client_went();
}

void Connection::abort() {
    answer_ = Answer::broken;
    last_ = true;
    // A reset, so that no proxy takes the answer for a complete one.
    boost::system::error_code ignored;
    wire_->socket().set_option(asio::socket_base::linger(true, 0), ignored);
}

void Connection::on_gone(std::function<void()> call) {
    on_gone_ = std::move(call);
    if (gone_) went();
}

// While the handler works the client has nothing to say; so what makes the socket readable is its end, or
// the next request, which can wait. Listening begins with the first tick that finds the handler still at
// work: most requests are over by then and save the system call.
void Connection::wait_for_silence_to_end() {
    listening_ = true;
    wire_->socket().async_wait(tcp::socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
        if (error) return;
        self->listening_ = false;
        if (self->phase_ == Phase::handling && peer_is_gone(self->wire_->socket())) self->went();
    });
}

void Connection::ticked() {
    if (phase_ != Phase::handling || gone_) return;
    if (peer_is_gone(wire_->socket())) went();
    else if (on_gone_ && !listening_) wait_for_silence_to_end();
}

void Connection::went() {
    gone_ = true;
    last_ = true;
    if (auto call = std::exchange(on_gone_, nullptr)) call();
}

void Connection::expired() {
    too_slow_ = true;
    if (phase_ == Phase::handling) gone_ = true;
    boost::system::error_code ignored;
    wire_->socket().cancel(ignored);
}

void Connection::finish_up() {
    last_ = true;
    if (phase_ != Phase::idle) return;
    boost::system::error_code ignored;
    wire_->socket().cancel(ignored);
}

void Connection::cut() {
    if (phase_ == Phase::handling) went();
    boost::system::error_code ignored;
    wire_->socket().close(ignored);
}

}  // namespace hanse::net
