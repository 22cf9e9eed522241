// SPDX-License-Identifier: Apache-2.0
#include "net/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <format>
#include <optional>

#include "client_connection.hpp"
#include "net/mutual_client.hpp"
#include "tls.hpp"

namespace hanse::net {
namespace {

namespace asio = boost::asio;

asio::io_context& context_of(const asio::any_io_executor& executor) {
    return static_cast<asio::io_context&>(asio::query(executor, asio::execution::context));
}

base::Deadline in(std::chrono::milliseconds span) { return base::Deadline::after(std::chrono::steady_clock::now(), span); }

class PooledStream final : public ClientStream {
public:
    PooledStream(std::unique_ptr<ClientConnection> connection, asio::io_context& context, ClientIdentity client, ClientOptions options,
                 base::Deadline deadline)
        : connection_(std::move(connection)),
          context_(context),
          client_(std::move(client)),
          options_(std::move(options)),
          deadline_(deadline),
          status_(connection_->message().result_int()) {
        for (const auto& field : connection_->message())
            headers_.add({field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()});
    }
    ~PooledStream() override { give_back(); }

    unsigned status() const override { return status_; }
    const Headers& headers() const override { return headers_; }

    asio::awaitable<base::Result<std::string_view>> read() override {
        if (!connection_) co_return std::string_view();
        auto piece = co_await connection_->read_body(in(options_.idle_timeout).sooner(deadline_));
        if (!piece) {
            connection_.reset();
            co_return std::unexpected(piece.error());
        }
        piece_ = std::move(*piece);
        if (piece_.empty()) give_back();
        co_return std::string_view(piece_);
    }

    asio::awaitable<base::Result<std::string>> read_all(std::size_t limit) override {
        std::string whole;
        while (true) {
            auto piece = co_await read();
            if (!piece) co_return std::unexpected(piece.error());
            if (piece->empty()) co_return whole;
            if (whole.size() + piece->size() > limit)
                co_return base::fail(base::ErrorKind::too_large, std::format("the other server's answer is longer than {} bytes", limit));
            if (whole.empty()) whole = std::exchange(piece_, {});
            else whole += *piece;
        }
    }

private:
    void give_back() {
        if (!connection_ || !connection_->reusable()) return;
        asio::use_service<IdleConnections>(context_).give(client_, std::move(connection_), options_.idle_connections_max);
    }

    std::unique_ptr<ClientConnection> connection_;
    asio::io_context& context_;
    ClientIdentity client_;
    ClientOptions options_;
    base::Deadline deadline_;
    unsigned status_;
    Headers headers_;
    std::string piece_;
};

class HttpClient final : public Client {
public:
    HttpClient(Url origin, ClientOptions options, std::optional<asio::ssl::context> tls)
        : origin_(std::move(origin)),
          options_(std::move(options)),
          tls_(std::move(tls)) {
        const bool usual = origin_.port == (origin_.secure ? 443 : 80);
        host_ = origin_.host.contains(':') ? std::format("[{}]", origin_.host) : origin_.host;
        if (!usual) host_ += std::format(":{}", origin_.port);
    }

    asio::awaitable<base::Result<std::unique_ptr<ClientStream>>> send(ClientRequest request, base::Deadline deadline) override {
        auto& context = context_of(co_await asio::this_coro::executor);
        const std::string head = head_of(request);
        const bool is_head = request.method == Method::head;
        auto connection = asio::use_service<IdleConnections>(context).take(identity_);
        if (connection) {
            auto done = co_await connection->exchange(head, request.body, is_head, in(options_.head_timeout).sooner(deadline));
            if (done) co_return stream(std::move(connection), context, deadline);
            // The peer may have closed it just now. If it had begun to answer, or was merely slow, it has the request.
            if (connection->got_bytes() || done.error().kind == base::ErrorKind::deadline) co_return std::unexpected(done.error());
        }
        auto fresh = co_await connect(context, in(options_.connect_timeout).sooner(deadline));
        if (!fresh) co_return std::unexpected(fresh.error());
        connection = std::move(*fresh);
        auto done = co_await connection->exchange(head, request.body, is_head, in(options_.head_timeout).sooner(deadline));
        if (!done) co_return std::unexpected(done.error());
        co_return stream(std::move(connection), context, deadline);
    }

private:
    std::unique_ptr<ClientStream> stream(std::unique_ptr<ClientConnection> connection, asio::io_context& context, base::Deadline deadline) {
        return std::make_unique<PooledStream>(std::move(connection), context, identity_, options_, deadline);
    }

    std::string head_of(const ClientRequest& request) const {
        std::string head;
        head.reserve(512);
        head += name(request.method);
        head += ' ';
        head += request.target.empty() ? "/" : request.target;
        head += " HTTP/1.1\r\nHost: ";
        head += host_;
        head += "\r\n";
        for (const auto& [key, value] : request.headers) {
            head += key;
            head += ": ";
            head += value;
            head += "\r\n";
        }
        if (!request.body.empty() || request.method == Method::post || request.method == Method::put)
            head.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
        head += "\r\n";
        return head;
    }

    asio::awaitable<base::Result<std::unique_ptr<ClientConnection>>> connect(asio::io_context& context, base::Deadline limit) {
        std::vector<tcp::endpoint> endpoints;
        boost::system::error_code error;
        const auto address = asio::ip::make_address(origin_.host, error);
        if (!error) {
            endpoints.emplace_back(address, origin_.port);
        } else {
            tcp::resolver resolver(context);
            auto [failed, found] =
                co_await resolver.async_resolve(origin_.host, std::to_string(origin_.port), asio::as_tuple(asio::use_awaitable));
            if (failed)
                co_return base::fail(base::ErrorKind::unavailable,
                                     std::format("the host {} is not known: {}", origin_.host, failed.message()));
            for (const auto& entry : found) endpoints.push_back(entry.endpoint());
        }
        for (const auto& endpoint : endpoints) {
            tcp::socket socket(context);
            socket.open(endpoint.protocol(), error);
            if (!error) error = co_await connect_within(socket, endpoint, limit);
            if (error) continue;
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            auto wire = tls_ ? tls_client_wire(std::move(socket), *tls_, origin_.host) : plain_wire(std::move(socket));
            auto connection = std::make_unique<ClientConnection>(std::move(wire));
            asio::use_service<Watchdog>(context).watch(*connection);
            error = co_await connection->handshake(limit);
            if (!error) co_return connection;
        }
        co_return base::fail(base::ErrorKind::unavailable, std::format("cannot connect to {}: {}", host_, error.message()));
    }

    static asio::awaitable<boost::system::error_code> connect_within(tcp::socket& socket, tcp::endpoint endpoint, base::Deadline limit) {
        struct Guard final : Watched {
            tcp::socket& socket;
            explicit Guard(tcp::socket& s) : socket(s) {}
            void expired() override {
                boost::system::error_code ignored;
                socket.cancel(ignored);
            }
        } guard(socket);
        guard.arm(limit);
        asio::use_service<Watchdog>(context_of(socket.get_executor())).watch(guard);
        auto [error] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
        co_return error;
    }

    Url origin_;
    ClientOptions options_;
    std::optional<asio::ssl::context> tls_;
    std::string host_;
    std::shared_ptr<const void> identity_ = std::make_shared<char>();
};

}  // namespace

base::Result<std::shared_ptr<Client>> Client::open(Url origin, ClientOptions options) {
    std::optional<asio::ssl::context> tls;
    if (origin.secure) {
        auto context = tls_client_context(options.ca_file);
        if (!context) return std::unexpected(context.error());
        tls = std::move(*context);
    } else if (!options.allow_insecure) {
        return base::fail(base::ErrorKind::denied, std::format("{} is not encrypted, and that is not allowed here", origin.text()));
    }
    return std::make_shared<HttpClient>(std::move(origin), std::move(options), std::move(tls));
}

base::Result<std::shared_ptr<Client>> open_mutual_client(Url origin, ClientOptions options, const std::string& certificate_file,
                                                         const std::string& key_file) {
    if (!origin.secure)
        return base::fail(base::ErrorKind::denied, std::format("{} is not encrypted, and that is not allowed here", origin.text()));
    auto context = tls_client_context(options.ca_file);
    if (!context) return std::unexpected(context.error());
    // Devices live long: they may know no TLS 1.3 and no hybrid group.
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set1_groups_list(context->native_handle(), "X25519MLKEM768/SecP256r1MLKEM768/X25519:P-256:P-384");
    boost::system::error_code error;
    context->use_certificate_chain_file(certificate_file, error);
    if (!error) context->use_private_key_file(key_file, asio::ssl::context::pem, error);
    if (error)
        return base::fail(base::ErrorKind::invalid, std::format("the certificate {} with its key {} cannot be used: {}", certificate_file,
                                                                key_file, error.message()));
    return std::make_shared<HttpClient>(std::move(origin), std::move(options), std::move(*context));
}

}  // namespace hanse::net
