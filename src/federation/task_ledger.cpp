// SPDX-License-Identifier: Apache-2.0
#include "federation/task_ledger.hpp"

#include <algorithm>
#include <format>

#include "lines.hpp"

namespace hanse::federation {

using base::ErrorKind;
using base::fail;
using base::Result;

std::string text_of(const TaskKey& key) { return base::hex(key); }

std::optional<TaskKey> task_key_of(std::string_view text) {
    const auto bytes = base::from_hex(text);
    TaskKey key;
    if (!bytes || bytes->size() != key.size()) return {};
    std::ranges::copy(*bytes, key.begin());
    return key;
}

TaskLedger::Entry* TaskLedger::find(std::string_view member, const TaskKey& key) {
    const auto owner = members_.find(member);
    if (owner == members_.end()) return nullptr;
    const auto found = owner->second.tasks.find(key);
    return found == owner->second.tasks.end() ? nullptr : &found->second;
}

TaskLedger::State TaskLedger::state(std::string_view member, const TaskKey& key, WallMs made, WallMs now) const {
    if (const Entry* entry = find(member, key)) return entry->running ? State::running : State::finished;
    const auto owner = members_.find(member);
    const bool forgotten = owner != members_.end() && made <= owner->second.forgotten_before;
    const WallMs window = options_.window.count();
    return forgotten || made < now - window || made > now + window ? State::old : State::unknown;
}

Result<void> TaskLedger::begin(std::string_view member, const TaskKey& key, WallMs made, WallMs now) {
    expire(now);
    Member& owner = members_[std::string(member)];
    if (owner.tasks.size() >= options_.tasks_max)
        return std::unexpected(base::Error{
            ErrorKind::overloaded, "more tasks of one member are remembered than there is room for", "ledger_full", {}, options_.window});
    owner.tasks[key].made = made;
    return {};
}

std::string TaskLedger::begun_line(std::string_view member, const TaskKey& key, WallMs made) {
    return std::format("begun {} {} {}\n", member, text_of(key), made);
}

void TaskLedger::drop(Entry& entry) {
    kept_bytes_ -= entry.bytes;
    entry.bytes = 0;
    entry.whole = false;
    entry.has_done = false;
    entry.kept = {};
}

void TaskLedger::keep(std::string_view member, const TaskKey& key, const wire::Tokens& tokens) {
    Entry* entry = find(member, key);
    if (!entry || !entry->whole) return;
    const std::size_t size = tokens.events.size() + sizeof tokens;
    if (entry->bytes + size > options_.kept_answer_max || kept_bytes_ + size > options_.kept_bytes_max) return drop(*entry);
    entry->bytes += size;
    kept_bytes_ += size;
    entry->kept.tokens.push_back(tokens);
}

void TaskLedger::finish(std::string_view member, const TaskKey& key, wire::Done done) {
    Entry* entry = find(member, key);
    if (!entry) return;
    entry->running = false;
    const std::size_t size = done.receipt.size() + done.label.size() + sizeof done;
    if (!entry->whole || kept_bytes_ + size > options_.kept_bytes_max) return drop(*entry);
    entry->bytes += size;
    kept_bytes_ += size;
    entry->kept.done = std::move(done);
    entry->has_done = true;
}

void TaskLedger::abandon(std::string_view member, const TaskKey& key) {
    Entry* entry = find(member, key);
    if (!entry || !entry->running) return;
    entry->running = false;
    drop(*entry);
}

void TaskLedger::settle(std::string_view member, const TaskKey& key) {
    Entry* entry = find(member, key);
    if (!entry || entry->running) return;
    entry->settled = true;
    drop(*entry);
}

const TaskLedger::Kept* TaskLedger::kept(std::string_view member, const TaskKey& key) const {
    const Entry* entry = find(member, key);
    return entry && !entry->running && entry->has_done ? &entry->kept : nullptr;
}

bool TaskLedger::settled(std::string_view member, const TaskKey& key) const {
    const Entry* entry = find(member, key);
    return entry && entry->settled;
}

void TaskLedger::expire(WallMs now) {
    for (auto& [name, owner] : members_)
        std::erase_if(owner.tasks, [&](auto& each) {
            Entry& entry = each.second;
            if (entry.running || entry.made >= now - options_.window.count()) return false;
            owner.forgotten_before = std::max(owner.forgotten_before, entry.made);
            drop(entry);
            return true;
        });
}

std::size_t TaskLedger::size() const {
    std::size_t sum = 0;
    for (const auto& [name, owner] : members_) sum += owner.tasks.size();
    return sum;
}

std::vector<TaskKey> TaskLedger::running(std::string_view member) const {
    std::vector<TaskKey> keys;
    if (const auto owner = members_.find(member); owner != members_.end())
        for (const auto& [key, entry] : owner->second.tasks)
            if (entry.running) keys.push_back(key);
    return keys;
}

std::string TaskLedger::text() const {
    std::string out;
    for (const auto& [name, owner] : members_) {
        if (owner.forgotten_before != INT64_MIN) out += std::format("forgotten {} {}\n", name, owner.forgotten_before);
        for (const auto& [key, entry] : owner.tasks) out += begun_line(name, key, entry.made);
    }
    return out;
}

Result<TaskLedger> TaskLedger::parse(std::string_view text, WallMs now, LedgerOptions options) {
    TaskLedger ledger(options);
    const auto end = text.rfind('\n');
    for (Lines lines(text.substr(0, end == text.npos ? 0 : end + 1)); !lines.at_end();) {
        const auto line = lines.next();
        // Sectors reach the disk in any order: a power cut can leave a hole before the end of lines that nobody was told of.
        if (line.contains('\0')) continue;
        const auto words = words_of(line);
        const auto made = words.size() >= 3 ? number_of<WallMs>(words.back()) : std::nullopt;
        const auto key = words.size() == 4 ? task_key_of(words[2]) : std::nullopt;
        if (!made || (words[0] == "begun") != key.has_value() || (!key && words[0] != "forgotten"))
            return fail(ErrorKind::corrupt, "the ledger of others' tasks has a line that cannot be read");
        Member& owner = ledger.members_[std::string(words[1])];
        if (!key) owner.forgotten_before = std::max(owner.forgotten_before, *made);
        else owner.tasks[*key] = {.made = *made, .running = false, .whole = false};
    }
    ledger.expire(now);
    return ledger;
}

}  // namespace hanse::federation
