// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grammar_matcher.hpp"

namespace hanse::engine {

// For tests of constraints: a vocabulary of all single bytes, then `words`, then control tokens, then one end
// token. Token n below 256 is byte n.
struct ByteVocabulary {
    explicit ByteVocabulary(std::vector<std::string> words = {}, std::vector<std::string> controls = {}) {
        for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
        pieces.insert(pieces.end(), words.begin(), words.end());
        std::vector<TokenId> control_ids;
        for (auto& text : controls) {
            control_ids.push_back(static_cast<TokenId>(pieces.size()));
            pieces.push_back(std::move(text));
        }
        end = static_cast<TokenId>(pieces.size());
        pieces.emplace_back("</s>");
        trie = std::make_shared<VocabularyTrie>(pieces, control_ids, std::vector{end});
    }
    TokenId token(std::string_view text) const {
        for (std::size_t i = 0; i < pieces.size(); ++i)
            if (pieces[i] == text) return static_cast<TokenId>(i);
        return -1;
    }

    std::vector<std::string> pieces;
    TokenId end = 0;
    std::shared_ptr<const VocabularyTrie> trie;
};

// Whether `text` is a whole text of the constraint that `start` stands at.
inline bool takes_whole(ConstraintMatcher start, std::string_view text) { return start.accept_text(text) && start.may_end(); }

}  // namespace hanse::engine
