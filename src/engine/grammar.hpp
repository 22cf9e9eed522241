// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace hanse::engine {

// A grammar as it was written, from GBNF text or made out of a JSON schema. Plain values. Characters are
// Unicode code points; they become UTF-8 bytes when the grammar is compiled.
struct CodeRange {
    char32_t first;
    char32_t last;
    bool operator==(const CodeRange&) const = default;
};

struct Expression {
    enum class Kind : std::uint8_t { sequence, choice, literal, characters, rule, control, repeat };
    static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

    Kind kind = Kind::sequence;            // an empty sequence matches the empty text
    std::string text = {};                 // literal: its bytes; rule: its name; control: the token's text
    std::vector<CodeRange> ranges = {};    // characters: sorted, apart from each other
    std::vector<Expression> parts = {};    // sequence, choice; repeat: the one repeated
    std::uint32_t least = 0;               // repeat
    std::uint32_t most = unbounded;
    bool operator==(const Expression&) const = default;
};

struct GrammarSource {
    std::string root = "root";
    std::vector<std::pair<std::string, Expression>> rules = {};  // names are unique
};

Expression literal(std::string text);
// Sorts and joins the ranges.
Expression characters(std::vector<CodeRange> ranges);
// All code points but these; surrogates never belong to a text.
Expression characters_except(std::vector<CodeRange> ranges);
Expression rule(std::string name);
Expression control(std::string text);
Expression sequence(std::vector<Expression> parts);
Expression choice(std::vector<Expression> parts);
Expression repeat(Expression part, std::uint32_t least, std::uint32_t most = Expression::unbounded);
Expression optional(Expression part);

// The format of llama.cpp's grammars: rules `name ::= …`, literals, character classes, groups, `.`, * + ?
// {m} {m,} {m,n}, comments; <name> and <"name"> for control tokens. `invalid` names line and column.
base::Result<GrammarSource> parse_gbnf(std::string_view text, std::string root = "root");
// Text that parse_gbnf reads as the same grammar.
std::string gbnf(const GrammarSource& source);

// A grammar ready to run: one small automaton over bytes per rule, in which a rule's use is a call with a
// place to return to. Immutable.
//
// Bytes that no rule tells apart are one symbol, so that tables are narrow; control tokens follow as symbols
// of their own. Triggers are kept here because their bytes must be told apart as well.
struct Grammar {
    struct Edge { std::uint32_t symbol; std::uint32_t target; };
    struct Call { std::uint32_t start; std::uint32_t target; };  // the called rule's first place; where to go on
    struct Place {
        std::uint32_t edge_first, edge_last;  // into edges, by rising symbol
        std::uint32_t call_first, call_last;
        bool accepting;                       // the rule may end here
        bool leaf;                            // accepting, and nothing else: a call that returns here needs no return
    };
    std::vector<Place> places;
    std::vector<Edge> edges;
    std::vector<Call> calls;
    std::uint32_t start = 0;
    std::array<std::uint16_t, 256> symbol_of_byte{};
    std::uint32_t byte_symbols = 0;
    std::vector<std::string> controls;        // symbol: byte_symbols + index
    std::vector<std::string> triggers;

    std::uint32_t symbols() const { return byte_symbols + static_cast<std::uint32_t>(controls.size()); }
};

// `invalid`: a rule is missing, left-recursive or can never end, or the grammar is too large.
base::Result<std::shared_ptr<const Grammar>> compile_grammar(const GrammarSource& source, std::span<const std::string> triggers = {});

}  // namespace hanse::engine
