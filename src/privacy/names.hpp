// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "directory_index.hpp"
#include "reading.hpp"

namespace hanse::privacy {

// What of the directory a text mentions. A family name that is a word of the language counts where something supports it: a
// salutation, a title, a first name, or a full mention of the same person elsewhere in the text.
void find_mentions(Reading& reading, std::span<const TextWord> words, const DirectoryIndex& index);

// Persons whom the directory does not know: by salutation, title, first name, greeting, closing or a label before. What was
// found so once is found again where the family name stands alone.
void find_names(Reading& reading, std::span<const TextWord> words, const DirectoryIndex& index);

}  // namespace hanse::privacy
