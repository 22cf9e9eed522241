// SPDX-License-Identifier: Apache-2.0
#include "journal/receipt.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <span>
#include <unistd.h>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "crypto/signature.hpp"
#include "journal/cose_receipt.hpp"
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

std::string list(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& each : words) all += (all.empty() ? "" : ", ") + plain_line(each);
    return all;
}
std::string json_list(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& each : words) all += (all.empty() ? "" : ",") + json_text(each);
    return all;
}

// A receipt in either form, once it was checked, and what it is worth.
struct Verified {
    journal::Receipt receipt;
    bool cose = false;
    bool by_log = false;  // signed by each key of the log that is known, and by one at least
    bool enough = true;   // as many witnesses as the policy wants, where there is one
};

// A COSE receipt begins with CBOR's tag 18, which no text does.
bool is_cose(std::string_view file) { return file.starts_with('\xd2'); }

base::Result<Verified> verify_cose(const Context& context, const ReceiptOptions& options, std::string_view file, std::span<const journal::NoteVerifier> keys) {
    if (options.record.empty()) return base::fail(base::ErrorKind::invalid, context.say(Say::receipt_cose_record));
    const auto text = read_input(options.record, receipt_max);
    if (!text) return std::unexpected(text.error());
    auto recorded = journal::recorded_entry(*text);
    if (!recorded) return std::unexpected(recorded.error());
    const auto place = journal::read_cose_receipt(base::bytes_of(file), recorded->entry, keys);
    Verified made{.receipt = {.record = std::move(recorded->record)}, .cose = true, .enough = options.policy.empty()};
    if (!place && place.error().kind == base::ErrorKind::not_found) return made;
    if (!place) return std::unexpected(place.error());
    made.by_log = true;
    made.receipt.index = place->index;
    made.receipt.checkpoint = {place->origin, place->size, place->root};
    made.receipt.signers.push_back({place->origin, std::string(crypto::name(place->algorithm))});
    return made;
}

// The keys that a receipt is to be checked with. A COSE receipt names its key by itself, so all there ever were go in.
base::Result<std::vector<journal::NoteVerifier>> keys_for(const TrustedKeys& trusted, std::string_view file) {
    if (is_cose(file)) {
        std::vector<journal::NoteVerifier> all = trusted.keys;
        for (const auto& set : trusted.former) all.insert(all.end(), set.begin(), set.end());
        return all;
    }
    const auto proof = journal::LogProof::parse(file);
    if (!proof) return std::unexpected(proof.error());
    const auto note = journal::Note::parse(proof->checkpoint);
    return note ? trusted.of(*note) : trusted.keys;  // what is wrong with it is said when it is checked
}

base::Result<Verified> verify(const Context& context, const ReceiptOptions& options, std::string_view file) {
    auto policy = witness_policy(options.policy);
    if (!policy) return std::unexpected(policy.error());
    // The keys of a policy's logs stand in for those of this machine's node.
    const bool own = !options.keys.empty() || !options.trust.empty() || !*policy || (*policy)->logs().empty();
    const auto trusted = own ? trusted_keys(context, options.keys, options.trust, options.changes) : base::Result<TrustedKeys>();
    if (!trusted) return std::unexpected(trusted.error());
    auto keys = keys_for(*trusted, file);
    if (!keys) return std::unexpected(keys.error());
    const std::vector<journal::NoteVerifier> given = *keys;
    if (*policy)
        for (const auto& log : (*policy)->logs())
            if (std::ranges::none_of(*keys, [&](const auto& key) { return key.vkey() == log.verifier.vkey(); })) keys->push_back(log.verifier);
    if (is_cose(file)) return verify_cose(context, options, file, *keys);
    auto receipt = *policy ? journal::judge_receipt(file, **policy, given) : journal::read_receipt(file, *keys);
    if (!receipt) return std::unexpected(receipt.error());
    // The log's own signatures are what counts, by each of its keys that is known: a witness alone says nothing about a log that
    // nobody vouches for, and a signature that is missing was taken away.
    const std::string& origin = receipt->checkpoint.origin;
    const auto of_log = [&](const journal::NoteVerifier& key) { return key.name() == origin; };
    const auto is_missing = [&](const journal::NoteVerifier& key) {
        return of_log(key) && std::ranges::none_of(receipt->signers, [&](const auto& each) {
                   return each.name == key.name() && each.algorithm == crypto::name(journal::algorithm_of(key.type()));
               });
    };
    const auto missing = std::ranges::find_if(*keys, is_missing);
    if (missing != keys->end() && std::ranges::any_of(receipt->signers, [&](const auto& each) { return each.name == origin; }))
        return base::fail(base::ErrorKind::corrupt,
                          context.say(Say::receipt_unsigned, plain_line(missing->name()), crypto::name(journal::algorithm_of(missing->type()))));
    const bool by_log = missing == keys->end() && std::ranges::any_of(*keys, of_log);
    const bool enough = !receipt->policy || receipt->policy->quorum;
    return Verified{std::move(*receipt), false, by_log, enough};
}

void say_policy(const Context& context, const ReceiptOptions& options, const Verified& verified) {
    if (options.policy.empty()) return;
    const auto& verdict = verified.receipt.policy;
    if (!verdict) return put_line(context.say(Say::receipt_policy_cose, options.policy));
    const std::string cosigned = verdict->cosigned.empty() ? context.say(Say::receipt_no_witness) : list(verdict->cosigned);
    put_line(context.say(verified.enough ? Say::receipt_policy_met : Say::receipt_policy_unmet, options.policy, cosigned));
    if (!verdict->missing.empty()) put_line(context.say(Say::receipt_policy_missing, list(verdict->missing)));
}

void print_json(const Verified& verified, const std::vector<Compared>& compared, bool proven) {
    const journal::Receipt& receipt = verified.receipt;
    std::string policy;
    if (receipt.policy)
        policy = std::format(",\"policy\":{{\"met\":{},\"cosigned\":[{}],\"missing\":[{}]}}", receipt.policy->met(), json_list(receipt.policy->cosigned),
                             json_list(receipt.policy->missing));
    std::string signers, unknown, texts;
    for (const auto& each : receipt.signers)
        signers += std::format("{}{{\"name\":{},\"algorithm\":{},\"time\":{}}}", signers.empty() ? "" : ",", json_text(each.name), json_text(each.algorithm), each.time);
    for (const auto& each : receipt.unknown) unknown += (unknown.empty() ? "" : ",") + json_text(each);
    for (const auto& each : compared)
        texts += std::format("{}{{\"file\":{},\"as\":\"{}\",\"fits\":{}}}", texts.empty() ? "" : ",", json_text(each.file), each.input ? "input" : "output", each.found.has_value());
    put_line(std::format("{{\"proven\":{},\"form\":\"{}\",\"log\":{},\"size\":{},\"index\":{},\"signers\":[{}],\"unknown\":[{}]{},\"texts\":[{}],\"record\":{}}}", proven,
                         verified.cose ? "cose" : "tlog-proof", json_text(receipt.checkpoint.origin), receipt.checkpoint.size, receipt.index, signers, unknown, policy,
                         texts, receipt.record));
}

}  // namespace

Exit receipt_verify(const Context& context, const ReceiptOptions& options) {
    const auto text = read_input(options.file, receipt_max);
    if (!text) return fail(context, text.error());
    const auto verified = verify(context, options, *text);
    if (!verified) return fail(context, verified.error());
    const journal::Receipt& receipt = verified->receipt;
    const auto line = read_record_line(receipt.record);
    if (!line) return fail(context, line.error());
    const auto compared = compare(options, *line);
    if (!compared) return fail(context, compared.error());
    const bool all_fit = std::ranges::all_of(*compared, [](const Compared& each) { return each.found.has_value(); });
    const Exit exit = !verified->by_log ? Exit::denied : !all_fit ? Exit::failed : verified->enough ? Exit::ok : Exit::denied;
    if (context.json) {
        print_json(*verified, *compared, exit == Exit::ok);
        return exit;
    }
    if (!verified->by_log) {
        put_line(verified->cose ? context.say(Say::receipt_cose_no_key) : context.say(Say::receipt_no_key, plain_line(receipt.checkpoint.origin)));
        return exit;
    }
    put_line(context.say(Say::receipt_proven, plain_line(line->id), receipt.index, plain_line(receipt.checkpoint.origin), receipt.checkpoint.size));
    for (const auto& each : receipt.signers) put_line(context.say(Say::receipt_signer, plain_line(each.name), each.algorithm, when(each.time)));
    put_line(context.say(Say::receipt_says, plain_line(line->node)));
    say_what_happened(context, *line);
    for (const Compared& each : *compared) {
        const Say id = each.found ? (each.input ? Say::receipt_input_fits : Say::receipt_output_fits) : (each.input ? Say::receipt_input_differs : Say::receipt_output_differs);
        put_line(context.say(id, each.file));
    }
    say_policy(context, options, *verified);
    put_line(context.say(Say::receipt_limits));
    const bool witnessed = std::ranges::any_of(receipt.signers, [&](const auto& each) { return each.name != receipt.checkpoint.origin; });
    if (!witnessed) put_line(context.say(Say::receipt_unwitnessed));
    if (compared->empty() && line->kind == "answer") put_line(context.say(Say::receipt_no_texts));
    for (const std::string& each : receipt.unknown) put_line(context.say(Say::receipt_unknown_signer, plain_line(each)));
    return exit;
}

}  // namespace hanse::cli
