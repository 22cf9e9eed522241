// SPDX-License-Identifier: Apache-2.0
#include "openai_embeddings.hpp"

#include <algorithm>
#include <bit>
#include <format>
#include <limits>
#include <numeric>

#include "base/encoding.hpp"
#include "fields.hpp"
#include "json_write.hpp"

namespace hanse::api {
namespace {

constexpr std::size_t inputs_max = 2048;
static_assert(std::endian::native == std::endian::little, "base64 embeddings are little-endian floats");

void read_inputs(Fields& body, std::vector<task::Desk::EmbedInput>& inputs) {
    const auto path = body.at("input");
    const auto wrong = [&] {
        body.complaint().say(path, "is required and must be a string, an array of strings, of token ids, or of arrays of token ids", "invalid_type");
    };
    const auto value = body.any("input");
    if (!value) return wrong();
    const auto ids_of = [&](const JsonValue& array) {
        std::vector<engine::TokenId> ids;
        for (auto item = array.first(); item; item = item->next()) {
            const auto id = item->is(JsonKind::number) ? item->integer() : std::nullopt;
            if (!id || *id < 0 || *id > std::numeric_limits<engine::TokenId>::max()) {
                wrong();
                break;
            }
            ids.push_back(static_cast<engine::TokenId>(*id));
        }
        return ids;
    };
    if (value->is(JsonKind::string)) {
        inputs.emplace_back(value->string());
        return;
    }
    const auto first = value->is(JsonKind::array) ? value->first() : std::nullopt;
    if (!first) return wrong();
    if (first->is(JsonKind::number)) {
        inputs.emplace_back(ids_of(*value));
        return;
    }
    if (value->size() > inputs_max) return body.complaint().say(path, std::format("has more than {} entries", inputs_max));
    for (auto item = value->first(); item; item = item->next()) {
        if (item->kind() != first->kind() || (!item->is(JsonKind::string) && !item->is(JsonKind::array))) return wrong();
        if (item->is(JsonKind::string))
            inputs.emplace_back(item->string());
        else
            inputs.emplace_back(ids_of(*item));
    }
}

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
    if (base64) {
        out += '"' + base::base64(std::as_bytes(std::span(vector))) + '"';
        return;
    }
    out += '[';
    for (std::size_t i = 0; i < vector.size(); ++i) {
        if (i != 0) out += ',';
        append_number(out, vector[i]);
    }
    out += ']';
}

void append_tokens(std::string& out, std::uint32_t tokens) {
    out += R"("usage":{"prompt_tokens":)";
    append_number(out, tokens);
    out += R"(,"total_tokens":)";
    append_number(out, tokens);
    out += '}';
}

}  // namespace

boost::asio::awaitable<void> serve_embeddings(Call& call, std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) {
        co_await call.refuse(std::move(document.error()));
        co_return;
    }
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    std::vector<task::Desk::EmbedInput> inputs;
    const auto model = body.required_string("model");
    read_inputs(body, inputs);
    const auto format = body.string("encoding_format").value_or("float");
    if (format != "float" && format != "base64") complaint.say(body.at("encoding_format"), "must be \"float\" or \"base64\"");
    const auto dimensions = body.integer("dimensions", 1, 1 << 20);
    if (complaint.any()) {
        co_await call.refuse(complaint.error());
        co_return;
    }
    auto answered = co_await call.around.desk.embed(call.task, {std::move(inputs), call.task.label});
    auto embedded = answered ? call.opened(std::move(*answered)) : std::unexpected(answered.error());
    if (!embedded) {
        co_await call.refuse(std::move(embedded.error()));
        co_return;
    }
    if (dimensions && static_cast<std::uint32_t>(*dimensions) != embedded->facts.embedding_size) {
        // Cutting a vector short is sound only for models that were trained for it, which no GGUF says.
        co_await call.refuse({base::ErrorKind::invalid, std::format("dimensions must be {} for this model", embedded->facts.embedding_size),
                              "unsupported_value", "dimensions"});
        co_return;
    }
    call.count_tokens(embedded->result.tokens, 0, 0);
    std::string out = R"({"object":"list","data":[)";
    for (std::size_t i = 0; i < embedded->result.vectors.size(); ++i) {
        out += i == 0 ? R"({"object":"embedding","index":)" : R"(,{"object":"embedding","index":)";
        append_number(out, i);
        out += R"(,"embedding":)";
        append_vector(out, embedded->result.vectors[i], format == "base64");
        out += '}';
    }
    out += R"(],"model":)";
    append_quoted(out, model);
    out += ',';
    append_tokens(out, embedded->result.tokens);
    out += '}';
    co_await call.answer(200, std::move(out));
}

boost::asio::awaitable<void> serve_rerank(Call& call, std::string_view text) {
    auto document = JsonDocument::parse(text);
    if (!document) {
        co_await call.refuse(std::move(document.error()));
        co_return;
    }
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    const auto model = body.required_string("model");
    auto query = body.required_string("query");
    std::vector<std::string> documents;
    const auto path = body.at("documents");
    if (const auto list = body.of_kind("documents", JsonKind::array)) {
        if (list->size() > inputs_max) complaint.say(path, std::format("has more than {} entries", inputs_max));
        std::int64_t index = 0;
        for (auto item = list->first(); item && !complaint.any(); item = item->next()) {
            const JsonPath here{&path, {}, index++};
            if (item->is(JsonKind::string)) {
                documents.push_back(item->string());
            } else {
                Fields entry(*item, here, complaint);
                documents.push_back(entry.required_string("text"));
            }
        }
    }
    if (documents.empty()) complaint.say(path, "is required and must be an array with at least one entry", "missing_field");
    const auto top_n = body.integer("top_n", 1, std::numeric_limits<std::int32_t>::max());
    const bool return_documents = body.boolean("return_documents").value_or(false);
    if (complaint.any()) {
        co_await call.refuse(complaint.error());
        co_return;
    }
    const auto kept = return_documents ? documents : std::vector<std::string>();
    auto answered = co_await call.around.desk.rerank(call.task, {{std::move(query), std::move(documents)}, call.task.label});
    auto ranked = answered ? call.opened(std::move(*answered)) : std::unexpected(answered.error());
    if (!ranked) {
        co_await call.refuse(std::move(ranked.error()));
        co_return;
    }
    call.count_tokens(ranked->tokens, 0, 0);
    std::vector<std::size_t> order(ranked->scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater(), [&](std::size_t i) { return ranked->scores[i]; });
    if (top_n && static_cast<std::size_t>(*top_n) < order.size()) order.resize(static_cast<std::size_t>(*top_n));
    std::string out = R"({"id":")" + call.around.ids.make("rerank-") + R"(","object":"list","model":)";
    append_quoted(out, model);
    out += R"(,"results":[)";
    for (std::size_t i = 0; i < order.size(); ++i) {
        out += i == 0 ? R"({"index":)" : R"(,{"index":)";
        append_number(out, order[i]);
        out += R"(,"relevance_score":)";
        append_number(out, ranked->scores[order[i]]);
        if (return_documents) {
            out += R"(,"document":{"text":)";
            append_quoted(out, kept[order[i]]);
            out += '}';
        }
        out += '}';
    }
    out += "],";
    append_tokens(out, ranked->tokens);
    out += '}';
    co_await call.answer(200, std::move(out));
}

}  // namespace hanse::api
