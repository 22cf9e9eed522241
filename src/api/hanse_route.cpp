// SPDX-License-Identifier: Apache-2.0
#include "hanse_route.hpp"

#include <format>

#include "admission.hpp"
#include "body_texts.hpp"
#include "fields.hpp"
#include "json_write.hpp"
#include "route/fit.hpp"

namespace hanse::api {
namespace {

struct RouteAsk {
    route::Question question;
    std::string label;
    std::string text;  // what is asked
};

base::Result<RouteAsk> read_route(std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    RouteAsk ask;
    ask.question.model = body.required_string("model");
    ask.question.language = body.string("language").value_or("");
    ask.question.prompt_tokens = static_cast<std::uint32_t>(body.integer("prompt_tokens", 0, 100'000'000).value_or(0));
    ask.question.answer_tokens = static_cast<std::uint32_t>(body.integer("answer_tokens", 0, 100'000'000).value_or(0));
    if (const auto price = body.integer("price_max", 0, 1'000'000'000'000)) ask.question.price_max = static_cast<std::uint64_t>(*price);
    ask.label = body.string("label").value_or("");
    if (complaint.any()) return std::unexpected(complaint.error());
    ask.text = said_last(*document, route::Fit::text_most);
    return ask;
}

void append_candidate(std::string& out, const route::Candidate& candidate) {
    out += R"({"place":)";
    append_quoted(out, candidate.member.empty() ? "here" : std::string_view(candidate.member));
    out += R"(,"model":)";
    append_quoted(out, candidate.model);
    out += R"(,"outcome":)";
    append_quoted(out, label::name(candidate.verdict.outcome));
}

std::string routed(const task::Planned& planned) {
    std::string out = R"({"object":"hanse.route","order":[)";
    for (bool first = true; const route::Weighed& each : planned.plan.order) {
        if (!std::exchange(first, false)) out += ',';
        const route::Candidate& candidate = planned.candidates[each.candidate];
        append_candidate(out, candidate);
        if (candidate.nats_per_byte) out += std::format(R"(,"nats_per_byte":{:.4f})", *candidate.nats_per_byte);
        out += R"(,"after":[)";
        bool none = true;
        for (const auto transformation :
             {label::Transformation::pseudonymise, label::Transformation::drop, label::Transformation::branch}) {
            if (!each.after.has(bit(transformation))) continue;
            if (!std::exchange(none, false)) out += ',';
            append_quoted(out, label::name(transformation));
        }
        out += std::format(R"(],"total":{:.4f},"scores":{{)", each.total);
        for (bool begin = true; const route::Score& score : each.scores) {
            if (!std::exchange(begin, false)) out += ',';
            append_quoted(out, score.name);
            out += std::format(R"(:{{"value":{:.4f},"weight":{:.4f}}})", score.value, score.weight);
        }
        out += "}}";
    }
    out += R"(],"excluded":[)";
    for (bool first = true; const route::Weighed& each : planned.plan.excluded) {
        if (!std::exchange(first, false)) out += ',';
        const auto& candidate = planned.candidates[each.candidate];
        append_candidate(out, candidate);
        out += R"(,"exclusion":)";
        append_quoted(out, route::name(each.exclusion));
        out += R"(,"sentence":)";
        append_quoted(out, each.exclusion == route::Exclusion::rule && !candidate.reason.empty() ? candidate.reason : each.sentence);
        out += '}';
    }
    return out + "]}";
}

}  // namespace

boost::asio::awaitable<void> serve_route(Call& call) {
    const auto entered = read_label(call);
    if (!entered) {
        co_await call.refuse(entered.error());
        co_return;
    }
    const auto ask = read_route(call.exchange.request().body);
    if (!ask) {
        co_await call.refuse(ask.error());
        co_return;
    }
    if (!ask->label.empty()) {
        // As the header: it can only tighten.
        auto tightened = call.task.rules->enter(call.task.key ? &call.task.key->facts() : nullptr, ask->label);
        if (!tightened) {
            co_await call.refuse(std::move(tightened.error()));
            co_return;
        }
        call.task.label = label::join(call.task.label, *tightened);
    }
    // A stranger learns neither who else is there nor how things are labelled.
    if (!call.task.rules->tells_own_people(call.task.key ? std::string_view(call.task.key->facts().place) : "")) {
        co_await call.refuse(task::no_such_model(ask->question.model));
        co_return;
    }
    co_await call.answer(200, routed(task::plan_for(call.around.desk, call.task, ask->question, call.around.clock.wall(), ask->text)));
}

}  // namespace hanse::api
