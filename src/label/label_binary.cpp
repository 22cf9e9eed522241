// SPDX-License-Identifier: Apache-2.0
//
// The bytes: "HL", version 1, then for top a 0; else a 1, the integrity (1 byte), the number of owners (2 bytes,
// big end first) and each owner in the order of their names. An owner is its name, its readers (a list of words as
// in the text), place, control (absolute words), handling, content, purpose, transformations (lists), retention
// (4 bytes: 0 none, 1 session, 1+n for n days, all ones contract) and learning (1 byte). A word is its length (1
// byte) and its characters; a list is its number of words (2 bytes) and the words in ascending order.
#include <algorithm>
#include <format>
#include <map>

#include "label/label.hpp"

namespace hanse::label {
namespace {

using base::Bytes;
using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::uint8_t version = 1;
constexpr PurposeWord any_purpose{Purposes::capacity - 1};  // no vocabulary gives this number

class Writer {
public:
    void byte(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
    void two(std::size_t value) {
        byte(static_cast<std::uint8_t>(value >> 8));
        byte(static_cast<std::uint8_t>(value));
    }
    void word(std::string_view text) {
        byte(static_cast<std::uint8_t>(text.size()));
        for (const char c : text) byte(static_cast<std::uint8_t>(c));
    }
    void list(std::vector<std::string> words) {
        std::ranges::sort(words);
        two(words.size());
        for (const auto& each : words) word(each);
    }
    Bytes take() { return std::move(out_); }

private:
    Bytes out_;
};

// Reads past the end give zeros and empty words; `broken` tells.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
    std::uint8_t byte() {
        if (rest_.empty()) return broken_ = true, 0;
        const auto value = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return value;
    }
    std::size_t two() {
        const std::size_t high = byte();
        return high << 8 | byte();
    }
    std::string word() {
        const std::size_t size = byte();
        if (rest_.size() < size) return broken_ = true, std::string{};
        std::string text(reinterpret_cast<const char*>(rest_.data()), size);
        rest_ = rest_.subspan(size);
        return text;
    }
    std::vector<std::string> list() {
        std::vector<std::string> words;
        for (std::size_t count = two(); count > 0 && !broken_; --count) words.push_back(word());
        return words;
    }
    bool broken() const { return broken_; }

private:
    std::span<const std::byte> rest_;
    bool broken_ = false;
};

template <typename Set, typename Find>
Result<Set> read_set(Reader& in, Find find) {
    Set set;
    for (const auto& word : in.list()) {
        const auto found = find(word);
        if (!found) return fail(ErrorKind::invalid, std::format("a label's bytes have the unknown word \"{}\"", word), "unknown_word");
        set.add(bit(*found));
    }
    return set;
}

std::uint32_t rank(Retention value) {
    if (const auto days = value.day_count()) return 1 + *days;
    return value == Retention::none() ? 0 : value == Retention::session() ? 1 : ~std::uint32_t{0};
}

std::optional<Retention> ranked(std::uint32_t rank) {
    if (rank == 0) return Retention::none();
    if (rank == 1) return Retention::session();
    if (rank == ~std::uint32_t{0}) return Retention::contract();
    if (rank > 1 + Retention::days_max) return {};
    return Retention::days(rank - 1);
}

void write(Writer& out, const Label::Owned& owned, const Vocabulary& words) {
    const Terms& terms = owned.terms;
    const auto named = [&](const auto& set, auto word_of) {
        std::vector<std::string> names;
        set.each([&](std::size_t i) { names.emplace_back(word_of(i)); });
        out.list(std::move(names));
    };
    out.word(words.name(owned.owner));
    out.list(words.words(terms.readers));
    // Places of houses may be longer than a byte counts; they are lists of their parts.
    for (const Place place : {terms.place, terms.control}) {
        const std::string word = words.word(place);
        out.two(word.size());
        for (const char c : word) out.byte(static_cast<std::uint8_t>(c));
    }
    named(terms.handling, [&](std::size_t i) { return words.word(static_cast<HandlingWord>(i)); });
    named(terms.content, [&](std::size_t i) { return words.word(static_cast<ContentWord>(i)); });
    if (terms.purpose == Purposes::full()) out.list({"all"});
    else named(terms.purpose, [&](std::size_t i) { return words.word(static_cast<PurposeWord>(i)); });
    named(terms.accepts, [&](std::size_t i) { return name(static_cast<Transformation>(i)); });
    const std::uint32_t kept = rank(terms.retention);
    out.two(kept >> 16);
    out.two(kept & 0xffff);
    out.byte(static_cast<std::uint8_t>(terms.learning));
}

Result<Label::Owned> read_owned(Reader& in, const Vocabulary& words) {
    const auto unknown = [](std::string_view word) { return fail(ErrorKind::invalid, std::format("a label's bytes have the unknown word \"{}\"", word), "unknown_word"); };
    const std::string owner_name = in.word();
    const auto owner = words.member(owner_name);
    if (!owner) return unknown(owner_name);
    Terms terms;
    terms.readers = {};
    for (const auto& word : in.list()) {
        const auto readers = words.readers(word);
        if (!readers) return unknown(word);
        terms.readers = terms.readers | *readers;
    }
    for (Place* place : {&terms.place, &terms.control}) {
        std::string word;
        for (std::size_t size = in.two(); size > 0 && !in.broken(); --size) word += static_cast<char>(in.byte());
        const auto found = words.place(word);
        if (!found) return unknown(word);
        *place = *found;
    }
    auto handling = read_set<Handling>(in, [&](std::string_view word) { return words.handling(word); });
    if (!handling) return std::unexpected(handling.error());
    auto content = read_set<Contents>(in, [&](std::string_view word) { return words.content(word); });
    if (!content) return std::unexpected(content.error());
    auto purpose = read_set<Purposes>(in, [&](std::string_view word) { return word == "all" ? std::optional(any_purpose) : words.purpose(word); });
    if (!purpose) return std::unexpected(purpose.error());
    auto accepts = read_set<Transformations>(in, [](std::string_view word) { return transformation_named(word); });
    if (!accepts) return std::unexpected(accepts.error());
    terms.handling = *handling;
    terms.content = *content;
    terms.purpose = purpose->has(bit(any_purpose)) ? Purposes::full() : *purpose;
    terms.accepts = *accepts;
    const std::uint32_t kept = static_cast<std::uint32_t>(in.two()) << 16;
    const auto retention = ranked(kept | static_cast<std::uint32_t>(in.two()));
    const std::uint8_t learning = in.byte();
    if (!retention || learning > static_cast<std::uint8_t>(Learning::any)) return fail(ErrorKind::corrupt, "a label's bytes have a value that there is not");
    terms.retention = *retention;
    terms.learning = static_cast<Learning>(learning);
    return Label::Owned{*owner, terms};
}

}  // namespace

Bytes binary(const Label& label, const Vocabulary& words) {
    Writer out;
    out.byte('H');
    out.byte('L');
    out.byte(version);
    out.byte(label.is_top() ? 0 : 1);
    if (label.is_top()) return out.take();
    out.byte(static_cast<std::uint8_t>(label.integrity()));
    std::map<std::string_view, const Label::Owned*> by_name;
    for (const auto& owned : label.owners()) by_name.emplace(words.name(owned.owner), &owned);
    out.two(by_name.size());
    for (const auto& [name, owned] : by_name) write(out, *owned, words);
    return out.take();
}

Result<Label> read_binary(std::span<const std::byte> bytes, const Vocabulary& words) {
    const auto corrupt = [] { return fail(ErrorKind::corrupt, "these bytes are not a label's canonical form"); };
    Reader in(bytes);
    if (in.byte() != 'H' || in.byte() != 'L' || in.byte() != version) return corrupt();
    Label label;
    if (in.byte() != 0) {
        const std::uint8_t integrity = in.byte();
        if (integrity > static_cast<std::uint8_t>(Integrity::own)) return corrupt();
        std::vector<Label::Owned> owners;
        for (std::size_t count = in.two(); count > 0 && !in.broken(); --count) {
            const auto owned = read_owned(in, words);
            if (in.broken()) return corrupt();
            if (!owned) return std::unexpected(owned.error());
            owners.push_back(*owned);
        }
        label = Label::of(std::move(owners), static_cast<Integrity>(integrity));
    }
    // Order, repetition, rests and other ways to write the same are refused in one place: there is one form.
    if (in.broken() || !std::ranges::equal(binary(label, words), bytes)) return corrupt();
    return label;
}

}  // namespace hanse::label
