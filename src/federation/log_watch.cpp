// SPDX-License-Identifier: Apache-2.0
#include "federation/log_watch.hpp"

#include <algorithm>

namespace hanse::federation {
namespace {

std::optional<journal::Checkpoint> signed_checkpoint(std::string_view text, const CharterMember& member) {
    const auto note = journal::Note::parse(text);
    if (!note) return {};
    std::vector<journal::NoteVerifier> verifiers;
    for (const auto& vkey : member.log_keys)
        if (auto verifier = journal::NoteVerifier::from_vkey(vkey);
            verifier && (verifiers.empty() || verifier->name() == verifiers.front().name()))
            verifiers.push_back(std::move(*verifier));
    const auto signed_by = journal::endorsements(*note, verifiers);
    if (verifiers.empty() || !signed_by || signed_by->size() != verifiers.size()) return {};
    auto checkpoint = journal::Checkpoint::parse(note->text);
    if (!checkpoint || checkpoint->origin != verifiers.front().name()) return {};
    return std::move(*checkpoint);
}

}  // namespace

LogWatch::News LogWatch::take(std::string_view member, std::string_view note, const Charter& charter) {
    const CharterMember* entry = charter.member(member);
    if (!entry) return News::refused;
    const auto found = watched_.find(member);
    if (found != watched_.end() && found->second.largest && found->second.largest->note == note) return News::known;
    auto checkpoint = signed_checkpoint(note, *entry);
    if (!checkpoint) return News::refused;
    Watched& watched = watched_[std::string(member)];
    if (watched.evidence) return News::forked;
    Seen seen{std::move(*checkpoint), std::string(note)};
    for (const auto* other : {&watched.largest, &watched.pending})
        if (*other && (*other)->checkpoint.size == seen.checkpoint.size && (*other)->checkpoint.root != seen.checkpoint.root) {
            watched.evidence = {(*other)->note, seen.note};
            return News::forked;
        }
    if (!watched.largest || watched.largest->checkpoint.size == 0) {
        watched.largest = std::move(seen);
        return News::proven;
    }
    if (seen.checkpoint.size == watched.largest->checkpoint.size) return News::known;
    // One question at a time; the one that reaches farthest is worth most.
    if (!watched.pending || seen.checkpoint.size > watched.pending->checkpoint.size) watched.pending = std::move(seen);
    return News::newer;
}

std::optional<LogWatch::Question> LogWatch::question(std::string_view member) const {
    const auto found = watched_.find(member);
    if (found == watched_.end() || !found->second.pending || found->second.evidence) return {};
    const auto a = found->second.largest->checkpoint.size, b = found->second.pending->checkpoint.size;
    return Question{std::min(a, b), std::max(a, b)};
}

LogWatch::News LogWatch::answer(std::string_view member, std::uint64_t from, std::uint64_t to, std::span<const journal::Hash> proof) {
    const auto asked = question(member);
    if (!asked || asked->from != from || asked->to != to) return News::known;
    Watched& watched = watched_.find(member)->second;
    const Seen& older = watched.largest->checkpoint.size == from ? *watched.largest : *watched.pending;
    const Seen& newer = watched.largest->checkpoint.size == from ? *watched.pending : *watched.largest;
    if (!journal::verifies_consistency(from, to, proof, older.checkpoint.root, newer.checkpoint.root)) {
        watched.evidence = {older.note, newer.note};
        return News::forked;
    }
    Seen largest = newer;
    watched.largest = std::move(largest);
    watched.pending.reset();
    return News::proven;
}

void LogWatch::recall_evidence(std::string_view member, std::pair<std::string, std::string> notes) {
    watched_[std::string(member)].evidence = std::move(notes);
}

const std::string* LogWatch::latest(std::string_view member) const {
    const auto found = watched_.find(member);
    return found != watched_.end() && found->second.largest ? &found->second.largest->note : nullptr;
}

const std::pair<std::string, std::string>* LogWatch::evidence(std::string_view member) const {
    const auto found = watched_.find(member);
    return found != watched_.end() && found->second.evidence ? &*found->second.evidence : nullptr;
}

std::vector<std::string> LogWatch::members() const {
    std::vector<std::string> names;
    for (const auto& [name, watched] : watched_) names.push_back(name);
    return names;
}

}  // namespace hanse::federation
