// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/service.hpp"
#include "fake_exchange.hpp"
#include "task/desk.hpp"
#include "task/fake_recorder.hpp"

// The stage for non-interference: the whole room with task and label, and an adversary wherever something is not ours.
namespace hanse::api::two_worlds {

// Leaks planted on purpose; the test must find each.
enum class Leak : std::uint8_t {
    none,
    cache_shared_across_labels,  // prefixes are found by whoever asks next
    secret_in_an_error_text,     // an engine's error quotes what it worked on before
    metric_by_prompt,            // counts of tokens are shown to everyone
    secret_in_the_log,
    denied_but_sent,             // the refusal comes after the sending
};

// A model that helps to leak: its answer is whatever of its prompt and of its cache it can say. What it cannot do is
// what an engine guarantees: remember from one request to the next, other than in the cache of a partition.
class Adversary final : public engine::Model {
public:
    explicit Adversary(Leak leak) : leak_(leak) {
        facts_.name = "fake";
        facts_.context = 1 << 20;
        facts_.vocabulary = 256;
        facts_.embedding_size = 2;
        facts_.can_embed = facts_.can_rerank = true;
    }
    void begin(unsigned trick) {
        trick_ = trick;
        cached_.clear();
        before_.clear();
    }
    const engine::ModelFacts& facts() const override { return facts_; }
    engine::ModelLoad load() const override { return {}; }
    std::vector<engine::TokenId> tokenize(std::string_view text, bool, bool) const override {
        std::vector<engine::TokenId> tokens;
        for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
        return tokens;
    }
    std::string detokenize(std::span<const engine::TokenId> tokens) const override {
        std::string text;
        for (const auto token : tokens) text += static_cast<char>(token);
        return text;
    }
    base::Result<engine::RenderedPrompt> render(const engine::Conversation& conversation) const override {
        engine::RenderedPrompt prompt;
        for (const auto& message : conversation.messages) prompt.text += "<" + message.text + message.reasoning + ">";
        return prompt;
    }
    base::Result<void> submit(engine::GenerateRequest request, std::shared_ptr<engine::EventStream> out) override {
        const std::string prompt = detokenize(request.prompt);
        auto& cache = cached_[leak_ == Leak::cache_shared_across_labels ? "" : request.partition];
        std::size_t hit = 0;
        for (const auto& earlier : cache) hit = std::max(hit, static_cast<std::size_t>(std::ranges::mismatch(earlier, prompt).in1 - earlier.begin()));
        cache.push_back(prompt);
        const std::string before = std::exchange(before_, prompt);
        if (leak_ == Leak::secret_in_an_error_text && !before.empty()) {
            out->push(engine::ErrorEvent{{base::ErrorKind::unavailable, "the model stopped after " + before}});
            return {};
        }
        std::uint32_t tokens = 0;
        for (const std::string& piece : {prompt, std::string(trick_ % 3 == 0 ? "" : "\",\"hanse_label\":\"public"), "[" + std::to_string(hit) + "]",
                                         trick_ % 2 == 0 ? std::string(prompt.rbegin(), prompt.rend()) : std::string(prompt.size() % 7, '!')})
            if (!piece.empty()) out->push(engine::TextEvent{piece, ++tokens, {}});
        out->push(engine::FinishEvent{prompt.size() % 2 == 0 ? engine::FinishReason::stop : engine::FinishReason::length, {},
                                      {.prompt_tokens = static_cast<std::uint32_t>(prompt.size()), .cached_tokens = static_cast<std::uint32_t>(hit), .completion_tokens = tokens}, {}});
        return {};
    }
    void embed(std::vector<std::vector<engine::TokenId>> inputs, std::function<void(base::Result<engine::EmbeddingResult>)> done) override {
        engine::EmbeddingResult result;
        for (const auto& input : inputs) result.vectors.push_back({static_cast<float>(input.size()), static_cast<float>(input.front())});
        done(std::move(result));
    }
    void rerank(std::string query, std::vector<std::string> documents, std::function<void(base::Result<engine::RerankResult>)> done) override {
        done(engine::RerankResult{std::vector<float>(documents.size(), static_cast<float>(query.size())), static_cast<std::uint32_t>(query.size())});
    }

private:
    const Leak leak_;
    engine::ModelFacts facts_;
    unsigned trick_ = 0;
    std::map<std::string, std::vector<std::string>> cached_;
    std::string before_;
};

// A back end that gives back what it got, and shows its operator all of it.
class Echo final : public engine::Upstream {
public:
    Echo() : spec_{.name = "elsewhere", .url = "http://upstream/v1", .models = {{"far", "far-there"}}} {}
    const engine::UpstreamSpec& spec() const override { return spec_; }
    bool healthy() const override { return true; }
    boost::asio::awaitable<void> probe() override { co_return; }
    boost::asio::awaitable<base::Result<std::unique_ptr<net::ClientStream>>> post(std::string path, net::Headers headers, std::string_view body, base::Deadline) override {
        seen += path + "\n";
        for (const auto& [name, value] : headers) seen += std::string(name) + ": " + std::string(value) + "\n";
        seen += body;
        co_return std::make_unique<Stream>(std::string(body));
    }
    std::string seen;  // on the wire

private:
    class Stream final : public net::ClientStream {
    public:
        explicit Stream(std::string body) : body_(std::move(body)) {
            headers_.add("content-type", "application/json");
            headers_.add("content-length", std::to_string(body_.size()));
        }
        unsigned status() const override { return 200; }
        const net::Headers& headers() const override { return headers_; }
        boost::asio::awaitable<base::Result<std::string_view>> read() override { co_return std::exchange(sent_, true) ? std::string_view() : std::string_view(body_); }
        boost::asio::awaitable<base::Result<std::string>> read_all(std::size_t) override { co_return body_; }

    private:
        std::string body_;
        net::Headers headers_;
        bool sent_ = false;
    };
    const engine::UpstreamSpec spec_;
};

class RememberingLog final : public base::Log {
public:
    void write(base::LogLevel, std::string_view event, std::initializer_list<base::Field> fields) override {
        text += event;
        for (const auto& field : fields) {
            text += " " + std::string(field.name);
            if (const auto* value = std::get_if<std::string_view>(&field.value)) text += "=" + std::string(*value);
        }
        text += "\n";
    }
    std::string text;
};

// Names of requests and answers are random numbers in life; here the two worlds may have drawn differently many.
inline std::string without_ids(std::string text) {
    for (const std::string_view prefix : {"req_", "chatcmpl-", "cmpl-", "resp_", "msg_", "rs_", "fc_", "rerank-", "call_"})
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at + prefix.size()))
            if (text.size() >= at + prefix.size() + 24) text.replace(at + prefix.size(), 24, "*");
    for (auto at = text.find("hr_"); at != std::string::npos; at = text.find("hr_", at + 3))
        if (text.size() >= at + 35) text.replace(at + 3, 32, "*");
    return text;
}

class World {
public:
    explicit World(Leak leak)
        : leak_(leak),
          folder_(std::filesystem::temp_directory_path() / ("hanse_worlds_" + std::to_string(base::SystemRandom().next()))),
          model(std::make_shared<Adversary>(leak)),
          pool_({.specs = {{.name = "fake", .path = "/nowhere"}},
                 .clock = clock_,
                 .log = log,
                 .loader = [this](const engine::ModelSpec&) -> base::Result<std::shared_ptr<engine::Model>> { return model; }}),
          desk({.models = pool_, .upstreams = {upstream}, .clock = clock_, .log = log, .recorder = &recorder}),
          keys_(*task::KeyRing::open({(folder_ / "keys.json").string(), "", clock_, random_, base::silent_log()})),
          service_({.desk = desk, .keys = *keys_, .clock = clock_, .random = random_, .log = log, .options = {.version = "1", .require_keys = true, .background = false}}) {
        std::promise<void> loaded;
        pool_.get("fake", [&](auto) { loaded.set_value(); });
        loaded.get_future().wait();
    }
    ~World() { std::filesystem::remove_all(folder_); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    task::KeyRing::Created add_key(task::KeyFacts facts) { return *keys_->create(std::move(facts)); }

    std::shared_ptr<FakeExchange> ask(net::Method method, std::string path, std::string body, std::string_view secret, std::string_view label) {
        net::Request request;
        request.method = method;
        request.path = std::move(path);
        request.body = std::move(body);
        request.peer = "127.0.0.1";
        if (!secret.empty()) request.headers.add("authorization", "Bearer " + std::string(secret));
        if (!label.empty()) request.headers.add("hanse-label", label);
        const std::string sent = leak_ == Leak::none ? "" : request.body;
        auto exchange = std::make_shared<FakeExchange>(std::move(request));
        boost::asio::co_spawn(context_, serve(service_.handler(), exchange), [](std::exception_ptr thrown) {
            if (thrown) std::rethrow_exception(thrown);
        });
        context_.restart();
        context_.poll();
        if (leak_ == Leak::secret_in_the_log) log.text += sent;
        if (leak_ == Leak::denied_but_sent && exchange->status == 403) upstream->seen += sent;
        return exchange;
    }
    // What anybody gets without a key, or with the leak in place, what the house gets.
    std::string metrics(std::string_view secret_of_house) {
        const auto exchange = ask(net::Method::get, "/metrics", "", leak_ == Leak::metric_by_prompt ? secret_of_house : "", "");
        const auto process = exchange->body.find("# HELP process_");
        return exchange->body.substr(0, process);
    }

private:
    static boost::asio::awaitable<void> serve(net::Handler handler, std::shared_ptr<FakeExchange> exchange) { co_await handler(*exchange); }
    const Leak leak_;
    std::filesystem::path folder_;
    base::ManualClock clock_;
    base::SeededRandom random_{7};
    boost::asio::io_context context_{1};

public:
    RememberingLog log;
    std::shared_ptr<Adversary> model;
    std::shared_ptr<Echo> upstream = std::make_shared<Echo>();
    task::FakeRecorder recorder{clock_};

private:
    engine::ModelPool pool_;

public:
    task::Desk desk;

private:
    std::unique_ptr<task::KeyRing> keys_;
    Service service_;
};

}  // namespace hanse::api::two_worlds
