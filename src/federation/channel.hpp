// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/identity.hpp"
#include "crypto/node_certificate.hpp"
#include "crypto/secret.hpp"
#include "federation/qkd.hpp"
#include "net/peer.hpp"

namespace hanse::federation {

// A TLS connection between two nodes with what this protocol adds inside it, before the first message. Each side
// sends, and neither waits for the other's first,
//
//   length, 4 bytes | "hanse-channel v1\n" "qkd -\n" or "qkd <key id>\n" "signature <base64>\n"
//
// where the signature is by the node's second key (crypto/node_certificate.hpp), over the side ("dialer", "acceptor"),
// 32 bytes that TLS exports for this connection, and the qkd line. TLS has proved the ML-DSA key; so an impostor has to
// break both algorithms of the profile, and nobody can relay one connection into another.
//
// With a quantum key that both sites' devices gave out under that id, everything after is sealed once more (length, 4
// bytes | AES-256-GCM) under keys made of the export and of the quantum key together: the key is added, and where its
// secrecy fails TLS's own stays.
//
// Belongs to the connection's thread; one reader and one writer at a time.
class Channel {
public:
    enum class Side : std::uint8_t { dialer, acceptor };
    struct Parts {
        std::unique_ptr<net::PeerConnection> connection;
        Side side;
        const crypto::IdentityKey& node;      // this node's
        const crypto::NodeCertificate& peer;  // checked
        QkdSource* qkd = nullptr;             // where this site has a device
        bool qkd_demanded = false;            // with this peer
        base::Random& random;
    };
    // `denied` if the peer cannot prove its second key, or a quantum key is demanded and there is none.
    static boost::asio::awaitable<base::Result<std::unique_ptr<Channel>>> open(Parts parts);

    boost::asio::awaitable<base::Result<std::size_t>> read(std::span<std::byte> into);  // 0 at the end
    boost::asio::awaitable<base::Result<void>> write(std::span<const std::byte> bytes);
    void cut() { connection_->cut(); }
    const std::string& address() const { return connection_->address(); }
    std::string group() const { return connection_->group(); }
    bool quantum() const { return !seals_.empty(); }

private:
    Channel(std::unique_ptr<net::PeerConnection> connection, base::Random& random) : connection_(std::move(connection)), random_(random) {}
    boost::asio::awaitable<base::Result<void>> fill(std::size_t size);
    boost::asio::awaitable<base::Result<std::string>> read_preamble();
    void derive(Side side, const crypto::Secret& exported, const crypto::Secret& quantum, std::string_view id);

    std::unique_ptr<net::PeerConnection> connection_;
    base::Random& random_;
    base::Bytes arrived_;  // read and not handed out, from `at_` on
    std::size_t at_ = 0;
    crypto::Secret seals_, opens_;  // empty: no inner layer
    std::uint64_t sealed_ = 0, opened_ = 0;
    crypto::Secret plain_;  // of the record at hand, from `plain_at_` on
    std::size_t plain_at_ = 0;
};

}  // namespace hanse::federation
