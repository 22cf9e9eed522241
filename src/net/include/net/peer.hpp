// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/secret.hpp"

// Connections between the nodes of a federation: TLS 1.3 (RFC 9846) in which both sides show an ML-DSA-65 certificate,
// keys agreed by hybrid groups only, no session tickets and so no resumption. There is no way to a connection without
// all of that, and neither the system's authorities nor host names take part: whoever owns the context says which
// certificates are good.
namespace hanse::net {

// Which hybrid key exchanges (draft-ietf-tls-ecdhe-mlkem) are offered and taken.
//
//   standard  X25519MLKEM768; takes SecP256r1MLKEM768 and SecP384r1MLKEM1024 of a partner under `bsi` as well
//   bsi       SecP256r1MLKEM768, SecP384r1MLKEM1024: curves that BSI TR-02102-2 lists
enum class PeerGroups : std::uint8_t { standard, bsi };

struct PeerTls {
    std::string certificate;  // this node's, PEM
    crypto::Secret key;       // PKCS #8 in DER
    PeerGroups groups = PeerGroups::standard;
    // Asked on the connection's thread for each certificate (DER) that a peer shows; an error ends the handshake.
    std::function<base::Result<void>(std::span<const std::byte> certificate)> accepts;
};

// What connections are made with. Immutable and shared: a renewed certificate is a new context, and connections keep
// the one that they began with.
class PeerContext {
public:
    static base::Result<std::shared_ptr<const PeerContext>> create(PeerTls tls);
    virtual ~PeerContext() = default;
};

// One connection, after its handshake. Belongs to its executor's one thread; one reader and one writer at a time.
class PeerConnection {
public:
    virtual ~PeerConnection() = default;
    // What the peer showed, DER; it was accepted.
    virtual const base::Bytes& certificate() const = 0;
    virtual const std::string& address() const = 0;  // "192.0.2.7:8421"
    virtual std::string group() const = 0;           // "X25519MLKEM768"
    // What has come, at most as much as fits; 0 at the end. `unavailable` if the connection broke.
    virtual boost::asio::awaitable<base::Result<std::size_t>> read(std::span<std::byte> into) = 0;
    // All of it; `deadline` if the peer takes nothing for the limit.
    virtual boost::asio::awaitable<base::Result<void>> write(std::span<const std::byte> bytes) = 0;
    // A secret that both ends of this very connection have, and nobody else (RFC 8446, section 7.5).
    virtual crypto::Secret exported(std::string_view label, std::size_t size) const = 0;
    // Ends it at once; reads and writes under way fail.
    virtual void cut() = 0;
    virtual boost::asio::any_io_executor executor() = 0;
};

// Runs on the calling coroutine's executor. `unavailable` if nobody answers, `denied` if the handshake fails.
boost::asio::awaitable<base::Result<std::unique_ptr<PeerConnection>>> dial_peer(std::shared_ptr<const PeerContext> context,
                                                                                std::string host, std::uint16_t port,
                                                                                base::Deadline deadline);

// Takes connections. Handshakes run side by side, bounded in number and time; who does not finish one is dropped and
// told nothing. Belongs to the executor's one thread, which must run as long as it lives.
class PeerListener {
public:
    struct Parts {
        boost::asio::any_io_executor executor;  // of an io_context
        std::string address = "127.0.0.1";
        std::uint16_t port = 0;
        std::function<std::shared_ptr<const PeerContext>()> context;  // for the next connection
        std::function<void(std::unique_ptr<PeerConnection>)> on_peer;
        base::Log& log;
        std::size_t handshakes_max = 64;
        std::chrono::milliseconds handshake_timeout{10'000};
    };
    // `invalid` or `unavailable` with the address if it cannot listen.
    static base::Result<std::unique_ptr<PeerListener>> open(Parts parts);
    virtual ~PeerListener() = default;  // takes no more
    virtual std::uint16_t port() const = 0;
};

}  // namespace hanse::net
