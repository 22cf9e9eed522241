// SPDX-License-Identifier: Apache-2.0
#include "json_text.hpp"

#include <cstddef>
#include <format>
#include <glaze/glaze.hpp>
#include <utility>

namespace hanse::forge {
namespace {

// Where the value of a member of the outermost object begins and ends; {npos, npos} if it is not there.
std::pair<std::size_t, std::size_t> value_of(std::string_view json, std::string_view key) {
    int depth = 0;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (c == '{' || c == '[') ++depth;
        else if (c == '}' || c == ']') --depth;
        else if (c == '"') {
            std::size_t end = i + 1;
            while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
            const bool is_key = depth == 1 && end < json.size() && json.substr(i + 1, end - i - 1) == key;
            const std::size_t colon = json.find_first_not_of(" \t\r\n", end + 1);
            i = end;
            if (!is_key || colon == std::string_view::npos || json[colon] != ':') continue;
            const std::size_t begin = json.find_first_not_of(" \t\r\n", colon + 1);
            if (begin == std::string_view::npos) break;
            std::size_t stop = begin;
            if (json[begin] == '"') {
                for (++stop; stop < json.size() && json[stop] != '"';) stop += json[stop] == '\\' ? 2 : 1;
                ++stop;
            } else {
                stop = std::min(json.find_first_of(",}] \t\r\n", begin), json.size());
            }
            return {begin, std::min(stop, json.size())};
        }
    }
    return {std::string_view::npos, std::string_view::npos};
}

}  // namespace

std::string json_text(std::string_view text) {
    std::string out;
    if (glz::write_json(text, out)) out = "\"\"";  // cannot fail: a plain text
    return out;
}

bool has_member(std::string_view object, std::string_view key) { return value_of(object, key).first != std::string_view::npos; }

std::string with_member(std::string_view object, std::string_view key, std::string_view value) {
    const auto [begin, end] = value_of(object, key);
    if (begin != std::string_view::npos) return std::string(object.substr(0, begin)).append(value).append(object.substr(end));
    const std::size_t brace = object.find('{');
    if (brace == std::string_view::npos) return std::string(object);
    const std::size_t next = object.find_first_not_of(" \t\r\n", brace + 1);
    const bool empty = next == std::string_view::npos || object[next] == '}';
    return std::format("{}\n  {}: {}{}{}", object.substr(0, brace + 1), json_text(key), value, empty ? "" : ",", object.substr(brace + 1));
}

}  // namespace hanse::forge
