// SPDX-License-Identifier: Apache-2.0
#include "net/peer.hpp"

#include <gtest/gtest.h>

#include <openssl/ssl.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "crypto/node_certificate.hpp"

namespace hanse::net {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

crypto::IdentityKey key_of(std::string name, crypto::Profile profile, std::uint64_t seed) {
    base::SeededRandom random(seed);
    crypto::KeySet set{.purpose = std::string(crypto::IdentityKey::purpose), .name = std::move(name), .keys = {}};
    for (const crypto::Algorithm algorithm : crypto::algorithms_of(profile)) {
        crypto::Secret bytes(crypto::SigningKey::seed_size);
        random.fill(bytes.fill());
        set.keys.push_back(crypto::SigningKey::from_seed(algorithm, bytes).value());
    }
    return crypto::IdentityKey::from_keys(std::move(set)).value();
}

// Two members, each with a root and one node, and a charter that holds both; a listener of the second.
class PeerTest : public ::testing::Test {
protected:
    struct Member {
        crypto::IdentityKey root, node;
        std::string certificate;
        Member(const std::string& name, crypto::Profile profile, std::uint64_t seed, base::WallTime now)
            : root(key_of(name, profile, seed)),
              node(key_of(name + "/n1", profile, seed + 1)),
              certificate(crypto::issue_node_certificate(root, node.identity(), {now - 1h, now + 72h}).value()) {}
    };
    base::WallTime now = std::chrono::system_clock::now();
    Member acme{"acme", crypto::Profile::standard, 1, now}, bolt{"bolt", crypto::Profile::standard, 10, now},
        crow{"crow", crypto::Profile::standard, 20, now};
    bool acme_is_member = true;
    asio::io_context context{1};
    std::vector<std::unique_ptr<PeerConnection>> arrived;
    std::unique_ptr<PeerListener> listener;

    const crypto::Identity* root_of(std::string_view member) {
        if (member == "acme" && acme_is_member) return &acme.root.identity();
        return member == "bolt" ? &bolt.root.identity() : nullptr;
    }
    std::shared_ptr<const PeerContext> context_of(const Member& member, PeerGroups groups = PeerGroups::standard) {
        const auto accepts = [this](std::span<const std::byte> der) -> base::Result<void> {
            auto known = crypto::check_node_certificate(
                der, [this](std::string_view name) { return root_of(name); }, std::chrono::system_clock::now());
            return known ? base::Result<void>{} : std::unexpected(known.error());
        };
        return PeerContext::create(
                   {.certificate = member.certificate, .key = member.node.keys()[1].pkcs8(), .groups = groups, .accepts = accepts})
            .value();
    }
    void listen(PeerGroups groups = PeerGroups::standard) {
        listener = PeerListener::open({.executor = context.get_executor(),
                                       .context = [mine = context_of(bolt, groups)] { return mine; },
                                       .on_peer = [this](auto peer) { arrived.push_back(std::move(peer)); },
                                       .log = base::silent_log()})
                       .value();
    }
    template <typename T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T value) {
            ASSERT_FALSE(thrown);
            result.emplace(std::move(value));
        });
        context.restart();
        while (!result && context.run_one() > 0) {}
        return std::move(*result);
    }
    base::Result<std::unique_ptr<PeerConnection>> dial(std::shared_ptr<const PeerContext> with) {
        return run(dial_peer(std::move(with), "127.0.0.1", listener->port(), base::Deadline::after(std::chrono::steady_clock::now(), 20s)));
    }
    // In TLS 1.3 a client learns from its first read whether it was taken.
    base::Result<std::size_t> first_read(PeerConnection& connection) {
        std::array<std::byte, 16> into{};
        return run(connection.read(into));
    }
    void until_arrived() {
        while (arrived.empty()) context.run_one();
    }
};

TEST_F(PeerTest, both_ends_know_each_other_and_agree_on_a_hybrid_group) {
    listen();
    auto near = dial(context_of(acme));
    ASSERT_TRUE(near) << near.error().message;
    until_arrived();
    PeerConnection& far = *arrived.front();
    EXPECT_EQ((*near)->group(), "X25519MLKEM768");
    EXPECT_EQ((*near)->certificate(), crypto::certificate_der(bolt.certificate).value());
    EXPECT_EQ(far.certificate(), crypto::certificate_der(acme.certificate).value());
    const auto secret = (*near)->exported("EXPORTER-hanse", 32), same = far.exported("EXPORTER-hanse", 32);
    EXPECT_EQ(base::hex(secret.reveal()), base::hex(same.reveal()));
    EXPECT_EQ(secret.reveal().size(), 32U);
}

TEST_F(PeerTest, bytes_come_as_they_were_written_and_then_the_end) {
    listen();
    auto near = dial(context_of(acme)).value();
    until_arrived();
    base::Bytes sent(100'000, std::byte{7}), got;
    asio::co_spawn(context, near->write(sent), asio::detached);
    base::Bytes buffer(16'384);
    while (got.size() < sent.size()) {
        const auto count = run(arrived.front()->read(buffer));
        ASSERT_TRUE(count && *count > 0);
        got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*count));
    }
    EXPECT_EQ(got, sent);
    near->cut();
    const auto end = run(arrived.front()->read(buffer));
    EXPECT_TRUE(!end || *end == 0);
}

TEST_F(PeerTest, profile_bsi_agrees_on_a_curve_of_its_list_with_either_profile) {
    listen(PeerGroups::bsi);
    EXPECT_EQ(dial(context_of(acme, PeerGroups::bsi)).value()->group(), "SecP256r1MLKEM768");
    EXPECT_EQ(dial(context_of(acme, PeerGroups::standard)).value()->group(), "SecP256r1MLKEM768");
}

TEST_F(PeerTest, refuses_a_member_that_is_not_in_the_charter) {
    listen();
    auto stranger = dial(context_of(crow));
    EXPECT_TRUE(!stranger || !first_read(**stranger));
    acme_is_member = false;
    auto former = dial(context_of(acme));
    EXPECT_TRUE(!former || !first_read(**former));
    EXPECT_TRUE(arrived.empty());
}

TEST_F(PeerTest, does_not_talk_to_a_server_that_is_not_in_the_charter) {
    listener = PeerListener::open({.executor = context.get_executor(),
                                   .context = [mine = context_of(crow)] { return mine; },
                                   .on_peer = [this](auto peer) { arrived.push_back(std::move(peer)); },
                                   .log = base::silent_log()})
                   .value();
    const auto made = dial(context_of(acme));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().kind, base::ErrorKind::denied);
}

// A client of OpenSSL's own, with acme's certificate and weaker wishes.
class Downgrade : public PeerTest {
protected:
    bool reaches(const std::function<void(SSL_CTX*)>& weaken, bool with_certificate = true) {
        asio::ssl::context weak(asio::ssl::context::tls_client);
        if (with_certificate) {
            weak.use_certificate_chain(asio::buffer(acme.certificate));
            const auto key = acme.node.keys()[1].pkcs8();
            weak.use_private_key(asio::buffer(key.reveal().data(), key.reveal().size()), asio::ssl::context::asn1);
        }
        constexpr unsigned char words[] = "\x07hanse/1";
        SSL_CTX_set_alpn_protos(weak.native_handle(), words, sizeof words - 1);
        weaken(weak.native_handle());
        asio::ssl::stream<asio::ip::tcp::socket> stream(context, weak);
        stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), listener->port()});
        return run(attempt(stream));
    }
    static asio::awaitable<bool> attempt(asio::ssl::stream<asio::ip::tcp::socket>& stream) {
        constexpr auto as_data = asio::as_tuple(asio::use_awaitable);
        auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, as_data);
        if (error) co_return false;
        char byte = 'x';
        auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(&byte, 1), as_data);
        if (failed) co_return false;
        stream.next_layer().shutdown(asio::ip::tcp::socket::shutdown_send);
        auto [ended, count] = co_await stream.async_read_some(asio::buffer(&byte, 1), as_data);
        co_return ended == asio::error::eof || ended == asio::ssl::error::stream_truncated;
    }
};

TEST_F(Downgrade, a_client_as_strong_as_ours_is_taken) {
    listen();
    asio::co_spawn(
        context,
        [](std::vector<std::unique_ptr<PeerConnection>>& peers) -> asio::awaitable<void> {
            while (peers.empty()) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
            std::array<std::byte, 1> into{};
            (void)co_await peers.front()->read(into);
            peers.front()->cut();
        }(arrived),
        asio::detached);
    EXPECT_TRUE(reaches([](SSL_CTX* context) { SSL_CTX_set1_groups_list(context, "X25519MLKEM768"); }));
}

TEST_F(Downgrade, a_client_that_offers_only_classical_groups_is_refused) {
    listen();
    EXPECT_FALSE(reaches([](SSL_CTX* context) { SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384"); }));
    EXPECT_TRUE(arrived.empty());
}

TEST_F(Downgrade, an_older_tls_is_refused) {
    listen();
    EXPECT_FALSE(reaches([](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); }));
}

TEST_F(Downgrade, who_shows_no_certificate_is_refused) {
    listen();
    EXPECT_FALSE(reaches([](SSL_CTX*) {}, false));
    EXPECT_TRUE(arrived.empty());
}

TEST_F(Downgrade, who_speaks_another_protocol_is_refused) {
    listen();
    constexpr static unsigned char http[] = "\x08http/1.1";
    EXPECT_FALSE(reaches([](SSL_CTX* context) { SSL_CTX_set_alpn_protos(context, http, sizeof http - 1); }));
}

}  // namespace
}  // namespace hanse::net
