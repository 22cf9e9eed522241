// SPDX-License-Identifier: Apache-2.0
#include "call_scanner.hpp"

#include <utility>
#include "base/utf8.hpp"

namespace hanse::engine {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::uint32_t replacement = 0xFFFD;

}  // namespace

StringScanner::Took StringScanner::take(char c, std::string& out) {
    if (step_ == Step::hex) {
        const auto digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return Took::wrong;
        code_ = code_ * 16 + static_cast<std::uint32_t>(digit);
        if (++digits_ == 4) finish_escape(out);
        return Took::more;
    }
    if (step_ == Step::escape) {
        if (c == 'u') {
            step_ = Step::hex;
            digits_ = 0;
            code_ = 0;
            return Took::more;
        }
        static constexpr char from[] = "\"\\/bfnrt";
        static constexpr char to[] = "\"\\/\b\f\n\r\t";
        for (std::size_t i = 0; from[i] != 0; ++i) {
            if (from[i] != c) continue;
            if (std::exchange(high_, 0) != 0) base::append_utf8(out, replacement);
            out += to[i];
            step_ = Step::plain;
            return Took::more;
        }
        return Took::wrong;
    }
    if (c == '\\') {
        step_ = Step::escape;
        return Took::more;
    }
    if (std::exchange(high_, 0) != 0) base::append_utf8(out, replacement);
    if (c == '"') return Took::done;
    out += c;
    return Took::more;
}

// A lone half of a pair is no character.
void StringScanner::finish_escape(std::string& out) {
    step_ = Step::plain;
    const bool is_high = code_ >= 0xD800 && code_ <= 0xDBFF;
    const bool is_low = code_ >= 0xDC00 && code_ <= 0xDFFF;
    if (high_ != 0 && is_low) {
        base::append_utf8(out, 0x10000 + ((std::exchange(high_, 0) - 0xD800) << 10) + (code_ - 0xDC00));
        return;
    }
    if (std::exchange(high_, 0) != 0) base::append_utf8(out, replacement);
    if (is_high) high_ = code_;
    else base::append_utf8(out, is_low ? replacement : code_);
}

std::string CallScanner::take_arguments() {
    return begun_ ? std::exchange(arguments_, {}) : std::string{};
}

void CallScanner::put(char c) {
    if (use_ == Use::arguments) arguments_ += c;
}

CallScanner::Took CallScanner::take(char c) {
    switch (step_) {
        case Step::open:
            if (c != '{') return Took::wrong;
            if (style_ == Style::arguments_alone) return begin_value(c);
            step_ = Step::key_or_end;
            return Took::more;
        case Step::key_or_end:
            if (is_space(c)) return Took::more;
            if (c == '}') return complete();
            if (c != '"') return Took::wrong;
            key_.clear();
            string_ = {};
            step_ = Step::key;
            return Took::more;
        case Step::key:
            switch (string_.take(c, key_)) {
                case StringScanner::Took::wrong: return Took::wrong;
                case StringScanner::Took::done: step_ = Step::colon; break;
                case StringScanner::Took::more: break;
            }
            return Took::more;
        case Step::colon:
            if (is_space(c)) return Took::more;
            if (c != ':') return Took::wrong;
            step_ = Step::value;
            return Took::more;
        case Step::value: return is_space(c) ? Took::more : begin_value(c);
        case Step::in_value: return in_value(c);
        case Step::comma_or_end:
            if (is_space(c)) return Took::more;
            if (c == '}') return complete();
            if (c != ',') return Took::wrong;
            step_ = Step::key_or_end;
            return Took::more;
    }
    return Took::wrong;
}

CallScanner::Took CallScanner::begin_value(char c) {
    if (style_ == Style::arguments_alone) {
        use_ = Use::arguments;
    } else if (style_ == Style::key_is_name) {
        if (key_.empty()) return Took::wrong;
        use_ = name_.empty() ? Use::arguments : Use::skip;  // one call an object
        if (name_.empty()) name_ = key_;
    } else {
        const bool first_arguments = !has_arguments_ && (key_ == "arguments" || key_ == "parameters");
        use_ = key_ == "name" && name_.empty() ? Use::name : first_arguments ? Use::arguments : Use::skip;
    }
    if (use_ == Use::name && c != '"') return Took::wrong;
    if (use_ == Use::arguments) has_arguments_ = true;
    step_ = Step::in_value;
    in_string_ = escaped_ = false;
    if (c == '"') {
        shape_ = Shape::text;
        string_ = {};
    } else if (c == '{' || c == '[') {
        shape_ = Shape::nested;
        depth_ = 1;
        put(c);
    } else if (c == ',' || c == '}' || c == ']' || c == ':') {
        return Took::wrong;
    } else {
        shape_ = Shape::bare;
        bare_.assign(1, c);
    }
    begun_ = begun_ || (has_arguments_ && !name_.empty());
    return Took::more;
}

CallScanner::Took CallScanner::in_value(char c) {
    if (shape_ == Shape::text) {
        std::string ignored;
        auto& out = use_ == Use::name ? name_ : use_ == Use::arguments ? arguments_ : ignored;
        switch (string_.take(c, out)) {
            case StringScanner::Took::wrong: return Took::wrong;
            case StringScanner::Took::more: return Took::more;
            case StringScanner::Took::done: return end_value();
        }
    }
    if (shape_ == Shape::nested) {
        put(c);
        if (in_string_) {
            if (escaped_) escaped_ = false;
            else if (c == '\\') escaped_ = true;
            else if (c == '"') in_string_ = false;
        } else if (c == '"') {
            in_string_ = true;
        } else if (c == '{' || c == '[') {
            ++depth_;
        } else if ((c == '}' || c == ']') && --depth_ == 0) {
            return end_value();
        }
        return Took::more;
    }
    if (c != ',' && c != '}' && !is_space(c)) {
        bare_ += c;
        return bare_.size() > 64 ? Took::wrong : Took::more;
    }
    if (use_ == Use::arguments) arguments_ += bare_ == "null" ? "{}" : bare_;
    const auto ended = end_value();
    return ended == Took::more ? take(c) : ended;
}

CallScanner::Took CallScanner::end_value() {
    if (style_ == Style::arguments_alone) return complete();
    if (use_ == Use::name && name_.empty()) return Took::wrong;
    begun_ = begun_ || (has_arguments_ && !name_.empty());
    step_ = Step::comma_or_end;
    return Took::more;
}

CallScanner::Took CallScanner::complete() {
    if (name_.empty()) return Took::wrong;
    if (!has_arguments_) arguments_ = "{}";
    begun_ = true;
    return Took::done;
}

}  // namespace hanse::engine
