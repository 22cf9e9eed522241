// SPDX-License-Identifier: Apache-2.0
#include "trust.hpp"

#include <format>
#include <sstream>

#include "catalog/files.hpp"
#include "node/identity.hpp"

namespace hanse::cli {
namespace {

base::Result<void> add(std::vector<journal::NoteVerifier>& all, std::string_view vkey, std::string_view where) {
    auto verifier = journal::NoteVerifier::from_vkey(vkey);
    if (!verifier) return base::fail(base::ErrorKind::invalid, std::format("{}: {}", where, verifier.error().message));
    all.push_back(std::move(*verifier));
    return {};
}

}  // namespace

base::Result<std::vector<journal::NoteVerifier>> trusted_keys(const Context& context, const std::vector<std::string>& keys, const std::string& file) {
    std::vector<journal::NoteVerifier> all;
    for (const std::string& key : keys)
        if (auto added = add(all, key, "--key"); !added) return std::unexpected(added.error());
    if (!file.empty()) {
        const auto text = catalog::read_file_whole(file, 1 << 20);
        if (!text) return std::unexpected(text.error());
        std::istringstream lines(*text);
        std::size_t number = 0;
        for (std::string line; std::getline(lines, line);) {
            ++number;
            std::istringstream words(line.substr(0, line.find('#')));
            std::vector<std::string> parts;
            for (std::string word; words >> word;) parts.push_back(word);
            const bool key = parts.size() == 1 || (parts.size() >= 2 && parts[0] == "log") || (parts.size() >= 3 && parts[0] == "witness");
            if (!key) continue;
            const std::string& vkey = parts.size() == 1 ? parts[0] : parts[0] == "log" ? parts[1] : parts[2];
            if (auto added = add(all, vkey, std::format("{}:{}", file, number)); !added) return std::unexpected(added.error());
        }
    }
    if (!keys.empty() || !file.empty()) return all;
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    auto own = node::shown_identity(*data);
    if (!own && own.error().kind != base::ErrorKind::not_found) return std::unexpected(own.error());
    return own ? std::move(own->log) : std::move(all);
}

}  // namespace hanse::cli
