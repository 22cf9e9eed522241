// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar.hpp"
#include "grammar_matcher.hpp"

namespace hanse::engine {

// The states of one grammar that were met so far, and the ways between them. A state is a set of (place,
// stack) pairs; a stack is a place to return to on top of another stack, and equal ones are one, so that a
// set is a short list of number pairs. States and their transitions are made when first asked for and kept.
//
// Reading a known transition takes no lock: rows never move, and a state is complete before its number is
// published. Making a new one takes the mutex. The automaton only grows; once it is outgrown() its users move
// to a fresh one with adopt(), and the old one goes with its last user.
class GrammarAutomaton {
public:
    using StateId = std::uint32_t;
    static constexpr StateId dead = 0;

    GrammarAutomaton(std::shared_ptr<const Grammar> grammar, std::size_t bytes_max);

    const Grammar& grammar() const { return *grammar_; }
    StateId start() const { return start_; }
    StateId step(StateId state, std::uint8_t byte) { return step_symbol(state, grammar_->symbol_of_byte[byte]); }
    StateId step_symbol(StateId state, std::uint32_t symbol) {
        const auto next = row(state)[symbol].load(std::memory_order_acquire);
        return next != unknown ? next : make_step(state, symbol);
    }
    bool may_end(StateId state) const { return chunk(state).may_end[state % chunk_states]; }
    // Waiting for a trigger.
    bool sleeping(StateId state) const { return state - 1 < sleepers_; }

    bool outgrown() const { return bytes_.load(std::memory_order_relaxed) > bytes_max_; }
    // The same state of another automaton of the same grammar.
    StateId adopt(GrammarAutomaton& other, StateId state);

    // Masks of states; the least recently used are dropped.
    std::shared_ptr<const TokenMask> known_mask(StateId state);
    void keep_mask(StateId state, std::shared_ptr<const TokenMask> mask, std::size_t bytes_max);

private:
    static constexpr StateId unknown = UINT32_MAX;
    static constexpr std::size_t chunk_states = 128;
    static constexpr std::size_t chunks_max = 16'384;
    static constexpr std::uint32_t bottom = 0;
    static constexpr std::uint32_t depth_max = 2000;
    static constexpr std::size_t items_max = 16'384;

    struct Item {
        std::uint32_t place;
        std::uint32_t stack;
        auto operator<=>(const Item&) const = default;
    };
    struct Stack { std::uint32_t place, below, depth; };
    struct State { std::uint32_t item_first, item_count; };
    struct Chunk {
        std::unique_ptr<std::atomic<StateId>[]> rows;
        std::array<bool, chunk_states> may_end{};
    };

    const Chunk& chunk(StateId state) const { return *chunks_[state / chunk_states].load(std::memory_order_acquire); }
    std::atomic<StateId>* row(StateId state) const { return chunk(state).rows.get() + (state % chunk_states) * symbols_; }

    // All of these with mutex_ held.
    StateId make_step(StateId state, std::uint32_t symbol);
    StateId step_sleeper(StateId state, std::uint32_t symbol);
    void make_sleepers();
    StateId close(std::vector<Item> items);
    StateId intern(const std::vector<Item>& items, bool may_end);
    StateId add_state(const std::vector<Item>& items, bool may_end);
    std::uint32_t push(std::uint32_t place, std::uint32_t below);
    std::span<const Item> items(StateId state) const { return std::span(items_).subspan(states_[state].item_first, states_[state].item_count); }

    const std::shared_ptr<const Grammar> grammar_;
    const std::size_t symbols_;
    const std::size_t bytes_max_;
    std::atomic<std::size_t> bytes_{0};
    std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
    StateId start_ = dead;
    StateId awake_ = dead;        // the grammar's own start
    std::uint32_t sleepers_ = 0;  // states 1 … sleepers_ look for a trigger

    std::mutex mutex_;
    std::vector<std::unique_ptr<Chunk>> owned_chunks_;
    std::vector<State> states_;
    std::vector<Item> items_;
    std::unordered_multimap<std::uint64_t, StateId> state_index_;
    std::vector<Stack> stacks_;
    std::unordered_map<std::uint64_t, std::uint32_t> stack_index_;
    // Aho and Corasick's automaton over the triggers; sleeper i is state i + 1.
    struct Sleeper {
        std::array<std::uint32_t, 256> next{};
        std::uint32_t otherwise = 0;
        bool found = false;
    };
    std::vector<Sleeper> sleeper_table_;
    std::vector<std::uint8_t> byte_of_symbol_;

    struct Kept { StateId state; std::shared_ptr<const TokenMask> mask; };
    std::mutex mask_mutex_;
    std::list<Kept> masks_;  // most recently used first
    std::unordered_map<StateId, std::list<Kept>::iterator> mask_index_;
};

}  // namespace hanse::engine
