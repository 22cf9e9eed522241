// SPDX-License-Identifier: Apache-2.0
#include "body_texts.hpp"

#include <algorithm>
#include <array>

namespace hanse::api {
namespace {

using namespace std::string_view_literals;

// Fields whose values are words of the protocol: another word there would be another request.
constexpr std::array protocol_fields{"model"sv,
                                     "role"sv,
                                     "type"sv,
                                     "id"sv,
                                     "object"sv,
                                     "status"sv,
                                     "tool_call_id"sv,
                                     "call_id"sv,
                                     "finish_reason"sv,
                                     "encoding_format"sv,
                                     "previous_response_id"sv,
                                     "detail"sv,
                                     "format"sv,
                                     "item_id"sv,
                                     "response_id"sv};
constexpr std::array opaque_fields{"data"sv, "file_data"sv, "file_id"sv, "image_url"sv};
// Fields that hold running text; their names are no context for it.
constexpr std::array plain_fields{"content"sv, "text"sv,  "input"sv, "prompt"sv,    "instructions"sv, "arguments"sv,
                                  "output"sv,  "delta"sv, "query"sv, "documents"sv, "system"sv,       "suffix"sv};
// What somebody asks, in whatever endpoint.
constexpr std::array spoken_fields{"content"sv, "text"sv, "input"sv, "prompt"sv};
constexpr std::size_t number_min = 8;  // digits of the shortest number that names somebody

struct Walk {
    const std::function<base::Result<void>(BodyText)>& visit;

    base::Result<void> value(const JsonValue& given, std::string_view field) const {
        switch (given.kind()) {
            case JsonKind::string: return string(given, field);
            case JsonKind::number:
                if (given.raw().size() < number_min) return {};
                return visit({BodyText::Sort::number, given.raw(), field, std::string(given.raw())});
            case JsonKind::array:
                for (auto item = given.first(); item; item = item->next())
                    if (auto done = value(*item, field); !done) return done;
                return {};
            case JsonKind::object: return object(given);
            default: return {};
        }
    }

    base::Result<void> string(const JsonValue& given, std::string_view field) const {
        BodyText text{BodyText::Sort::text, given.raw(), field, given.string()};
        if (text.text.starts_with("data:") || std::ranges::contains(opaque_fields, field)) text.sort = BodyText::Sort::opaque;
        else if (std::ranges::contains(protocol_fields, field)) text.sort = BodyText::Sort::name;
        else if (field == "arguments") text.sort = BodyText::Sort::arguments;
        return visit(std::move(text));
    }

    base::Result<void> object(const JsonValue& given) const {
        for (auto key = given.first(); key;) {
            const std::string field = key->string();
            if (auto done = visit({BodyText::Sort::name, key->raw(), {}, field}); !done) return done;
            const auto item = key->next();
            if (auto done = value(*item, field); !done) return done;
            key = item->next();
        }
        return {};
    }
};

}  // namespace

base::Result<void> each_text(const JsonDocument& document, const std::function<base::Result<void>(BodyText)>& visit) {
    return Walk{visit}.value(document.root(), {});
}

std::string said_last(const JsonDocument& document, std::size_t most) {
    std::string said;
    (void)each_text(document, [&](const BodyText& text) -> base::Result<void> {
        if (text.sort != BodyText::Sort::text || !std::ranges::contains(spoken_fields, text.field)) return {};
        said += text.text;
        said += '\n';
        if (said.size() > 2 * most) said.erase(0, said.size() - most);
        return {};
    });
    if (said.size() > most) said.erase(0, said.size() - most);
    return said;
}

base::Result<std::vector<privacy::Finding>> scan_text(const privacy::Recogniser& recogniser, const BodyText& text) {
    auto findings = recogniser.scan(text.text);
    if (!findings || text.field.empty() || std::ranges::contains(plain_fields, text.field)) return findings;
    // Once more with the name before it, which can only add what the text alone does not show.
    std::string with_name(text.field);
    std::ranges::replace(with_name, '_', ' ');
    with_name += ": ";
    const auto front = static_cast<std::uint32_t>(with_name.size());
    with_name += text.text;
    auto more = recogniser.scan(with_name);
    if (!more) return more;
    for (privacy::Finding finding : *more) {
        if (finding.begin < front) continue;
        finding.begin -= front;
        finding.end -= front;
        const auto overlaps = [&](const privacy::Finding& other) { return finding.begin < other.end && other.begin < finding.end; };
        if (std::ranges::none_of(*findings, overlaps)) findings->push_back(finding);
    }
    std::ranges::sort(*findings, {}, &privacy::Finding::begin);
    return findings;
}

}  // namespace hanse::api
