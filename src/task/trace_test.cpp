// SPDX-License-Identifier: Apache-2.0
#include "task/trace.hpp"

#include <gtest/gtest.h>

#include "task/otlp.hpp"

namespace hanse::task {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParent, is_read_and_written_alike) {
    const auto parent = TraceParent::parse(header);
    ASSERT_TRUE(parent);
    EXPECT_TRUE(parent->sampled);
    EXPECT_EQ(parent->text(), header);
}

TEST(TraceParent, what_the_standard_forbids_is_refused) {
    for (const std::string_view text : {"", "00", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                                        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x"})
        EXPECT_FALSE(TraceParent::parse(text)) << text;
    EXPECT_TRUE(TraceParent::parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
}

TEST(Trace, opening_a_stop_closes_the_one_before) {
    Trace trace;
    base::Instant now{};
    trace.open(Stop::api_in, now);
    trace.open(Stop::engine, now + 3ms);
    trace.close(now + 10ms);
    trace.close(now + 20ms);
    ASSERT_EQ(trace.spans().size(), 2U);
    EXPECT_EQ(trace.spans()[0].duration, 3ms);
    EXPECT_EQ(trace.spans()[1].duration, 7ms);
}

TEST(Otlp, a_request_is_a_server_span_with_a_child_for_each_stop) {
    Trace trace;
    trace.self = *TraceParent::parse(header);
    trace.route = "/v1/models";
    trace.status = 200;
    trace.began_wall = base::WallTime{} + 5s;
    trace.ended = trace.began + 2ms;
    trace.open(Stop::task, trace.began);
    trace.close(trace.began + 1ms);
    EXPECT_EQ(otlp_json({.service_name = "hanse", .service_version = "1"}, {trace}),
              R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hanse"}},)"
              R"({"key":"service.version","value":{"stringValue":"1"}}]},"scopeSpans":[{"scope":{"name":"hanse"},"spans":[)"
              R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"/v1/models","kind":2,)"
              R"("startTimeUnixNano":"5000000000","endTimeUnixNano":"5002000000","attributes":[{"key":"http.route","value":{"stringValue":"/v1/models"}},)"
              R"({"key":"http.response.status_code","value":{"intValue":"200"}}],"status":{"code":0}},)"
              R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"36ad6b7169203330","parentSpanId":"b7ad6b7169203331","name":"task","kind":1,)"
              R"("startTimeUnixNano":"5000000000","endTimeUnixNano":"5001000000"}]}]}]})");
}

}  // namespace
}  // namespace hanse::task
