// SPDX-License-Identifier: Apache-2.0
#include "grammar.hpp"

#include <algorithm>

namespace hanse::engine {
namespace {

constexpr char32_t code_last = 0x10FFFF;

std::vector<CodeRange> joined(std::vector<CodeRange> ranges) {
    std::ranges::sort(ranges, {}, &CodeRange::first);
    std::vector<CodeRange> out;
    for (const auto& range : ranges) {
        if (range.first > range.last) continue;
        if (!out.empty() && range.first <= out.back().last + 1)
            out.back().last = std::max(out.back().last, range.last);
        else
            out.push_back(range);
    }
    return out;
}

}  // namespace

Expression literal(std::string text) {
    if (text.empty()) return {};
    return {.kind = Expression::Kind::literal, .text = std::move(text)};
}

Expression characters(std::vector<CodeRange> ranges) {
    return {.kind = Expression::Kind::characters, .ranges = joined(std::move(ranges))};
}

Expression characters_except(std::vector<CodeRange> ranges) {
    ranges.push_back({0xD800, 0xDFFF});
    std::vector<CodeRange> rest;
    char32_t next = 0;
    for (const auto& range : joined(std::move(ranges))) {
        if (range.first > next) rest.push_back({next, range.first - 1});
        next = range.last + 1;
    }
    if (next <= code_last) rest.push_back({next, code_last});
    return {.kind = Expression::Kind::characters, .ranges = std::move(rest)};
}

Expression rule(std::string name) { return {.kind = Expression::Kind::rule, .text = std::move(name)}; }

Expression control(std::string text) { return {.kind = Expression::Kind::control, .text = std::move(text)}; }

Expression sequence(std::vector<Expression> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    std::vector<Expression> flat;
    const auto append = [&](Expression part) {
        if (part.kind == Expression::Kind::literal && !flat.empty() && flat.back().kind == Expression::Kind::literal)
            flat.back().text += part.text;
        else
            flat.push_back(std::move(part));
    };
    for (auto& part : parts) {
        if (part.kind != Expression::Kind::sequence) append(std::move(part));
        else for (auto& inner : part.parts) append(std::move(inner));
    }
    if (flat.size() == 1) return std::move(flat.front());
    return {.kind = Expression::Kind::sequence, .parts = std::move(flat)};
}

Expression choice(std::vector<Expression> parts) {
    if (parts.size() == 1) return std::move(parts.front());
    std::vector<Expression> flat;
    for (auto& part : parts) {
        if (part.kind == Expression::Kind::choice)
            std::ranges::move(part.parts, std::back_inserter(flat));
        else
            flat.push_back(std::move(part));
    }
    return {.kind = Expression::Kind::choice, .parts = std::move(flat)};
}

Expression repeat(Expression part, std::uint32_t least, std::uint32_t most) {
    if (least == 1 && most == 1) return part;
    if (most == 0) return {};
    std::vector<Expression> parts;
    parts.push_back(std::move(part));
    return {.kind = Expression::Kind::repeat, .parts = std::move(parts), .least = least, .most = most};
}

Expression optional(Expression part) { return repeat(std::move(part), 0, 1); }

}  // namespace hanse::engine
