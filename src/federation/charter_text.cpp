// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <format>

#include "federation/charter.hpp"
#include "lines.hpp"

namespace hanse::federation {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

void put(std::string& out, std::string_view word, const std::vector<std::string>& values) {
    for (const auto& value : values) out += std::format("{} {}\n", word, value);
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += " " + word;
    return out;
}

void put_member(std::string& out, const CharterMember& member) {
    out += std::format("member {} {} {} {} {}\n", member.name, member.country, member.control,
                       member.house_in.empty() ? "-" : member.house_in, member.standing == Standing::active ? "active" : "suspended");
    if (!member.title.empty()) out += std::format("title {}\n", member.title);
    for (const auto& key : member.keys) out += std::format("key {} {}\n", crypto::name(key.algorithm()), base::base64(key.bytes()));
    put(out, "address", member.addresses);
    put(out, "log", member.log_keys);
    put(out, "site", member.sites);
    put(out, "person", member.people);
}

Result<Digest> read_digest(std::string_view text) {
    const auto bytes = base::from_hex(text);
    Digest digest;
    if (!bytes || bytes->size() != digest.size()) return fail(ErrorKind::corrupt, "a digest is 64 hex digits");
    std::ranges::copy(*bytes, digest.begin());
    return digest;
}

Result<crypto::PublicKey> read_key(std::span<const std::string_view> words) {
    const auto algorithm = words.size() == 3 ? crypto::algorithm_named(words[1]) : std::nullopt;
    const auto bytes = words.size() == 3 ? base::from_base64(words[2]) : std::nullopt;
    if (!algorithm || !bytes) return fail(ErrorKind::corrupt, "a key is an algorithm that is known and base64");
    return crypto::PublicKey::from_bytes(*algorithm, *bytes);
}

std::vector<std::string> rest(std::span<const std::string_view> words, std::size_t from) {
    return {words.begin() + static_cast<std::ptrdiff_t>(std::min(from, words.size())), words.end()};
}

// Reads lines in any order that makes sense; that there is one form only is checked by writing it again.
struct Reading {
    Charter charter;

    Result<void> line(std::string_view text) {
        const auto words = words_of(text);
        const std::string_view word = words.empty() ? "" : words[0];
        if (word == "member" && words.size() == 6) {
            if (words[5] != "active" && words[5] != "suspended") return unknown(text);
            charter.members.push_back({.name = std::string(words[1]),
                                       .country = std::string(words[2]),
                                       .control = std::string(words[3]),
                                       .house_in = words[4] == "-" ? "" : std::string(words[4]),
                                       .standing = words[5] == "active" ? Standing::active : Standing::suspended});
            return {};
        }
        if (word == "group" && words.size() >= 2) return charter.groups.push_back({std::string(words[1]), rest(words, 2)}), Result<void>{};
        if (word == "handling" && words.size() >= 2)
            return charter.handling.push_back({std::string(words[1]), rest(words, 2)}), Result<void>{};
        if (words.size() == 3 && word == "region")
            return charter.regions.push_back({std::string(words[1]), std::string(words[2])}), Result<void>{};
        if (words.size() == 3 && word == "witness")
            return charter.witnesses.push_back({std::string(words[1]), std::string(words[2])}), Result<void>{};
        if (words.size() == 3 && word == "former")
            return charter.former.push_back({std::string(words[1]), std::string(words[2])}), Result<void>{};
        if (words.size() == 2 && word == "receipts" && words[1] == "demanded" && !charter.receipts_demanded)
            return charter.receipts_demanded = true, Result<void>{};
        if (words.size() == 2 && word == "content") return charter.contents.emplace_back(words[1]), Result<void>{};
        if (words.size() == 2 && word == "purpose") return charter.purposes.emplace_back(words[1]), Result<void>{};
        return of_member(text, words);
    }

    Result<void> of_member(std::string_view text, std::span<const std::string_view> words) {
        if (charter.members.empty() || words.size() < 2) return unknown(text);
        CharterMember& member = charter.members.back();
        if (words[0] == "title") return member.title = text.substr(6), Result<void>{};
        if (words[0] == "key") {
            auto key = read_key(words);
            if (!key) return std::unexpected(key.error());
            member.keys.push_back(std::move(*key));
            return {};
        }
        if (words.size() != 2) return unknown(text);
        if (words[0] == "address") member.addresses.emplace_back(words[1]);
        else if (words[0] == "log") member.log_keys.emplace_back(words[1]);
        else if (words[0] == "site") member.sites.emplace_back(words[1]);
        else if (words[0] == "person") member.people.emplace_back(words[1]);
        else return unknown(text);
        return {};
    }

    static Result<void> unknown(std::string_view text) {
        return fail(ErrorKind::corrupt, std::format("the charter's line \"{}\" is none that is known", text.substr(0, 80)));
    }
};

Result<Charter> read_charter(std::string_view text) {
    Lines lines(text);
    Reading reading;
    const auto head = [&](std::string_view word) { return lines.after(word); };
    Charter& charter = reading.charter;
    if (lines.next() != "hanse-charter v1") return fail(ErrorKind::corrupt, "this is no charter of version 1");
    charter.federation = head("federation ");
    const auto version = number_of<std::uint32_t>(head("version "));
    const std::string_view previous = head("previous ");
    const auto issued = time_of(head("issued "));
    const auto expires = time_of(head("expires "));
    const std::string_view amend = head("amend ");
    const auto amend_words = words_of(amend);
    const auto quorum = amend_words.empty() ? std::nullopt : number_of<std::uint32_t>(amend_words[0]);
    if (!version || !issued || !expires || !quorum)
        return fail(ErrorKind::corrupt, "the charter's head has a line that is missing or cannot be read");
    charter.version = *version;
    charter.issued = *issued;
    charter.expires = *expires;
    charter.quorum = *quorum;
    charter.amenders = rest(amend_words, 1);
    if (previous != "-") {
        const auto digest = read_digest(previous);
        if (!digest) return std::unexpected(digest.error());
        charter.previous = *digest;
    }
    while (!lines.at_end())
        if (auto good = reading.line(lines.next()); !good) return std::unexpected(good.error());
    return charter;
}

}  // namespace

std::string Charter::text() const {
    std::string out =
        std::format("hanse-charter v1\nfederation {}\nversion {}\nprevious {}\nissued {}\nexpires {}\namend {}{}\n", federation, version,
                    previous ? base::hex(*previous) : "-", time_text(issued), time_text(expires), quorum, joined(amenders));
    if (receipts_demanded) out += "receipts demanded\n";
    for (const auto& region : regions) out += std::format("region {} {}\n", region.name, region.parent);
    put(out, "content", contents);
    put(out, "purpose", purposes);
    for (const auto& each : handling) out += std::format("handling {}{}\n", each.name, joined(each.granters));
    for (const auto& witness : witnesses) out += std::format("witness {} {}\n", witness.name, witness.vkey);
    for (const auto& each : members) put_member(out, each);
    for (const auto& group : groups) out += std::format("group {}{}\n", group.name, joined(group.members));
    for (const auto& each : former) out += std::format("former {} {}\n", each.name, each.fingerprint);
    return out;
}

std::string text(const CharterMember& member) {
    std::string out;
    put_member(out, member);
    return out;
}

Result<CharterMember> read_member(std::string_view given) {
    Reading reading;
    for (Lines lines(given); !lines.at_end();)
        if (auto good = reading.line(lines.next()); !good) return std::unexpected(good.error());
    if (reading.charter.members.size() != 1 || text(reading.charter.members[0]) != given)
        return fail(ErrorKind::corrupt, "this is no member's entry in its one form");
    return std::move(reading.charter.members[0]);
}

std::string CharterDocument::whole() const {
    std::string out = text();
    for (const auto& each : signatures_) out += std::format("signature {} {}\n", each.member, each.signature.text());
    return out;
}

Result<CharterDocument> CharterDocument::read_text(std::string_view text) {
    auto charter = read_charter(text);
    if (!charter) return std::unexpected(charter.error());
    auto document = of(std::move(*charter));
    if (document && document->text() != text) return fail(ErrorKind::corrupt, "the charter is not written in its one form");
    return document;
}

Result<CharterDocument> CharterDocument::parse(std::string_view whole, const Known& known) {
    if (whole.size() > charter_text_max + signatures_max * 8'192)
        return fail(ErrorKind::too_large, "a charter has at most 1 MiB and 512 signatures");
    const auto begin = whole.find("\nsignature ");
    const std::string_view text = whole.substr(0, begin == whole.npos ? whole.size() : begin + 1);
    if (text.size() > charter_text_max) return fail(ErrorKind::too_large, "a charter's text has at most 1 MiB");
    const CharterDocument* read_before = known ? known(text) : nullptr;
    auto document = read_before ? Result<CharterDocument>(CharterDocument(read_before->inside_)) : read_text(text);
    if (!document) return document;
    for (Lines lines(whole.substr(text.size())); !lines.at_end();) {
        const std::string_view line = lines.after("signature ");
        const auto space = line.find(' ');
        if (space == line.npos) return fail(ErrorKind::corrupt, "a charter's text is followed by signatures alone");
        auto signature = crypto::HybridSignature::parse(line.substr(space + 1));
        if (!signature) return std::unexpected(signature.error());
        const auto of_one = std::ranges::count(document->signatures_, line.substr(0, space), &CharterDocument::Signature::member);
        if (of_one == signatures_of_one_max) return fail(ErrorKind::too_large, "a charter has at most four signatures of one member");
        if (document->signatures_.size() == signatures_max) return fail(ErrorKind::too_large, "a charter has at most 512 signatures");
        document->signatures_.push_back({std::string(line.substr(0, space)), std::move(*signature)});
    }
    if (document->whole() != whole) return fail(ErrorKind::corrupt, "the charter's signatures are not written in their one form");
    return document;
}

}  // namespace hanse::federation
