// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "net/client.hpp"
#include "task/trace.hpp"

namespace hanse::task {

struct OtlpOptions {
    std::string endpoint;                        // "http://collector:4318"; /v1/traces is added where there is no path
    std::string service_name = "hanse";
    std::string service_version = {};
    std::size_t queue_max = 4096;                // traces waiting; more are dropped and counted
    std::size_t batch_max = 256;
    std::chrono::milliseconds interval{2'000};
    std::string ca_file = {};
};

// One request of traces in the OTLP/HTTP JSON form (opentelemetry-proto 1.x, trace/v1, "JSON Protobuf
// Encoding"): a server span for the request and a child span per stop.
std::string otlp_json(const OtlpOptions& options, const std::vector<Trace>& traces);

// Sends finished traces to a collector. accept() costs a copy under a short lock; run() is the coroutine
// that sends batches, started once by whoever owns an executor, and ends after stop(). What a collector
// refuses or does not take in time is dropped and counted, never kept.
class OtlpExporter final : public TraceSink {
public:
    static base::Result<std::shared_ptr<OtlpExporter>> open(OtlpOptions options, base::Clock& clock, base::Log& log);
    ~OtlpExporter() override;
    void accept(const Trace& trace) override;
    boost::asio::awaitable<void> run();
    void stop();
    std::uint64_t dropped() const;
    std::uint64_t sent() const;

private:
    struct State;
    explicit OtlpExporter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
