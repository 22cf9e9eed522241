// SPDX-License-Identifier: Apache-2.0
#include "veil_stream.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "json_write.hpp"

namespace hanse::api {
namespace {

using namespace std::string_view_literals;

std::optional<JsonValue> member(const JsonValue& object, std::string_view name) {
    if (!object.is(JsonKind::object)) return {};
    for (auto key = object.first(); key;) {
        auto value = key->next();
        if (key->string() == name) return value;
        key = value->next();
    }
    return {};
}

std::string index_of(const JsonValue& object, std::string_view name, std::size_t otherwise) {
    const auto value = member(object, name);
    if (value && value->is(JsonKind::number)) return std::string(value->raw());
    if (value && value->is(JsonKind::string)) return value->string();
    return std::to_string(otherwise);
}

// A running text in an event: which one, and where its next piece stands.
struct Piece {
    std::string channel;
    JsonValue value;
    bool arguments = false;
};
struct Pieces {
    std::vector<Piece> running;
    std::vector<std::string> ending;  // prefixes of channels whose text ends with this event
};

void add_strings(const JsonValue& object, const std::string& prefix, Pieces& out) {
    for (const auto name : {"content"sv, "text"sv, "reasoning_content"sv, "reasoning"sv, "refusal"sv, "arguments"sv})
        if (const auto value = member(object, name); value && value->is(JsonKind::string))
            out.running.push_back({prefix + std::string(name), *value, name == "arguments"});
}

void add_choice(const JsonValue& choice, std::size_t position, Pieces& out) {
    const std::string prefix = "choice " + index_of(choice, "index", position) + "/";
    if (const auto text = member(choice, "text"); text && text->is(JsonKind::string)) out.running.push_back({prefix + "text", *text});
    if (const auto delta = member(choice, "delta")) {
        add_strings(*delta, prefix, out);
        if (const auto call = member(*delta, "function_call")) add_strings(*call, prefix + "call/", out);
        if (const auto calls = member(*delta, "tool_calls"); calls && calls->is(JsonKind::array)) {
            std::size_t number = 0;
            for (auto call = calls->first(); call; call = call->next(), ++number)
                if (const auto function = member(*call, "function"))
                    add_strings(*function, prefix + "tool " + index_of(*call, "index", number) + "/", out);
        }
    }
    if (const auto reason = member(choice, "finish_reason"); reason && !reason->is(JsonKind::null)) out.ending.push_back(prefix);
}

Pieces pieces_of(const JsonValue& root) {
    Pieces out;
    if (const auto choices = member(root, "choices"); choices && choices->is(JsonKind::array)) {
        std::size_t position = 0;
        for (auto choice = choices->first(); choice; choice = choice->next()) add_choice(*choice, position++, out);
        return out;
    }
    // Responses: {"type":"response.output_text.delta","item_id":…,"output_index":…,"content_index":…,"delta":"…"}
    const auto type = member(root, "type");
    if (!type || !type->is(JsonKind::string)) return out;
    const std::string word = type->string();
    const std::string prefix =
        index_of(root, "item_id", 0) + "/" + index_of(root, "output_index", 0) + "/" + index_of(root, "content_index", 0) + "/";
    const auto delta = member(root, "delta");
    if (word.ends_with(".delta") && delta && delta->is(JsonKind::string))
        out.running.push_back({prefix + word, *delta, word.contains("arguments")});
    else if (word.ends_with(".done")) out.ending.push_back(index_of(root, "item_id", 0) + "/");
    else if (word.ends_with("completed") || word.ends_with("failed") || word.ends_with("incomplete")) out.ending.emplace_back();
    return out;
}

std::size_t event_end(std::string_view text, std::size_t from) {
    for (std::size_t at = text.find('\n', from); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        if (text.substr(at + 1).starts_with('\n')) return at + 2;
        if (text.substr(at + 1).starts_with("\r\n")) return at + 3;
    }
    return std::string_view::npos;
}

}  // namespace

std::string VeilStream::feed(std::string_view piece) {
    if (veil_.pseudonyms().empty()) return std::string(piece);
    waiting_ += piece;
    std::string out;
    std::size_t at = 0;
    for (std::size_t end = event_end(waiting_, 0); end != std::string_view::npos; end = event_end(waiting_, at)) {
        event(std::string_view(waiting_).substr(at, end - at), out);
        at = end;
    }
    waiting_.erase(0, at);
    return out;
}

std::string VeilStream::finish() {
    std::string out;
    if (!waiting_.empty()) {
        // Half an event is for nobody to read, and yet passed on, so that a break shows as one.
        flush({}, out);
        out += waiting_;
        waiting_.clear();
        return out;
    }
    flush({}, out);
    return out;
}

// An event has its name and comments, and one line of data, as all who speak these protocols write it. What a restorer still
// holds must come before an event that ends the text, so the lines before the data are kept until that is known.
void VeilStream::event(std::string_view whole, std::string& out) {
    const std::size_t begin = whole.starts_with("data:") ? 0 : whole.find("\ndata:");
    if (begin == std::string_view::npos) {
        out += whole;
        return;
    }
    const std::size_t line = begin == 0 ? 0 : begin + 1;
    std::size_t from = line + 5;
    if (from < whole.size() && whole[from] == ' ') ++from;
    std::size_t to = std::min(whole.find('\n', from), whole.size());
    if (to > from && whole[to - 1] == '\r') --to;
    const std::string_view json = whole.substr(from, to - from), head = whole.substr(0, from), tail = whole.substr(to);
    if (json == "[DONE]") {
        flush({}, out);
        out += whole;
        return;
    }
    const auto document = JsonDocument::parse(json);
    if (!document) {
        out += whole;
        return;
    }
    Pieces pieces = pieces_of(document->root());
    std::ranges::sort(pieces.running, {}, [](const Piece& piece) { return piece.value.raw().data(); });
    // Running texts first, so that the last piece of one that ends here is read before its restorer is emptied.
    std::vector<Edit> edits;
    for (const Piece& piece : pieces.running) {
        const std::string_view raw = piece.value.raw();
        auto channel = channels_.find(piece.channel);
        if (channel == channels_.end())
            channel =
                channels_
                    .emplace(piece.channel, Channel{privacy::Restorer(veil_.pseudonyms(), piece.arguments ? privacy::Within::json_string
                                                                                                          : privacy::Within::text)})
                    .first;
        Channel& running = channel->second;
        std::string text = running.restorer.feed(piece.value.string());
        if (std::ranges::any_of(pieces.ending, [&](const std::string& prefix) { return piece.channel.starts_with(prefix); }))
            text += running.restorer.finish();
        edits.push_back({static_cast<std::size_t>(raw.data() - json.data()), raw.size(), std::move(text)});
        running.head = head;
        running.event = json;
        running.tail = tail;
        running.value = edits.size() - 1;
    }
    for (const Piece& piece : pieces.running) channels_.find(piece.channel)->second.places = places_of(edits);
    for (const std::string& prefix : pieces.ending) flush(prefix, out);
    out += head;
    out += exchanged(json, std::move(edits), *document);
    out += tail;
}

// An event made like the last one of each text that holds something back, with that alone in it.
void VeilStream::flush(std::string_view prefix, std::string& out) {
    for (auto& [name, channel] : channels_) {
        if (!name.starts_with(prefix) || !channel.restorer.holding()) continue;
        const std::string rest = channel.restorer.finish();
        out += channel.head;
        std::size_t at = 0;
        for (std::size_t i = 0; i < channel.places.size(); ++i) {
            const auto& [begin, size] = channel.places[i];
            out += std::string_view(channel.event).substr(at, begin - at);
            append_quoted(out, i == channel.value ? std::string_view(rest) : std::string_view());
            at = begin + size;
        }
        out += std::string_view(channel.event).substr(at);
        out += channel.tail;
    }
}

std::vector<std::pair<std::size_t, std::size_t>> VeilStream::places_of(const std::vector<Edit>& edits) {
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (const Edit& edit : edits) places.emplace_back(edit.begin, edit.size);
    return places;
}

// Running texts as their restorers gave them, all other texts restored by themselves.
std::string VeilStream::exchanged(std::string_view json, std::vector<Edit> edits, const JsonDocument& document) {
    (void)each_text(document, [&](const BodyText& text) -> base::Result<void> {
        const auto begin = static_cast<std::size_t>(text.raw.data() - json.data());
        if (text.sort == BodyText::Sort::number || std::ranges::contains(edits, begin, &Edit::begin)) return {};
        privacy::Restorer restorer(veil_.pseudonyms(),
                                   text.sort == BodyText::Sort::arguments ? privacy::Within::json_string : privacy::Within::text);
        std::string back = restorer.feed(text.text);
        back += restorer.finish();
        if (back != text.text) edits.push_back({begin, text.raw.size(), std::move(back)});
        return {};
    });
    std::ranges::sort(edits, {}, &Edit::begin);
    std::string out;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        out += json.substr(at, edit.begin - at);
        append_quoted(out, edit.text);
        at = edit.begin + edit.size;
    }
    out += json.substr(at);
    return out;
}

}  // namespace hanse::api
