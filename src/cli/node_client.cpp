// SPDX-License-Identifier: Apache-2.0
#include "node_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <charconv>
#include <exception>
#include <format>
#include <glaze/glaze.hpp>

#include "sse.hpp"

namespace hanse::cli {
namespace asio = boost::asio;
namespace wire {

struct ModelEntry {
    std::string id;
};

struct ModelList {
    std::vector<ModelEntry> data;
};

}  // namespace wire

namespace {

constexpr std::size_t body_max = 16U << 20;

// Runs one coroutine to its end on this thread, or until `stop`; then everything it held is dropped, which
// closes the connection, and nothing comes back.
template <typename Value>
std::optional<Value> run(asio::awaitable<Value> work, const std::atomic<bool>* stop) {
    asio::io_context context(1);
    std::optional<Value> outcome;
    std::exception_ptr thrown;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr exception, Value value) {
        thrown = exception;
        outcome = std::move(value);
    });
    while (!outcome && !context.stopped() && !(stop != nullptr && stop->load())) context.run_for(std::chrono::milliseconds{50});
    if (thrown) std::rethrow_exception(thrown);
    return outcome;
}

}  // namespace

struct NodeClient::State {
    net::Url url;
    std::string key;
    std::shared_ptr<net::Client> client;

    net::ClientRequest request(net::Method method, std::string_view path, std::string_view body) const {
        net::ClientRequest request;
        request.method = method;
        request.target = (url.path == "/" ? "" : url.path) + std::string(path);
        request.headers.add("User-Agent", "hanse");
        if (!key.empty()) request.headers.add("Authorization", "Bearer " + key);
        if (!body.empty()) request.headers.add("Content-Type", "application/json");
        request.body = body;
        return request;
    }
    asio::awaitable<base::Result<std::string>> whole(net::Method method, std::string path, std::string given) {
        auto stream = co_await client->send(request(method, path, given), base::Deadline::never());
        if (!stream) co_return std::unexpected(stream.error());
        auto body = co_await (*stream)->read_all(body_max);
        if (!body) co_return std::unexpected(body.error());
        if ((*stream)->status() != 200) co_return std::unexpected(read_error((*stream)->status(), *body));
        co_return body;
    }
    asio::awaitable<base::Result<void>> stream_chat(std::string_view body, ChatOutcome& outcome,
                                                    const std::function<void(std::string_view)>& on_text);
};

NodeClient::NodeClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
NodeClient::NodeClient(NodeClient&&) noexcept = default;
NodeClient::~NodeClient() = default;

double ChatOutcome::tokens_per_second() const {
    const double seconds = total.count() - first_token.count();
    return completion_tokens > 1 && seconds > 0 ? (completion_tokens - 1) / seconds : 0;
}

base::Result<NodeClient> NodeClient::open(const std::string& url, std::string api_key, std::string ca_file) {
    auto parsed = net::Url::parse(url);
    if (!parsed) return std::unexpected(parsed.error());
    // People give the address as OpenAI's clients want it, too.
    while (parsed->path.size() > 1 && parsed->path.ends_with('/')) parsed->path.pop_back();
    if (parsed->path.ends_with("/v1")) parsed->path.erase(parsed->path.size() - 3);
    net::ClientOptions options;
    options.connect_timeout = std::chrono::seconds{5};
    options.idle_timeout = std::chrono::minutes{10};  // a model that loads, a long prompt
    options.ca_file = std::move(ca_file);
    auto client = net::Client::open(*parsed, options);
    if (!client) return std::unexpected(client.error());
    return NodeClient(std::unique_ptr<State>(new State{std::move(*parsed), std::move(api_key), std::move(*client)}));
}

base::Result<std::vector<std::string>> NodeClient::models() {
    const auto body = *run(state_->whole(net::Method::get, "/v1/models", {}), nullptr);
    if (!body) return std::unexpected(body.error());
    wire::ModelList list;
    if (glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(list, *body))
        return base::fail(base::ErrorKind::corrupt, "the node's list of models is not the JSON it should be");
    std::vector<std::string> names;
    for (wire::ModelEntry& entry : list.data) names.push_back(std::move(entry.id));
    return names;
}

base::Result<std::string> NodeClient::post(const std::string& path, const std::string& body) {
    return *run(state_->whole(net::Method::post, path, body), nullptr);
}

std::optional<double> NodeClient::memory_bytes() {
    const auto body = *run(state_->whole(net::Method::get, "/metrics", {}), nullptr);
    if (!body) return {};
    constexpr std::string_view name = "\nprocess_resident_memory_bytes ";
    const auto at = ("\n" + *body).find(name);
    if (at == std::string::npos) return {};
    double value = 0;
    const char* begin = body->data() + at + name.size() - 1;
    if (std::from_chars(begin, body->data() + body->size(), value).ec != std::errc{}) return {};
    return value;
}

asio::awaitable<base::Result<void>> NodeClient::State::stream_chat(std::string_view body, ChatOutcome& outcome,
                                                                   const std::function<void(std::string_view)>& on_text) {
    const auto began = std::chrono::steady_clock::now();
    net::ClientRequest asked = request(net::Method::post, "/v1/chat/completions", body);
    asked.headers.add("Accept", "text/event-stream");
    auto stream = co_await client->send(std::move(asked), base::Deadline::never());
    if (!stream) co_return std::unexpected(stream.error());
    if ((*stream)->status() != 200) {
        auto told = co_await (*stream)->read_all(body_max);
        co_return std::unexpected(read_error((*stream)->status(), told ? *told : ""));
    }
    SseReader reader;
    base::Result<void> result;
    bool done = false;
    while (result && !done) {
        auto piece = co_await (*stream)->read();
        if (!piece) co_return std::unexpected(piece.error());
        if (piece->empty()) break;
        auto taken = reader.take(*piece, [&](std::string_view data) {
            if (!result || done) return;
            if (data == "[DONE]") {
                done = true;
                return;
            }
            auto text = read_chat_chunk(data, outcome);
            if (!text) {
                result = std::unexpected(text.error());
                return;
            }
            if (text->empty()) return;
            if (outcome.text.empty()) outcome.first_token = std::chrono::steady_clock::now() - began;
            outcome.text += *text;
            on_text(*text);
        });
        if (!taken) co_return std::unexpected(taken.error());
    }
    outcome.total = std::chrono::steady_clock::now() - began;
    if (result && !done) co_return base::fail(base::ErrorKind::unavailable, "the node broke the answer off");
    co_return result;
}

base::Result<ChatOutcome> NodeClient::chat(const ChatAsk& ask, const std::function<void(std::string_view)>& on_text,
                                           const std::atomic<bool>& stop) {
    ChatOutcome outcome;
    const std::string body = chat_request_json(ask);
    const auto done = run(state_->stream_chat(body, outcome, on_text), &stop);
    if (!done) outcome.stopped = true;
    else if (!*done) return std::unexpected(done->error());
    return outcome;
}

}  // namespace hanse::cli
