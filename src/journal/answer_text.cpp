// SPDX-License-Identifier: Apache-2.0
#include "journal/answer_text.hpp"

#include <array>
#include <charconv>

namespace hanse::journal {
namespace {

constexpr std::size_t usual_size = 1'200;

void append_hex(std::string& out, std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const std::byte each : bytes) {
        out += digits[std::to_integer<unsigned>(each) >> 4];
        out += digits[std::to_integer<unsigned>(each) & 15];
    }
}

// Nearly all texts of records: nothing in them to escape or to repair. Without an early end, for the compiler's sake.
bool is_plain(std::string_view value) {
    bool odd = false;
    for (const char c : value) odd |= c < 0x20 || c == 0x7f || c == '"' || c == '\\';
    return !odd;
}

// Members of one object; whoever calls keeps them in the order of their names.
class Members {
public:
    explicit Members(std::string& out) : out_(out) { out_ += '{'; }

    std::string& name(std::string_view name) {
        if (any_) out_ += ',';
        any_ = true;
        out_ += '"';
        out_ += name;
        out_ += "\":";
        return out_;
    }
    void text(std::string_view name, std::string_view value) { append_text(this->name(name), value); }
    void text_if_any(std::string_view name, std::string_view value) {
        if (!value.empty()) text(name, value);
    }
    void number(std::string_view name, std::uint64_t value) {
        std::array<char, 20> digits{};
        this->name(name).append(digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr);
    }
    void texts_if_any(std::string_view name, std::span<const std::string> values) {
        if (values.empty()) return;
        this->name(name);
        for (const std::string& value : values) {
            out_ += &value == values.data() ? '[' : ',';
            append_text(out_, value);
        }
        out_ += ']';
    }
    void digest(std::string_view name, const SaltedDigest& digest) { append_digest(this->name(name), digest); }
    void digests_if_any(std::string_view name, std::span<const SaltedDigest> digests) {
        if (digests.empty()) return;
        this->name(name);
        for (const SaltedDigest& digest : digests) {
            out_ += &digest == digests.data() ? '[' : ',';
            append_digest(out_, digest);
        }
        out_ += ']';
    }
    Members object(std::string_view name) { return Members(this->name(name)); }
    void end() { out_ += '}'; }

private:
    static void append_text(std::string& out, std::string_view value) {
        if (!is_plain(value)) {
            out += canonical_text(value);
            return;
        }
        out += '"';
        out += value;
        out += '"';
    }
    static void append_digest(std::string& out, const SaltedDigest& digest) {
        out += R"({"hmac_sha256":")";
        append_hex(out, digest.hmac);
        out += R"(","salt":")";
        append_hex(out, digest.salt);
        out += "\"}";
    }

    std::string& out_;
    bool any_ = false;
};

}  // namespace

NewRecord make_answer_record(const RecordId& id, base::WallTime now, std::string_view node, const AnswerRecord& answer) {
    NewRecord record{
        .id = id,
        .time_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count())};
    record.text.reserve(usual_size);
    Members all(record.text);
    all.text_if_any("began", answer.began);
    all.text_if_any("caller", answer.caller);
    all.text_if_any("decision", answer.decision);
    if (answer.energy) {
        Members energy = all.object("energy");
        energy.text("how", name(answer.energy->how));
        energy.number("millijoules", answer.energy->millijoules);
        energy.end();
    }
    all.text("id", text_of(id));
    all.text_if_any("idempotency", answer.idempotency);
    if (answer.input) all.digest("input", *answer.input);
    all.text_if_any("kept_until", answer.kept_until);
    all.text("kind", "answer");
    all.text_if_any("label", answer.label);
    Members model = all.object("model");
    model.texts_if_any("adapters", answer.adapters);
    model.text_if_any("backend", answer.backend);
    model.text_if_any("digest", answer.model_digest);
    model.texts_if_any("experts", answer.experts);
    model.text("name", answer.model);
    model.end();
    all.text("node", node);
    all.text_if_any("outcome", answer.outcome);
    if (!answer.outputs.empty()) all.text_if_any("output_form", answer.output_form);
    all.digests_if_any("outputs", answer.outputs);
    all.texts_if_any("parents", answer.parents);
    if (answer.partner) {
        Members partner = all.object("partner");
        partner.text("member", answer.partner->member);
        partner.text_if_any("reason", answer.partner->unverified);
        partner.text_if_any("receipt", answer.partner->receipt);
        partner.text("verified", answer.partner->unverified.empty() ? "yes" : "no");
        partner.end();
    }
    all.text_if_any("place", answer.place);
    all.text_if_any("profile", answer.profile);
    all.text_if_any("route", answer.route);
    all.text_if_any("task", answer.task);
    all.text("time", time_text(now));
    Members tokens = all.object("tokens");
    tokens.number("cached", answer.cached_tokens);
    tokens.number("completion", answer.completion_tokens);
    tokens.number("prompt", answer.prompt_tokens);
    tokens.end();
    all.number("took_ms", answer.took_ms);
    all.texts_if_any("transformations", answer.transformations);
    all.number("v", 1);
    all.end();
    return record;
}

}  // namespace hanse::journal
