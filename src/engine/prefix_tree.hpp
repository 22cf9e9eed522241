// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/generate.hpp"

namespace hanse::engine {

// Who holds which tokens: a radix tree over the token sequences of all holders (slots of the KV cache, running
// or idle, and blobs in host memory), one tree for each key. Keys never share anything: the key says partition
// and adapters.
//
// A node's edge is a run of tokens; each holder is listed at every node that its sequence passes or ends in, so
// the deepest node that a prompt reaches names those who can lend it that much. Work is linear in the tokens
// looked at. Pure; one owner; bounded by what its holders hold.
class PrefixTree {
public:
    using Holder = std::uint32_t;
    struct Match {
        Holder holder;
        std::uint32_t length;  // tokens that it shares with what was asked, at least 1
    };

    // The holder now holds `tokens` under `key`, whatever it held before.
    void put(Holder holder, const std::string& key, std::span<const TokenId> tokens);
    // Its sequence grows at the end.
    void extend(Holder holder, std::span<const TokenId> tokens);
    // `to` holds the same as `from`.
    void copy(Holder from, Holder to);
    // It keeps its first `length` tokens; 0 is drop().
    void trim(Holder holder, std::uint32_t length);
    void drop(Holder holder);

    std::uint32_t length(Holder holder) const;
    std::vector<TokenId> tokens(Holder holder) const;
    // All who share a beginning with `tokens`, longest first, each once.
    void matches(const std::string& key, std::span<const TokenId> tokens, std::vector<Match>& out) const;
    // How much of what this holder holds others hold as well.
    std::uint32_t shared_length(Holder holder) const;

    std::size_t holders() const { return places_.size(); }
    std::size_t nodes() const { return nodes_; }

private:
    struct Node {
        std::vector<TokenId> edge;  // from the parent to here; empty at the root
        Node* parent = nullptr;
        std::vector<std::unique_ptr<Node>> children;  // no two edges begin with the same token
        std::vector<Holder> holders;                  // whose sequence passes the end of the edge, or ends there
    };
    struct Place {
        std::string key;
        Node* end;
        std::uint32_t length;
    };

    static Node* child(const Node& node, TokenId first);
    Node* split(Node* node, std::size_t at);
    void remove_from(Node* end, Holder holder);
    Node* descend(Node* node, Holder holder, std::span<const TokenId> tokens);

    std::map<std::string, std::unique_ptr<Node>> roots_;
    std::unordered_map<Holder, Place> places_;
    std::size_t nodes_ = 0;
};

}  // namespace hanse::engine
