// SPDX-License-Identifier: Apache-2.0
// A federation of 256 members; labels of three owners, each with a list of readers. The peer of bench/label.py is a
// std::set of names for each owner, as a policy engine without a compiled form would hold them.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "label/decide.hpp"

namespace {
std::size_t allocations = 0;
}
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace hanse::label {
namespace {

struct Federation {
    std::shared_ptr<const Vocabulary> words;
    std::vector<Label> labels;
    std::vector<std::vector<std::set<std::string>>> names;  // the readers of each label's owners, as names
    std::vector<Clearance> places;
    std::vector<std::string> receivers;
    Use use{.purpose = {}, .now = 1'800'000'000};

    Federation() {
        VocabularySource source = builtin_words();
        for (int i = 0; i < 256; ++i) source.members.push_back({"member" + std::to_string(i), i % 2 == 0 ? "DE" : "FR"});
        words = Vocabulary::create(std::move(source)).value();
        use.purpose = *words->purpose("answer");
        std::uint64_t state = 1;
        const auto below = [&](std::uint64_t bound) { return ((state = state * 6364136223846793005ULL + 1442695040888963407ULL) >> 33) % bound; };
        for (int i = 0; i < 1024; ++i) {
            std::vector<Label::Owned> owners;
            auto& lists = names.emplace_back();
            for (int owner = 0; owner < 3; ++owner) {
                Terms terms{.place = *words->place("EU"), .control = *words->place("EU"), .handling = Handling::of(3), .content = Contents::of(bit(personal)),
                            .purpose = Purposes::of(0) | Purposes::of(2), .retention = Retention::session(), .learning = Learning::no, .accepts = {}};
                terms.readers = {};
                auto& list = lists.emplace_back();
                for (int reader = 0; reader < 192; ++reader) {
                    const auto name = "member" + std::to_string(below(256));
                    terms.readers = terms.readers | *words->readers(name);
                    list.insert(name);
                }
                owners.push_back({*words->member("member" + std::to_string(owner * 80 + static_cast<int>(below(80)))), terms});
            }
            labels.push_back(Label::of(std::move(owners), Integrity::member));
            receivers.push_back("member" + std::to_string(below(256)));
            places.emplace_back(ClearanceTerms{.name = "place", .receivers = *words->readers(receivers.back()), .place = *words->place("house:" + receivers.back()),
                                               .control = *words->place("house:" + receivers.back()), .releases = {{HandlingWord{0}, always_valid}, {HandlingWord{3}, always_valid}},
                                               .contents = Contents::of(bit(personal)), .retention = Retention::none(), .learning = Learning::no, .acts_on = Integrity::member});
        }
    }
};
const Federation& federation() {
    static const Federation made;
    return made;
}

// Runs `work` on ever other labels and places, and counts what it allocates.
template <typename Work>
void measure(benchmark::State& state, Work work) {
    const Federation& all = federation();
    std::size_t i = 0;
    const std::size_t before = allocations;
    for (auto _ : state) {
        work(all, i % 1024, i * 7 % 1024);
        ++i;
    }
    state.counters["allocations"] = static_cast<double>(allocations - before) / static_cast<double>(i);
}

void flow_check(benchmark::State& state) {
    measure(state, [](const Federation& all, std::size_t a, std::size_t b) { benchmark::DoNotOptimize(judge(all.labels[a], all.places[b], all.use)); });
}
void decision_with_permit(benchmark::State& state) {
    measure(state, [](const Federation& all, std::size_t a, std::size_t b) { benchmark::DoNotOptimize(decide(all.labels[a], all.places[b], all.use)); });
}
void labels_compared(benchmark::State& state) {
    measure(state, [](const Federation& all, std::size_t a, std::size_t b) { benchmark::DoNotOptimize(flows_to(all.labels[a], all.labels[b])); });
}
void labels_joined(benchmark::State& state) {
    measure(state, [](const Federation& all, std::size_t a, std::size_t b) { benchmark::DoNotOptimize(join(all.labels[a], all.labels[b])); });
}
void header_read(benchmark::State& state) {
    const std::string line = text(Label::of(federation().labels[0].owners()[0].owner, Terms{.readers = *federation().words->readers("member1"), .accepts = {}}, Integrity::own), *federation().words);
    measure(state, [&](const Federation& all, std::size_t, std::size_t) { benchmark::DoNotOptimize(read_label(line, *all.words)); });
}
void readers_as_names(benchmark::State& state) {
    measure(state, [](const Federation& all, std::size_t a, std::size_t b) {
        bool fits = true;
        for (const auto& list : all.names[a]) fits = fits && list.contains(all.receivers[b]);
        benchmark::DoNotOptimize(fits);
    });
}
BENCHMARK(flow_check);
BENCHMARK(decision_with_permit);
BENCHMARK(labels_compared);
BENCHMARK(labels_joined);
BENCHMARK(header_read);
BENCHMARK(readers_as_names);

}  // namespace
}  // namespace hanse::label
