// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "api/service.hpp"
#include "base/sim_disk.hpp"
#include "engine/fake_model.hpp"
#include "fake_exchange.hpp"
#include "task/declassifications.hpp"
#include "task/desk.hpp"
#include "task/fake_recorder.hpp"
#include "task/keys.hpp"

namespace hanse::api {

// An upstream without a socket: answers with the pieces given, then ends well or breaks.
class FakeUpstream final : public engine::Upstream {
public:
    struct Sent {
        std::string path;
        net::Headers headers;
        std::string body;
    };
    unsigned status = 200;
    std::string content_type = "application/json";
    std::vector<std::string> pieces = {};
    bool tells_length = true;
    std::string receipt = {};  // that it names in the head of its answer
    bool breaks = false;
    bool is_healthy = true;
    std::optional<base::Error> refusal = {};
    std::vector<Sent> sent = {};

    explicit FakeUpstream(engine::UpstreamSpec spec) : spec_(std::move(spec)) {}
    const engine::UpstreamSpec& spec() const override { return spec_; }
    bool healthy() const override { return is_healthy; }
    boost::asio::awaitable<void> probe() override { co_return; }
    boost::asio::awaitable<base::Result<std::unique_ptr<net::ClientStream>>> post(std::string path, net::Headers headers,
                                                                                  std::string_view body, base::Deadline) override {
        sent.push_back({std::move(path), std::move(headers), std::string(body)});
        if (refusal) co_return std::unexpected(*refusal);
        co_return std::make_unique<Stream>(*this);
    }

private:
    class Stream final : public net::ClientStream {
    public:
        explicit Stream(const FakeUpstream& from) : from_(from) {
            headers_.add("content-type", from.content_type);
            if (!from.receipt.empty()) headers_.add("hanse-receipt", from.receipt);
            std::size_t size = 0;
            for (const auto& piece : from.pieces) size += piece.size();
            if (from.tells_length) headers_.add("content-length", std::to_string(size));
        }
        unsigned status() const override { return from_.status; }
        const net::Headers& headers() const override { return headers_; }
        boost::asio::awaitable<base::Result<std::string_view>> read() override {
            if (next_ < from_.pieces.size()) co_return std::string_view(from_.pieces[next_++]);
            if (from_.breaks) co_return base::fail(base::ErrorKind::unavailable, "the upstream broke off", "upstream_broken");
            co_return std::string_view();
        }
        boost::asio::awaitable<base::Result<std::string>> read_all(std::size_t) override {
            std::string all;
            while (true) {
                auto piece = co_await read();
                if (!piece) co_return std::unexpected(piece.error());
                if (piece->empty()) co_return all;
                all += *piece;
            }
        }

    private:
        const FakeUpstream& from_;
        net::Headers headers_;
        std::size_t next_ = 0;
    };
    engine::UpstreamSpec spec_;
};

class RememberingSink final : public task::TraceSink {
public:
    void accept(const task::Trace& trace) override { traces.push_back(trace); }
    std::vector<task::Trace> traces;
};

// The real Service and Desk over a fake model, a fake upstream and a clock that stands still: everything of
// this room but the socket.
class Stage {
public:
    struct Options {
        engine::FakeModel::Script model = {};
        ServiceOptions service = {.version = "1", .require_keys = false, .background = false};
        task::DeskOptions desk = {};
        std::string policy = policy_with_the_upstream();
        bool traced = false;
        bool journal = true;
        Service::Parts::JournalFolder folder = {};  // of the log that is served
        std::optional<privacy::Directory> directory = {};  // none: no recogniser
    };
    // What a node without a policy file has, with the upstream on the same machine.
    static std::string policy_with_the_upstream() {
        const std::string here[] = {"elsewhere"};
        return label::policy_without_file(here);
    }
    static std::shared_ptr<task::Rules> rules_of(std::string_view policy, const std::optional<privacy::Directory>& directory = {}) {
        auto recogniser = directory ? privacy::Recogniser::create({.directory = *directory}).value() : nullptr;
        return std::make_shared<task::Rules>(label::Policy::read(policy, "policy.toml").value(), nullptr, std::move(recogniser));
    }
    static std::shared_ptr<task::Declassifications> book(base::SimDisk& disk) {
        (void)disk.make_folder("/data");
        return task::Declassifications::open({.disk = disk, .used_up = "/data/declassified.tsv"}).value();
    }
    Stage() : Stage(Options{}) {}
    explicit Stage(Options given)
        : folder(std::filesystem::temp_directory_path() / ("hanse_api_" + std::to_string(base::SystemRandom().next()))),
          model(std::make_shared<engine::FakeModel>(given.model)),
          pool({.specs = {{.name = given.model.name, .path = "/nowhere"}},
                .clock = clock,
                .log = base::silent_log(),
                .loader = [this](const engine::ModelSpec&) -> base::Result<std::shared_ptr<engine::Model>> { return model; }}),
          upstream(std::make_shared<FakeUpstream>(
              engine::UpstreamSpec{.name = "elsewhere", .url = "http://upstream/v1", .models = {{"far", "far-there"}, {"same", "same"}}})),
          desk({.models = pool,
                .upstreams = {upstream},
                .clock = clock,
                .log = base::silent_log(),
                .traces = given.traced ? &sink : nullptr,
                .rules = rules_of(given.policy, given.directory),
                .declassifications = book(disk),
                .recorder = given.journal ? &recorder : nullptr,
                .options = given.desk}),
          keys(
              *task::KeyRing::open({(folder / "keys.json").string(), (folder / "usage.json").string(), clock, random, base::silent_log()})),
          service({.desk = desk, .keys = *keys, .clock = clock, .random = random, .log = base::silent_log(), .options = given.service, .journal = given.folder}) {
        // Loaded beforehand, so that tests need not wait for the pool's thread.
        std::promise<void> loaded;
        pool.get(given.model.name, [&](auto) { loaded.set_value(); });
        loaded.get_future().wait();
    }
    ~Stage() { std::filesystem::remove_all(folder); }

    // Starts a request; it runs as far as it can.
    std::shared_ptr<FakeExchange> begin(net::Request request) {
        auto exchange = std::make_shared<FakeExchange>(std::move(request));
        boost::asio::co_spawn(context, serve(service.handler(), exchange), [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
        run();
        return exchange;
    }
    std::shared_ptr<FakeExchange> post(std::string path, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
        return begin(make(net::Method::post, std::move(path), std::move(body), headers));
    }
    std::shared_ptr<FakeExchange> get(std::string path, std::vector<std::pair<std::string, std::string>> headers = {}) {
        return begin(make(net::Method::get, std::move(path), {}, headers));
    }
    static net::Request make(net::Method method, std::string path, std::string body,
                             const std::vector<std::pair<std::string, std::string>>& headers) {
        net::Request request;
        request.method = method;
        request.path = std::move(path);
        request.body = std::move(body);
        request.peer = "127.0.0.1";
        request.headers.add("host", "localhost:8080");
        for (const auto& [name, value] : headers) request.headers.add(name, value);
        return request;
    }
    void run() {
        context.restart();
        context.poll();
    }
    // One step of the model by hand, and what follows from it.
    void step() {
        model->step();
        run();
    }

    std::filesystem::path folder;
    base::ManualClock clock;
    base::SeededRandom random{7};
    boost::asio::io_context context{1};
    RememberingSink sink;
    base::SimDisk disk;
    task::FakeRecorder recorder{clock};
    std::shared_ptr<engine::FakeModel> model;
    engine::ModelPool pool;
    std::shared_ptr<FakeUpstream> upstream;
    task::Desk desk;
    std::unique_ptr<task::KeyRing> keys;
    Service service;

private:
    static boost::asio::awaitable<void> serve(net::Handler handler, std::shared_ptr<FakeExchange> exchange) { co_await handler(*exchange); }
};

}  // namespace hanse::api
