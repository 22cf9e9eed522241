// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>
#include <map>
#include <optional>
#include <unordered_map>

#include "grammar.hpp"

namespace hanse::engine {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::size_t places_max = 2'000'000;
constexpr std::size_t rules_max = 200'000;

std::unexpected<base::Error> refuse(std::string what) { return fail(ErrorKind::invalid, "grammar: " + what, "invalid_grammar"); }

// What a step of a rule's automaton consumes: a range of bytes, a control token, or another rule.
struct Label {
    enum class Kind : std::uint8_t { bytes, control, call } kind;
    std::uint32_t first;  // bytes: the range; else the index
    std::uint32_t last;
    auto operator<=>(const Label&) const = default;
};

// Thompson's construction: one start, one end, steps with and without a label.
struct Nfa {
    struct Step { Label label; std::uint32_t target; };
    struct Node { std::vector<Step> steps; std::vector<std::uint32_t> silent; };
    std::vector<Node> nodes;
    std::uint32_t start = 0;
    std::uint32_t end = 0;

    std::uint32_t add() { return nodes.emplace_back(), static_cast<std::uint32_t>(nodes.size() - 1); }
    void silent(std::uint32_t from, std::uint32_t to) { nodes[from].silent.push_back(to); }
};

// A rule's automaton without silent steps, deterministic unless that would have grown too large.
struct RuleAutomaton {
    struct Place { std::vector<Nfa::Step> steps; bool accepting = false; };
    std::vector<Place> places;  // the first is the start
};

// --- Expressions to automata ------------------------------------------------------------------------

class Builder {
public:
    explicit Builder(const GrammarSource& source) : source_(source) {}

    Result<void> build() {
        for (const auto& [name, body] : source_.rules) bodies_.emplace(name, &body);
        auto root = index_of(source_.root);
        if (!root) return std::unexpected(root.error());
        // Rules join the list as they are used, so that unused ones cost nothing.
        for (std::size_t i = 0; i < work_.size(); ++i) {
            Nfa nfa;
            nfa.start = nfa.add();
            const auto end = append(nfa, nfa.start, *work_[i]);
            if (!end) return std::unexpected(end.error());
            nfa.end = *end;
            places_ += nfa.nodes.size();
            if (places_ > places_max || work_.size() > rules_max) return refuse("the grammar is too large");
            rules_.push_back(determinised(nfa));
        }
        return {};
    }

    std::vector<RuleAutomaton>& rules() { return rules_; }
    const std::vector<std::string>& names() const { return names_; }
    std::vector<std::string>& controls() { return controls_; }

private:
    Result<std::uint32_t> index_of(const std::string& name) {
        if (const auto known = index_.find(name); known != index_.end()) return known->second;
        const auto body = bodies_.find(name);
        if (body == bodies_.end()) return refuse(std::format("the rule {} is used but not defined", name));
        index_.emplace(name, static_cast<std::uint32_t>(work_.size()));
        return add_rule(*body->second, name);
    }

    std::uint32_t add_rule(const Expression& body, std::string name) {
        work_.push_back(&body);
        names_.push_back(std::move(name));
        return static_cast<std::uint32_t>(work_.size() - 1);
    }

    // Appends `e` behind the node `from` and returns the node where it ends.
    Result<std::uint32_t> append(Nfa& nfa, std::uint32_t from, const Expression& e) {
        if (places_ + nfa.nodes.size() > places_max) return refuse("the grammar is too large");
        switch (e.kind) {
            case Expression::Kind::literal: {
                for (const char c : e.text) {
                    const auto byte = static_cast<unsigned char>(c);
                    from = step(nfa, from, {Label::Kind::bytes, byte, byte});
                }
                return from;
            }
            case Expression::Kind::characters: return append_characters(nfa, from, e.ranges);
            case Expression::Kind::rule: {
                const auto index = index_of(e.text);
                if (!index) return std::unexpected(index.error());
                return step(nfa, from, {Label::Kind::call, *index, *index});
            }
            case Expression::Kind::control: {
                // The token itself, or its text where the vocabulary has no such token.
                const auto at = static_cast<std::uint32_t>(std::ranges::find(controls_, e.text) - controls_.begin());
                if (at == controls_.size()) controls_.push_back(e.text);
                const auto end = step(nfa, from, {Label::Kind::control, at, at});
                const auto spelled = append(nfa, from, literal(e.text));
                if (!spelled) return spelled;
                nfa.silent(*spelled, end);
                return end;
            }
            case Expression::Kind::sequence:
                for (const auto& part : e.parts) {
                    auto end = append(nfa, from, part);
                    if (!end) return end;
                    from = *end;
                }
                return from;
            case Expression::Kind::choice: {
                const auto end = nfa.add();
                for (const auto& part : e.parts) {
                    const auto begin = nfa.add();
                    nfa.silent(from, begin);
                    auto last = append(nfa, begin, part);
                    if (!last) return last;
                    nfa.silent(*last, end);
                }
                return end;
            }
            case Expression::Kind::repeat: return append_repeat(nfa, from, e);
        }
        return from;
    }

    static std::uint32_t step(Nfa& nfa, std::uint32_t from, Label label) {
        const auto to = nfa.add();
        nfa.nodes[from].steps.push_back({label, to});
        return to;
    }

    static bool is_single_step(const Expression& e) {
        return e.kind == Expression::Kind::rule || (e.kind == Expression::Kind::literal && e.text.size() == 1) ||
               (e.kind == Expression::Kind::characters && e.ranges.size() == 1 && e.ranges.front().last < 0x80);
    }

    // Many copies of something large become calls of a rule of its own.
    Result<std::uint32_t> append_repeat(Nfa& nfa, std::uint32_t from, const Expression& e) {
        const auto& part = e.parts.front();
        const bool endless = e.most == Expression::unbounded;
        const std::uint32_t copies = endless ? std::max(e.least, 1U) : e.most;
        std::optional<Expression> call;
        if (copies > 2 && !is_single_step(part)) {
            const auto [known, added] = shared_.try_emplace(&part, 0);
            if (added) known->second = add_rule(part, std::format("a repeated part of rule {}", names_[rules_.size()]));
            call = Expression{};  // marks the use of `shared_`
        }
        const auto once = [&](std::uint32_t at) -> Result<std::uint32_t> {
            if (call) return step(nfa, at, {Label::Kind::call, shared_.at(&part), shared_.at(&part)});
            return append(nfa, at, part);
        };
        const auto end = nfa.add();
        for (std::uint32_t i = 0; i < copies; ++i) {
            if (i >= e.least) nfa.silent(from, end);
            // A node of its own before each copy: the loop below must not re-enter what came before.
            const auto begin = nfa.add();
            nfa.silent(from, begin);
            auto last = once(begin);
            if (!last) return last;
            if (endless && i + 1 == copies) nfa.silent(*last, begin);
            from = *last;
        }
        nfa.silent(from, end);
        return end;
    }

    // Code points as UTF-8 (RFC 3629): ranges are cut where the length changes, then byte by byte.
    Result<std::uint32_t> append_characters(Nfa& nfa, std::uint32_t from, const std::vector<CodeRange>& ranges) {
        const auto end = nfa.add();
        static constexpr std::array<CodeRange, 5> lengths{{{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, 0x10FFFF}}};
        static constexpr std::array<int, 5> sizes{1, 2, 3, 3, 4};
        for (const auto& range : ranges) {
            for (std::size_t i = 0; i < lengths.size(); ++i) {
                const auto first = std::max(range.first, lengths[i].first);
                const auto last = std::min(range.last, lengths[i].last);
                if (first <= last) append_utf8(nfa, from, end, first, last, sizes[i], sizes[i]);
            }
        }
        return end;
    }

    static std::uint32_t utf8_byte(char32_t code, int size, int left) {
        static constexpr std::array<std::uint32_t, 5> lead{0, 0x00, 0xC0, 0xE0, 0xF0};
        const auto bits = static_cast<std::uint32_t>(code) >> (6 * (left - 1));
        return left == size ? lead[static_cast<std::size_t>(size)] | bits : 0x80 | (bits & 0x3F);
    }

    // `left` bytes of `size` are still to be written; the ones before are equal in `first` and `last`.
    static void append_utf8(Nfa& nfa, std::uint32_t from, std::uint32_t end, char32_t first, char32_t last, int size, int left) {
        const auto low = utf8_byte(first, size, left);
        const auto high = utf8_byte(last, size, left);
        if (left == 1) {
            nfa.nodes[from].steps.push_back({{Label::Kind::bytes, low, high}, end});
            return;
        }
        const char32_t mask = (char32_t{1} << (6 * (left - 1))) - 1;
        if (low == high) {
            append_utf8(nfa, step(nfa, from, {Label::Kind::bytes, low, low}), end, first, last, size, left - 1);
            return;
        }
        auto whole_first = low;
        auto whole_last = high;
        if ((first & mask) != 0) {
            append_utf8(nfa, step(nfa, from, {Label::Kind::bytes, low, low}), end, first, first | mask, size, left - 1);
            ++whole_first;
        }
        if ((last & mask) != mask) {
            append_utf8(nfa, step(nfa, from, {Label::Kind::bytes, high, high}), end, last & ~mask, last, size, left - 1);
            --whole_last;
        }
        if (whole_first > whole_last) return;
        auto at = step(nfa, from, {Label::Kind::bytes, whole_first, whole_last});
        for (int i = left - 1; i > 1; --i) at = step(nfa, at, {Label::Kind::bytes, 0x80, 0xBF});
        nfa.nodes[at].steps.push_back({{Label::Kind::bytes, 0x80, 0xBF}, end});
    }

    // --- Subset construction ------------------------------------------------------------------------

    static void close(const Nfa& nfa, std::vector<std::uint32_t>& set, std::vector<std::uint32_t>& seen, std::uint32_t round) {
        for (std::size_t i = 0; i < set.size(); ++i) {
            for (const auto next : nfa.nodes[set[i]].silent) {
                if (seen[next] == round) continue;
                seen[next] = round;
                set.push_back(next);
            }
        }
        // Only nodes from which something leads on tell sets apart.
        std::erase_if(set, [&](std::uint32_t n) { return nfa.nodes[n].steps.empty() && n != nfa.end; });
        std::ranges::sort(set);
    }

    RuleAutomaton determinised(const Nfa& nfa) const {
        const std::size_t most = 4 * nfa.nodes.size() + 256;
        std::vector<std::uint32_t> seen(nfa.nodes.size(), 0);
        std::uint32_t round = 0;
        const auto closed = [&](std::vector<std::uint32_t> set) {
            ++round;
            for (const auto n : set) seen[n] = round;
            close(nfa, set, seen, round);
            return set;
        };
        std::map<std::vector<std::uint32_t>, std::uint32_t> index;
        std::vector<const std::vector<std::uint32_t>*> sets;
        RuleAutomaton out;
        const auto number = [&](std::vector<std::uint32_t> set) {
            const auto [at, added] = index.try_emplace(std::move(set), static_cast<std::uint32_t>(sets.size()));
            if (added) sets.push_back(&at->first);
            return at->second;
        };
        number(closed({nfa.start}));
        std::size_t held = 0;
        for (std::size_t i = 0; i < sets.size(); ++i) {
            held += sets[i]->size();
            if (sets.size() > most || held > 16 * most) return without_silent_steps(nfa);
            auto& place = out.places.emplace_back();
            std::vector<Nfa::Step> steps;
            for (const auto n : *sets[i]) {
                place.accepting = place.accepting || n == nfa.end;
                const auto& from = nfa.nodes[n].steps;
                steps.insert(steps.end(), from.begin(), from.end());
            }
            auto merged = grouped(steps);
            for (auto& [label, targets] : merged) {
                std::ranges::sort(targets);
                targets.erase(std::ranges::unique(targets).begin(), targets.end());
                const auto target = number(closed(std::move(targets)));
                out.places[i].steps.push_back({label, target});
            }
        }
        return out;
    }

    // The same labels with all their targets; overlapping byte ranges are cut into disjoint ones.
    static std::vector<std::pair<Label, std::vector<std::uint32_t>>> grouped(const std::vector<Nfa::Step>& steps) {
        std::vector<std::uint32_t> cuts;
        std::map<Label, std::vector<std::uint32_t>> groups;
        for (const auto& [label, target] : steps) {
            if (label.kind != Label::Kind::bytes) {
                groups[label].push_back(target);
                continue;
            }
            cuts.push_back(label.first);
            cuts.push_back(label.last + 1);
        }
        std::ranges::sort(cuts);
        cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
        for (const auto& [label, target] : steps) {
            if (label.kind != Label::Kind::bytes) continue;
            for (auto cut = std::ranges::lower_bound(cuts, label.first); cut != cuts.end() && *cut <= label.last; ++cut)
                groups[{Label::Kind::bytes, *cut, *(cut + 1) - 1}].push_back(target);
        }
        return {std::make_move_iterator(groups.begin()), std::make_move_iterator(groups.end())};
    }

    static RuleAutomaton without_silent_steps(const Nfa& nfa) {
        RuleAutomaton out;
        out.places.resize(nfa.nodes.size());
        std::vector<std::uint32_t> seen(nfa.nodes.size(), 0);
        for (std::uint32_t n = 0; n < nfa.nodes.size(); ++n) {
            // Places are renumbered so that the start comes first.
            const auto place = n == nfa.start ? 0 : n == 0 ? nfa.start : n;
            std::vector<std::uint32_t> set{n};
            seen[n] = n + 1;
            close(nfa, set, seen, n + 1);
            for (const auto from : set) {
                out.places[place].accepting = out.places[place].accepting || from == nfa.end;
                for (auto [label, target] : nfa.nodes[from].steps) {
                    if (target == nfa.start) target = 0;
                    else if (target == 0) target = nfa.start;
                    out.places[place].steps.push_back({label, target});
                }
            }
        }
        return out;
    }

    const GrammarSource& source_;
    std::unordered_map<std::string_view, const Expression*> bodies_;
    std::unordered_map<std::string, std::uint32_t> index_;
    std::unordered_map<const Expression*, std::uint32_t> shared_;
    std::vector<const Expression*> work_;
    std::vector<std::string> names_;
    std::vector<RuleAutomaton> rules_;
    std::vector<std::string> controls_;
    std::size_t places_ = 0;
};

// --- What cannot be run -----------------------------------------------------------------------------

// Which rules can end, and which may match the empty text: smallest fixed points over the calls.
std::vector<bool> fixed_point(const std::vector<RuleAutomaton>& rules, bool empty_only) {
    std::vector<bool> holds(rules.size(), false);
    std::vector<std::vector<std::uint32_t>> callers(rules.size());
    for (std::uint32_t i = 0; i < rules.size(); ++i)
        for (const auto& place : rules[i].places)
            for (const auto& step : place.steps)
                if (step.label.kind == Label::Kind::call) callers[step.label.first].push_back(i);
    const auto reaches_end = [&](const RuleAutomaton& rule) {
        std::vector<bool> seen(rule.places.size(), false);
        std::vector<std::uint32_t> work{0};
        seen[0] = true;
        while (!work.empty()) {
            const auto& place = rule.places[work.back()];
            work.pop_back();
            if (place.accepting) return true;
            for (const auto& [label, target] : place.steps) {
                const bool passes = label.kind == Label::Kind::call ? holds[label.first] : !empty_only;
                if (!passes || seen[target]) continue;
                seen[target] = true;
                work.push_back(target);
            }
        }
        return false;
    };
    std::vector<std::uint32_t> work(rules.size());
    for (std::uint32_t i = 0; i < rules.size(); ++i) work[i] = i;
    while (!work.empty()) {
        const auto i = work.back();
        work.pop_back();
        if (holds[i] || !reaches_end(rules[i])) continue;
        holds[i] = true;
        for (const auto caller : callers[i])
            if (!holds[caller]) work.push_back(caller);
    }
    return holds;
}

// A rule that may call itself before any byte was consumed would be called for ever.
std::optional<std::uint32_t> left_recursive(const std::vector<RuleAutomaton>& rules) {
    const auto empty = fixed_point(rules, true);
    std::vector<std::vector<std::uint32_t>> first_calls(rules.size());
    for (std::uint32_t i = 0; i < rules.size(); ++i) {
        const auto& places = rules[i].places;
        std::vector<bool> seen(places.size(), false);
        std::vector<std::uint32_t> work{0};
        seen[0] = true;
        while (!work.empty()) {
            const auto& place = places[work.back()];
            work.pop_back();
            for (const auto& [label, target] : place.steps) {
                if (label.kind != Label::Kind::call) continue;
                first_calls[i].push_back(label.first);
                if (!empty[label.first] || seen[target]) continue;
                seen[target] = true;
                work.push_back(target);
            }
        }
    }
    // Depth-first search for a cycle, with a stack of its own.
    enum class Mark : std::uint8_t { fresh, open, done };
    std::vector<Mark> marks(rules.size(), Mark::fresh);
    for (std::uint32_t root = 0; root < rules.size(); ++root) {
        if (marks[root] != Mark::fresh) continue;
        std::vector<std::pair<std::uint32_t, std::size_t>> path{{root, 0}};
        marks[root] = Mark::open;
        while (!path.empty()) {
            auto& [at, next] = path.back();
            if (next == first_calls[at].size()) {
                marks[at] = Mark::done;
                path.pop_back();
                continue;
            }
            const auto to = first_calls[at][next++];
            if (marks[to] == Mark::open) return to;
            if (marks[to] == Mark::done) continue;
            marks[to] = Mark::open;
            path.emplace_back(to, 0);
        }
    }
    return std::nullopt;
}

// --- All rules in one table -------------------------------------------------------------------------

// Bytes that lie in the same ranges everywhere become one symbol.
void number_symbols(Grammar& grammar, const std::vector<RuleAutomaton>& rules) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
    for (const auto& rule : rules)
        for (const auto& place : rule.places)
            for (const auto& step : place.steps)
                if (step.label.kind == Label::Kind::bytes) ranges.emplace_back(step.label.first, step.label.last);
    for (const auto& trigger : grammar.triggers)
        for (const char c : trigger) ranges.emplace_back(static_cast<unsigned char>(c), static_cast<unsigned char>(c));
    std::ranges::sort(ranges);
    ranges.erase(std::ranges::unique(ranges).begin(), ranges.end());
    std::array<std::vector<std::uint32_t>, 256> in;
    for (std::uint32_t i = 0; i < ranges.size(); ++i)
        for (auto byte = ranges[i].first; byte <= ranges[i].second; ++byte) in[byte].push_back(i);
    std::map<std::vector<std::uint32_t>, std::uint16_t> numbers;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const auto [at, added] = numbers.try_emplace(std::move(in[byte]), static_cast<std::uint16_t>(numbers.size()));
        grammar.symbol_of_byte[byte] = at->second;
    }
    grammar.byte_symbols = static_cast<std::uint32_t>(numbers.size());
}

void append_places(Grammar& grammar, const RuleAutomaton& rule, std::uint32_t offset, const std::vector<std::uint32_t>& starts) {
    for (const auto& from : rule.places) {
        Grammar::Place place{};
        place.accepting = from.accepting;
        place.leaf = from.accepting && from.steps.empty();
        place.edge_first = static_cast<std::uint32_t>(grammar.edges.size());
        place.call_first = static_cast<std::uint32_t>(grammar.calls.size());
        for (const auto& [label, target] : from.steps) {
            if (label.kind == Label::Kind::call) {
                grammar.calls.push_back({starts[label.first], offset + target});
            } else if (label.kind == Label::Kind::control) {
                grammar.edges.push_back({grammar.byte_symbols + label.first, offset + target});
            } else {
                std::uint32_t last = UINT32_MAX;
                for (auto byte = label.first; byte <= label.last; ++byte) {
                    const auto symbol = grammar.symbol_of_byte[byte];
                    if (symbol != last) grammar.edges.push_back({symbol, offset + target});
                    last = symbol;
                }
            }
        }
        const auto edges = std::ranges::subrange(grammar.edges.begin() + place.edge_first, grammar.edges.end());
        const auto order = [](const Grammar::Edge& e) { return std::pair(e.symbol, e.target); };
        std::ranges::sort(edges, {}, order);
        grammar.edges.erase(std::ranges::unique(edges, {}, order).begin(), grammar.edges.end());
        place.edge_last = static_cast<std::uint32_t>(grammar.edges.size());
        place.call_last = static_cast<std::uint32_t>(grammar.calls.size());
        grammar.places.push_back(place);
    }
}

}  // namespace

base::Result<std::shared_ptr<const Grammar>> compile_grammar(const GrammarSource& source, std::span<const std::string> triggers) {
    Builder builder(source);
    auto built = builder.build();
    if (!built) return std::unexpected(built.error());
    const auto& rules = builder.rules();
    const auto ends = fixed_point(rules, false);
    if (const auto endless = std::ranges::find(ends, false); endless != ends.end())
        return refuse(std::format("{} can never end", builder.names()[static_cast<std::size_t>(endless - ends.begin())]));
    if (const auto rule = left_recursive(rules))
        return refuse(std::format("{} is left-recursive: it begins with itself; let it begin with what comes first", builder.names()[*rule]));

    auto grammar = std::make_shared<Grammar>();
    grammar->controls = std::move(builder.controls());
    grammar->triggers.assign(triggers.begin(), triggers.end());
    number_symbols(*grammar, rules);
    std::vector<std::uint32_t> starts;
    std::uint32_t places = 0;
    for (const auto& rule : rules) {
        starts.push_back(places);
        places += static_cast<std::uint32_t>(rule.places.size());
    }
    if (places > places_max) return refuse("the grammar is too large");
    for (std::size_t i = 0; i < rules.size(); ++i) {
        append_places(*grammar, rules[i], starts[i], starts);
        if (grammar->edges.size() > 4 * places_max) return refuse("the grammar is too large");
    }
    grammar->start = starts.front();
    return grammar;
}

}  // namespace hanse::engine
