// SPDX-License-Identifier: Apache-2.0
#include "privacy/recogniser.hpp"

#include <array>
#include <format>

#include "directory_index.hpp"
#include "engine.hpp"
#include "names.hpp"
#include "reading.hpp"
#include "resolve.hpp"
#include "self_check.hpp"

namespace hanse::privacy {
namespace {

// Where the engine told an end, the reader begins.
void read_at(Reading& reading, const Hit& hit) {
    switch (hit.anchor) {
        case Anchor::number: return read_number(reading, hit.end - 1);
        case Anchor::plus: return read_telephone(reading, hit.end - 2);
        case Anchor::bracket: {
            const auto begin = reading.text.rfind('(', hit.end - 1);
            return read_telephone(reading, begin);
        }
        case Anchor::iban: return read_iban(reading, hit.end - (is_letter(reading.text[hit.end - 3]) ? 4 : 5));
        case Anchor::vat: return read_vat(reading, hit.end);
        case Anchor::document: return read_document(reading, hit.end - 9);
        case Anchor::health: return read_health_insurance(reading, hit.end);
        case Anchor::at: return read_email(reading, hit.end - 2);
        case Anchor::at_word: return read_spelled_email(reading, hit.end);
        case Anchor::scheme: return read_url(reading, hit.end - 2);
        case Anchor::ip6: return read_ip6(reading, hit.end - 2);
        case Anchor::plate: return read_plate(reading, hit.end);
        case Anchor::street: return read_street(reading, hit.end - 1);
        case Anchor::street_front: return read_street_front(reading, hit.end);
        case Anchor::post_box: return read_post_box(reading, hit.end - 1);
        case Anchor::token: return read_token(reading, hit.end, static_cast<TokenForm>(hit.detail));
        case Anchor::secret_name: return read_secret(reading, hit.end);
        case Anchor::word: return;
    }
}

base::Result<std::vector<Finding>> scan_with(std::string_view text, const Engine& engine, const DirectoryIndex& index, float threshold) {
    if (text.size() > Recogniser::text_max)
        return base::fail(base::ErrorKind::too_large, "a text of more than 1 GiB is not looked through", "text_too_large");
    if (text.empty()) return std::vector<Finding>{};
    std::vector<Hit> hits;
    hits.reserve(text.size() / 16 + 16);
    if (auto searched = engine.search(text, hits); !searched) return std::unexpected(searched.error());
    Reading reading(text);
    for (const Hit& hit : hits)
        if (hit.anchor == Anchor::word) reading.mark(static_cast<Word>(hit.detail), hit.end);
    const Hit* last = nullptr;
    for (const Hit& hit : hits) {
        // One anchor can be reported by several expressions that end alike.
        if (hit.anchor != Anchor::word &&
            !(last != nullptr && last->end == hit.end && last->anchor == hit.anchor && last->detail == hit.detail))
            read_at(reading, hit);
        last = &hit;
    }
    std::vector<TextWord> words;
    words.reserve(text.size() / 6 + 16);
    split_words(text, words);
    find_mentions(reading, words, index);
    find_names(reading, words, index);
    return resolve(std::move(reading.found), threshold);
}

base::Result<void> try_examples(const Engine& engine, const DirectoryIndex& index) {
    std::array<bool, kind_count> tried{};
    for (const Example& example : examples()) {
        tried[static_cast<std::size_t>(example.kind)] = true;
        const auto found = scan_with(example.text, engine, index, 0.5F);
        if (!found) return std::unexpected(found.error());
        bool seen = false;
        for (const Finding& finding : *found)
            seen |= finding.kind == example.kind &&
                    (example.found.empty() || example.text.substr(finding.begin, finding.end - finding.begin) == example.found);
        if (seen == example.found.empty())
            return base::fail(base::ErrorKind::bug,
                              std::format("the recogniser of {} fails its self-check; nothing that needs it may leave", name(example.kind)),
                              "recogniser_broken");
    }
    for (std::size_t kind = 0; kind < kind_count; ++kind)
        if (!tried[kind])
            return base::fail(base::ErrorKind::bug, std::format("the recogniser of {} has no self-check", name(static_cast<Kind>(kind))),
                              "recogniser_broken");
    return {};
}

}  // namespace

struct Recogniser::State {
    std::unique_ptr<Engine> engine;
    DirectoryIndex index;
    DirectoryIndex example_index;
    float threshold;
};

Recogniser::Recogniser(std::unique_ptr<State> state) : state_(std::move(state)) {}
Recogniser::~Recogniser() = default;

base::Result<std::shared_ptr<const Recogniser>> Recogniser::create(RecogniserOptions options) {
    auto engine = Engine::compile(patterns());
    if (!engine) return std::unexpected(engine.error());
    auto state = std::make_unique<State>(
        State{std::move(*engine), DirectoryIndex(options.directory), DirectoryIndex(example_directory()), options.threshold});
    auto recogniser = std::shared_ptr<const Recogniser>(new Recogniser(std::move(state)));
    if (auto good = recogniser->self_check(); !good) return std::unexpected(good.error());
    return recogniser;
}

base::Result<std::vector<Finding>> Recogniser::scan(std::string_view text) const {
    return scan_with(text, *state_->engine, state_->index, state_->threshold);
}
base::Result<void> Recogniser::self_check() const { return try_examples(*state_->engine, state_->example_index); }

}  // namespace hanse::privacy
