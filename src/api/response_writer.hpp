// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/answer_reader.hpp"
#include "engine/conversation.hpp"
#include "engine/generate.hpp"
#include "ids.hpp"

namespace hanse::api {

// Builds the output items of a response while the answer grows, and tells each step as an event of the
// Responses API: item added, part added, deltas, part done, item done. One item is open at a time; text,
// reasoning and each call are items of their own. Pure: events are appended to the string given.
class ResponseWriter {
public:
    // Without events (a whole answer) the same steps only collect.
    enum class Events : std::uint8_t { no, yes };
    ResponseWriter(Ids& ids, Events events) : ids_(ids), events_(events == Events::yes) {}

    void add(std::string& out, const std::vector<engine::AnswerPart>& parts, std::string_view logprobs);
    void finish(std::string& out);

    // `event: TYPE` with `data: {"type":TYPE,"sequence_number":N` + fields + `}`.
    void event(std::string& out, std::string_view type, std::string_view fields);
    std::string output_json() const;  // the items so far, "[…]"
    engine::Message message() const;  // the same as a turn of the conversation

private:
    enum class Open : std::uint8_t { nothing, text, reasoning, call };
    void open(std::string& out, Open what, std::string_view call_id = {}, std::string_view name = {});
    void close(std::string& out);
    void text_delta(std::string& out, std::string_view text, std::string_view logprobs);
    std::string item_json(std::string_view status) const;
    std::string part_json() const;
    std::string place(bool with_part) const;

    Ids& ids_;
    bool events_;
    std::uint64_t sequence_ = 0;
    Open open_ = Open::nothing;
    std::string item_id_ = {};
    std::string call_id_ = {};
    std::string name_ = {};
    std::string text_ = {};
    std::string logprobs_ = {};
    std::vector<std::string> done_ = {};
    engine::Message message_{.role = engine::Role::assistant};
};

}  // namespace hanse::api
