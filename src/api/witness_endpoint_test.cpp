// SPDX-License-Identifier: Apache-2.0
#include "api/witness_endpoint.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "base/sim_disk.hpp"
#include "fake_exchange.hpp"
#include "journal/log.hpp"

namespace hanse::api {
namespace {

template <typename Keys>
Keys keys(std::string_view name, std::uint64_t seed) {
    base::SeededRandom random(seed);
    const auto text = crypto::new_key_file(Keys::purpose, name, Keys::algorithms, {}, random);
    const auto bytes = text->reveal();
    return *Keys::from_keys(*crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({}));
}

struct WitnessEndpointTest : testing::Test {
    FakeExchange ask(net::Method method, std::string path, std::string body = {}) {
        net::Request request;
        request.method = method;
        request.path = std::move(path);
        request.body = std::move(body);
        FakeExchange exchange(std::move(request));
        boost::asio::io_context context;
        boost::asio::co_spawn(context, endpoint.serve(exchange), boost::asio::detached);
        context.run();
        return exchange;
    }

    base::SimDisk disk;
    base::ManualClock clock;
    journal::LogKeys log = keys<journal::LogKeys>("hanse.example/journal", 1);
    std::unique_ptr<journal::Witness> witness =
        *journal::Witness::open({disk, keys<journal::WitnessKeys>("hanse.example/witness", 2), log.verifiers(), "/witness"});
    WitnessEndpoint endpoint{*witness, clock};
    const std::string origin_hash = base::hex(crypto::sha256(base::bytes_of("hanse.example/journal")));
};

TEST_F(WitnessEndpointTest, speaks_the_words_of_the_specification) {
    const auto leaf = journal::leaf_hash(base::bytes_of("a"));
    const auto note = log.sign({log.origin(), 1, leaf}, 5)->whole();
    EXPECT_EQ(ask(net::Method::get, "/witness/" + origin_hash + "/checkpoint").status, 404U);
    const auto answer = ask(net::Method::post, "/witness/add-checkpoint", "old 0\n\n" + note);
    EXPECT_EQ(answer.status, 200U) << answer.body;
    EXPECT_EQ(journal::parse_signature_lines(answer.body)->size(), 2U);
    const auto conflict = ask(net::Method::post, "/witness/add-checkpoint", "old 0\n\n" + note);
    EXPECT_EQ(conflict.status, 409U);
    EXPECT_EQ(conflict.headers.get("content-type"), "text/x.tlog.size");
    EXPECT_EQ(conflict.body, "1\n");
    EXPECT_EQ(ask(net::Method::post, "/witness/add-checkpoint", "nonsense").status, 400U);
    const auto shown = ask(net::Method::get, "/witness/" + origin_hash + "/checkpoint");
    EXPECT_EQ(shown.status, 200U);
    EXPECT_EQ(journal::Note::parse(shown.body)->signatures.size(), 4U);
}

TEST_F(WitnessEndpointTest, refuses_other_methods_and_addresses) {
    EXPECT_EQ(ask(net::Method::get, "/witness/add-checkpoint").status, 405U);
    EXPECT_EQ(ask(net::Method::get, "/witness/add-checkpoint").headers.get("allow"), "POST");
    EXPECT_EQ(ask(net::Method::post, "/witness/" + origin_hash + "/checkpoint").status, 405U);
    for (const char* path : {"/witness/", "/witness/x/checkpoint", "/witness/../checkpoint"})
        EXPECT_EQ(ask(net::Method::get, path).status, 404U);
    EXPECT_TRUE(WitnessEndpoint::takes("/witness/add-checkpoint"));
    EXPECT_FALSE(WitnessEndpoint::takes("/witnesses"));
}

}  // namespace
}  // namespace hanse::api
