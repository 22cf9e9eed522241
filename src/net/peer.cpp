// SPDX-License-Identifier: Apache-2.0
#include "net/peer.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <format>
#include <vector>

#include "watchdog.hpp"

namespace hanse::net {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using base::ErrorKind;
constexpr auto as_data = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds write_timeout{30'000};
constexpr unsigned char alpn[] = "\x07hanse/1";
constexpr std::span alpn_wire(alpn, sizeof alpn - 1);

class Context final : public PeerContext {
public:
    explicit Context(PeerTls given) : tls(std::move(given)), ssl(ssl::context::tlsv13) {}
    PeerTls tls;
    mutable ssl::context ssl;
};

base::Bytes der_of(X509* certificate) {
    unsigned char* data = nullptr;
    const int size = certificate == nullptr ? 0 : i2d_X509(certificate, &data);
    if (size <= 0) return {};
    base::Bytes der(reinterpret_cast<std::byte*>(data), reinterpret_cast<std::byte*>(data) + size);
    OPENSSL_free(data);
    return der;
}

// In place of OpenSSL's own verification, which knows chains and stores but no charter.
int accept_certificate(X509_STORE_CTX* store, void* context) {
    const auto& tls = static_cast<const Context*>(context)->tls;
    // A C callback must never let an exception through.
    try {
        const base::Bytes der = der_of(X509_STORE_CTX_get0_cert(store));
        if (!der.empty() && tls.accepts(der)) return 1;
    } catch (const std::exception&) {  // out of memory is no reason to trust anybody
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size, void*) {
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, alpn_wire.data(), alpn_wire.size(), in, in_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = found;
    return SSL_TLSEXT_ERR_OK;
}

// The ways in which OpenSSL would be more forgiving than this protocol is.
bool restrict(SSL_CTX* context, PeerGroups groups) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    const char* const list =
        groups == PeerGroups::bsi ? "SecP256r1MLKEM768:SecP384r1MLKEM1024" : "X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024";
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set1_groups_list(context, list) == 1 &&
           SSL_CTX_set1_sigalgs_list(context, "mldsa65") == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256") == 1;
}

asio::io_context& context_of(const asio::any_io_executor& executor) {
    return static_cast<asio::io_context&>(asio::query(executor, asio::execution::context));
}

class Connection final : public PeerConnection, public Watched {
public:
    Connection(std::shared_ptr<const Context> context, tcp::socket socket, ssl::stream_base::handshake_type side)
        : context_(std::move(context)),
          stream_(std::move(socket), context_->ssl),
          side_(side) {
        boost::system::error_code ignored;
        // Else a token could wait for the acknowledgement of the one before it.
        stream_.next_layer().set_option(tcp::no_delay(true), ignored);
        const auto remote = stream_.next_layer().remote_endpoint(ignored);
        address_ = std::format("{}:{}", remote.address().to_string(), remote.port());
        stream_.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
        asio::use_service<Watchdog>(context_of(stream_.get_executor())).watch(*this);
    }

    asio::awaitable<base::Result<void>> handshake(base::Deadline limit) {
        arm(limit);
        auto [error] = co_await stream_.async_handshake(side_, as_data);
        disarm();
        if (error && too_slow_)
            co_return base::fail(ErrorKind::unavailable, std::format("{} did not finish the handshake in time", address_));
        if (error)
            co_return base::fail(ErrorKind::denied, std::format("the handshake with {} failed: {}", address_, error.message()),
                                 "handshake_failed");
        SSL* const session = const_cast<ssl::stream<tcp::socket>&>(stream_).native_handle();
        const unsigned char* chosen = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(session, &chosen, &size);
        if (size + 1 != alpn_wire.size())
            co_return base::fail(ErrorKind::denied, std::format("{} does not speak the federation's protocol", address_),
                                 "handshake_failed");
        certificate_ = der_of(SSL_get0_peer_certificate(session));
        co_return base::Result<void>{};
    }

    const base::Bytes& certificate() const override { return certificate_; }
    const std::string& address() const override { return address_; }
    std::string group() const override {
        const char* name = SSL_get0_group_name(const_cast<ssl::stream<tcp::socket>&>(stream_).native_handle());
        return name == nullptr ? "" : name;
    }

    asio::awaitable<base::Result<std::size_t>> read(std::span<std::byte> into) override {
        auto [error, count] = co_await stream_.async_read_some(asio::buffer(into.data(), into.size()), as_data);
        if (error == asio::error::eof || error == ssl::error::stream_truncated) co_return 0;
        if (error) co_return base::fail(ErrorKind::unavailable, std::format("the connection with {} broke: {}", address_, error.message()));
        co_return count;
    }

    asio::awaitable<base::Result<void>> write(std::span<const std::byte> bytes) override {
        arm(base::Deadline::after(std::chrono::steady_clock::now(), write_timeout));
        auto [error, count] = co_await asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), as_data);
        disarm();
        if (error && too_slow_) co_return base::fail(ErrorKind::deadline, std::format("{} takes nothing any more", address_));
        if (error) co_return base::fail(ErrorKind::unavailable, std::format("the connection with {} broke: {}", address_, error.message()));
        co_return base::Result<void>{};
    }

    crypto::Secret exported(std::string_view label, std::size_t size) const override {
        crypto::Secret made(size);
        SSL* const session = const_cast<ssl::stream<tcp::socket>&>(stream_).native_handle();
        if (SSL_export_keying_material(session, reinterpret_cast<unsigned char*>(made.fill().data()), size, label.data(), label.size(),
                                       nullptr, 0, 0) != 1)
            return {};
        return made;
    }

    void cut() override {
        boost::system::error_code ignored;
        stream_.next_layer().close(ignored);
    }

    asio::any_io_executor executor() override { return stream_.get_executor(); }

private:
    void expired() override {
        too_slow_ = true;
        cut();
    }

    std::shared_ptr<const Context> context_;
    ssl::stream<tcp::socket> stream_;
    ssl::stream_base::handshake_type side_;
    std::string address_;
    base::Bytes certificate_;
    bool too_slow_ = false;
};

// Ends a wait of a socket when its time is over.
struct Limit final : Watched {
    Limit(tcp::socket& s, base::Deadline limit) : socket(s) {
        arm(limit);
        asio::use_service<Watchdog>(context_of(socket.get_executor())).watch(*this);
    }
    void expired() override {
        boost::system::error_code ignored;
        socket.cancel(ignored);
    }
    tcp::socket& socket;
};

class Listener final : public PeerListener {
public:
    // The coroutines share this, so that the listener may go while they wait.
    struct State {
        State(Parts given) : parts(std::move(given)), acceptor(parts.executor), pause(parts.executor) {}
        Parts parts;
        tcp::acceptor acceptor;
        asio::steady_timer pause;
        std::size_t handshakes = 0;
    };
    explicit Listener(Parts parts) : state_(std::make_shared<State>(std::move(parts))) {}
    ~Listener() override {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
        state_->pause.cancel();
    }

    base::Result<void> open() {
        auto& parts = state_->parts;
        boost::system::error_code error;
        const auto address = asio::ip::make_address(parts.address, error);
        if (error) return base::fail(ErrorKind::invalid, std::format("\"{}\" is not an address to listen on", parts.address));
        const tcp::endpoint endpoint(address, parts.port);
        auto& acceptor = state_->acceptor;
        acceptor.open(endpoint.protocol(), error);
        if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor.bind(endpoint, error);
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (error)
            return base::fail(ErrorKind::unavailable,
                              std::format("cannot listen for partners on {} port {}: {}", parts.address, parts.port, error.message()));
        asio::co_spawn(parts.executor, accept(state_), asio::detached);
        return {};
    }

    std::uint16_t port() const override {
        boost::system::error_code ignored;
        return state_->acceptor.local_endpoint(ignored).port();
    }

private:
    static asio::awaitable<void> accept(std::shared_ptr<State> state) {
        while (state->acceptor.is_open()) {
            auto [error, socket] = co_await state->acceptor.async_accept(as_data);
            if (!state->acceptor.is_open()) co_return;
            if (error || state->handshakes >= state->parts.handshakes_max) {
                if (error) state->parts.log.warning("peer_accept_failed", {{"reason", std::string_view(error.message())}});
                socket.close(error);
                state->pause.expires_after(std::chrono::milliseconds(20));
                co_await state->pause.async_wait(as_data);
                continue;
            }
            ++state->handshakes;
            asio::co_spawn(state->parts.executor, greet(state, std::move(socket)), asio::detached);
        }
    }

    static asio::awaitable<void> greet(std::shared_ptr<State> state, tcp::socket socket) {
        auto context = std::static_pointer_cast<const Context>(state->parts.context());
        auto connection = std::make_unique<Connection>(std::move(context), std::move(socket), ssl::stream_base::server);
        auto done = co_await connection->handshake(base::Deadline::after(std::chrono::steady_clock::now(), state->parts.handshake_timeout));
        --state->handshakes;
        if (!state->acceptor.is_open()) co_return;
        if (done) state->parts.on_peer(std::move(connection));
        else
            state->parts.log.warning("peer_refused",
                                     {{"address", connection->address()}, {"reason", std::string_view(done.error().message)}});
    }

    std::shared_ptr<State> state_;
};

}  // namespace

base::Result<std::shared_ptr<const PeerContext>> PeerContext::create(PeerTls tls) {
    auto made = std::make_shared<Context>(std::move(tls));
    SSL_CTX* const native = made->ssl.native_handle();
    boost::system::error_code error;
    made->ssl.use_certificate_chain(asio::buffer(made->tls.certificate), error);
    const auto key = made->tls.key.reveal();
    if (!error) made->ssl.use_private_key(asio::buffer(key.data(), key.size()), ssl::context::asn1, error);
    if (error) return base::fail(ErrorKind::invalid, "the certificate of this node and its key cannot be used: " + error.message());
    if (!restrict(native, made->tls.groups))
        return base::fail(ErrorKind::bug, "this OpenSSL has not the algorithms that the federation asks for");
    SSL_CTX_set_cert_verify_callback(native, accept_certificate, made.get());
    SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
    SSL_CTX_set_alpn_protos(native, alpn_wire.data(), alpn_wire.size());
    return made;
}

base::Result<std::unique_ptr<PeerListener>> PeerListener::open(Parts parts) {
    auto made = std::make_unique<Listener>(std::move(parts));
    if (auto opened = made->open(); !opened) return std::unexpected(opened.error());
    return made;
}

asio::awaitable<base::Result<std::unique_ptr<PeerConnection>>> dial_peer(std::shared_ptr<const PeerContext> context, std::string host,
                                                                         std::uint16_t port, base::Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    std::vector<tcp::endpoint> endpoints;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) {
        endpoints.emplace_back(address, port);
    } else {
        tcp::resolver resolver(executor);
        auto [failed, found] = co_await resolver.async_resolve(host, std::to_string(port), as_data);
        if (failed) co_return base::fail(ErrorKind::unavailable, std::format("the host {} is not known: {}", host, failed.message()));
        for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    }
    for (const auto& endpoint : endpoints) {
        tcp::socket socket(executor);
        {
            const Limit limit(socket, deadline);
            auto [failed] = co_await socket.async_connect(endpoint, as_data);
            error = failed;
        }
        if (error) continue;
        auto connection =
            std::make_unique<Connection>(std::static_pointer_cast<const Context>(context), std::move(socket), ssl::stream_base::client);
        auto done = co_await connection->handshake(deadline);
        if (!done) co_return std::unexpected(done.error());
        co_return connection;
    }
    co_return base::fail(ErrorKind::unavailable, std::format("cannot connect to {} port {}: {}", host, port, error.message()));
}

}  // namespace hanse::net
