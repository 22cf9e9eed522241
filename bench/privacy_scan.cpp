// SPDX-License-Identifier: Apache-2.0
//
// Reads texts from standard input, each ended by a NUL, and prints what the recogniser finds: a line "kind begin end score" for
// each finding, an empty line after each text. Places are bytes.
//
//   privacy_scan DIRECTORY.toml < texts
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "privacy/recogniser.hpp"

int main(int count, char** words) {
    if (count != 2) {
        std::cerr << "usage: privacy_scan DIRECTORY.toml < texts\n";
        return 2;
    }
    std::ifstream file(words[1], std::ios::binary);
    const std::string toml((std::istreambuf_iterator<char>(file)), {});
    auto directory = hanse::privacy::Directory::read(toml, words[1]);
    if (!directory || toml.empty()) {
        std::cerr << (toml.empty() ? "no directory" : directory.error().message) << '\n';
        return 2;
    }
    const auto recogniser = hanse::privacy::Recogniser::create({.directory = std::move(*directory)});
    if (!recogniser) {
        std::cerr << recogniser.error().message << '\n';
        return 1;
    }
    const std::string all((std::istreambuf_iterator<char>(std::cin)), {});
    for (std::string_view rest = all; !rest.empty();) {
        const auto end = rest.find('\0');
        const auto findings = (*recogniser)->scan(rest.substr(0, end));
        if (!findings) {
            std::cerr << findings.error().message << '\n';
            return 1;
        }
        for (const auto& each : *findings)
            std::cout << name(each.kind) << ' ' << each.begin << ' ' << each.end << ' ' << each.score << '\n';
        std::cout << '\n';
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
}
