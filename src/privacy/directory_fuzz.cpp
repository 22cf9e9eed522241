// SPDX-License-Identifier: Apache-2.0
#include "privacy/directory.hpp"

#include <cstdint>
#include <string_view>

#include "directory_index.hpp"

// A directory that reads can be looked things up in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::privacy;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto directory = Directory::read(text, "directory.toml");
    if (!directory) return 0;
    const DirectoryIndex index(*directory);
    std::vector<TextWord> words;
    split_words(text, words);
    std::vector<FormMatch> matches;
    for (std::size_t at = 0; at < words.size(); ++at) index.match(text, words, at, matches);
    return 0;
}
