// SPDX-License-Identifier: Apache-2.0
#include "channel.hpp"

#include <algorithm>
#include <array>
#include <format>

#include "crypto/key_derivation.hpp"
#include "crypto/sealing.hpp"

namespace hanse::federation {
namespace {

namespace asio = boost::asio;
using base::ErrorKind;

constexpr std::string_view head = "hanse-channel v1\n", export_label = "EXPORTER-hanse-channel-v1";
constexpr std::size_t preamble_max = 1024, record_max = 64 * 1024;

std::string_view word(Channel::Side side) { return side == Channel::Side::dialer ? "dialer" : "acceptor"; }
Channel::Side other(Channel::Side side) { return side == Channel::Side::dialer ? Channel::Side::acceptor : Channel::Side::dialer; }

base::Bytes signed_bytes(Channel::Side side, const crypto::Secret& exported, std::string_view qkd_line) {
    const std::string text = std::format("{}{}\n{}\n{}", head, word(side), base::hex(exported.reveal()), qkd_line);
    const auto bytes = base::bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

void put_size(std::size_t size, base::Bytes& out) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(size >> shift));
}
std::size_t size_at(std::span<const std::byte> bytes) {
    std::size_t size = 0;
    for (const std::byte each : bytes.first(4)) size = size << 8 | std::to_integer<std::size_t>(each);
    return size;
}
std::array<std::byte, 8> counted(std::uint64_t number) {
    std::array<std::byte, 8> bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(number >> (56 - 8 * i));
    return bytes;
}

struct Preamble {
    std::string_view qkd_line, id;  // an empty id: none
    base::Bytes signature;
};
std::optional<Preamble> parse(std::string_view text) {
    if (!text.starts_with(head)) return std::nullopt;
    text.remove_prefix(head.size());
    const auto end = text.find('\n');
    if (end == text.npos || !text.starts_with("qkd ")) return std::nullopt;
    Preamble made{.qkd_line = text.substr(0, end + 1), .id = text.substr(4, end - 4), .signature = {}};
    if (made.id == "-") made.id = {};
    else if (made.id.size() > 64 || made.id.empty() || made.id.find_first_not_of("0123456789abcdefABCDEF-") != made.id.npos)
        return std::nullopt;
    text.remove_prefix(end + 1);
    constexpr std::string_view word = "signature ";
    if (!text.starts_with(word) || !text.ends_with('\n')) return std::nullopt;
    auto signature = base::from_base64(text.substr(word.size(), text.size() - word.size() - 1));
    if (!signature) return std::nullopt;
    made.signature = std::move(*signature);
    return made;
}

}  // namespace

asio::awaitable<base::Result<void>> Channel::fill(std::size_t size) {
    while (arrived_.size() - at_ < size) {
        if (at_ > 0) {
            arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(at_));
            at_ = 0;
        }
        const std::size_t before = arrived_.size();
        arrived_.resize(before + 16 * 1024);
        auto count = co_await connection_->read(std::span(arrived_).subspan(before));
        arrived_.resize(before + count.value_or(0));
        if (!count) co_return std::unexpected(count.error());
        if (*count == 0) co_return base::fail(ErrorKind::unavailable, std::format("{} ended the connection", address()), "ended");
    }
    co_return base::Result<void>{};
}

asio::awaitable<base::Result<std::string>> Channel::read_preamble() {
    auto filled = co_await fill(4);
    if (!filled) co_return std::unexpected(filled.error());
    const std::size_t size = size_at(std::span(arrived_).subspan(at_));
    if (size > preamble_max) co_return base::fail(ErrorKind::denied, std::format("{} does not begin as a node does", address()));
    filled = co_await fill(4 + size);
    if (!filled) co_return std::unexpected(filled.error());
    const auto* const begin = reinterpret_cast<const char*>(arrived_.data() + at_ + 4);
    std::string text(begin, size);
    at_ += 4 + size;
    co_return text;
}

void Channel::derive(Side side, const crypto::Secret& exported, const crypto::Secret& quantum, std::string_view id) {
    crypto::Secret both(exported.reveal().size() + quantum.reveal().size());
    std::ranges::copy(exported.reveal(), both.fill().begin());
    std::ranges::copy(quantum.reveal(), both.fill().begin() + static_cast<std::ptrdiff_t>(exported.reveal().size()));
    const auto key = [&](Side sender) {
        return crypto::hkdf_sha384(both, base::bytes_of(id), std::format("hanse inner layer v1 {}", word(sender)), 32);
    };
    seals_ = key(side);
    opens_ = key(other(side));
}

asio::awaitable<base::Result<std::unique_ptr<Channel>>> Channel::open(Parts parts) {
    std::unique_ptr<Channel> made(new Channel(std::move(parts.connection), parts.random));
    const auto exported = made->connection_->exported(export_label, 32);
    if (exported.empty()) co_return base::fail(ErrorKind::bug, "TLS exported no secret");
    const bool has_device = parts.qkd != nullptr && parts.qkd->reaches(parts.peer.member);
    // The dialer's site draws the key, the acceptor's fetches it by its id.
    std::optional<QkdKey> quantum;
    if (parts.side == Side::dialer && has_device) {
        auto fresh = co_await parts.qkd->fresh(parts.peer.member);
        if (fresh) quantum = std::move(*fresh);
        else if (parts.qkd_demanded)
            co_return base::fail(ErrorKind::denied, "no quantum key, and one is demanded: " + fresh.error().message, "no_quantum_key");
    }
    const std::string qkd_line = std::format("qkd {}\n", quantum ? quantum->id : "-");
    const auto signature = parts.node.keys()[0].sign(signed_bytes(parts.side, exported, qkd_line));
    const std::string own = std::format("{}{}signature {}\n", head, qkd_line, base::base64(signature));
    base::Bytes out;
    put_size(own.size(), out);
    out.insert(out.end(), base::bytes_of(own).begin(), base::bytes_of(own).end());
    auto written = co_await made->connection_->write(out);
    if (!written) co_return std::unexpected(written.error());

    auto text = co_await made->read_preamble();
    if (!text) co_return std::unexpected(text.error());
    const auto theirs = parse(*text);
    if (!theirs || !parts.peer.identity.keys()[0].verifies(signed_bytes(other(parts.side), exported, theirs->qkd_line), theirs->signature))
        co_return base::fail(ErrorKind::denied, std::format("{}/{} did not prove its second key", parts.peer.member, parts.peer.node),
                             "bad_channel");
    if (parts.side == Side::acceptor && !theirs->id.empty() && has_device) {
        auto same = co_await parts.qkd->by_id(parts.peer.member, std::string(theirs->id));
        if (!same)
            co_return base::fail(ErrorKind::denied, "the quantum key of the other side is not here: " + same.error().message,
                                 "no_quantum_key");
        quantum = std::move(*same);
    }
    if (parts.side == Side::acceptor && !theirs->id.empty() && !quantum)
        co_return base::fail(ErrorKind::denied,
                             std::format("{} uses quantum keys, and this site has no device for them", parts.peer.member),
                             "no_quantum_key");
    if (!quantum && parts.qkd_demanded)
        co_return base::fail(ErrorKind::denied, std::format("a quantum key is demanded with {}, and there is none", parts.peer.member),
                             "no_quantum_key");
    if (quantum) made->derive(parts.side, exported, quantum->key, quantum->id);
    co_return made;
}

asio::awaitable<base::Result<std::size_t>> Channel::read(std::span<std::byte> into) {
    if (opens_.empty()) {
        if (at_ == arrived_.size()) co_return co_await connection_->read(into);
        const std::size_t count = std::min(into.size(), arrived_.size() - at_);
        std::copy_n(arrived_.begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        co_return count;
    }
    if (plain_at_ == plain_.reveal().size()) {
        auto filled = co_await fill(4);
        if (!filled && filled.error().code == "ended" && arrived_.size() == at_) co_return 0;
        if (!filled) co_return std::unexpected(filled.error());
        const std::size_t size = size_at(std::span(arrived_).subspan(at_));
        if (size > record_max + crypto::sealed_overhead)
            co_return base::fail(ErrorKind::corrupt, std::format("{} sent a record that is too long", address()));
        filled = co_await fill(4 + size);
        if (!filled) co_return std::unexpected(filled.error());
        // Bound to its number, so that records can be neither left out nor changed in order.
        auto plain = crypto::open_sealed(opens_, std::span(arrived_).subspan(at_ + 4, size), counted(opened_++));
        if (!plain) co_return std::unexpected(plain.error());
        at_ += 4 + size;
        plain_ = std::move(*plain);
        plain_at_ = 0;
    }
    const auto rest = plain_.reveal().subspan(plain_at_);
    const std::size_t count = std::min(into.size(), rest.size());
    std::copy_n(rest.begin(), count, into.begin());
    plain_at_ += count;
    co_return count;
}

asio::awaitable<base::Result<void>> Channel::write(std::span<const std::byte> bytes) {
    if (seals_.empty()) co_return co_await connection_->write(bytes);
    base::Bytes out;
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), record_max));
        bytes = bytes.subspan(piece.size());
        const auto sealed = crypto::seal(seals_, piece, counted(sealed_++), random_);
        put_size(sealed.size(), out);
        out.insert(out.end(), sealed.begin(), sealed.end());
    }
    co_return co_await connection_->write(out);
}

}  // namespace hanse::federation
