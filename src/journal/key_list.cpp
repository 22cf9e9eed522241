// SPDX-License-Identifier: Apache-2.0
#include "journal/key_list.hpp"

#include <format>
#include <sstream>
#include <string>

namespace hanse::journal {

base::Result<std::vector<NoteVerifier>> parse_key_list(std::string_view text) {
    std::vector<NoteVerifier> all;
    std::istringstream lines{std::string(text)};
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        std::istringstream words(line.substr(0, line.find('#')));
        std::vector<std::string> parts;
        for (std::string word; words >> word;) parts.push_back(word);
        const bool has_key = parts.size() == 1 || (parts.size() >= 2 && parts[0] == "log") || (parts.size() >= 3 && parts[0] == "witness");
        if (!has_key) continue;
        auto verifier = NoteVerifier::from_vkey(parts.size() == 1 ? parts[0] : parts[0] == "log" ? parts[1] : parts[2]);
        if (!verifier) return base::fail(base::ErrorKind::invalid, std::format("line {}: {}", number, verifier.error().message));
        all.push_back(std::move(*verifier));
    }
    return all;
}

}  // namespace hanse::journal
