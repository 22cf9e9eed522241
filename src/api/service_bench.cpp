// SPDX-License-Identifier: Apache-2.0
// What this room costs a request on its way through to an upstream: key, limits, scan, headers, metrics, log.
// Sockets are not in it; bench/gateway has them.
#include <benchmark/benchmark.h>
#include <fcntl.h>

#include "glance.hpp"
#include "json.hpp"
#include "json_write.hpp"
#include "stage.hpp"

namespace hanse::api {
namespace {

std::string body_of(std::size_t size) {
    std::string body = R"({"model":"same","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":")";
    while (body.size() < size - 60) body += "The quick brown fox jumps over the lazy dog. ";
    return body + R"("}],"temperature":0.7,"max_tokens":64,"stream":false})";
}

void forward_1_kib(benchmark::State& state) {
    Stage::Options options;
    options.service.require_keys = true;
    options.service.access_log = open("/dev/null", O_WRONLY | O_CLOEXEC);
    Stage stage(options);
    stage.upstream->pieces = {R"({"id":"x","choices":[{"message":{"content":")" + std::string(300, 'a') + R"("}}],"usage":{"prompt_tokens":7,"completion_tokens":9}})"};
    const auto key = stage.keys->create({.name = "bench", .requests_per_minute = 1'000'000'000});
    const auto body = body_of(1024);
    const std::string bearer = "Bearer " + key->secret;
    std::size_t done = 0;
    for (auto _ : state) {
        const auto exchange = stage.post("/v1/chat/completions", body, {{"authorization", bearer}, {"content-type", "application/json"}});
        if (exchange->status != 200) state.SkipWithError("not answered");
        stage.upstream->sent.clear();
        if (++done % 1000 == 0) stage.service.flush();
    }
}
BENCHMARK(forward_1_kib);

void glance_1_kib(benchmark::State& state) {
    const auto body = body_of(1024);
    for (auto _ : state) benchmark::DoNotOptimize(glance(body));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(glance_1_kib);

void document_1_kib(benchmark::State& state) {
    const auto body = body_of(1024);
    for (auto _ : state) benchmark::DoNotOptimize(JsonDocument::parse(body));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(document_1_kib);

void verify_key(benchmark::State& state) {
    Stage stage;
    const auto key = stage.keys->create({.name = "bench"});
    for (auto _ : state) benchmark::DoNotOptimize(stage.keys->verify(key->secret));
}
BENCHMARK(verify_key);

void escape_a_token(benchmark::State& state) {
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_escaped(out, " Grüße");
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(escape_a_token);

}  // namespace
}  // namespace hanse::api
