// SPDX-License-Identifier: Apache-2.0
#include "catalog/hub_listing.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <glaze/glaze.hpp>
#include <map>
#include <optional>

#include "catalog/reference.hpp"

namespace hanse::catalog {
namespace wire {  // names as the hub writes them

struct Lfs {
    std::string sha256;
    std::optional<std::uint64_t> size;
};

struct Sibling {
    std::string rfilename;
    std::optional<std::uint64_t> size;
    std::optional<Lfs> lfs;
};

struct Card {
    std::optional<glz::generic> license;  // a text or a list of texts
};

struct Model {
    std::string sha;
    std::optional<glz::generic> gated;  // false, "auto" or "manual"
    std::optional<Card> cardData;
    std::optional<std::vector<std::string>> tags;
    std::optional<std::vector<Sibling>> siblings;
};

}  // namespace wire

namespace {

bool is_hash(std::string_view text, std::size_t digits) {
    return text.size() == digits && std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string plain_word(std::string_view text) {
    std::string word;
    for (const char c : text.substr(0, 64))
        if (static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f) word += c;
    return word;
}

std::string licence_of(const wire::Model& model) {
    if (model.cardData && model.cardData->license && model.cardData->license->is_string()) return plain_word(model.cardData->license->get<std::string>());
    for (const std::string& tag : model.tags.value_or(std::vector<std::string>{}))
        if (tag.starts_with("license:")) return plain_word(std::string_view(tag).substr(8));
    return {};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    return out;
}

// A part after the first is fetched along with it, never chosen by itself; projectors are no models.
bool is_choice(std::string_view path) {
    const auto parts = parts_of(path);
    return (parts.size() == 1 || parts.front() == path) && !lower(path).contains("mmproj") && !lower(path).contains("imatrix");
}

std::string choices_text(const HubListing& listing) {
    std::string list;
    for (const HubFile& file : listing.files) {
        if (!is_choice(file.path)) continue;
        std::uint64_t size = 0;
        for (const std::string& part : parts_of(file.path))
            for (const HubFile& each : listing.files)
                if (each.path == part) size += each.size;
        list += std::format("\n  {}  ({:.2f} GB)", file.path, static_cast<double>(size) / 1e9);
    }
    return list;
}

}  // namespace

std::vector<std::string> parts_of(std::string_view file) {
    std::string_view stem = file;
    if (!stem.ends_with(".gguf")) return {std::string(file)};
    stem.remove_suffix(5);
    const auto number = [](std::string_view digits) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return error == std::errc{} && end == digits.data() + digits.size() ? value : 0U;
    };
    // stem: x-NNNNN-of-MMMMM
    if (stem.size() < 16 || stem.substr(stem.size() - 9, 4) != "-of-" || stem[stem.size() - 15] != '-') return {std::string(file)};
    const unsigned count = number(stem.substr(stem.size() - 5));
    const unsigned index = number(stem.substr(stem.size() - 14, 5));
    if (count < 1 || count > 999 || index < 1 || index > count) return {std::string(file)};
    std::vector<std::string> parts;
    for (unsigned i = 1; i <= count; ++i) parts.push_back(std::format("{}-{:05}-of-{:05}.gguf", stem.substr(0, stem.size() - 15), i, count));
    return parts;
}

base::Result<HubListing> HubListing::parse(std::string_view json) {
    const auto corrupt = [](std::string_view what) { return base::fail(base::ErrorKind::corrupt, std::format("the hub's answer {}", what), "hub_answer_corrupt"); };
    wire::Model model;
    // glz::generic may throw on absurd nesting or memory; the hub is outside.
    try {
        if (const auto error = glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(model, json))
            return corrupt(std::format("is not the JSON it should be, at byte {}", error.count));
    } catch (const std::exception&) {
        return corrupt("cannot be read");
    }
    if (!is_hash(model.sha, 40)) return corrupt("names no commit");
    HubListing listing{.commit = model.sha, .licence = licence_of(model), .files = {}};
    listing.gated = model.gated && !(model.gated->is_boolean() && !model.gated->get<bool>()) && !model.gated->is_null();
    for (wire::Sibling& each : model.siblings.value_or(std::vector<wire::Sibling>{})) {
        if (!each.rfilename.ends_with(".gguf")) continue;
        if (!is_plain_path(each.rfilename)) return corrupt("names a file that is no plain path");
        HubFile file{.path = std::move(each.rfilename), .size = each.size.value_or(0), .sha256 = {}};
        if (each.lfs) {
            file.sha256 = std::move(each.lfs->sha256);
            if (!is_hash(file.sha256, 64)) return corrupt("has a SHA-256 that is none");
            if (each.lfs->size) file.size = *each.lfs->size;
        }
        if (file.size > std::uint64_t{1} << 50) return corrupt("has a size that cannot be");
        listing.files.push_back(std::move(file));
    }
    std::ranges::sort(listing.files, {}, &HubFile::path);
    return listing;
}

base::Result<std::vector<HubFile>> choose_files(const HubListing& listing, std::string_view wanted) {
    const auto find = [&](std::string_view path) { return std::ranges::find(listing.files, path, &HubFile::path); };
    if (listing.files.empty())
        return base::fail(base::ErrorKind::not_found, "the repository holds no .gguf file; look for one whose name ends in -GGUF", "no_gguf");
    std::string chosen(wanted);
    if (chosen.empty()) {
        std::vector<std::string> fitting;
        for (const std::string_view kind : {"q4_k_m", ""}) {
            fitting.clear();
            for (const HubFile& file : listing.files)
                if (is_choice(file.path) && lower(file.path).contains(kind)) fitting.push_back(file.path);
            if (!fitting.empty()) break;
        }
        if (fitting.size() != 1)
            return base::fail(base::ErrorKind::invalid, "the repository holds several models; name one of these files after a colon:" + choices_text(listing), "file_ambiguous");
        chosen = fitting.front();
    }
    std::vector<HubFile> files;
    for (const std::string& part : parts_of(chosen)) {
        const auto found = find(part);
        if (found == listing.files.end())
            return base::fail(base::ErrorKind::not_found, std::format("the repository has no file {}; it has:{}", part, choices_text(listing)), "file_not_found");
        files.push_back(*found);
    }
    return files;
}

}  // namespace hanse::catalog
