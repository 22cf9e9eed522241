// SPDX-License-Identifier: Apache-2.0
#include "engine/answer_reader.hpp"

#include <format>
#include <optional>
#include <utility>

#include "answer_format.hpp"
#include "call_scanner.hpp"

namespace hanse::engine {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

// Letters and digits out of the seed and the call's number, alike on every run.
std::string call_id(std::string_view seed, std::size_t index, std::size_t length) {
    std::uint64_t state = 0xcbf29ce484222325U;
    for (const char c : std::format("{}/{}", seed, index)) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    std::string out;
    while (out.size() < length) {
        state += 0x9e3779b97f4a7c15U;
        auto z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9U;
        z ^= z >> 31;
        out += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[z % 62];
    }
    return out;
}

}  // namespace

// One byte at a time, so that how the text was cut cannot matter.
struct AnswerReader::State {
    enum class Mode : std::uint8_t {
        text,
        reasoning,
        calls,      // between the objects of a block of calls
        object,     // within one
        call_name,  // Mistral's newer form: name, then [ARGS] or {
        call_mark,  // its [ARGS] or [CALL_ID]
        call_given_id,
    };

    AnswerFormat format;
    std::string id_seed;
    Mode mode = Mode::text;
    std::vector<AnswerPart> parts;

    std::string pending;  // may yet become a marker
    std::string spaces;   // held until it is known what follows
    bool started = false;  // some text of the answer was passed on
    bool swallowing = false;  // blanks behind a call or the reasoning belong to nobody

    std::optional<CallScanner> scanner;
    std::string raw;            // what is not yet a call, should it have to come back as text
    bool call_begun = false;    // of the current object
    bool block_has_call = false;
    std::string call_name;
    std::size_t calls = 0;

    // --- What goes out --------------------------------------------------------------------------

    void put_text(std::string_view text) {
        if (text.empty()) return;
        if (!parts.empty())
            if (auto* last = std::get_if<AnswerText>(&parts.back())) {
                last->text += text;
                return;
            }
        parts.emplace_back(AnswerText{std::string(text)});
    }

    void put_reasoning(std::string_view text) {
        if (text.empty()) return;
        if (!parts.empty())
            if (auto* last = std::get_if<AnswerReasoning>(&parts.back())) {
                last->text += text;
                return;
            }
        parts.emplace_back(AnswerReasoning{std::string(text)});
    }

    void put_call() {
        if (!scanner->begun()) return;
        if (!std::exchange(call_begun, true)) {
            block_has_call = true;
            raw.clear();
            // Mistral's templates accept ids of exactly nine letters and digits.
            auto id = format.calls == CallSyntax::mistral ? call_id(id_seed, calls, 9) : "call_" + call_id(id_seed, calls, 24);
            parts.emplace_back(ToolCallBegin{calls++, std::move(id), scanner->name()});
        }
        auto text = scanner->take_arguments();
        if (text.empty()) return;
        auto* last = parts.empty() ? nullptr : std::get_if<ToolCallArguments>(&parts.back());
        if (last && last->index == calls - 1) last->text += text;
        else parts.emplace_back(ToolCallArguments{calls - 1, std::move(text)});
    }

    // --- Text and reasoning ---------------------------------------------------------------------

    // A byte of the answer's text that belongs to no marker.
    void text_byte(char c) {
        if (is_space(c) && (swallowing || !started)) {
            if (!swallowing) spaces += c;
            return;
        }
        if (!started && format.calls == CallSyntax::llama && c == '{') {
            raw = std::exchange(spaces, {});
            begin_block();
            calls_byte(c);
            return;
        }
        swallowing = false;
        started = true;
        put_text(std::exchange(spaces, {}));
        put_text({&c, 1});
    }

    void reasoning_byte(char c) {
        if (is_space(c)) {
            if (!swallowing) spaces += c;
            return;
        }
        swallowing = false;
        put_reasoning(std::exchange(spaces, {}));
        put_reasoning({&c, 1});
    }

    // Appends a byte to `pending` and lets go of what cannot become one of the markers. True: one is complete.
    template <typename Let>
    std::string_view marker_byte(char c, std::initializer_list<std::string_view> markers, Let let_go) {
        pending += c;
        while (!pending.empty()) {
            bool possible = false;
            for (const auto marker : markers) {
                if (marker.empty()) continue;
                if (marker == pending) {
                    pending.clear();
                    return marker;
                }
                possible = possible || marker.starts_with(pending);
            }
            if (possible) break;
            const char first = pending.front();
            pending.erase(0, 1);
            const auto before = mode;
            let_go(first);
            // A brace may have begun a call: the rest is its own.
            if (mode != before) {
                for (const char rest : std::exchange(pending, {})) take(rest);
                break;
            }
        }
        return {};
    }

    void take(char c) {
        switch (mode) {
            case Mode::text: {
                const auto marker = marker_byte(c, {format.call_open(), format.reasoning_open()}, [&](char b) { text_byte(b); });
                if (marker.empty()) return;
                if (marker == format.reasoning_open()) {
                    mode = Mode::reasoning;
                    swallowing = true;
                    spaces.clear();
                } else {
                    raw = std::exchange(spaces, {}) += marker;
                    begin_block();
                }
                return;
            }
            case Mode::reasoning:
                if (!marker_byte(c, {format.reasoning_close()}, [&](char b) { reasoning_byte(b); }).empty()) end_reasoning();
                return;
            case Mode::calls: calls_byte(c); return;
            case Mode::object: object_byte(c); return;
            case Mode::call_name: name_byte(c); return;
            case Mode::call_mark: mark_byte(c); return;
            case Mode::call_given_id:
                raw += c;
                if (c == '[') {
                    pending = c;
                    mode = Mode::call_mark;
                } else if (!is_name(c)) {
                    give_back();
                }
                return;
        }
    }

    void end_reasoning() {
        mode = Mode::text;
        spaces.clear();
        swallowing = true;
        started = false;
    }

    // --- Blocks of calls ------------------------------------------------------------------------

    void begin_block() {
        mode = Mode::calls;
        block_has_call = false;
        pending.clear();
    }

    void end_block() {
        mode = Mode::text;
        raw.clear();
        pending.clear();
        swallowing = true;
        started = true;
    }

    // What looked like a call is none.
    void give_back() {
        mode = Mode::text;
        scanner.reset();
        pending.clear();
        if (call_begun) {  // too late to take it back
            call_begun = false;
            raw.clear();
            swallowing = true;
            return;
        }
        started = true;
        swallowing = false;
        put_text(std::exchange(raw, {}));
    }

    void begin_object(CallScanner::Style style, char c) {
        scanner.emplace(style, std::exchange(call_name, {}));
        call_begun = false;
        mode = Mode::object;
        object_byte(c);
    }

    void calls_byte(char c) {
        const auto close = format.call_close();
        if (!pending.empty() || (!close.empty() && c == close.front())) {
            pending += c;
            raw += c;
            if (pending == close) return end_block();
            if (close.starts_with(pending)) return;
            return leave_block();
        }
        if (c == '{') return begin_object(format.calls == CallSyntax::apertus ? CallScanner::Style::key_is_name : CallScanner::Style::members, c);
        const bool list_ends = c == ']' && format.calls == CallSyntax::mistral;
        if (is_space(c) || c == '[' || c == ']' || ((c == ',' || c == ';') && block_has_call)) {
            raw += c;
            if (list_ends) block_has_call ? end_block() : give_back();
            return;
        }
        if (format.calls == CallSyntax::mistral && is_name(c) && !block_has_call) {
            raw += c;
            call_name = c;
            mode = Mode::call_name;
            return;
        }
        raw += c;
        leave_block();
    }

    // Something else than calls follows without the closing marker; some models leave it out. A marker may
    // begin in it.
    void leave_block() {
        if (!block_has_call) return give_back();
        const auto rest = std::exchange(raw, {});
        end_block();
        for (const char b : rest) take(b);
    }

    void object_byte(char c) {
        if (!call_begun) raw += c;
        const auto took = scanner->take(c);
        if (took == CallScanner::Took::wrong) return give_back();
        put_call();
        if (took != CallScanner::Took::done) return;
        const bool alone = scanner->style() == CallScanner::Style::arguments_alone;
        scanner.reset();
        call_begun = false;
        raw.clear();
        if (alone) end_block();
        else mode = Mode::calls;
    }

    void name_byte(char c) {
        if (c == '{') return begin_object(CallScanner::Style::arguments_alone, c);
        raw += c;
        if (is_name(c)) {
            call_name += c;
        } else if (c == '[') {
            pending = c;
            mode = Mode::call_mark;
        } else if (!is_space(c)) {
            give_back();
        }
    }

    void mark_byte(char c) {
        static constexpr std::string_view arguments = "[ARGS]";
        static constexpr std::string_view given_id = "[CALL_ID]";
        if (pending == arguments) {
            if (c == '{') {
                pending.clear();
                return begin_object(CallScanner::Style::arguments_alone, c);
            }
            raw += c;
            if (!is_space(c)) give_back();
            return;
        }
        raw += c;
        pending += c;
        if (pending == given_id) {
            pending.clear();
            mode = Mode::call_given_id;
        } else if (!arguments.starts_with(pending) && !given_id.starts_with(pending)) {
            give_back();
        }
    }

    void end() {
        switch (mode) {
            case Mode::text:
                if (!pending.empty() || started || calls == 0) {
                    if (!swallowing) put_text(std::exchange(spaces, {}));
                    put_text(std::exchange(pending, {}));
                }
                return;
            case Mode::reasoning:
                for (const char c : std::exchange(pending, {})) reasoning_byte(c);
                return;
            default:
                if (mode == Mode::calls && block_has_call) return end_block();
                give_back();
        }
    }
};

AnswerReader::AnswerReader(std::string_view format, bool tools_offered, bool starts_in_reasoning, std::string id_seed)
    : state_(std::make_unique<State>()) {
    state_->format = AnswerFormat::parse(format);
    if (!tools_offered) state_->format.calls = CallSyntax::none;
    state_->id_seed = std::move(id_seed);
    if (starts_in_reasoning && state_->format.reasoning != ReasoningSyntax::none) {
        state_->mode = State::Mode::reasoning;
        state_->swallowing = true;
    }
}

AnswerReader::~AnswerReader() = default;
AnswerReader::AnswerReader(AnswerReader&&) noexcept = default;
AnswerReader& AnswerReader::operator=(AnswerReader&&) noexcept = default;

std::vector<AnswerPart> AnswerReader::feed(std::string_view text) {
    auto& s = *state_;
    if (s.format.calls == CallSyntax::none && s.format.reasoning == ReasoningSyntax::none) s.put_text(text);
    else for (const char c : text) s.take(c);
    return std::exchange(s.parts, {});
}

std::vector<AnswerPart> AnswerReader::finish() {
    state_->end();
    return std::exchange(state_->parts, {});
}

std::size_t AnswerReader::tool_calls() const { return state_->calls; }

}  // namespace hanse::engine
