// SPDX-License-Identifier: Apache-2.0
#include "net/server.hpp"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <format>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "connection.hpp"
#include "tls.hpp"

namespace hanse::net {
namespace {

namespace asio = boost::asio;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

// How many connections there are, and a way to wait until there are none.
class Count {
public:
    void enter() { ++now_; }
    void leave() {
        if (--now_ > 0) return;
        const std::lock_guard lock(mutex_);
        none_.notify_all();
    }
    std::size_t now() const { return now_; }
    bool wait_for_none(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        return none_.wait_for(lock, limit, [&] { return now_ == 0; });
    }

private:
    std::atomic<std::size_t> now_{0};
    std::mutex mutex_;
    std::condition_variable none_;
};

// One thread: its context, its acceptor (the kernel spreads connections over them), its connections.
class Worker {
public:
    Worker(std::shared_ptr<const Service> service, asio::ssl::context* tls, Count& count)
        : service_(std::move(service)), tls_(tls), count_(count), context_(1), acceptor_(context_), pause_(context_) {}

    ~Worker() {
        context_.stop();
        if (thread_.joinable()) thread_.join();
    }

    boost::system::error_code open(const tcp::endpoint& endpoint) {
        boost::system::error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error && service_->options.threads > 1) acceptor_.set_option(ReusePort(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        return error;
    }

    std::uint16_t port() const {
        boost::system::error_code ignored;
        return acceptor_.local_endpoint(ignored).port();
    }

    void start() {
        asio::co_spawn(context_, accept(), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }

    void finish_up() {
        asio::post(context_, [this] {
            boost::system::error_code ignored;
            acceptor_.close(ignored);
            for (const auto& connection : connections_) connection->finish_up();
        });
    }

    void cut() {
        asio::post(context_, [this] {
            for (const auto& connection : connections_) connection->cut();
        });
    }

private:
    asio::awaitable<void> accept() {
        while (acceptor_.is_open()) {
            auto [error, socket] = co_await acceptor_.async_accept(asio::as_tuple(asio::use_awaitable));
            if (!acceptor_.is_open()) co_return;
            if (error) {
                // Out of descriptors, most likely: others will close theirs.
                service_->log.warning("accept_failed", {{"reason", std::string_view(error.message())}});
                pause_.expires_after(std::chrono::milliseconds(100));
                co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
                continue;
            }
            if (count_.now() >= service_->options.connections_max) {
                service_->log.warning("too_many_connections", {{"limit", static_cast<std::int64_t>(service_->options.connections_max)}});
                continue;
            }
            serve(std::move(socket));
        }
    }

    void serve(tcp::socket socket) {
        boost::system::error_code ignored;
        // Else a small answer could wait for the acknowledgement of the one before it, some 40 ms.
        socket.set_option(tcp::no_delay(true), ignored);
        const auto remote = socket.remote_endpoint(ignored);
        const std::string peer = remote.address().to_string();
        auto wire = tls_ != nullptr ? tls_server_wire(std::move(socket), *tls_) : plain_wire(std::move(socket));
        auto connection = std::make_shared<Connection>(service_, std::move(wire), peer, tls_ != nullptr);
        asio::use_service<Watchdog>(context_).watch(*connection);
        connections_.insert(connection);
        count_.enter();
        asio::co_spawn(context_, run(std::move(connection)), asio::detached);
    }

    asio::awaitable<void> run(std::shared_ptr<Connection> connection) {
        try {
            co_await connection->run();
        } catch (const std::exception& exception) {
            service_->log.error("connection_failed", {{"what", std::string_view(exception.what())}});
            connection->cut();
        }
        connections_.erase(connection);
        count_.leave();
    }

    std::shared_ptr<const Service> service_;
    asio::ssl::context* tls_;
    Count& count_;
    asio::io_context context_;
    tcp::acceptor acceptor_;
    asio::steady_timer pause_;
    std::unordered_set<std::shared_ptr<Connection>> connections_;
    std::thread thread_;
};

class Listener final : public Server {
public:
    Listener(Parts parts, std::optional<asio::ssl::context> tls)
        : service_(std::make_shared<Service>(Service{std::move(parts.options), std::move(parts.handler), std::move(parts.on_error), parts.log})),
          tls_(std::move(tls)) {}

    ~Listener() override { drain(std::chrono::milliseconds(0)); }

    base::Result<void> open() {
        const ListenOptions& options = service_->options;
        boost::system::error_code error;
        const auto address = asio::ip::make_address(options.address, error);
        if (error) return base::fail(base::ErrorKind::invalid, std::format("\"{}\" is not an address to listen on", options.address));
        std::uint16_t port = options.port;
        for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
            auto worker = std::make_unique<Worker>(service_, tls_ ? &*tls_ : nullptr, count_);
            error = worker->open({address, port});
            if (error)
                return base::fail(base::ErrorKind::unavailable,
                                  std::format("cannot listen on {} port {}: {}", options.address, options.port, error.message()));
            port = worker->port();
            workers_.push_back(std::move(worker));
        }
        for (const auto& worker : workers_) worker->start();
        return {};
    }

    std::uint16_t port() const override { return workers_.front()->port(); }
    std::size_t connections() const override { return count_.now(); }

    bool drain(std::chrono::milliseconds limit) override {
        for (const auto& worker : workers_) worker->finish_up();
        if (count_.wait_for_none(limit)) return true;
        for (const auto& worker : workers_) worker->cut();
        count_.wait_for_none(std::chrono::seconds(2));
        return false;
    }

private:
    std::shared_ptr<const Service> service_;
    std::optional<asio::ssl::context> tls_;
    Count count_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(Parts parts) {
    std::optional<asio::ssl::context> tls;
    if (parts.options.tls) {
        auto context = tls_server_context(*parts.options.tls);
        if (!context) return std::unexpected(context.error());
        tls = std::move(*context);
    }
    auto listener = std::make_unique<Listener>(std::move(parts), std::move(tls));
    const auto opened = listener->open();
    if (!opened) return std::unexpected(opened.error());
    return listener;
}

}  // namespace hanse::net
