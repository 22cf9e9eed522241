// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "characters.hpp"
#include "privacy/pseudonyms.hpp"
#include "pseudonym_table.hpp"

namespace hanse::privacy {
namespace {

constexpr std::size_t number_digits_max = 6;

// What stands at `at`: a whole pseudonym's form, something that could become one with more bytes, or neither.
struct Shape {
    enum class State : std::uint8_t { no, begun, whole } state = State::no;
    std::size_t size = 0;
    std::string pseudonym = {};  // capitals, without backslashes
};

Shape shape_at(std::string_view text, std::size_t at, std::string_view word) {
    std::size_t next = at;
    const Shape begun{Shape::State::begun};
    for (const char letter : word) {
        if (next == text.size()) return begun;
        if (upper(text[next]) != letter) return {};
        ++next;
    }
    Shape shape{Shape::State::whole, 0, std::string(word)};
    const auto underscore = [&] {
        if (next < text.size() && text[next] == '\\') ++next;
        // In a JSON string the backslash of Markdown is two.
        if (next < text.size() && text[next] == '\\' && next > 0 && text[next - 1] == '\\') ++next;
        if (next == text.size()) return Shape::State::begun;
        if (text[next] != '_') return Shape::State::no;
        ++next;
        shape.pseudonym.push_back('_');
        return Shape::State::whole;
    };
    if (const auto found = underscore(); found != Shape::State::whole) return {found};
    const std::size_t digits = next;
    while (next < text.size() && is_digit(text[next]) && next - digits < number_digits_max) shape.pseudonym.push_back(text[next++]);
    if (next == text.size()) return begun;
    if (next == digits) return {};
    if (const auto found = underscore(); found != Shape::State::whole) return {found};
    for (std::size_t letters = 0; letters < tag_length; ++letters) {
        if (next == text.size()) return begun;
        const char letter = upper(text[next]);
        if (!tag_letters.contains(letter)) return {};
        shape.pseudonym.push_back(letter);
        ++next;
    }
    shape.size = next - at;
    return shape;
}

void append_in_json(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20)
                    out += std::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
                else out.push_back(c);
        }
    }
}

}  // namespace

Restorer::Restorer(Pseudonyms& pseudonyms, Within within) : pseudonyms_(&pseudonyms), within_(within) {}

std::string Restorer::feed(std::string_view piece) {
    held_ += piece;
    return drain(false);
}

std::string Restorer::finish() { return drain(true); }

std::string Restorer::drain(bool last) {
    Pseudonyms::State& state = *pseudonyms_->state_;
    std::string out;
    std::size_t at = 0;
    while (at < held_.size()) {
        bool waits = false, restored = false;
        for (const std::string_view word : state.words) {
            const Shape shape = shape_at(held_, at, word);
            waits |= shape.state == Shape::State::begun;
            if (shape.state != Shape::State::whole) continue;
            const auto found = state.by_pseudonym.find(shape.pseudonym);
            if (found == state.by_pseudonym.end()) continue;
            const std::string_view original = state.entries[found->second].original;
            if (within_ == Within::json_string) append_in_json(out, original);
            else out += original;
            ++state.evidence.restored;
            at += shape.size;
            restored = true;
            break;
        }
        if (restored) continue;
        if (waits && !last) break;
        out.push_back(held_[at++]);
    }
    held_.erase(0, at);
    return out;
}

}  // namespace hanse::privacy
