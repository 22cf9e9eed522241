// SPDX-License-Identifier: Apache-2.0
#include "journal/record.hpp"

#include <algorithm>
#include <format>

#include "base/encoding.hpp"

namespace hanse::journal {
namespace {

constexpr std::string_view id_prefix = "hr_";

std::uint64_t milliseconds(base::WallTime time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

}  // namespace

RecordId new_record_id(base::WallTime now, base::Random& random) {
    RecordId id{};
    random.fill(id);
    const std::uint64_t time = milliseconds(now);
    for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::byte>(time >> (40 - 8 * i));
    return id;
}

std::string text_of(const RecordId& id) { return std::string(id_prefix) + base::hex(id); }

std::optional<RecordId> record_id_of(std::string_view text) {
    if (!text.starts_with(id_prefix)) return std::nullopt;
    const auto bytes = base::from_hex(text.substr(id_prefix.size()));
    RecordId id{};
    if (!bytes || bytes->size() != id.size()) return std::nullopt;
    std::ranges::copy(*bytes, id.begin());
    return text_of(id) == text ? std::optional(id) : std::nullopt;
}

std::string time_text(base::WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto of_day = std::chrono::floor<std::chrono::milliseconds>(time - day).count();
    const auto year = static_cast<int>(date.year());
    // Written by hand: two for every answer, and a format with a date costs microseconds.
    if (year < 0 || year > 9999) return std::format("{:%FT%T}Z", std::chrono::floor<std::chrono::milliseconds>(time));
    std::string text = "0000-00-00T00:00:00.000Z";
    const auto put = [&text](std::size_t last, std::uint64_t value) {
        for (; value > 0; value /= 10) text[last--] = static_cast<char>('0' + value % 10);
    };
    const auto milliseconds_of_day = static_cast<std::uint64_t>(of_day);
    put(3, static_cast<std::uint64_t>(year));
    put(6, static_cast<unsigned>(date.month()));
    put(9, static_cast<unsigned>(date.day()));
    put(12, milliseconds_of_day / 3'600'000);
    put(15, milliseconds_of_day / 60'000 % 60);
    put(18, milliseconds_of_day / 1'000 % 60);
    put(22, milliseconds_of_day % 1'000);
    return text;
}

NewRecord make_record(const RecordId& id, base::WallTime now, std::string_view node, std::string_view kind, CanonicalObject fields) {
    fields.number("v", 1).text("kind", kind).text("id", text_of(id)).text("time", time_text(now)).text("node", node);
    return {id, milliseconds(now), fields.text()};
}

SaltedDigest SaltedDigest::of(std::string_view text, base::Random& random) {
    SaltedDigest made;
    random.fill(made.salt);
    made.hmac = commitment_of(made.salt, text);
    return made;
}
bool SaltedDigest::fits(std::string_view text) const { return crypto::equal_in_constant_time(commitment_of(salt, text), hmac); }
CanonicalObject SaltedDigest::fields() const {
    CanonicalObject made;
    made.text("salt", base::hex(salt)).text("hmac_sha256", base::hex(hmac));
    return made;
}

std::string_view name(Energy::How how) { return how == Energy::How::measured ? "measured" : "modelled"; }

CanonicalObject AnswerRecord::fields() const {
    CanonicalObject made;
    made.text_if_any("task", task).text_if_any("route", route).text_if_any("caller", caller).text_if_any("outcome", outcome);
    made.text_if_any("idempotency", idempotency).text_if_any("place", place).text_if_any("began", began);
    made.text_if_any("kept_until", kept_until).text_if_any("profile", profile);
    CanonicalObject what;
    what.text("name", model).text_if_any("digest", model_digest).text_if_any("backend", backend);
    if (!adapters.empty()) what.texts("adapters", adapters);
    if (!experts.empty()) what.texts("experts", experts);
    made.object("model", what);
    made.text_if_any("label", label).text_if_any("decision", decision);
    if (!transformations.empty()) made.texts("transformations", transformations);
    if (input) made.object("input", input->fields());
    std::vector<CanonicalObject> written;
    for (const SaltedDigest& output : outputs) written.push_back(output.fields());
    if (!written.empty()) made.objects("outputs", written).text_if_any("output_form", output_form);
    if (energy) {
        CanonicalObject used;
        used.number("millijoules", energy->millijoules).text("how", name(energy->how));
        made.object("energy", used);
    }
    CanonicalObject tokens;
    tokens.number("prompt", prompt_tokens).number("cached", cached_tokens).number("completion", completion_tokens);
    made.object("tokens", tokens).number("took_ms", took_ms);
    if (!parents.empty()) made.texts("parents", parents);
    if (partner) {
        CanonicalObject there;
        there.text("member", partner->member).text_if_any("receipt", partner->receipt).text("verified", partner->unverified.empty() ? "yes" : "no");
        made.object("partner", there.text_if_any("reason", partner->unverified));
    }
    return made;
}

}  // namespace hanse::journal
