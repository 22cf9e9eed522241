// SPDX-License-Identifier: Apache-2.0
// What an owner's rights cost: leaving a mixture beside copying it, and tokens a second of one batch of sequences with and without
// experts left out, in turns.
//   script/bench expert_mask
#include <chrono>
#include <cstdlib>
#include <format>
#include <functional>
#include <print>

#include "forge/mixture.hpp"
#include "llama_adapter.hpp"
#include "sample_model.hpp"

namespace {

using namespace hanse;

constexpr forge::LlamaShape shape{.layers = 16, .width = 512, .heads = 8, .heads_kv = 4, .ff = 1536, .vocabulary = 4096};
constexpr std::uint32_t owners = 7;
constexpr std::uint32_t steps = 24;
constexpr std::uint32_t rounds = 6;

double tokens_per_second(engine::Backend& backend, std::uint32_t sequences, std::span<const std::uint32_t> left_out) {
    for (std::uint32_t slot = 0; slot < sequences; ++slot) {
        backend.trim(slot, 0);
        backend.leave_out(slot, left_out);
    }
    std::vector<engine::BatchToken> batch(sequences);
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t step = 0; step < steps; ++step) {
        for (std::uint32_t slot = 0; slot < sequences; ++slot)
            batch[slot] = {static_cast<engine::TokenId>(3 + (step * 31 + slot) % 250), step, slot, true};
        if (!backend.decode(batch)) std::exit(1);
    }
    return steps * sequences / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double seconds_of(const std::function<bool()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    if (!work()) std::exit(1);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// A mixture of the public model and seven owners, two experts a token; what leaving takes beside a copy of the same file.
bool make_mixture(const std::filesystem::path& folder) {
    const auto trunk = forge::sample_model(shape, 1);
    if (!forge::write_sample(folder / "public.gguf", trunk, forge::TensorType::q8_0)) return false;
    std::vector<forge::TensorFile> files;
    for (std::uint32_t i = 0; i < owners; ++i) {
        const auto path = folder / std::format("{}.gguf", i);
        if (!forge::write_sample(path, forge::sample_child(trunk, 2 + i), forge::TensorType::q8_0)) return false;
        files.push_back(forge::TensorFile::open(path).value());
    }
    std::vector<forge::Contribution> contributions;
    for (std::uint32_t i = 0; i < owners; ++i) contributions.push_back({{.name = std::format("owner{}", i)}, &files[i]});
    base::SeededRandom random(3);
    const auto router = forge::random_router(shape.layers, owners + 1, shape.width, forge::RandomRows::normal, random);
    const auto public_model = forge::TensorFile::open(folder / "public.gguf").value();
    forge::Crew crew;
    if (!forge::recombine(public_model, contributions, {.router = "random", .used = 2}, router, folder / "mixture.gguf", crew))
        return false;
    const auto mixture = forge::TensorFile::open(folder / "mixture.gguf").value();
    double leaving = 1e9, copying = 1e9;
    for (int round = 0; round < 3; ++round) {
        copying = std::min(
            copying, seconds_of([&] {
                return std::system(std::format("cp {0}/mixture.gguf {0}/copy.gguf && sync {0}/copy.gguf", folder.string()).c_str()) == 0;
            }));
        leaving = std::min(
            leaving, seconds_of([&] { return forge::withdraw(mixture, "owner3", std::nullopt, folder / "left.gguf", crew).has_value(); }));
    }
    const auto megabytes = [](const std::filesystem::path& file) { return static_cast<double>(std::filesystem::file_size(file)) / 1e6; };
    std::println("withdraw: {:.0f} MB written in {:.2f} s, {:.0f} MB/s; cp and sync of the mixture: {:.0f} MB/s",
                 megabytes(folder / "left.gguf"), leaving, megabytes(folder / "left.gguf") / leaving,
                 megabytes(folder / "mixture.gguf") / copying);
    return true;
}

}  // namespace

int main() {
    char name[] = "/tmp/hanse-mask-XXXXXX";
    if (mkdtemp(name) == nullptr) return 1;
    const std::filesystem::path folder = name;
    const bool made = make_mixture(folder);
    auto weights = engine::LlamaWeights::open((folder / "mixture.gguf").string(), {}, {});
    std::filesystem::remove_all(folder);
    if (!made || !weights) return 1;
    auto opened = engine::open_generation(*weights, {.slots = 8, .slot_tokens = 256, .batch_tokens = 128, .threads = 2});
    if (!opened) return 1;
    std::println("{:.0f} M parameters, {} layers, {} experts, 2 used, Q8_0; tokens a second",
                 static_cast<double>((*weights)->facts().parameters) / 1e6, shape.layers, owners + 1);
    const std::uint32_t left_out[] = {1, 4, 5};
    bool cheap = true;
    for (const std::uint32_t sequences : {1U, 4U, 8U}) {
        double with = 0, without = 0;
        for (std::uint32_t round = 0; round < rounds; ++round) {
            without = std::max(without, tokens_per_second(*opened->backend, sequences, {}));
            with = std::max(with, tokens_per_second(*opened->backend, sequences, left_out));
        }
        const auto cost = 100 * (1 - with / without);
        cheap = cheap && cost <= 15;
        std::println("{} sequences: {:.1f} without a mask, {:.1f} with, cost {:.1f} %", sequences, without, with, cost);
    }
    return cheap ? 0 : 1;
}
