// SPDX-License-Identifier: Apache-2.0
#include "merged_tokenizer.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>
#include <map>
#include <set>

#include "catalog/files.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::Result;
using Node = glz::generic_u64;

Node* member(Node& node, std::string_view key) {
    auto* object = node.get_if<Node::object_t>();
    if (object == nullptr) return nullptr;
    const auto found = object->find(key);
    return found == object->end() ? nullptr : &found->second;
}

Result<std::optional<Node>> read(const fs::path& file) {
    const auto text = catalog::read_file_whole(file, 256U << 20U);
    if (!text && text.error().kind == ErrorKind::not_found) return std::nullopt;
    if (!text) return std::unexpected(text.error());
    Node top;
    try {
        if (!glz::read_json(top, *text)) return top;
    } catch (const std::exception&) {  // told below: nested beyond reason
    }
    return base::fail(ErrorKind::corrupt, std::format("{} is no JSON", file.string()));
}

// Merges come as "a b" or as ["a", "b"].
std::string merge_text(const Node& merge) {
    if (const auto* text = merge.get_if<std::string>()) return *text;
    std::string out;
    if (const auto* list = merge.get_if<Node::array_t>())
        for (const Node& part : *list)
            if (const auto* text = part.get_if<std::string>()) out += (out.empty() ? "" : " ") + *text;
    return out;
}

void add_merges(Node& to, Node& from) {
    Node* mine = member(to, "merges");
    Node* theirs = member(from, "merges");
    if (mine == nullptr || theirs == nullptr || !mine->is_array() || !theirs->is_array()) return;
    std::set<std::string> seen;
    for (const Node& merge : mine->get<Node::array_t>()) seen.insert(merge_text(merge));
    for (const Node& merge : theirs->get<Node::array_t>())
        if (seen.insert(merge_text(merge)).second) mine->get<Node::array_t>().push_back(merge);
}

}  // namespace

Result<void> write_merged_tokenizer(const MergePlan& plan, const fs::path& leading, const fs::path& output) {
    auto top = read(leading / "tokenizer.json");
    if (!top) return std::unexpected(top.error());
    const auto own = read_vocabulary(plan.models[plan.leading]);
    if (!own) return std::unexpected(own.error());
    std::map<std::string, std::uint64_t> added;
    for (std::size_t i = 0; i < plan.tokens->tokens.size(); ++i)
        if (const auto found = own->tokens.find(plan.tokens->tokens[i]); found == own->tokens.end() || found->second != i)
            added[plan.tokens->tokens[i]] = i;
    if (added.empty()) return {};
    if (!*top)
        return base::fail(ErrorKind::invalid, std::format("{} has no tokenizer.json, so no tokens can be added to it", leading.string()));
    Node& merged = **top;
    Node* model = member(merged, "model");
    Node* vocabulary = model == nullptr ? nullptr : member(*model, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object())
        return base::fail(ErrorKind::invalid,
                          std::format("{}: its vocabulary is not one that tokens can be added to", (leading / "tokenizer.json").string()));
    std::map<std::string, Node> special;  // as other models describe them
    for (std::size_t m = 0; m < plan.models.size(); ++m) {
        if (m == plan.leading) continue;
        const auto folder = fs::is_directory(plan.models[m].path()) ? plan.models[m].path() : plan.models[m].path().parent_path();
        auto other = read(folder / "tokenizer.json");
        if (!other) return std::unexpected(other.error());
        if (!*other) continue;
        if (Node* inner = member(**other, "model")) add_merges(*model, *inner);
        if (Node* list = member(**other, "added_tokens"); list != nullptr && list->is_array())
            for (Node& token : list->get<Node::array_t>())
                if (Node* content = member(token, "content"); content != nullptr && content->is_string())
                    special.emplace(content->get<std::string>(), token);
    }
    if (member(merged, "added_tokens") == nullptr) merged["added_tokens"] = Node(Node::array_t{});
    Node* list = member(merged, "added_tokens");
    if (!list->is_array())
        return base::fail(ErrorKind::corrupt, std::format("{}: added_tokens is no list", (leading / "tokenizer.json").string()));
    for (const auto& [token, id] : added) {
        const auto found = special.find(token);
        if (found == special.end()) {
            (*vocabulary)[token] = id;
            continue;
        }
        Node entry = found->second;
        entry["id"] = id;
        list->get<Node::array_t>().push_back(std::move(entry));
    }
    std::string text;
    if (glz::write_json(merged, text)) return base::fail(ErrorKind::bug, "the merged tokenizer cannot be written");
    return catalog::write_file_whole(output / "tokenizer.json", text);
}

}  // namespace hanse::forge
