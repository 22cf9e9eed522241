// SPDX-License-Identifier: Apache-2.0
#include "journal/note.hpp"

#include <algorithm>
#include <format>

#include "crypto/key_file.hpp"
#include "number.hpp"

namespace hanse::journal {
namespace {

constexpr std::string_view dash = "\xe2\x80\x94 ";  // U+2014 and a space
constexpr std::size_t note_max = 1 << 20;
constexpr std::size_t signatures_max = 64;

std::unexpected<base::Error> broken(std::string what) { return base::fail(base::ErrorKind::corrupt, std::move(what)); }

std::optional<NoteSignature> signature_of(std::string_view line) {
    if (!line.starts_with(dash)) return std::nullopt;
    line.remove_prefix(dash.size());
    const auto space = line.find(' ');
    if (space == line.npos || !crypto::is_key_name(line.substr(0, space))) return std::nullopt;
    const auto bytes = base::from_base64(line.substr(space + 1));
    if (!bytes || bytes->size() < 5) return std::nullopt;
    NoteSignature made{std::string(line.substr(0, space)), 0, base::Bytes(bytes->begin() + 4, bytes->end())};
    for (std::size_t i = 0; i < 4; ++i) made.key_id = made.key_id << 8 | std::to_integer<std::uint32_t>((*bytes)[i]);
    return made;
}

}  // namespace

std::string NoteSignature::line() const {
    base::Bytes all;
    for (int shift = 24; shift >= 0; shift -= 8) all.push_back(static_cast<std::byte>(key_id >> shift));
    all.insert(all.end(), bytes.begin(), bytes.end());
    return std::format("{}{} {}\n", dash, name, base::base64(all));
}

std::string Note::whole() const {
    std::string all = text + "\n";
    for (const NoteSignature& signature : signatures) all += signature.line();
    return all;
}

base::Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines) {
    std::vector<NoteSignature> made;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        if (end == lines.npos) return broken("the last signature line of the note has no end");
        auto signature = signature_of(lines.substr(0, end));
        if (!signature) return broken(std::format("signature line {} of the note is none", made.size() + 1));
        if (made.size() == signatures_max) return broken("the note has more than 64 signatures");
        made.push_back(std::move(*signature));
        lines.remove_prefix(end + 1);
    }
    return made;
}

base::Result<Note> Note::parse(std::string_view whole) {
    if (whole.size() > note_max) return broken("the note is longer than 1 MiB");
    if (!base::is_valid_utf8(whole)) return broken("the note is not UTF-8");
    if (std::ranges::any_of(whole, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }))
        return broken("the note holds a control character");
    // The last empty line parts text and signatures.
    const auto split = whole.rfind("\n\n");
    if (split == whole.npos) return broken("the note has no empty line before its signatures");
    auto signatures = parse_signature_lines(whole.substr(split + 2));
    if (!signatures) return std::unexpected(signatures.error());
    if (signatures->empty()) return broken("the note has no signature");
    return Note{std::string(whole.substr(0, split + 1)), std::move(*signatures)};
}

std::string Checkpoint::text() const {
    std::string text = std::format("{}\n{}\n{}\n", origin, size, base::base64(root));
    for (const std::string& line : extensions) text += line + "\n";
    return text;
}

base::Result<Checkpoint> Checkpoint::parse(std::string_view text) {
    Checkpoint made;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, std::min(end, text.size()));
        if (end == text.npos || line.empty()) return broken(std::format("line {} of the checkpoint is empty or has no end", number));
        text.remove_prefix(end + 1);
        if (number == 1) {
            made.origin = line;
        } else if (number == 2) {
            const auto size = decimal(line);
            if (!size) return broken("line 2 of the checkpoint is no size");
            made.size = *size;
        } else if (number == 3) {
            const auto root = base::from_base64(line);
            if (!root || root->size() != made.root.size()) return broken("line 3 of the checkpoint is no root hash");
            std::ranges::copy(*root, made.root.begin());
            if (text.empty()) return made;
        } else {
            made.extensions.emplace_back(line);
            if (text.empty()) return made;
        }
    }
    return broken("the checkpoint has fewer than three lines");
}

base::Result<std::vector<Endorsement>> endorsements(const Note& note, std::span<const NoteVerifier> verifiers) {
    std::vector<Endorsement> found;
    for (const NoteSignature& signature : note.signatures) {
        for (const NoteVerifier& verifier : verifiers) {
            if (!verifier.made(signature)) continue;
            const auto time = verifier.verifies(note.text, signature);
            if (!time)
                return base::fail(base::ErrorKind::denied,
                                  std::format("the signature of {} ({}) is wrong", signature.name, name(algorithm_of(verifier.type()))));
            found.push_back({&verifier, *time});
        }
    }
    return found;
}

}  // namespace hanse::journal
