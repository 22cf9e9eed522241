// SPDX-License-Identifier: Apache-2.0
#include "label/cases.hpp"

#include <utility>

#include "term_words.hpp"

namespace hanse::label {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::int64_t seconds_of_day = 86'400;

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

// The word before the first blank; `text` is left with what follows.
std::string_view first_word(std::string_view& text) {
    const std::string_view word = text.substr(0, text.find(' '));
    text = trimmed(text.substr(word.size()));
    return word;
}

class Table {
public:
    explicit Table(CaseWorld world) : world_(std::move(world)) {}

    Result<void> line(std::string_view text, std::size_t number) {
        text = trimmed(text);
        if (text.empty() || text.starts_with('#')) return {};
        if (text.starts_with("label ") && !text.contains("->")) return define_label(text.substr(6));
        if (text.starts_with("place ") && !text.contains("->")) return define_place(text.substr(6));
        return expect(text, number);
    }
    CaseReport take() { return std::move(report_); }

private:
    Result<void> define_label(std::string_view rest) {
        rest = trimmed(rest);
        const std::string name(first_word(rest));
        const auto label = read_label(rest, world_.words);
        if (!label) return std::unexpected(label.error());
        if (!world_.labels.emplace(name, *label).second) return fail(ErrorKind::invalid, std::format("the label {} is there already", name));
        return {};
    }

    Result<void> define_place(std::string_view rest) {
        rest = trimmed(rest);
        const std::string name(first_word(rest));
        const auto place = rest == "undeclared" ? Result<Clearance>(Clearance::none(name)) : read_clearance(name, rest, world_.words);
        if (!place) return std::unexpected(place.error());
        if (!world_.places.emplace(name, *place).second) return fail(ErrorKind::invalid, std::format("the place {} is there already", name));
        return {};
    }

    Result<void> expect(std::string_view text, std::size_t number) {
        const auto arrow = text.find(" -> ");
        const auto purpose = text.find(" for ", arrow == std::string_view::npos ? 0 : arrow);
        const auto colon = text.find(": ", purpose == std::string_view::npos ? 0 : purpose);
        if (arrow == std::string_view::npos || purpose == std::string_view::npos || colon == std::string_view::npos)
            return fail(ErrorKind::invalid, "expected \"LABEL -> PLACE for PURPOSE: DECISION\"");
        const std::string_view label_name = trimmed(text.substr(0, arrow));
        const std::string_view place_name = trimmed(text.substr(arrow + 4, purpose - arrow - 4));
        const auto label = world_.labels.find(label_name);
        if (label == world_.labels.end()) return fail(ErrorKind::invalid, std::format("the label \"{}\" is unknown", label_name));
        const auto place = world_.places.find(place_name);
        if (place == world_.places.end()) return fail(ErrorKind::invalid, std::format("the place \"{}\" is unknown", place_name));
        const auto use = read_use(text.substr(purpose + 5, colon - purpose - 5), world_.words, world_.now);
        if (!use) return std::unexpected(use.error());
        const std::string_view expected = trimmed(text.substr(colon + 2));
        const Verdict verdict = world_.judge ? world_.judge(label->second, place->second, *use) : judge(label->second, place->second, *use);
        const std::string decided = label::text(verdict, world_.words);
        ++report_.decisions;
        // "deny" alone leaves the reason open.
        if (decided != expected && !(expected == "deny" && verdict.outcome == Outcome::deny))
            report_.failures.push_back({number, std::string(expected), decided});
        return {};
    }

    CaseWorld world_;
    CaseReport report_;
};

}  // namespace

std::string text(const Verdict& verdict, const Vocabulary& words) {
    if (verdict.outcome == Outcome::permit) return "permit";
    if (verdict.outcome == Outcome::permit_after) {
        std::vector<std::string> names;
        verdict.after.each([&](std::size_t i) { names.emplace_back(name(static_cast<Transformation>(i))); });
        return std::format("permit after {}", words::listed(names));
    }
    const auto& [term, owner, cure] = verdict.obstacle;
    return owner ? std::format("deny {} {}", words.name(*owner), name(term)) : std::format("deny {}", name(term));
}

Result<Use> read_use(std::string_view text, const Vocabulary& words, std::int64_t now) {
    Use use{.purpose = {}, .now = now};
    bool first = true;
    while (first || !text.empty()) {
        const std::string_view part = trimmed(text.substr(0, text.find(',')));
        text.remove_prefix(std::min(text.size(), text.find(',') == std::string_view::npos ? text.size() : text.find(',') + 1));
        const auto unknown = [&] { return fail(ErrorKind::invalid, label::words::unknown("the use", part), "unknown_word"); };
        if (std::exchange(first, false)) {
            const auto purpose = words.purpose(part);
            if (!purpose) return unknown();
            use.purpose = *purpose;
        } else if (part == "acting") {
            use.effect = Effect::acts;
        } else if (part.starts_with("learning ")) {
            const auto learning = learning_named(part.substr(9));
            if (!learning) return unknown();
            use.learning = *learning;
        } else if (part.starts_with("on ")) {
            const auto end = part.size() == 13 ? end_of_validity(part.substr(3)) : std::nullopt;
            if (!end) return unknown();
            use.now = *end - seconds_of_day / 2;
        } else {
            return unknown();
        }
    }
    return use;
}

Result<CaseReport> run_cases(std::string_view text, std::string_view file, CaseWorld world) {
    Table table(std::move(world));
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (auto good = table.line(line, number); !good)
            return fail(ErrorKind::invalid, std::format("{}:{}: {}", file, number, good.error().message));
    }
    CaseReport report = table.take();
    if (report.decisions == 0) return fail(ErrorKind::invalid, std::format("{}: the table expects no decision", file));
    return report;
}

}  // namespace hanse::label
