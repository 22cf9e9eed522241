// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "privacy/pseudonyms.hpp"
#include "privacy/recogniser.hpp"

// The texts of test/privacy/corpus with everything on, found from the repository's root or from HANSE_CORPUS.
namespace hanse::privacy {
namespace {

std::string file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct Corpus {
    Corpus() {
        const char* given = std::getenv("HANSE_CORPUS");
        const std::filesystem::path folder = given != nullptr ? given : "test/privacy/corpus";
        directory = Directory::read(file(folder / "directory.toml"), "directory.toml").value();
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().extension() == ".txt") paths.push_back(entry.path());
        std::ranges::sort(paths);
        for (const auto& path : paths) text += plain(file(path));
        if (text.size() < 100'000) std::abort();
        recogniser = Recogniser::create({.directory = directory}).value();
    }
    // Without the marks ⟦kind|…⟧.
    static std::string plain(const std::string& marked) {
        std::string out;
        for (std::size_t at = 0; at < marked.size();) {
            if (marked.compare(at, 3, "⟦") == 0) at = marked.find('|', at) + 1;
            else if (marked.compare(at, 3, "⟧") == 0) at += 3;
            else out.push_back(marked[at++]);
        }
        return out;
    }
    Directory directory;
    std::string text;
    std::shared_ptr<const Recogniser> recogniser;
};
const Corpus& corpus() {
    static const Corpus made;
    return made;
}

void scan(benchmark::State& state, std::size_t size) {
    const std::string& all = corpus().text;
    std::size_t at = 0, bytes = 0;
    for (auto _ : state) {
        if (at + size > all.size()) at = 0;
        auto found = corpus().recogniser->scan(std::string_view(all).substr(at, size));
        benchmark::DoNotOptimize(found);
        at += size;
        bytes += size;
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
void scan_2_kib(benchmark::State& state) { scan(state, 2048); }
void scan_64_kib(benchmark::State& state) { scan(state, 65'536); }
BENCHMARK(scan_2_kib);
BENCHMARK(scan_64_kib);

void replace_and_restore_2_kib(benchmark::State& state) {
    const std::string_view text = std::string_view(corpus().text).substr(0, 2048);
    const auto findings = corpus().recogniser->scan(text).value();
    base::SeededRandom random(1);
    for (auto _ : state) {
        const auto table = Pseudonyms::open(random).value();
        const auto replaced = table->replace(text, findings).value();
        Restorer restorer(*table);
        std::string back = restorer.feed(replaced.text);
        back += restorer.finish();
        benchmark::DoNotOptimize(back);
    }
}
BENCHMARK(replace_and_restore_2_kib);

}  // namespace
}  // namespace hanse::privacy
