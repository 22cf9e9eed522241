// SPDX-License-Identifier: Apache-2.0
#include "grammar_automaton.hpp"

#include <algorithm>
#include <unordered_set>

namespace hanse::engine {
namespace {

std::uint64_t packed(std::uint32_t high, std::uint32_t low) { return (std::uint64_t{high} << 32) | low; }

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
    hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6) + (hash >> 2);
    return hash * 0xff51afd7ed558ccdU;
}

// Pairs met during one closure: few nearly always, so looked for one by one until they are many.
class Seen {
public:
    bool add(std::uint64_t value) {
        if (few_.size() < 16) {
            if (std::ranges::contains(few_, value)) return false;
            few_.push_back(value);
            return true;
        }
        return !std::ranges::contains(few_, value) && many_.insert(value).second;
    }

private:
    std::vector<std::uint64_t> few_;
    std::unordered_set<std::uint64_t> many_;
};

}  // namespace

GrammarAutomaton::GrammarAutomaton(std::shared_ptr<const Grammar> grammar, std::size_t bytes_max)
    : grammar_(std::move(grammar)),
      symbols_(grammar_->symbols()),
      bytes_max_(bytes_max),
      chunks_(std::make_unique<std::atomic<Chunk*>[]>(chunks_max)),
      byte_of_symbol_(grammar_->byte_symbols) {
    for (std::size_t byte = 0; byte < 256; ++byte) byte_of_symbol_[grammar_->symbol_of_byte[byte]] = static_cast<std::uint8_t>(byte);
    stacks_.push_back({});
    add_state({}, false);
    for (std::size_t symbol = 0; symbol < symbols_; ++symbol) row(dead)[symbol].store(dead, std::memory_order_relaxed);
    if (!grammar_->triggers.empty()) make_sleepers();
    awake_ = close({{grammar_->start, bottom}});
    start_ = sleepers_ > 0 ? 1 : awake_;
}

GrammarAutomaton::StateId GrammarAutomaton::make_step(StateId state, std::uint32_t symbol) {
    std::lock_guard lock(mutex_);
    auto& cell = row(state)[symbol];
    if (const auto known = cell.load(std::memory_order_relaxed); known != unknown) return known;
    StateId next = dead;
    if (sleeping(state)) {
        next = step_sleeper(state, symbol);
    } else {
        std::vector<Item> moved;
        for (const auto& item : items(state)) {
            const auto& place = grammar_->places[item.place];
            const auto edges = std::span(grammar_->edges).subspan(place.edge_first, place.edge_last - place.edge_first);
            for (const auto& edge : std::ranges::equal_range(edges, symbol, {}, &Grammar::Edge::symbol)) moved.push_back({edge.target, item.stack});
        }
        if (!moved.empty()) next = close(std::move(moved));
    }
    cell.store(next, std::memory_order_release);
    return next;
}

// Follows calls and returns until only pairs that wait for a symbol are left. Ends, since a rule that
// calls itself before a symbol was refused by the compiler.
GrammarAutomaton::StateId GrammarAutomaton::close(std::vector<Item> work) {
    Seen seen;
    std::vector<Item> waiting;
    bool may_end = false;
    std::erase_if(work, [&](const Item& item) { return !seen.add(packed(item.place, item.stack)); });
    const auto visit = [&](Item item) {
        if (seen.add(packed(item.place, item.stack))) work.push_back(item);
    };
    while (!work.empty()) {
        const auto item = work.back();
        work.pop_back();
        const auto& place = grammar_->places[item.place];
        if (place.edge_first != place.edge_last) waiting.push_back(item);
        // More ways at once than any sensible grammar has: its text is refused rather than the node slowed.
        if (waiting.size() > items_max) return dead;
        for (auto i = place.call_first; i < place.call_last; ++i) {
            const auto& call = grammar_->calls[i];
            if (grammar_->places[call.target].leaf)
                visit({call.start, item.stack});
            else if (stacks_[item.stack].depth < depth_max)
                visit({call.start, push(call.target, item.stack)});
        }
        if (!place.accepting) continue;
        if (item.stack == bottom) may_end = true;
        else visit({stacks_[item.stack].place, stacks_[item.stack].below});
    }
    if (waiting.empty() && !may_end) return dead;
    std::ranges::sort(waiting);
    return intern(waiting, may_end);
}

std::uint32_t GrammarAutomaton::push(std::uint32_t place, std::uint32_t below) {
    const auto [at, added] = stack_index_.try_emplace(packed(place, below), static_cast<std::uint32_t>(stacks_.size()));
    if (added) {
        stacks_.push_back({place, below, stacks_[below].depth + 1});
        bytes_.fetch_add(sizeof(Stack) + 48, std::memory_order_relaxed);
    }
    return at->second;
}

GrammarAutomaton::StateId GrammarAutomaton::intern(const std::vector<Item>& wanted, bool may_end) {
    std::uint64_t hash = may_end ? 1 : 0;
    for (const auto& item : wanted) hash = mixed(hash, packed(item.place, item.stack));
    const auto [first, last] = state_index_.equal_range(hash);
    for (auto at = first; at != last; ++at)
        if (this->may_end(at->second) == may_end && std::ranges::equal(items(at->second), wanted)) return at->second;
    const auto state = add_state(wanted, may_end);
    if (state != dead) state_index_.emplace(hash, state);
    return state;
}

GrammarAutomaton::StateId GrammarAutomaton::add_state(const std::vector<Item>& wanted, bool may_end) {
    const auto state = states_.size();
    const auto at = state / chunk_states;
    if (at >= chunks_max) return dead;
    if (at == owned_chunks_.size()) {
        auto& made = owned_chunks_.emplace_back(std::make_unique<Chunk>());
        made->rows = std::make_unique<std::atomic<StateId>[]>(chunk_states * symbols_);
        for (std::size_t i = 0; i < chunk_states * symbols_; ++i) made->rows[i].store(unknown, std::memory_order_relaxed);
        chunks_[at].store(made.get(), std::memory_order_release);
        bytes_.fetch_add(sizeof(Chunk) + chunk_states * symbols_ * sizeof(StateId), std::memory_order_relaxed);
    }
    owned_chunks_[at]->may_end[state % chunk_states] = may_end;
    states_.push_back({static_cast<std::uint32_t>(items_.size()), static_cast<std::uint32_t>(wanted.size())});
    items_.insert(items_.end(), wanted.begin(), wanted.end());
    bytes_.fetch_add(sizeof(State) + 48 + wanted.size() * sizeof(Item), std::memory_order_relaxed);
    return static_cast<StateId>(state);
}

void GrammarAutomaton::make_sleepers() {
    auto& table = sleeper_table_;
    constexpr std::uint32_t none = 0;  // no way leads back to the root
    table.emplace_back();
    for (const auto& trigger : grammar_->triggers) {
        std::uint32_t at = 0;
        for (const char c : trigger) {
            const auto byte = static_cast<unsigned char>(c);
            if (table[at].next[byte] == none) {
                table[at].next[byte] = static_cast<std::uint32_t>(table.size());
                table.emplace_back();
            }
            at = table[at].next[byte];
        }
        table[at].found = true;
    }
    // Breadth first, so that where a failed attempt goes on is complete before it is needed.
    std::vector<std::uint32_t> order{0};
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto at = order[i];
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const auto fallback = at == 0 ? 0 : table[table[at].otherwise].next[byte];
            auto& next = table[at].next[byte];
            if (next == none) {
                next = fallback;
                continue;
            }
            table[next].otherwise = fallback;
            table[next].found = table[next].found || table[fallback].found;
            order.push_back(next);
        }
    }
    for (std::size_t i = 0; i < table.size(); ++i) add_state({}, true);
    sleepers_ = static_cast<std::uint32_t>(table.size());
}

GrammarAutomaton::StateId GrammarAutomaton::step_sleeper(StateId state, std::uint32_t symbol) {
    if (symbol >= grammar_->byte_symbols) return dead;
    const auto next = sleeper_table_[state - 1].next[byte_of_symbol_[symbol]];
    return sleeper_table_[next].found ? awake_ : next + 1;
}

GrammarAutomaton::StateId GrammarAutomaton::adopt(GrammarAutomaton& other, StateId state) {
    if (state == dead || sleeping(state)) return state;  // numbered alike in all automata of a grammar
    std::scoped_lock lock(mutex_, other.mutex_);
    std::unordered_map<std::uint32_t, std::uint32_t> moved{{bottom, bottom}};
    std::vector<Item> wanted;
    for (const auto& item : other.items(state)) {
        std::vector<std::uint32_t> path;
        auto at = item.stack;
        for (; !moved.contains(at); at = other.stacks_[at].below) path.push_back(at);
        auto below = moved.at(at);
        for (; !path.empty(); path.pop_back()) {
            below = push(other.stacks_[path.back()].place, below);
            moved.emplace(path.back(), below);
        }
        wanted.push_back({item.place, below});
    }
    std::ranges::sort(wanted);
    return intern(wanted, other.may_end(state));
}

std::shared_ptr<const TokenMask> GrammarAutomaton::known_mask(StateId state) {
    std::lock_guard lock(mask_mutex_);
    const auto at = mask_index_.find(state);
    if (at == mask_index_.end()) return nullptr;
    masks_.splice(masks_.begin(), masks_, at->second);
    return at->second->mask;
}

void GrammarAutomaton::keep_mask(StateId state, std::shared_ptr<const TokenMask> mask, std::size_t bytes_max) {
    const auto most = std::max<std::size_t>(1, bytes_max / (mask->words().size_bytes() + 128));
    std::lock_guard lock(mask_mutex_);
    if (mask_index_.contains(state)) return;
    masks_.push_front({state, std::move(mask)});
    mask_index_.emplace(state, masks_.begin());
    for (; masks_.size() > most; masks_.pop_back()) mask_index_.erase(masks_.back().state);
}

}  // namespace hanse::engine
