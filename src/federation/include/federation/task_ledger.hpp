// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "federation/wire/messages.hpp"

namespace hanse::federation {

using wire::TaskKey;
using WallMs = std::int64_t;  // Unix milliseconds of this node's clock

struct LedgerOptions {
    // A key is taken only if it was drawn so recently, by this node's clock; clocks may be minutes apart.
    std::chrono::milliseconds window = std::chrono::minutes(10);
    std::size_t tasks_max = 8'192;                  // remembered for one member
    std::size_t kept_answer_max = 64 * 1024;        // bytes of one answer that a retry may have again
    std::size_t kept_bytes_max = 16 * 1024 * 1024;  // of all of them
};

// Which tasks of others this node has run, so that none is run twice, however often it is sent and whoever crashed in
// between. Bounded without ever forgetting what could come again: a key carries the time at which it was drawn, a
// key that is old is refused, and only what would be refused is forgotten (`forgotten_before` per member, so that a
// clock set back opens nothing). One who sends more than there is room for is refused as overloaded.
//
// Belongs to the thread of the sessions. The shell makes begun_line() durable before it lets a task run, and gives all
// lines to parse() at the start.
class TaskLedger {
public:
    explicit TaskLedger(LedgerOptions options = {}) : options_(options) {}

    enum class State : std::uint8_t {
        unknown,  // may be begun
        running,
        finished,  // done() has the answer if it was kept
        old,       // drawn too long ago, or by a clock too far ahead
    };
    State state(std::string_view member, const TaskKey& key, WallMs made, WallMs now) const;
    // `overloaded` if the member has too many; only for State::unknown.
    base::Result<void> begin(std::string_view member, const TaskKey& key, WallMs made, WallMs now);
    static std::string begun_line(std::string_view member, const TaskKey& key, WallMs made);

    // The answer as it goes out, for a retry; beyond the limits it is not kept.
    void keep(std::string_view member, const TaskKey& key, const wire::Tokens& tokens);
    void finish(std::string_view member, const TaskKey& key, wire::Done done);
    // It ended, and there is no answer that anybody could have again.
    void abandon(std::string_view member, const TaskKey& key);
    // The sender has the answer.
    void settle(std::string_view member, const TaskKey& key);

    struct Kept {
        std::vector<wire::Tokens> tokens;
        wire::Done done;
    };
    const Kept* kept(std::string_view member, const TaskKey& key) const;
    bool settled(std::string_view member, const TaskKey& key) const;

    // Forgets what would be refused.
    void expire(WallMs now);
    std::size_t size() const;
    std::size_t kept_bytes() const { return kept_bytes_; }
    // Keys of a member that are running; what is cut off when it is removed.
    std::vector<TaskKey> running(std::string_view member) const;

    // Lines "begun MEMBER KEY MADE" and "forgotten MEMBER MADE". What was running when the node stopped counts as
    // abandoned: it may have run. What a power cut left of lines that were not yet durable is passed over: a last line
    // without its end, and one with a hole (bytes of zero). Any other is `corrupt`.
    std::string text() const;
    static base::Result<TaskLedger> parse(std::string_view text, WallMs now, LedgerOptions options = {});

private:
    struct Entry {
        WallMs made = 0;
        bool running = true;
        bool settled = false;
        bool whole = true;  // everything was kept so far
        Kept kept = {};
        bool has_done = false;
        std::size_t bytes = 0;
    };
    struct Member {
        std::map<TaskKey, Entry> tasks;
        WallMs forgotten_before = INT64_MIN;
    };
    Entry* find(std::string_view member, const TaskKey& key);
    const Entry* find(std::string_view member, const TaskKey& key) const { return const_cast<TaskLedger*>(this)->find(member, key); }
    void drop(Entry& entry);

    LedgerOptions options_;
    std::map<std::string, Member, std::less<>> members_;
    std::size_t kept_bytes_ = 0;
};

std::string text_of(const TaskKey& key);  // 32 hex digits
std::optional<TaskKey> task_key_of(std::string_view text);

}  // namespace hanse::federation
