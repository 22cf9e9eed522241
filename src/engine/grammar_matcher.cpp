// SPDX-License-Identifier: Apache-2.0
#include "grammar_matcher.hpp"

#include <algorithm>
#include <format>
#include <list>
#include <mutex>
#include <unordered_map>

#include "grammar_automaton.hpp"
#include "json_schema_grammar.hpp"

namespace hanse::engine {

using base::ErrorKind;
using base::fail;

// A constraint made ready for one vocabulary, shared by all matchers of it.
class CompiledConstraint {
public:
    CompiledConstraint(std::shared_ptr<const VocabularyTrie> words, std::shared_ptr<const Grammar> rules,
                       std::unordered_map<TokenId, std::uint32_t> controls, ConstraintCompiler::Limits bounds)
        : vocabulary(std::move(words)),
          grammar(std::move(rules)),
          control_symbols(std::move(controls)),
          limits(bounds),
          automaton_(std::make_shared<GrammarAutomaton>(grammar, limits.automaton_bytes)) {}

    std::shared_ptr<GrammarAutomaton> automaton() {
        std::lock_guard lock(mutex_);
        if (automaton_->outgrown()) automaton_ = std::make_shared<GrammarAutomaton>(grammar, limits.automaton_bytes);
        return automaton_;
    }

    const std::shared_ptr<const VocabularyTrie> vocabulary;
    const std::shared_ptr<const Grammar> grammar;
    const std::unordered_map<TokenId, std::uint32_t> control_symbols;  // tokens that the grammar names
    const ConstraintCompiler::Limits limits;

private:
    std::mutex mutex_;
    std::shared_ptr<GrammarAutomaton> automaton_;
};

// All tokens that may follow a state: the trie walked with a state for each byte of the way.
class MaskWalk {
public:
    MaskWalk(const CompiledConstraint& constraint, GrammarAutomaton& automaton) : constraint_(constraint), trie_(*constraint.vocabulary), automaton_(automaton) {}

    TokenMask run(GrammarAutomaton::StateId start) {
        TokenMask mask(trie_.size());
        walk(mask, start);
        if (automaton_.may_end(start))
            for (const auto token : trie_.end_) mask.allow(token);
        if (automaton_.sleeping(start)) {
            allow_asleep(mask, start);
        } else {
            for (const auto& [token, symbol] : constraint_.control_symbols)
                if (automaton_.step_symbol(start, symbol) != GrammarAutomaton::dead) mask.allow(token);
        }
        return mask;
    }

private:
    void walk(TokenMask& mask, GrammarAutomaton::StateId start) {
        // Inside a JSON string most bytes lead back to where we stand. Below a node reached that way, a
        // subtree of only such bytes is allowed as a whole.
        VocabularyTrie::ByteSet staying;
        for (std::size_t byte = 0; byte < 256; ++byte)
            if (automaton_.step(start, static_cast<std::uint8_t>(byte)) == start) staying.bits[byte / 64] |= std::uint64_t{1} << (byte % 64);
        const auto stays = [&](const VocabularyTrie::ByteSet& below) {
            std::uint64_t outside = 0;
            for (std::size_t w = 0; w < 4; ++w) outside |= below.bits[w] & ~staying.bits[w];
            return outside == 0;
        };
        const auto& nodes = trie_.nodes_;
        std::vector<GrammarAutomaton::StateId> path{start};
        for (std::uint32_t i = 0; i + 1 < nodes.size();) {
            const auto& node = nodes[i];
            const auto state = automaton_.step(path[node.depth - 1U], node.byte);
            if (state == GrammarAutomaton::dead) {
                i = node.next;
                continue;
            }
            const bool whole = state == start && stays(trie_.byte_sets_[node.below]);
            const auto last = whole ? node.next : i + 1;
            for (auto t = node.token_first; t < nodes[last].token_first; ++t) mask.allow(trie_.order_[t]);
            if (path.size() <= node.depth) path.resize(node.depth + 1U);
            path[node.depth] = state;
            i = last;
        }
    }

    // Asleep, control tokens are read as their text, since a trigger may be one.
    void allow_asleep(TokenMask& mask, GrammarAutomaton::StateId start) {
        for (std::size_t i = 0; i < trie_.size(); ++i) {
            const auto token = static_cast<TokenId>(i);
            if (!trie_.is_control(token) && !trie_.piece(token).empty()) continue;
            auto state = start;
            for (const char c : trie_.piece(token)) state = automaton_.step(state, static_cast<std::uint8_t>(c));
            if (state != GrammarAutomaton::dead) mask.allow(token);
        }
    }

    const CompiledConstraint& constraint_;
    const VocabularyTrie& trie_;
    GrammarAutomaton& automaton_;
};

ConstraintMatcher::ConstraintMatcher(std::shared_ptr<CompiledConstraint> constraint)
    : constraint_(std::move(constraint)), automaton_(constraint_->automaton()), state_(automaton_->start()) {}

void ConstraintMatcher::move_over() const {
    if (!automaton_->outgrown()) return;
    auto fresh = constraint_->automaton();
    if (fresh == automaton_) return;
    state_ = fresh->adopt(*automaton_, state_);
    automaton_ = std::move(fresh);
}

std::uint32_t ConstraintMatcher::after(std::uint32_t state, TokenId token) const {
    const auto& vocabulary = *constraint_->vocabulary;
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary.size()) return GrammarAutomaton::dead;
    const bool asleep = automaton_->sleeping(state);
    if (!asleep && vocabulary.is_control(token)) {
        const auto symbol = constraint_->control_symbols.find(token);
        return symbol == constraint_->control_symbols.end() ? GrammarAutomaton::dead : automaton_->step_symbol(state, symbol->second);
    }
    const auto piece = vocabulary.piece(token);
    if (piece.empty() && !asleep) return GrammarAutomaton::dead;
    return after(state, piece);
}

std::uint32_t ConstraintMatcher::after(std::uint32_t state, std::string_view text) const {
    for (const char c : text) {
        state = automaton_->step(state, static_cast<std::uint8_t>(c));
        if (state == GrammarAutomaton::dead) break;
    }
    return state;
}

bool ConstraintMatcher::is_end(TokenId token) const {
    const auto& vocabulary = *constraint_->vocabulary;
    return token >= 0 && static_cast<std::size_t>(token) < vocabulary.size() && vocabulary.is_end(token);
}

bool ConstraintMatcher::accepts(TokenId token) const {
    if (ended_) return false;
    if (is_end(token)) return may_end();
    return after(state_, token) != GrammarAutomaton::dead;
}

bool ConstraintMatcher::accept(TokenId token) {
    if (ended_) return false;
    move_over();
    if (is_end(token)) return ended_ = may_end();
    const auto next = after(state_, token);
    if (next == GrammarAutomaton::dead) return false;
    state_ = next;
    return true;
}

bool ConstraintMatcher::accept_text(std::string_view text) {
    if (ended_) return false;
    move_over();
    const auto next = after(state_, text);
    if (next == GrammarAutomaton::dead) return false;
    state_ = next;
    return true;
}

std::size_t ConstraintMatcher::accepts_prefix(std::span<const TokenId> tokens) const {
    if (ended_) return 0;
    auto state = state_;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (is_end(tokens[i])) return automaton_->may_end(state) ? i + 1 : i;
        state = after(state, tokens[i]);
        if (state == GrammarAutomaton::dead) return i;
    }
    return tokens.size();
}

std::shared_ptr<const TokenMask> ConstraintMatcher::allowed() const {
    if (ended_) return std::make_shared<TokenMask>(constraint_->vocabulary->size());
    move_over();
    if (auto known = automaton_->known_mask(state_)) return known;
    auto mask = std::make_shared<const TokenMask>(MaskWalk(*constraint_, *automaton_).run(state_));
    automaton_->keep_mask(state_, mask, constraint_->limits.mask_bytes);
    return mask;
}

bool ConstraintMatcher::may_end() const { return automaton_->may_end(state_); }

bool ConstraintMatcher::sleeping() const { return automaton_->sleeping(state_); }

bool ConstraintMatcher::must_end() const {
    if (!may_end() || sleeping()) return false;
    for (std::uint32_t symbol = 0; symbol < automaton_->grammar().symbols(); ++symbol)
        if (automaton_->step_symbol(state_, symbol) != GrammarAutomaton::dead) return false;
    return true;
}

std::string ConstraintMatcher::forced_bytes(std::size_t max) const {
    std::string out;
    std::size_t whole = 0;  // length up to the last complete character
    const auto& grammar = automaton_->grammar();
    for (auto state = state_; !ended_ && out.size() < max && !automaton_->may_end(state);) {
        for (auto symbol = grammar.byte_symbols; symbol < grammar.symbols(); ++symbol)
            if (automaton_->step_symbol(state, symbol) != GrammarAutomaton::dead) return out.substr(0, whole);
        int ways = 0;
        std::uint8_t only = 0;
        for (unsigned byte = 0; byte < 256 && ways < 2; ++byte) {
            if (automaton_->step(state, static_cast<std::uint8_t>(byte)) == GrammarAutomaton::dead) continue;
            ++ways;
            only = static_cast<std::uint8_t>(byte);
        }
        if (ways != 1) break;
        // A lead byte begins a new character, so what was written before it is complete.
        if ((only & 0xC0) != 0x80) whole = out.size();
        out += static_cast<char>(only);
        if (only < 0x80) whole = out.size();
        state = automaton_->step(state, only);
    }
    const auto tail = std::string_view(out).substr(whole);
    if (!tail.empty()) {
        const auto lead = static_cast<unsigned char>(tail.front());
        if (tail.size() == (lead >= 0xF0 ? 4U : lead >= 0xE0 ? 3U : 2U)) whole = out.size();
    }
    out.resize(whole);
    return out;
}

// --- The compiler -----------------------------------------------------------------------------------

struct ConstraintCompiler::State {
    struct Kept { std::string key; std::shared_ptr<CompiledConstraint> constraint; };
    std::shared_ptr<const VocabularyTrie> vocabulary;
    Limits limits;
    std::mutex mutex;
    std::list<Kept> kept;  // most recently used first
    std::unordered_map<std::string_view, std::list<Kept>::iterator> index;
};

namespace {

constexpr std::size_t triggers_bytes_max = 4096;

template <typename... Fs>
struct Overloaded : Fs... { using Fs::operator()...; };

std::string key_of(const Constraint& constraint, std::span<const std::string> triggers) {
    std::string key = std::visit(Overloaded{[](std::monostate) { return std::string("n"); },
                                            [](const GrammarText& g) { return std::format("g{} {}{}", g.root.size(), g.root, g.gbnf); },
                                            [](const JsonSchemaText& s) { return "s" + s.schema; },
                                            [](AnyJsonObject) { return std::string("o"); }},
                                 constraint);
    for (const auto& trigger : triggers) key += std::format("\n{} {}", trigger.size(), trigger);
    return std::format("{} {}", triggers.size(), key);
}

base::Result<GrammarSource> source_of(const Constraint& constraint) {
    return std::visit(Overloaded{[](std::monostate) -> base::Result<GrammarSource> { return fail(ErrorKind::bug, "there is no constraint to compile"); },
                                 [](const GrammarText& g) { return parse_gbnf(g.gbnf, g.root); },
                                 [](const JsonSchemaText& s) { return json_schema_grammar(s.schema); },
                                 [](AnyJsonObject) -> base::Result<GrammarSource> { return any_json_object_grammar(); }},
                      constraint);
}

}  // namespace

ConstraintCompiler::ConstraintCompiler(std::shared_ptr<const VocabularyTrie> vocabulary, Limits limits) : state_(std::make_unique<State>()) {
    state_->vocabulary = std::move(vocabulary);
    state_->limits = limits;
    state_->limits.constraints = std::max<std::size_t>(1, limits.constraints);
}

ConstraintCompiler::~ConstraintCompiler() = default;

base::Result<ConstraintMatcher> ConstraintCompiler::matcher(const Constraint& constraint, std::span<const std::string> triggers) {
    std::size_t trigger_bytes = 0;
    for (const auto& trigger : triggers) {
        if (trigger.empty()) return fail(ErrorKind::invalid, "a constraint's trigger is empty", "invalid_grammar");
        trigger_bytes += trigger.size();
    }
    if (trigger_bytes > triggers_bytes_max) return fail(ErrorKind::too_large, std::format("the constraint's triggers are longer than {} bytes", triggers_bytes_max));
    auto key = key_of(constraint, triggers);
    {
        std::lock_guard lock(state_->mutex);
        if (const auto at = state_->index.find(key); at != state_->index.end()) {
            state_->kept.splice(state_->kept.begin(), state_->kept, at->second);
            return ConstraintMatcher(at->second->constraint);
        }
    }
    auto source = source_of(constraint);
    if (!source) return std::unexpected(source.error());
    auto grammar = compile_grammar(*source, triggers);
    if (!grammar) return std::unexpected(grammar.error());
    std::unordered_map<TokenId, std::uint32_t> controls;
    for (std::uint32_t i = 0; i < (*grammar)->controls.size(); ++i)
        for (std::size_t token = 0; token < state_->vocabulary->size(); ++token)
            if (state_->vocabulary->is_control(static_cast<TokenId>(token)) && state_->vocabulary->piece(static_cast<TokenId>(token)) == (*grammar)->controls[i])
                controls.emplace(static_cast<TokenId>(token), (*grammar)->byte_symbols + i);
    auto compiled = std::make_shared<CompiledConstraint>(state_->vocabulary, std::move(*grammar), std::move(controls), state_->limits);
    ConstraintMatcher matcher(compiled);
    std::lock_guard lock(state_->mutex);
    if (!state_->index.contains(key)) {
        state_->kept.push_front({std::move(key), std::move(compiled)});
        state_->index.emplace(state_->kept.front().key, state_->kept.begin());
        for (; state_->kept.size() > state_->limits.constraints; state_->kept.pop_back()) state_->index.erase(state_->kept.back().key);
    }
    return matcher;
}

}  // namespace hanse::engine
