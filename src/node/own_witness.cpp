// SPDX-License-Identifier: Apache-2.0
#include "own_witness.hpp"

#include <format>

#include "base/encoding.hpp"
#include "catalog/files.hpp"
#include "crypto/digest.hpp"
#include "journal/key_list.hpp"
#include "node/identity.hpp"

namespace hanse::node {
namespace {

std::string digest_of(const journal::Evidence& evidence) { return base::hex(crypto::sha256(base::bytes_of(evidence.text()))); }

}  // namespace

base::Result<std::unique_ptr<OwnWitness>> OwnWitness::open(const Parts& parts) {
    const auto text = catalog::read_file_whole(parts.config.logs, 1 << 20);
    if (!text) return base::fail(text.error().kind, "witness.logs: " + text.error().message);
    auto logs = journal::parse_key_list(*text);
    if (!logs) return base::fail(logs.error().kind, std::format("{}, {}", parts.config.logs, logs.error().message));
    for (const journal::NoteVerifier& key : *logs)
        if (key.type() == journal::NoteType::ed25519_cosignature)
            return base::fail(base::ErrorKind::invalid,
                              std::format("{}: the key of {} is a witness's, not a log's", parts.config.logs, key.name()));
    auto keys = open_witness_keys(parts.data, parts.passphrase);
    if (!keys) return std::unexpected(keys.error());
    std::unique_ptr<OwnWitness> made(new OwnWitness);
    const auto count = static_cast<std::int64_t>(logs->size());
    auto opened = journal::Witness::open({made->disk_, std::move(*keys), std::move(*logs), parts.data.witnessed()});
    if (!opened) return base::fail(opened.error().kind, "as a witness: " + opened.error().message, opened.error().code);
    made->witness_ = std::move(*opened);
    made->endpoint_ = std::make_unique<api::WitnessEndpoint>(*made->witness_, parts.clock);
    if (const auto evidence = made->witness_->evidence())
        for (const journal::Evidence& each : *evidence) made->told_.insert(digest_of(each));
    parts.log.info("witness_ready", {{"witness", std::string_view(made->witness_->keys().name())}, {"keys_of_logs", count}});
    return made;
}

net::Handler OwnWitness::before(net::Handler rest) {
    return [endpoint = endpoint_.get(), rest = std::move(rest)](net::Exchange& exchange) {
        return api::WitnessEndpoint::takes(exchange.request().path) ? endpoint->serve(exchange) : rest(exchange);
    };
}

void OwnWitness::look(const std::function<void(std::string_view, journal::CanonicalObject)>& record) {
    const std::uint64_t splits = witness_->figures().proven_splits;
    if (splits == splits_told_) return;
    splits_told_ = splits;
    const auto evidence = witness_->evidence();
    if (!evidence) return;
    for (const journal::Evidence& each : *evidence) {
        if (!each.proven || !told_.insert(digest_of(each)).second) continue;
        const auto note = journal::Note::parse(each.seen);
        const auto seen = note ? journal::Checkpoint::parse(note->text) : std::unexpected(note.error());
        journal::CanonicalObject fields;
        if (seen) fields.text("log", seen->origin).number("size", seen->size);
        record("split_view_seen", std::move(fields));
    }
}

}  // namespace hanse::node
