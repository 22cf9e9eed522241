// SPDX-License-Identifier: Apache-2.0
#include "journal/receipt.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <unistd.h>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "crypto/signature.hpp"
#include "journal/record.hpp"
#include "node/identity.hpp"
#include "record_line.hpp"
#include "terminal.hpp"
#include "trust.hpp"

namespace hanse::cli {
namespace {

constexpr std::size_t receipt_max = 4U << 20;
constexpr std::size_t text_max = 256U << 20;

base::Result<std::string> read_input(const std::string& file, std::size_t most) {
    if (file != "-") return catalog::read_file_whole(file, most);
    std::string text;
    std::array<char, 65'536> piece{};
    while (true) {
        const ssize_t got = ::read(0, piece.data(), piece.size());
        if (got <= 0) return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
        if (text.size() > most) return base::fail(base::ErrorKind::too_large, "standard input is too long for this");
    }
}

std::string when(std::uint64_t posix) {
    return posix == 0 ? std::string() : " " + journal::time_text(base::WallTime{} + std::chrono::seconds(posix));
}

// A file that is said to be what went in or came out: its place among the digests of the record, or none.
struct Compared {
    std::string file;
    bool input = false;
    std::optional<std::size_t> found = {};
};
base::Result<std::vector<Compared>> compare(const ReceiptOptions& options, const RecordLine& line) {
    std::vector<Compared> all;
    const auto look = [&](const std::string& file, bool input) -> base::Result<void> {
        const auto text = read_input(file, text_max);
        if (!text) return std::unexpected(text.error());
        Compared& one = all.emplace_back(file, input);
        if (input && line.input && fits(*line.input, *text)) one.found = 0;
        if (input) return {};
        const auto fitting = std::ranges::find_if(line.outputs, [&](const RecordLine::Digest& each) { return fits(each, *text); });
        if (fitting != line.outputs.end()) one.found = static_cast<std::size_t>(fitting - line.outputs.begin());
        return {};
    };
    for (const std::string& file : options.inputs)
        if (auto done = look(file, true); !done) return std::unexpected(done.error());
    for (const std::string& file : options.outputs)
        if (auto done = look(file, false); !done) return std::unexpected(done.error());
    return all;
}

void say_what_happened(const Context& context, const RecordLine& line) {
    if (line.kind != "answer") {
        put_line(context.say(Say::receipt_other, line.node, line.kind, line.time, plain_line(line.reason)));
        return;
    }
    const auto& model = line.model_of_answer;
    put_line(context.say(Say::receipt_answer, line.node, line.began, plain_line(model.name), model.digest.empty() ? context.say(Say::receipt_unknown) : model.digest,
                         model.backend.empty() ? context.say(Say::receipt_unknown) : model.backend, line.caller.empty() ? context.say(Say::receipt_nobody) : line.caller));
    put_line(context.say(Say::receipt_decision, plain_line(line.label), line.place, line.decision));
    for (const std::string& each : line.transformations) put_line(context.say(Say::receipt_transformation, each));
    put_line(context.say(Say::receipt_outcome, line.outcome, line.tokens.prompt, line.tokens.completion, line.took_ms));
    if (line.energy) put_line(context.say(line.energy->how == "measured" ? Say::receipt_measured : Say::receipt_modelled, line.energy->millijoules));
    for (const std::string& parent : line.parents) put_line(context.say(Say::receipt_parent, plain_line(parent)));
}

void print_json(const journal::Receipt& receipt, const std::vector<Compared>& compared, bool proven) {
    std::string signers, unknown, texts;
    for (const auto& each : receipt.signers)
        signers += std::format("{}{{\"name\":{},\"algorithm\":{},\"time\":{}}}", signers.empty() ? "" : ",", json_text(each.name), json_text(each.algorithm), each.time);
    for (const auto& each : receipt.unknown) unknown += (unknown.empty() ? "" : ",") + json_text(each);
    for (const auto& each : compared)
        texts += std::format("{}{{\"file\":{},\"as\":\"{}\",\"fits\":{}}}", texts.empty() ? "" : ",", json_text(each.file), each.input ? "input" : "output", each.found.has_value());
    put_line(std::format("{{\"proven\":{},\"log\":{},\"size\":{},\"index\":{},\"signers\":[{}],\"unknown\":[{}],\"texts\":[{}],\"record\":{}}}", proven,
                         json_text(receipt.checkpoint.origin), receipt.checkpoint.size, receipt.index, signers, unknown, texts, receipt.record));
}

}  // namespace

Exit receipt_verify(const Context& context, const ReceiptOptions& options) {
    const auto keys = trusted_keys(context, options.keys, options.trust);
    if (!keys) return fail(context, keys.error());
    const auto text = read_input(options.file, receipt_max);
    if (!text) return fail(context, text.error());
    const auto receipt = journal::read_receipt(*text, *keys);
    if (!receipt) return fail(context, receipt.error());
    const auto line = read_record_line(receipt->record);
    if (!line) return fail(context, line.error());
    const auto compared = compare(options, *line);
    if (!compared) return fail(context, compared.error());
    // The log's own signatures are what counts, by each of its keys that is known: a witness alone says nothing about a log that
    // nobody vouches for, and a signature that is missing was taken away.
    const auto of_log = [&](const journal::NoteVerifier& key) { return key.name() == receipt->checkpoint.origin; };
    const auto is_missing = [&](const journal::NoteVerifier& key) {
        return of_log(key) && std::ranges::none_of(receipt->signers, [&](const auto& each) {
                   return each.name == key.name() && each.algorithm == crypto::name(journal::algorithm_of(key.type()));
               });
    };
    const auto missing = std::ranges::find_if(*keys, is_missing);
    if (missing != keys->end() && std::ranges::any_of(receipt->signers, [&](const auto& each) { return each.name == receipt->checkpoint.origin; }))
        return fail(context, {base::ErrorKind::corrupt,
                              context.say(Say::receipt_unsigned, plain_line(missing->name()), crypto::name(journal::algorithm_of(missing->type()))), {}, {}, {}});
    const bool by_log = missing == keys->end() && std::ranges::any_of(*keys, of_log);
    const bool all_fit = std::ranges::all_of(*compared, [](const Compared& each) { return each.found.has_value(); });
    const bool proven = by_log && all_fit;
    const Exit exit = !by_log ? Exit::denied : all_fit ? Exit::ok : Exit::failed;
    if (context.json) {
        print_json(*receipt, *compared, proven);
        return exit;
    }
    if (!by_log) {
        put_line(context.say(Say::receipt_no_key, plain_line(receipt->checkpoint.origin)));
        return exit;
    }
    put_line(context.say(Say::receipt_proven, plain_line(line->id), receipt->index, plain_line(receipt->checkpoint.origin), receipt->checkpoint.size));
    for (const auto& each : receipt->signers) put_line(context.say(Say::receipt_signer, plain_line(each.name), each.algorithm, when(each.time)));
    put_line(context.say(Say::receipt_says, plain_line(line->node)));
    say_what_happened(context, *line);
    for (const Compared& each : *compared) {
        const Say id = each.found ? (each.input ? Say::receipt_input_fits : Say::receipt_output_fits) : (each.input ? Say::receipt_input_differs : Say::receipt_output_differs);
        put_line(context.say(id, each.file));
    }
    put_line(context.say(Say::receipt_limits));
    const bool witnessed = std::ranges::any_of(receipt->signers, [&](const auto& each) { return each.name != receipt->checkpoint.origin; });
    if (!witnessed) put_line(context.say(Say::receipt_unwitnessed));
    if (compared->empty() && line->kind == "answer") put_line(context.say(Say::receipt_no_texts));
    for (const std::string& each : receipt->unknown) put_line(context.say(Say::receipt_unknown_signer, plain_line(each)));
    return exit;
}

}  // namespace hanse::cli
