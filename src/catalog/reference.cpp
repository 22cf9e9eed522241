// SPDX-License-Identifier: Apache-2.0
#include "catalog/reference.hpp"

#include <algorithm>
#include <format>

namespace hanse::catalog {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_hub_word(std::string_view word) {
    if (word.empty() || word.size() > 96 || word.starts_with('.') || word.starts_with('-') || word.ends_with('.') || word.contains("..")) return false;
    return std::ranges::all_of(word, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_revision(std::string_view text) {
    if (text.empty() || text.size() > 200 || text.starts_with('/') || text.ends_with('/') || text.contains("..") || text.contains("//")) return false;
    return std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-' || c == '/'; });
}

}  // namespace

bool is_plain_path(std::string_view path) {
    if (path.empty() || path.size() > 512) return false;
    while (true) {
        const auto slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        if (segment.empty() || segment == "." || segment == "..") return false;
        if (std::ranges::any_of(segment, [](char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7f || c == '\\' || c == '%' || c == '?' || c == '#' || c == '"'; }))
            return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

bool is_model_name(std::string_view name) {
    if (name.empty() || name.size() > 96 || !is_letter_or_digit(name.front())) return false;
    return std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

std::string model_name_from(std::string_view file) {
    if (const auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
    if (file.ends_with(".gguf") || file.ends_with(".GGUF")) file.remove_suffix(5);
    // "-00001-of-00003" belongs to the file, not to the model.
    if (const auto part = file.rfind("-of-"); part != std::string_view::npos && part >= 6 && file.size() - part == 9) file = file.substr(0, part - 6);
    std::string name;
    for (const char c : file.substr(0, 96)) {
        if (is_letter_or_digit(c)) name += static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        else if (!name.empty()) name += c == '.' || c == '_' ? c : '-';
    }
    return name.empty() ? "model" : name;
}

base::Result<Reference> Reference::parse(std::string_view text) {
    const auto wrong = [&](std::string_view what) {
        std::string shown;
        for (const char c : text.substr(0, 120)) shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        return base::fail(base::ErrorKind::invalid, std::format("\"{}\": {}; a reference looks like hf:OWNER/REPOSITORY:FILE.gguf@REVISION, with file and revision optional", shown, what),
                          "reference_invalid");
    };
    Reference found;
    std::string_view rest = text;
    if (!rest.starts_with("hf:")) return wrong("does not begin with hf:");
    rest.remove_prefix(3);
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        found.revision = rest.substr(at + 1);
        if (!is_revision(found.revision)) return wrong("the revision is not one");
        rest = rest.substr(0, at);
    }
    if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
        found.file = rest.substr(colon + 1);
        if (!is_plain_path(found.file)) return wrong("the file is not a plain path");
        if (!found.file.ends_with(".gguf")) return wrong("the file is no .gguf");
        rest = rest.substr(0, colon);
    }
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return wrong("the owner or the repository is missing");
    found.owner = rest.substr(0, slash);
    found.repository = rest.substr(slash + 1);
    if (!is_hub_word(found.owner)) return wrong("the owner is not a hub's name");
    if (!is_hub_word(found.repository)) return wrong("the repository is not a hub's name");
    return found;
}

std::string Reference::text() const {
    std::string out = std::format("hf:{}/{}", owner, repository);
    if (!file.empty()) out += ":" + file;
    if (revision != "main") out += "@" + revision;
    return out;
}

}  // namespace hanse::catalog
