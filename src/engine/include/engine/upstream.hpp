// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/client.hpp"

namespace hanse::engine {

// A model server elsewhere that speaks the OpenAI protocol (vLLM, SGLang, llama-server, Ollama).
struct UpstreamSpec {
    std::string name;
    std::string url;      // "http://127.0.0.1:8001/v1"
    std::string api_key = {};
    std::vector<std::pair<std::string, std::string>> models;  // our name, its name there
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds head_timeout{600'000};
    std::chrono::milliseconds idle_timeout{120'000};
    std::chrono::milliseconds health_interval{5'000};
    unsigned retries = 2;              // before the first byte of an answer only
    unsigned failures_to_open = 5;     // consecutive failures that open the circuit
    std::chrono::milliseconds open_for{10'000};
    std::string ca_file = {};
};

// Requests to one upstream, with health, retries before the first byte, and a circuit breaker (closed →
// open after failures → half open with one trial request). Bodies pass through untouched. Thread-safe; runs
// on the calling coroutine's executor.
class Upstream {
public:
    struct Parts {
        UpstreamSpec spec;
        base::Clock& clock;
        base::Random& random;  // jitter
        base::Log& log;
    };
    static base::Result<std::shared_ptr<Upstream>> open(Parts parts);
    virtual ~Upstream() = default;

    virtual const UpstreamSpec& spec() const = 0;
    virtual bool healthy() const = 0;
    // POSTs to `path` below the spec's URL, as "/chat/completions". A status of the upstream below 500 (429
    // apart) is an answer and comes back as it is; 5xx, 429 and broken connections are retried on the spec's
    // terms, then come back as the answer or as `unavailable`. `body` must live until then.
    virtual boost::asio::awaitable<base::Result<std::unique_ptr<net::ClientStream>>> post(
        std::string path, net::Headers headers, std::string_view body, base::Deadline deadline) = 0;
    // Asks GET /models (or /health); the node calls it each health_interval.
    virtual boost::asio::awaitable<void> probe() = 0;
};

}  // namespace hanse::engine
