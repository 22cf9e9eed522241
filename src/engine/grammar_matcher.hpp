// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/generate.hpp"

namespace hanse::engine {

// Constrained output: which tokens may come next so that the whole answer obeys a grammar.
//
// The idea. A grammar is a pushdown automaton over bytes. Where a sequence stands is a set of (place,
// stack) pairs; equal sets get one number, so that "where" is a 32-bit state and each (state, byte) is worked
// out once for all sequences that use the grammar. A token is checked by stepping its bytes: a few table
// look-ups. The mask of all allowed tokens is a walk over the vocabulary's trie, made once per state and kept.
// The sampler should therefore ask accepts() for the token it drew, and allowed() only if that one is refused.
//
// What is shared (trie, compiler, automata) is thread-safe and read mostly without locks; a matcher belongs
// to one thread at a time. Memory is bounded: an automaton that outgrows its limit is begun anew, and
// matchers move over at their next step.

// Which tokens may come next. Bit i of word i/64 is token i.
class TokenMask {
public:
    explicit TokenMask(std::size_t vocabulary) : words_((vocabulary + 63) / 64), size_(vocabulary) {}
    bool allows(TokenId token) const {
        const auto at = static_cast<std::size_t>(token);
        return token >= 0 && at < size_ && ((words_[at / 64] >> (at % 64)) & 1) != 0;
    }
    void allow(TokenId token) { words_[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (token % 64); }
    std::span<const std::uint64_t> words() const { return words_; }
    std::size_t size() const { return size_; }
    std::size_t count() const;
    bool empty() const;

private:
    std::vector<std::uint64_t> words_;
    std::size_t size_;
};

// A model's vocabulary, sorted for walks. Built once per model (about 50 ms for 256k tokens), immutable.
class VocabularyTrie {
public:
    // `pieces`: each token's bytes as they appear in the text; empty: never allowed under a constraint.
    // `control`: tokens that are no text, such as <tool_call> or [TOOL_CALLS]. A grammar matches one only
    // where it names it (<tool_call>, <"[TOOL_CALLS]">), never by its bytes: a JSON string must not hold one.
    // `end`: tokens that end the answer; allowed where the grammar may end.
    VocabularyTrie(std::span<const std::string> pieces, std::span<const TokenId> control, std::span<const TokenId> end);

    std::size_t size() const { return pieces_.size(); }
    std::string_view piece(TokenId token) const { return pieces_[static_cast<std::size_t>(token)]; }
    bool is_end(TokenId token) const { return kinds_[static_cast<std::size_t>(token)] == Kind::end; }
    bool is_control(TokenId token) const { return kinds_[static_cast<std::size_t>(token)] == Kind::control; }

private:
    friend class MaskWalk;
    enum class Kind : std::uint8_t { text, control, end };
    // The trie in the order of a walk: a node's subtree is [node, node.next), its tokens follow one another.
    struct Node {
        std::uint32_t next;         // first node behind the subtree
        std::uint32_t token_first;  // into order_; those of the subtree end where nodes_[next] begins
        std::uint32_t below;        // into byte_sets_: bytes that occur below this node
        std::uint16_t depth;
        std::uint8_t byte;
    };
    struct ByteSet {
        std::uint64_t bits[4] = {};
        bool operator==(const ByteSet&) const = default;
    };
    void build();

    std::vector<std::string> pieces_;
    std::vector<Kind> kinds_;
    std::vector<TokenId> control_;
    std::vector<TokenId> end_;
    std::vector<Node> nodes_;
    std::vector<TokenId> order_;
    std::vector<ByteSet> byte_sets_;
};

class CompiledConstraint;
class GrammarAutomaton;

// Where one sequence stands in its constraint. A small value: copy it to try a draft, and drop the copy to
// take the draft back. Made by ConstraintCompiler.
class ConstraintMatcher {
public:
    // Whether `token` may come next; a few dozen nanoseconds. End tokens: whether the answer may end here.
    bool accepts(TokenId token) const;
    // Moves past `token`; false, and no move, if it is not allowed. After an end token all is refused.
    bool accept(TokenId token);
    // The same for text that is fed without being generated (a forced prefix).
    bool accept_text(std::string_view text);
    // How many of `tokens` could be accepted one after another; for a draft. Does not move.
    std::size_t accepts_prefix(std::span<const TokenId> tokens) const;

    // All that may come next, end tokens included. Cached per state. An empty mask: the vocabulary cannot
    // spell what the grammar asks for; end the answer with an error.
    std::shared_ptr<const TokenMask> allowed() const;

    bool may_end() const;
    // Nothing but an end token may come: the answer is complete.
    bool must_end() const;
    // The longest text that is the only way to go on, for jumping over it; empty if there is a choice, and
    // at most `max` bytes. Tokens must be chosen as the tokeniser would, not byte by byte.
    std::string forced_bytes(std::size_t max = 256) const;
    // Still waiting for a trigger: accepts() is nearly always true and sampling should not ask for masks.
    bool sleeping() const;

private:
    friend class ConstraintCompiler;
    explicit ConstraintMatcher(std::shared_ptr<CompiledConstraint> constraint);
    void move_over() const;  // to a fresh automaton, once the current one is outgrown
    bool is_end(TokenId token) const;
    std::uint32_t after(std::uint32_t state, TokenId token) const;
    std::uint32_t after(std::uint32_t state, std::string_view text) const;

    std::shared_ptr<CompiledConstraint> constraint_;
    mutable std::shared_ptr<GrammarAutomaton> automaton_;
    mutable std::uint32_t state_ = 0;
    bool ended_ = false;
};

// Compiles constraints for one model and keeps the latest, so that the thousandth request with the same
// schema costs a look-up. Thread-safe.
class ConstraintCompiler {
public:
    struct Limits {
        std::size_t constraints = 64;                // kept
        std::size_t automaton_bytes = 32U << 20;     // each, then begun anew
        std::size_t mask_bytes = 32U << 20;          // each
    };
    explicit ConstraintCompiler(std::shared_ptr<const VocabularyTrie> vocabulary) : ConstraintCompiler(std::move(vocabulary), Limits{}) {}
    ConstraintCompiler(std::shared_ptr<const VocabularyTrie> vocabulary, Limits limits);
    ~ConstraintCompiler();

    // A matcher at the start of `constraint`, which must not be std::monostate. With `triggers` it sleeps
    // until one of them has appeared in the text; the grammar then tells what follows the trigger. `invalid`:
    // the grammar or schema is wrong; the message names line and column, or place in the schema and keyword.
    base::Result<ConstraintMatcher> matcher(const Constraint& constraint, std::span<const std::string> triggers = {});

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::engine
