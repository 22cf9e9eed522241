// SPDX-License-Identifier: Apache-2.0
#include "admission.hpp"

#include <algorithm>
#include <charconv>

#include "label/reasons.hpp"
#include "net/member_exchange.hpp"

namespace hanse::api {
namespace {

using base::ErrorKind;

constexpr std::string_view scheme = "bearer ";

bool starts_with_scheme(std::string_view header) {
    return header.size() > scheme.size() && std::ranges::equal(header.substr(0, scheme.size()), scheme, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
}

base::Result<std::optional<base::Deadline>> read_span(const Call& call, std::string_view header) {
    const auto text = call.exchange.request().headers.get(header);
    if (text.empty()) return std::nullopt;
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
    if (error != std::errc{} || end != text.data() + text.size() || milliseconds < 1 || milliseconds > 86'400'000)
        return base::fail(ErrorKind::invalid, std::string(header) + " must be a number of milliseconds between 1 and 86400000",
                          "invalid_header", std::string(header));
    return base::Deadline::after(call.began, std::chrono::milliseconds{milliseconds});
}

}  // namespace

base::Result<void> read_caller(Call& call, const task::KeyRing& keys) {
    // A partner's node needs no key: its connection has proved whose it is. Its answers go to the place of its name; what
    // it sends has the label that came with it, and is of its making, not ours.
    if (const auto* partner = dynamic_cast<const net::MemberExchange*>(&call.exchange)) {
        task::KeyFacts facts{.id = "partner:" + partner->member(), .name = partner->member()};
        facts.label = "public; integrity=member";
        facts.place = partner->member();
        call.task.key = std::make_shared<task::Key>(std::move(facts), task::KeyUsage{});
        call.task.partition = call.task.key->partition();
        call.record.key_id = call.task.key->facts().id;
        return {};
    }
    const auto header = call.exchange.request().headers.get("authorization");
    const bool required = call.around.options.require_keys;
    std::string_view secret;
    if (starts_with_scheme(header)) {
        secret = header.substr(scheme.size());
        while (secret.starts_with(' ')) secret.remove_prefix(1);
    } else if (required) {
        return base::fail(ErrorKind::unauthenticated,
                          "an API key is required: send it as \"Authorization: Bearer hanse_…\"", "missing_api_key");
    }
    // Clients must send some key even where none is asked for; only one that claims to be ours is checked there.
    if (!required && !secret.starts_with("hanse_")) return {};
    auto key = keys.verify(secret);
    if (!key) return std::unexpected(key.error());
    call.task.key = std::move(*key);
    call.task.partition = call.task.key->partition();
    call.record.key_id = call.task.key->facts().id;
    return {};
}

base::Result<void> check_origin(const Call& call) {
    if (call.task.key) return {};
    const auto& headers = call.exchange.request().headers;
    const auto origin = headers.get("origin");
    if (origin.empty()) return {};
    const auto& allowed = call.around.options.cors_origins;
    if (std::ranges::contains(allowed, "*") || std::ranges::contains(allowed, origin)) return {};
    const auto host_at = origin.find("://");
    if (host_at != std::string_view::npos && origin.substr(host_at + 3) == headers.get("host")) return {};
    return base::fail(ErrorKind::denied, "pages of this origin may not use this node", "origin_not_allowed");
}

base::Result<void> read_terms(Call& call) {
    auto whole = read_span(call, "hanse-deadline-ms");
    if (!whole) return std::unexpected(whole.error());
    if (*whole) call.task.deadline = **whole;
    auto first = read_span(call, "hanse-first-token-ms");
    if (!first) return std::unexpected(first.error());
    if (*first) call.task.first_token_deadline = **first;

    const auto word = call.exchange.request().headers.get("hanse-priority");
    if (word.empty()) return {};
    if (word == "background")
        call.task.priority = engine::Priority::background;
    else if (word == "normal")
        call.task.priority = engine::Priority::normal;
    else if (word == "urgent")
        call.task.priority = engine::Priority::urgent;
    else
        return base::fail(ErrorKind::invalid, "hanse-priority must be background, normal or urgent", "invalid_header", "hanse-priority");
    if (call.task.key && call.task.priority > call.task.key->facts().priority_max)
        return base::fail(ErrorKind::denied, "this key may not ask for priority " + std::string(word), "priority_not_allowed", "hanse-priority");
    return {};
}

std::string idempotency_key(const Call& call) {
    constexpr std::size_t most = 128;
    const std::string_view given = call.exchange.request().headers.get("idempotency-key");
    const bool visible = std::ranges::all_of(given, [](char c) { return c > 0x20 && c < 0x7f; });
    return given.size() <= most && visible ? std::string(given) : std::string();
}

base::Result<void> read_label(Call& call) {
    const auto& headers = call.exchange.request().headers;
    const std::string_view wished = headers.get("accept-language");
    if (const auto language = base::language_of(wished.substr(0, wished.find_first_of("-,;")))) call.task.language = *language;
    call.task.rules = call.around.desk.rules();
    auto label = call.task.rules->enter(call.task.key ? &call.task.key->facts() : nullptr, headers.get("hanse-label"));
    if (!label) return std::unexpected(label.error());
    call.task.label = std::move(*label);
    return {};
}

base::Result<void> may_see(const Call& call, const label::Label& label) {
    const auto& policy = call.task.rules->policy();
    const auto caller = policy.clearance(call.task.key && !call.task.key->facts().place.empty() ? call.task.key->facts().place : "answer");
    const label::Use use{.purpose = policy.words().purpose("answer").value(), .now = call.unix_time()};
    if (label::judge(label, caller, use).outcome == label::Outcome::permit) return {};
    return base::fail(ErrorKind::denied, label::refusal(label, caller, use, policy.words(), call.task.language), "label_denied");
}

void read_trace(Call& call) {
    auto& trace = call.task.trace;
    trace.route = name(call.route);
    trace.began = call.began;
    trace.began_wall = call.record.when;
    if (const auto given = task::TraceParent::parse(call.exchange.request().headers.get("traceparent"))) {
        trace.self = *given;
        trace.parent = given->span;
    } else {
        const std::uint64_t high = call.around.ids.number();
        const std::uint64_t low = call.around.ids.number();
        std::ranges::copy(std::as_bytes(std::span(&high, 1)), trace.self.trace.begin());
        std::ranges::copy(std::as_bytes(std::span(&low, 1)), trace.self.trace.begin() + 8);
        trace.self.sampled = true;
    }
    const std::uint64_t span = call.around.ids.number();
    std::ranges::copy(std::as_bytes(std::span(&span, 1)), trace.self.span.begin());
}

}  // namespace hanse::api
