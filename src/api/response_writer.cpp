// SPDX-License-Identifier: Apache-2.0
#include "response_writer.hpp"

#include "json_write.hpp"

namespace hanse::api {
namespace {

std::string field(std::string_view name, std::string_view text) { return ",\"" + std::string(name) + "\":" + api::quoted(text); }

}  // namespace

void ResponseWriter::event(std::string& out, std::string_view type, std::string_view fields) {
    out += "event: ";
    out += type;
    out += "\ndata: {\"type\":\"";
    out += type;
    out += R"(","sequence_number":)";
    append_number(out, sequence_++);
    out += fields;
    out += "}\n\n";
}

std::string ResponseWriter::place(bool with_part) const {
    std::string out = field("item_id", item_id_) + ",\"output_index\":" + std::to_string(done_.size());
    if (with_part) out += ",\"content_index\":0";
    return out;
}

std::string ResponseWriter::part_json() const {
    if (open_ == Open::reasoning) return R"({"type":"reasoning_text","text":)" + api::quoted(text_) + "}";
    return R"({"type":"output_text","annotations":[],"logprobs":[)" + logprobs_ + R"(],"text":)" + api::quoted(text_) + "}";
}

std::string ResponseWriter::item_json(std::string_view status) const {
    const bool begun = status != "in_progress";
    std::string out = R"({"id":)" + api::quoted(item_id_);
    if (open_ == Open::call)
        return out + R"(,"type":"function_call","status":")" + std::string(status) + '"' + field("call_id", call_id_) + field("name", name_) +
               field("arguments", text_) + "}";
    if (open_ == Open::reasoning)
        return out + R"(,"type":"reasoning","summary":[],"content":[)" + (begun ? part_json() : std::string()) + R"(],"status":")" +
               std::string(status) + "\"}";
    return out + R"(,"type":"message","status":")" + std::string(status) + R"(","role":"assistant","content":[)" +
           (begun ? part_json() : std::string()) + "]}";
}

void ResponseWriter::open(std::string& out, Open what, std::string_view call_id, std::string_view name) {
    close(out);
    open_ = what;
    item_id_ = ids_.make(what == Open::text ? "msg_" : what == Open::reasoning ? "rs_" : "fc_");
    call_id_ = call_id;
    name_ = name;
    text_.clear();
    logprobs_.clear();
    if (!events_) return;
    event(out, "response.output_item.added", ",\"output_index\":" + std::to_string(done_.size()) + ",\"item\":" + item_json("in_progress"));
    if (what != Open::call) event(out, "response.content_part.added", place(true) + ",\"part\":" + part_json());
}

void ResponseWriter::close(std::string& out) {
    if (open_ == Open::nothing) return;
    if (open_ == Open::text)
        message_.text += text_;
    else if (open_ == Open::reasoning)
        message_.reasoning += text_;
    else
        message_.tool_calls.push_back({call_id_, name_, text_});
    const auto item = item_json("completed");
    if (events_) {
        if (open_ == Open::call) {
            event(out, "response.function_call_arguments.done", place(false) + field("name", name_) + field("arguments", text_));
        } else {
            const bool text = open_ == Open::text;
            event(out, text ? "response.output_text.done" : "response.reasoning_text.done",
                  place(true) + field("text", text_) + (text ? ",\"logprobs\":[" + logprobs_ + "]" : std::string()));
            event(out, "response.content_part.done", place(true) + ",\"part\":" + part_json());
        }
        event(out, "response.output_item.done", ",\"output_index\":" + std::to_string(done_.size()) + ",\"item\":" + item);
    }
    done_.push_back(item);
    open_ = Open::nothing;
}

void ResponseWriter::text_delta(std::string& out, std::string_view text, std::string_view logprobs) {
    text_ += text;
    if (!logprobs.empty()) {
        if (!logprobs_.empty()) logprobs_ += ',';
        logprobs_ += logprobs;
    }
    if (!events_) return;
    std::string fields = place(true);
    fields += R"(,"delta":)";
    append_quoted(fields, text);
    if (open_ == Open::text) {
        fields += R"(,"logprobs":[)";
        fields += logprobs;
        fields += ']';
    }
    event(out, open_ == Open::text ? "response.output_text.delta" : "response.reasoning_text.delta", fields);
}

void ResponseWriter::add(std::string& out, const std::vector<engine::AnswerPart>& parts, std::string_view logprobs) {
    for (const auto& part : parts) {
        if (const auto* text = std::get_if<engine::AnswerText>(&part)) {
            if (open_ != Open::text) open(out, Open::text);
            text_delta(out, text->text, logprobs);
            logprobs = {};
        } else if (const auto* thought = std::get_if<engine::AnswerReasoning>(&part)) {
            if (open_ != Open::reasoning) open(out, Open::reasoning);
            text_delta(out, thought->text, {});
        } else if (const auto* begin = std::get_if<engine::ToolCallBegin>(&part)) {
            open(out, Open::call, begin->id, begin->name);
        } else if (const auto* arguments = std::get_if<engine::ToolCallArguments>(&part); arguments && open_ == Open::call) {
            text_ += arguments->text;
            if (events_) event(out, "response.function_call_arguments.delta", place(false) + field("delta", arguments->text));
        }
    }
}

void ResponseWriter::finish(std::string& out) {
    // An answer without a word is still a message.
    if (open_ == Open::nothing && done_.empty()) open(out, Open::text);
    close(out);
}

std::string ResponseWriter::output_json() const {
    std::string out = "[";
    for (const auto& item : done_) {
        if (out.size() > 1) out += ',';
        out += item;
    }
    return out + "]";
}

engine::Message ResponseWriter::message() const { return message_; }

}  // namespace hanse::api
