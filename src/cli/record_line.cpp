// SPDX-License-Identifier: Apache-2.0
#include "record_line.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>

#include "base/random.hpp"
#include "journal/record.hpp"
#include "journal/retention.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

constexpr glz::opts lenient{.null_terminated = false, .error_on_unknown_keys = false};

}  // namespace

// "model" is an object in answers and a text elsewhere.
struct AnswerModel {
    RecordLine::Model model = {};
};
struct TextModel {
    std::string model = {};
};

}  // namespace hanse::cli

template <>
struct glz::meta<hanse::cli::RecordLine> {
    using T = hanse::cli::RecordLine;
    static constexpr auto value =
        glz::object("kind", &T::kind, "id", &T::id, "time", &T::time, "node", &T::node, "task", &T::task, "route", &T::route, "caller", &T::caller, "place",
                    &T::place, "label", &T::label, "decision", &T::decision, "outcome", &T::outcome, "began", &T::began, "kept_until", &T::kept_until,
                    "output_form", &T::output_form, "reason", &T::reason, "what", &T::what, "key", &T::key, "record", &T::record, "profile", &T::profile,
                    "transformations", &T::transformations, "parents", &T::parents, "input", &T::input, "outputs", &T::outputs, "tokens", &T::tokens, "energy",
                    &T::energy, "took_ms", &T::took_ms);
};

namespace hanse::cli {

base::Result<RecordLine> read_record_line(std::string_view json) {
    RecordLine line;
    const auto wrong = [] { return base::fail(base::ErrorKind::corrupt, "a record of the journal is not the JSON it should be"); };
    if (glz::read<lenient>(line, json)) return wrong();
    if (line.kind == "answer") {
        AnswerModel of;
        if (glz::read<lenient>(of, json)) return wrong();
        line.model_of_answer = std::move(of.model);
    } else {
        TextModel of;
        if (!glz::read<lenient>(of, json)) line.model = std::move(of.model);
    }
    return line;
}

bool fits(const RecordLine::Digest& digest, std::string_view text) {
    const auto salt = base::from_hex(digest.salt), hmac = base::from_hex(digest.hmac_sha256);
    journal::SaltedDigest salted;
    if (!salt || !hmac || salt->size() != salted.salt.size() || hmac->size() != salted.hmac.size()) return false;
    std::ranges::copy(*salt, salted.salt.begin());
    std::ranges::copy(*hmac, salted.hmac.begin());
    return salted.fits(text);
}

std::string summary(const Context& context, const RecordLine& line) {
    std::string out = plain_line(line.kind);
    const auto add = [&](std::string_view what) {
        if (!what.empty()) out += std::format(" {}", plain_line(what));
    };
    if (line.kind == "answer") {
        add(line.model_of_answer.name);
        if (!line.model_of_answer.backend.empty()) add(std::format("({})", line.model_of_answer.backend));
        add(line.caller);
        add(line.outcome);
        add(context.say(Say::journal_tokens, line.tokens.prompt, line.tokens.completion));
        return out;
    }
    for (const std::string* what : {&line.model, &line.what, &line.key, &line.record, &line.caller, &line.reason}) add(*what);
    return out;
}

base::Result<void> each_record(base::Disk& disk, const std::filesystem::path& journal, std::uint64_t from,
                               const std::function<bool(const journal::StoredRecord&)>& each) {
    base::SystemRandom unused;
    bool more = true;
    while (true) {
        const auto pruned = journal::read_pruned(disk, journal);
        if (!pruned) return std::unexpected(pruned.error());
        const std::uint64_t first = *pruned ? (*pruned)->minimum : 0;
        from = std::max(from, first);
        journal::RecordStore records(disk, unused, journal / "records");
        const auto end = records.scan(from, [&](const journal::StoredRecord& record) {
            if (!more) return;
            more = each(record);
            from = record.index + 1;
        });
        if (end || !more) return {};
        // What was pruned while it was being read looks damaged.
        const auto later = journal::read_pruned(disk, journal);
        if (!later || !*later || (*later)->minimum == first) return std::unexpected(end.error());
    }
}

}  // namespace hanse::cli
