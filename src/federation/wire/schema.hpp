// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>

#include "federation/wire/messages.hpp"

// Types, fields and limits of all messages, in one place. A number that was used is never used for something else, a
// field that became mandatory is a new field, and a new message takes a new type (from 128 on if an older peer may
// pass over it).
namespace hanse::federation::wire {

enum class Need : std::uint8_t { optional, mandatory };
using enum Need;

inline constexpr std::size_t word_max = 256;
inline constexpr std::size_t label_max = 8'192;
inline constexpr std::size_t charter_max = 1024 * 1024 + 512 * 8'192;
inline constexpr std::size_t offer_max = 128 * 1024;
inline constexpr std::size_t receipt_max = 640 * 1024;
inline constexpr std::size_t note_max = 64 * 1024;
inline constexpr std::size_t events_max = 256 * 1024;
inline constexpr std::size_t chain_max = 1'024;

template <typename M>
struct Schema;  // static constexpr type, size (limit of the payload), visit(visitor, message)

#define HANSE_MESSAGE(NAME, TYPE, SIZE)            \
    template <>                                    \
    struct Schema<NAME> {                          \
        static constexpr std::uint8_t type = TYPE; \
        static constexpr std::size_t size = SIZE;  \
        template <typename Visitor, typename M>    \
        static void visit(Visitor& v, M& m);       \
    };                                             \
    template <typename Visitor, typename M>        \
    void Schema<NAME>::visit([[maybe_unused]] Visitor& v, [[maybe_unused]] M& m)

HANSE_MESSAGE(Hello, 1, 4'096) {
    v(1, mandatory, m.oldest);
    v(2, mandatory, m.newest);
    v(3, mandatory, m.federation);
    v(4, mandatory, m.member, word_max);
    v(5, mandatory, m.node, word_max);
    v(6, mandatory, m.instance);
    v(7, mandatory, m.charter_version);
    v(8, mandatory, m.charter);
    v(9, optional, m.wall_ms);
    v(10, optional, m.tasks_max);
    v(11, optional, m.ask_bytes_max);
    v(12, optional, m.software, word_max);
}
HANSE_MESSAGE(Ping, 2, 64) { v(1, optional, m.nonce); }
HANSE_MESSAGE(Pong, 3, 64) {
    v(1, optional, m.nonce);
    v(2, optional, m.wall_ms);
}
HANSE_MESSAGE(Problem, 4, 1'024) {
    v(1, optional, m.code, 64);
    v(2, optional, m.sentence, 512);
}
HANSE_MESSAGE(Goodbye, 5, 256) { v(1, optional, m.reason, 64); }
HANSE_MESSAGE(CharterAsk, 6, 64) { v(1, mandatory, m.from); }
HANSE_MESSAGE(CharterGive, 7, charter_max + 64) { v(1, mandatory, m.document, charter_max); }
HANSE_MESSAGE(CharterProposal, 8, charter_max + 64) { v(1, mandatory, m.document, charter_max); }

template <typename Visitor, typename M>
    requires std::same_as<std::remove_const_t<M>, OfferSummary::Entry>
void visit_nested(Visitor& v, M& m) {
    v(1, mandatory, m.member, word_max);
    v(2, mandatory, m.sequence);
}
HANSE_MESSAGE(OfferSummary, 9, 128 * 1024) { v(1, mandatory, m.entries, 256, 512); }
HANSE_MESSAGE(OfferAsk, 10, 128 * 1024) { v(1, mandatory, m.members, word_max, 256); }
HANSE_MESSAGE(OfferGive, 11, offer_max + 64) { v(1, mandatory, m.document, offer_max); }
HANSE_MESSAGE(CheckpointGive, 12, note_max + 512) {
    v(1, mandatory, m.member, word_max);
    v(2, mandatory, m.note, note_max);
}
HANSE_MESSAGE(ConsistencyAsk, 13, 64) {
    v(1, mandatory, m.from);
    v(2, mandatory, m.to);
}
HANSE_MESSAGE(ConsistencyGive, 14, 4'096) {
    v(1, mandatory, m.from);
    v(2, mandatory, m.to);
    v(3, mandatory, m.hashes, 64);
}
HANSE_MESSAGE(Task, 16, 64 * 1024) {  // and the body
    v(1, mandatory, m.key);
    v(2, mandatory, m.kind, word_max);
    v(3, mandatory, m.model, word_max);
    v(4, mandatory, m.label, label_max);
    v(5, mandatory, m.purpose, word_max);
    v(6, mandatory, m.learning);
    v(7, mandatory, m.body, v.ask_bytes_max());
    v(8, mandatory, m.made_ms);
    v(9, mandatory, m.deadline_ms);
    v(10, optional, m.first_token_ms);
    v(11, mandatory, m.budget_tokens);
    v(12, mandatory, m.credit);
    v(13, optional, m.charter_version);
    v(14, optional, m.trace, word_max);
    v(15, optional, m.parents, 64, 64);
}
HANSE_MESSAGE(Tokens, 17, events_max + 64) {
    v(1, mandatory, m.sequence);
    v(2, mandatory, m.events, events_max);
    v(3, mandatory, m.count);
}
HANSE_MESSAGE(Done, 18, receipt_max + 16 * 1024) {
    v(1, mandatory, m.messages);
    v(2, mandatory, m.outcome, 64);
    v(3, mandatory, m.label, label_max);
    v(4, mandatory, m.receipt, receipt_max);
    v(5, optional, m.prompt_tokens);
    v(6, optional, m.completion_tokens);
    v(7, optional, m.cached_tokens);
    v(8, optional, m.model, word_max);
}
HANSE_MESSAGE(Refused, 19, 64) {
    v(1, mandatory, m.code);
    v(2, optional, m.retry_after_ms);
}
HANSE_MESSAGE(Cancel, 20, 128) { v(1, optional, m.reason, 64); }
HANSE_MESSAGE(Credit, 21, 64) { v(1, mandatory, m.bytes); }
HANSE_MESSAGE(Settled, 22, 256) {
    v(1, mandatory, m.key);
    v(2, optional, m.receipt_id, 64);
}
HANSE_MESSAGE(JoinAsk, 32, 128 * 1024) {
    v(1, mandatory, m.invitation);
    v(2, mandatory, m.nonce);
    v(3, mandatory, m.member, 120 * 1024);
    v(4, mandatory, m.proof);
}
HANSE_MESSAGE(JoinTerms, 33, 2 * charter_max) {
    v(1, mandatory, m.proposal, charter_max);
    v(2, mandatory, m.proof);
    v(3, mandatory, m.versions, charter_max, chain_max);
}
HANSE_MESSAGE(JoinConsent, 34, 16 * 1024 + 64) { v(1, mandatory, m.signature, 16 * 1024); }
HANSE_MESSAGE(JoinDone, 35, 2 * charter_max) { v(1, mandatory, m.charter, charter_max, chain_max); }

#undef HANSE_MESSAGE

}  // namespace hanse::federation::wire
