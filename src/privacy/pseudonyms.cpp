// SPDX-License-Identifier: Apache-2.0
#include "privacy/pseudonyms.hpp"

#include <algorithm>
#include <format>

#include "pseudonym_table.hpp"
#include "words.hpp"

namespace hanse::privacy {
namespace {

using namespace std::string_view_literals;
constexpr std::array<std::string_view, kind_count> begin_with{
    "IBAN"sv,      "TAXID"sv,   "TAXNUMBER"sv, "INSURANCE"sv, "INSURANCE"sv, "IDCARD"sv,  "PASSPORT"sv,
    "VATID"sv,     "PLATE"sv,   "CARD"sv,      "PHONE"sv,     "EMAIL"sv,     "IP"sv,      "URL"sv,
    "BIRTHDATE"sv, "ADDRESS"sv, "SECRET"sv,    "PERSON"sv,    "COMPANY"sv,   "PROJECT"sv, "PERSON"sv};

void count(std::string& out, std::string_view what, const std::array<std::uint32_t, kind_count>& counts) {
    bool first = true;
    for (std::size_t kind = 0; kind < kind_count; ++kind) {
        if (counts[kind] == 0) continue;
        out += first ? std::format("{}{} ", out.empty() ? "" : "; ", what) : std::string(", ");
        out += std::format("{} {}", name(static_cast<Kind>(kind)), counts[kind]);
        first = false;
    }
}

}  // namespace

std::string_view word_of(Kind kind) { return begin_with[static_cast<std::size_t>(kind)]; }

std::string Evidence::text() const {
    std::string out;
    count(out, "replaced", replaced);
    count(out, "kept", kept);
    if (distinct > 0) out += std::format("{}{} pseudonym{}", out.empty() ? "" : "; ", distinct, distinct == 1 ? "" : "s");
    // Before an answer is read to its end there is nothing to say of it.
    if (restored > 0) out += std::format(", {} restored", restored);
    return out.empty() ? "nothing replaced" : out;
}

Pseudonyms::Pseudonyms(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pseudonyms::~Pseudonyms() = default;
const Evidence& Pseudonyms::evidence() const { return state_->evidence; }
bool Pseudonyms::empty() const { return state_->entries.empty(); }

base::Result<std::unique_ptr<Pseudonyms>> Pseudonyms::open(base::Random& random, Options options) {
    auto state = std::make_unique<State>(random, options);
    if (auto ready = state->originals.prepare(); !ready) return std::unexpected(ready.error());
    state->salt = random.next();
    return std::unique_ptr<Pseudonyms>(new Pseudonyms(std::move(state)));
}

std::string Pseudonyms::State::drawn_tag() {
    std::string tag;
    for (std::uint64_t bits = random.next(); tag.size() < tag_length; bits >>= 5U) tag.push_back(tag_letters[bits & 31U]);
    return tag;
}

base::Result<std::string_view> Pseudonyms::State::pseudonym_of(std::string_view original, Kind kind, std::uint32_t entity) {
    const std::string_view word = word_of(kind);
    const std::uint64_t hash = (hash_of(original) ^ salt) * 0x9e3779b97f4a7c15U;
    const auto [from, to] = by_original.equal_range(hash);
    for (auto at = from; at != to; ++at)
        if (entries[at->second].original == original && entries[at->second].word == word) return entries[at->second].pseudonym;
    const auto kept = originals.keep(original);
    if (!kept) return std::unexpected(kept.error());
    std::uint32_t number = 0;
    if (entity != 0) {
        auto& known = numbers[{word, entity}];
        if (known == 0) known = ++last_number[word];
        number = known;
    } else {
        number = ++last_number[word];
    }
    std::string pseudonym = std::format("{}_{}_{}", word, number, drawn_tag());
    if (!by_pseudonym.try_emplace(pseudonym, entries.size()).second)
        return base::fail(base::ErrorKind::bug, "two pseudonyms are alike: the source of chance is broken");
    by_original.emplace(hash, entries.size());
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    entries.push_back({std::move(pseudonym), *kept, word});
    ++evidence.distinct;
    return entries.back().pseudonym;
}

base::Result<Pseudonyms::Replaced> Pseudonyms::replace(std::string_view text, std::span<const Finding> findings) {
    Replaced out;
    if (findings.empty()) {
        out.text = text;
        return out;
    }
    const auto verbatim = state_->options.verbatim == Options::Verbatim::keep ? verbatim_parts(text) : std::vector<Span>{};
    out.text.reserve(text.size() + findings.size() * 16);
    std::size_t at = 0;
    auto part = verbatim.begin();
    for (const Finding& finding : findings) {
        if (finding.begin < at || finding.end > text.size() || finding.end - finding.begin <= finding.tail)
            return base::fail(base::ErrorKind::bug, "findings belong to another text, or overlap");
        while (part != verbatim.end() && part->end <= finding.begin) ++part;
        if (part != verbatim.end() && part->begin < finding.end) {
            out.kept.push_back(finding);
            ++state_->evidence.kept[static_cast<std::size_t>(finding.kind)];
            continue;
        }
        const auto pseudonym =
            state_->pseudonym_of(text.substr(finding.begin, finding.end - finding.begin - finding.tail), finding.kind, finding.entity);
        if (!pseudonym) return std::unexpected(pseudonym.error());
        out.text += text.substr(at, finding.begin - at);
        out.text += *pseudonym;
        at = finding.end - finding.tail;
        ++state_->evidence.replaced[static_cast<std::size_t>(finding.kind)];
    }
    out.text += text.substr(at);
    return out;
}

}  // namespace hanse::privacy
