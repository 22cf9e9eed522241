// SPDX-License-Identifier: Apache-2.0
#include "prefix_tree.hpp"

#include <algorithm>

namespace hanse::engine {
namespace {

std::size_t common(std::span<const TokenId> a, std::span<const TokenId> b) {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

}  // namespace

PrefixTree::Node* PrefixTree::child(const Node& node, TokenId first) {
    for (const auto& one : node.children)
        if (one->edge.front() == first) return one.get();
    return nullptr;
}

// The node's edge is cut after `at` tokens. Returns the new upper part; `node` remains the lower one, so that
// pointers to ends stay right.
PrefixTree::Node* PrefixTree::split(Node* node, std::size_t at) {
    auto upper = std::make_unique<Node>();
    auto* above = upper.get();
    auto cut = node->edge.begin() + static_cast<std::ptrdiff_t>(at);
    above->edge.assign(node->edge.begin(), cut);
    above->parent = node->parent;
    above->holders = node->holders;
    node->edge.erase(node->edge.begin(), cut);
    auto& place = *std::ranges::find(node->parent->children, node, [](const auto& one) { return one.get(); });
    node->parent = above;
    upper->children.push_back(std::move(place));
    place = std::move(upper);
    ++nodes_;
    return above;
}

// Adds `tokens` below `node`, with the holder listed on the way. Returns where they end.
PrefixTree::Node* PrefixTree::descend(Node* node, Holder holder, std::span<const TokenId> tokens) {
    while (!tokens.empty()) {
        auto* next = child(*node, tokens.front());
        if (next == nullptr) {
            // The sole holder of a leaf grows it in place.
            if (node->parent != nullptr && node->children.empty() && node->holders.size() == 1 && node->holders[0] == holder) {
                node->edge.insert(node->edge.end(), tokens.begin(), tokens.end());
                return node;
            }
            auto leaf = std::make_unique<Node>();
            leaf->edge.assign(tokens.begin(), tokens.end());
            leaf->parent = node;
            leaf->holders.push_back(holder);
            node->children.push_back(std::move(leaf));
            ++nodes_;
            return node->children.back().get();
        }
        auto same = common(next->edge, tokens);
        if (same < next->edge.size()) next = split(next, same);
        next->holders.push_back(holder);
        tokens = tokens.subspan(same);
        node = next;
    }
    return node;
}

void PrefixTree::put(Holder holder, const std::string& key, std::span<const TokenId> tokens) {
    drop(holder);
    if (tokens.empty()) return;
    auto& root = roots_[key];
    if (!root) root = std::make_unique<Node>();
    auto* end = descend(root.get(), holder, tokens);
    places_[holder] = {key, end, static_cast<std::uint32_t>(tokens.size())};
}

void PrefixTree::extend(Holder holder, std::span<const TokenId> tokens) {
    auto found = places_.find(holder);
    if (found == places_.end()) return;
    found->second.end = descend(found->second.end, holder, tokens);
    found->second.length += static_cast<std::uint32_t>(tokens.size());
}

// Takes the holder off `end` and all nodes above it; nodes that nobody holds go away.
void PrefixTree::remove_from(Node* end, Holder holder) {
    for (auto* node = end; node->parent != nullptr;) {
        auto* parent = node->parent;
        std::erase(node->holders, holder);
        if (node->holders.empty()) {
            // Whoever is listed below is listed here too, so nothing below is left.
            std::erase_if(parent->children, [&](const auto& one) { return one.get() == node; });
            --nodes_;
        }
        node = parent;
    }
}

void PrefixTree::drop(Holder holder) {
    auto found = places_.find(holder);
    if (found == places_.end()) return;
    auto key = found->second.key;
    remove_from(found->second.end, holder);
    places_.erase(found);
    auto root = roots_.find(key);
    if (root->second->children.empty()) roots_.erase(root);
}

void PrefixTree::trim(Holder holder, std::uint32_t length) {
    auto found = places_.find(holder);
    if (found == places_.end() || found->second.length <= length) return;
    if (length == 0) return drop(holder);
    auto key = found->second.key;
    auto kept = tokens(holder);
    kept.resize(length);
    put(holder, key, kept);
}

void PrefixTree::copy(Holder from, Holder to) {
    auto found = places_.find(from);
    if (found == places_.end()) return drop(to);
    auto key = found->second.key;
    put(to, key, tokens(from));
}

std::uint32_t PrefixTree::length(Holder holder) const {
    auto found = places_.find(holder);
    return found == places_.end() ? 0 : found->second.length;
}

std::vector<TokenId> PrefixTree::tokens(Holder holder) const {
    std::vector<TokenId> all;
    auto found = places_.find(holder);
    if (found == places_.end()) return all;
    all.resize(found->second.length);
    auto at = all.end();
    for (auto* node = found->second.end; node->parent != nullptr; node = node->parent)
        at = std::copy_backward(node->edge.begin(), node->edge.end(), at);
    return all;
}

void PrefixTree::matches(const std::string& key, std::span<const TokenId> tokens, std::vector<Match>& out) const {
    out.clear();
    auto root = roots_.find(key);
    if (root == roots_.end()) return;
    const Node* node = root->second.get();
    std::uint32_t depth = 0;
    while (!tokens.empty()) {
        const auto* next = child(*node, tokens.front());
        if (next == nullptr) break;
        auto same = common(next->edge, tokens);
        depth += static_cast<std::uint32_t>(same);
        for (auto holder : next->holders) {
            auto known = std::ranges::find(out, holder, &Match::holder);
            if (known == out.end()) out.push_back({holder, depth});
            else known->length = depth;
        }
        if (same < next->edge.size()) break;
        tokens = tokens.subspan(same);
        node = next;
    }
    std::ranges::stable_sort(out, std::greater<>(), &Match::length);
}

std::uint32_t PrefixTree::shared_length(Holder holder) const {
    auto found = places_.find(holder);
    if (found == places_.end()) return 0;
    std::uint32_t shared = 0;
    for (auto* node = found->second.end; node->parent != nullptr; node = node->parent)
        if (node->holders.size() > 1) shared += static_cast<std::uint32_t>(node->edge.size());
    return shared;
}

}  // namespace hanse::engine
