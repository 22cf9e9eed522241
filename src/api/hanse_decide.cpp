// SPDX-License-Identifier: Apache-2.0
#include "hanse_decide.hpp"

#include "admission.hpp"
#include "content.hpp"
#include "fields.hpp"
#include "label/reasons.hpp"

namespace hanse::api {
namespace {

struct DecideAsk {
    std::optional<std::string> model = {};
    std::optional<std::string> place = {};
    std::string label = {};
    std::string use = {};
    std::string_view request = {};  // as it stands in the body
};

base::Result<DecideAsk> read_decide(std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    DecideAsk ask{.model = body.string("model"),
                  .place = body.string("place"),
                  .label = body.string("label").value_or(""),
                  .use = body.string("use").value_or("answer")};
    if (const auto request = body.of_kind("request", JsonKind::object)) ask.request = request->raw();
    if (ask.model.has_value() == ask.place.has_value())
        complaint.say(body.at("model"), "is required, or \"place\" instead of it", "missing_field");
    if (complaint.any()) return std::unexpected(complaint.error());
    return ask;
}

// What the caller wants to know, decided as if a request came now.
base::Result<std::string> decided(const Call& call, const DecideAsk& ask) {
    const std::string_view caller = call.task.key ? std::string_view(call.task.key->facts().place) : "";
    const bool own = call.task.rules->tells_own_people(caller);
    task::Rules& rules = *call.task.rules;
    const auto& words = rules.policy().words();
    auto label = call.task.label;
    if (!ask.label.empty()) {
        // As the header: it can only tighten.
        auto tightened = rules.enter(call.task.key ? &call.task.key->facts() : nullptr, ask.label);
        if (!tightened) return std::unexpected(tightened.error());
        label = label::join(label, *tightened);
    }
    const auto use = label::read_use(ask.use, words, call.unix_time());
    if (!use) return base::fail(base::ErrorKind::invalid, "use: " + use.error().message, use.error().code, "use");
    const auto explained = [&](const label::Label& what, const label::Clearance& where) {
        return label::explanation_json(what, where, *use, words, call.task.language);
    };
    const auto answered = [](label::Outcome outcome, const std::string& rest) {
        return R"({"object":"hanse.decision","outcome":)" + label::json_text(name(outcome)) + rest + "}";
    };
    if (ask.place) {
        if (!own) return base::fail(base::ErrorKind::not_found, "there is no place of that name here", "unknown_place", "place");
        const auto place = rules.policy().clearance(*ask.place);
        return answered(label::judge(label, place, *use).outcome, R"(,"prompt":)" + explained(label, place));
    }
    const auto place = call.around.desk.find(*ask.model);
    // A model that a key may not use looks as if it were not there.
    if (!place || (call.task.key && !call.task.key->may_use(*ask.model))) return std::unexpected(task::no_such_model(*ask.model));
    const task::Way way{
        .model = *ask.model, .upstream = place->upstream ? std::string_view(place->upstream->spec().name) : "", .caller = caller};
    const auto passage = rules.preview(label, way, call.unix_time());
    const auto there = label::judge(passage->label, passage->destination, *use).outcome;
    const auto back = label::judge(passage->answer_label, passage->caller, *use).outcome;
    if (!own && (there == label::Outcome::deny || back == label::Outcome::deny)) return std::unexpected(task::no_such_model(*ask.model));
    return answered(there != label::Outcome::permit ? there : back, R"(,"prompt":)" + explained(passage->label, passage->destination) +
                                                                        R"(,"answer":)" +
                                                                        explained(passage->answer_label, passage->caller));
}

}  // namespace

boost::asio::awaitable<void> serve_decide(Call& call) {
    const auto entered = read_label(call);
    if (!entered) {
        co_await call.refuse(entered.error());
        co_return;
    }
    const auto ask = read_decide(call.exchange.request().body);
    if (ask && !ask->request.empty()) {
        const auto read = co_await read_content(call, std::make_shared<const std::string>(ask->request));
        if (!read) {
            co_await call.refuse(read.error());
            co_return;
        }
    }
    auto answer = ask ? decided(call, *ask) : std::unexpected(ask.error());
    if (answer) co_await call.answer(200, std::move(*answer));
    else co_await call.refuse(std::move(answer.error()));
}

}  // namespace hanse::api
