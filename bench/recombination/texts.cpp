// SPDX-License-Identifier: Apache-2.0
#include "texts.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <fstream>
#include <iterator>
#include <random>
#include <string_view>

namespace hanse::recombination {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 16'384;  // of one file, so that none is the whole domain
constexpr std::uint64_t validation_share = 8;   // every eighth file

// FNV-1a: an order of files that depends on their names alone, and mixes the folders.
std::uint64_t order_of(const std::string& name) {
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3;
    return hash;
}

base::Result<Domain> from_files(std::string name, const fs::path& folder, std::vector<std::string> extensions, std::size_t training_bytes,
                                std::size_t validation_bytes) {
    std::vector<std::pair<std::uint64_t, fs::path>> files;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end; !error && it != end;
         it.increment(error)) {
        const auto& path = it->path();
        const bool wanted = std::ranges::find(extensions, path.extension().string()) != extensions.end() ||
                            (path.extension().empty() && std::ranges::find(extensions, "") != extensions.end());
        if (wanted && it->is_regular_file(error)) files.emplace_back(order_of(path.lexically_relative(folder).string()), path);
    }
    std::ranges::sort(files);
    Domain domain{std::move(name), {}, {}};
    for (const auto& [order, path] : files) {
        auto& to = order % validation_share == 0 ? domain.validation : domain.training;
        if (to.size() >= (&to == &domain.training ? training_bytes : validation_bytes)) continue;
        std::string text(file_bytes_max, '\0');
        std::ifstream in(path, std::ios::binary);
        in.read(text.data(), static_cast<std::streamsize>(text.size()));
        to.append(text, 0, static_cast<std::size_t>(in.gcount()));
    }
    if (domain.training.size() < training_bytes / 4 || domain.validation.size() < validation_bytes / 4)
        return base::fail(base::ErrorKind::not_found,
                          std::format("{} holds too little text for the domain {}", folder.string(), domain.name));
    return domain;
}

using Numbers = std::mt19937_64;
std::uint64_t below(Numbers& numbers, std::uint64_t end) { return numbers() % end; }
template <std::size_t n>
std::string_view one_of(Numbers& numbers, const std::array<std::string_view, n>& words) {
    return words[below(numbers, n)];
}

std::string sums_line(Numbers& numbers) {
    const auto a = below(numbers, 100);
    const auto b = below(numbers, 100);
    switch (below(numbers, 3)) {
        case 0: return std::format("{} + {} = {}\n", a, b, a + b);
        case 1: return std::format("{} - {} = {}\n", a + b, a, b);
        default: return std::format("{} * {} = {}\n", a % 12, b % 12, (a % 12) * (b % 12));
    }
}

std::string notice_line(Numbers& numbers) {
    static constexpr std::array<std::string_view, 6> who{"Die Behoerde", "Der Antragsteller", "Die Gemeinde",
                                                         "Das Amt",      "Der Traeger",       "Die Kammer"};
    static constexpr std::array<std::string_view, 6> what{"den Bescheid", "die Unterlagen",  "den Antrag",
                                                          "die Frist",    "den Widerspruch", "die Akte"};
    static constexpr std::array<std::string_view, 5> when{"innerhalb eines Monats", "unverzueglich", "binnen zwei Wochen", "nach Anhoerung",
                                                          "schriftlich"};
    static constexpr std::array<std::string_view, 5> verb{"zu pruefen", "vorzulegen", "zu begruenden", "zu verlaengern", "zurueckzugeben"};
    return std::format("{} hat {} {} {}.\n", one_of(numbers, who), one_of(numbers, what), one_of(numbers, when), one_of(numbers, verb));
}

std::string record_line(Numbers& numbers) {
    static constexpr std::array<std::string_view, 5> part{"bolt", "pump", "valve", "gear", "shaft"};
    static constexpr std::array<std::string_view, 4> state{"open", "paid", "sent", "lost"};
    return std::format("{{\"id\":{},\"part\":\"{}\",\"count\":{},\"state\":\"{}\"}}\n", 1000 + below(numbers, 9000), one_of(numbers, part),
                       below(numbers, 50), one_of(numbers, state));
}

std::string report_line(Numbers& numbers) {
    static constexpr std::array<std::string_view, 6> who{"the engine", "a reader", "the journal", "this node", "a partner", "the caller"};
    static constexpr std::array<std::string_view, 6> verb{"returns", "checks", "keeps", "refuses", "writes", "waits for"};
    static constexpr std::array<std::string_view, 6> what{"the answer", "a label", "every record", "the last token", "one file", "the key"};
    return std::format("// {} {} {} before {} {} {}.\n", one_of(numbers, who), one_of(numbers, verb), one_of(numbers, what),
                       one_of(numbers, who), one_of(numbers, verb), one_of(numbers, what));
}

Domain made(std::string name, std::string (*line)(Numbers&), std::uint64_t seed, std::size_t training_bytes, std::size_t validation_bytes) {
    Domain domain{std::move(name), {}, {}};
    Numbers numbers(seed);
    while (domain.training.size() < training_bytes) domain.training += line(numbers);
    while (domain.validation.size() < validation_bytes) domain.validation += line(numbers);
    return domain;
}

// The newest of a package's folders, whose names carry versions.
fs::path newest(const fs::path& folder, std::string_view prefix) {
    fs::path found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        const auto name = it->path().filename().string();
        if (name.starts_with(prefix) && name.size() > prefix.size() && it->path() > found) found = it->path();
    }
    return found;
}

}  // namespace

base::Result<std::vector<Domain>> packaged_domains(std::size_t training_bytes, std::size_t validation_bytes) {
    std::vector<Domain> domains;
    struct Source {
        std::string name;
        fs::path folder;
        std::vector<std::string> extensions;
    };
    const Source sources[] = {{"public", newest("/usr/include/c++", ""), {"", ".h", ".hpp", ".tcc"}},
                              {"python", newest("/usr/lib", "python3."), {".py"}},
                              {"javascript", "/usr/share/nodejs", {".js"}},
                              {"cmake", newest("/usr/share", "cmake-"), {".cmake"}}};
    for (const auto& source : sources) {
        auto domain = from_files(source.name, source.folder, source.extensions, training_bytes, validation_bytes);
        if (!domain) return std::unexpected(domain.error());
        domains.push_back(std::move(*domain));
    }
    domains.push_back(made("sums", sums_line, 41, training_bytes, validation_bytes));
    return domains;
}

std::vector<Domain> made_domains(std::size_t training_bytes, std::size_t validation_bytes) {
    return {made("public", report_line, 11, training_bytes, validation_bytes),
            made("notices", notice_line, 21, training_bytes, validation_bytes),
            made("records", record_line, 31, training_bytes, validation_bytes),
            made("sums", sums_line, 41, training_bytes, validation_bytes)};
}

}  // namespace hanse::recombination
