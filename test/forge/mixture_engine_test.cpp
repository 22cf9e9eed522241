// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <mutex>

#include "engine/model.hpp"
#include "engine/probe.hpp"
#include "forge/lora.hpp"
#include "forge/mixture.hpp"
#include "forge/reference_file.hpp"
#include "llama_adapter.hpp"
#include "sample_model.hpp"
#include "temporary_folder.hpp"

namespace hanse {
namespace {

using engine::TokenId;

constexpr forge::LlamaShape shape{.layers = 3, .width = 64, .heads = 4, .heads_kv = 2, .ff = 96, .vocabulary = forge::byte_tokens};
constexpr std::uint32_t slots = 3;

// Rows of logits, one for each token.
using Rows = std::vector<std::vector<float>>;

double distance(const Rows& a, const Rows& b) {
    double most = a.size() == b.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        for (std::size_t j = 0; j < a[i].size(); ++j) most = std::max(most, std::abs(static_cast<double>(a[i][j]) - b[i][j]));
    return most;
}

std::vector<TokenId> some_tokens(std::size_t count, std::size_t step) {
    std::vector<TokenId> tokens(count);
    for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<TokenId>(3 + (i * step + 11) % 250);
    return tokens;
}

class MixtureInEngine : public ::testing::Test {
protected:
    void SetUp() override {
        trunk_ = forge::sample_model(shape, 1);
        ASSERT_TRUE(forge::write_sample(folder_ / "public.gguf", trunk_));
        for (const auto* name : {"law", "medicine", "code"})
            ASSERT_TRUE(forge::write_sample(folder_ / (std::string(name) + ".gguf"), forge::sample_child(trunk_, name[0])));
    }

    std::string path(const std::string& name) const { return (folder_ / (name + ".gguf")).string(); }

    void recombine(const std::vector<std::string>& names, const std::string& to, std::uint32_t used = 2) {
        const auto trunk = forge::TensorFile::open(path("public")).value();
        std::vector<forge::TensorFile> files;
        for (const auto& name : names) files.push_back(forge::TensorFile::open(path(name)).value());
        std::vector<forge::Contribution> owners;
        for (std::size_t i = 0; i < names.size(); ++i) owners.push_back({{.name = names[i], .owner = names[i] + " gGmbH"}, &files[i]});
        base::SeededRandom random(9);
        const auto router = forge::random_router(shape.layers, static_cast<std::uint32_t>(names.size()) + 1, shape.width,
                                                 forge::RandomRows::normal, random);
        const auto done = forge::recombine(trunk, owners, {.router = "random", .used = used}, router, path(to), crew_);
        ASSERT_TRUE(done) << done.error().message;
    }

    std::unique_ptr<engine::Backend> open(const std::string& name) {
        auto weights = engine::LlamaWeights::open(path(name), {}, {});
        EXPECT_TRUE(weights) << weights.error().message;
        auto opened = engine::open_generation(*weights, {.slots = slots, .slot_tokens = 256, .batch_tokens = 128, .threads = 1});
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(opened->backend);
    }

    // Sequences in slots 0, 1, …, all in one batch.
    static std::vector<Rows> decode(engine::Backend& backend, const std::vector<std::vector<TokenId>>& sequences, std::uint32_t first = 0) {
        std::vector<engine::BatchToken> batch;
        for (std::uint32_t slot = 0; slot < sequences.size(); ++slot)
            for (std::uint32_t i = 0; i < sequences[slot].size(); ++i) batch.push_back({sequences[slot][i], first + i, slot, true});
        const auto done = backend.decode(batch);
        EXPECT_TRUE(done) << done.error().message;
        std::vector<Rows> result(sequences.size());
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto row = backend.logits(i);
            result[batch[i].slot].emplace_back(row.begin(), row.end());
        }
        return result;
    }

    // The same libllama with keys and values in f32: what is left is the order of additions.
    Rows probed(const std::string& name, const std::vector<TokenId>& tokens) {
        auto probe = engine::Probe::open(path(name), 128, 1);
        EXPECT_TRUE(probe) << probe.error().message;
        Rows rows(tokens.size());
        const auto done = (*probe)->read(tokens, {.logits = [&](std::size_t place, std::span<const float> row) { rows[place].assign(row.begin(), row.end()); }});
        EXPECT_TRUE(done) << done.error().message;
        return rows;
    }

    Rows reference(const std::string& name, const std::vector<TokenId>& tokens, const forge::ForwardHooks& hooks = {}) {
        const auto model = forge::read_reference(forge::TensorFile::open(path(name)).value());
        EXPECT_TRUE(model) << model.error().message;
        const auto logits = forge::forward(*model, {tokens, tokens.size()}, hooks);
        Rows rows;
        for (std::size_t i = 0; i < tokens.size(); ++i)
            rows.emplace_back(logits.begin() + static_cast<std::ptrdiff_t>(i * shape.vocabulary),
                              logits.begin() + static_cast<std::ptrdiff_t>((i + 1) * shape.vocabulary));
        return rows;
    }

    forge::TemporaryFolder folder_;
    forge::Crew crew_{1};
    forge::LlamaModel trunk_;
};

TEST_F(MixtureInEngine, logits_are_within_a_thousandth_of_the_references) {
    for (const std::uint32_t used : {1U, 2U, 4U}) {
        recombine({"law", "medicine", "code"}, "all", used);
        const auto tokens = some_tokens(60, 37);
        const auto right = reference("all", tokens);
        const auto exact = distance(probed("all", tokens), right), served = distance(decode(*open("all"), {tokens})[0], right);
        EXPECT_LT(exact, 1e-3) << used << " used";
        EXPECT_LT(served, 2e-2) << used << " used";
        std::printf("largest difference of logits, %u used: %.2g with keys and values in f32, %.2g as served (f16)\n", used, exact, served);
    }
}

TEST_F(MixtureInEngine, the_dense_model_agrees_with_the_reference_as_well) {
    const auto tokens = some_tokens(60, 37);
    EXPECT_LT(distance(probed("public", tokens), reference("public", tokens)), 1e-3);
}

TEST_F(MixtureInEngine, the_probe_sees_what_the_reference_says_the_blocks_read) {
    recombine({"law", "medicine", "code"}, "all");
    const auto tokens = some_tokens(60, 37);
    std::vector<std::vector<float>> seen(shape.layers), expected(shape.layers);
    auto probe = engine::Probe::open(path("all"), 128, 1).value();
    ASSERT_TRUE(probe->read(tokens, {.ffn_inputs = [&](std::uint32_t layer, std::span<const float> rows) { seen[layer].assign(rows.begin(), rows.end()); }}));
    reference("all", tokens, {.ffn_inputs = [&](std::size_t layer, std::span<const float> rows) { expected[layer].assign(rows.begin(), rows.end()); }});
    EXPECT_LT(distance(seen, expected), 1e-3);
}

TEST_F(MixtureInEngine, adapters_in_the_engine_count_as_if_they_were_merged) {
    const auto base = forge::TensorFile::open(path("public")).value(), tuned = forge::TensorFile::open(path("law")).value();
    const auto adapter = forge::extract_adapter(base, tuned, {.rank = 8}).value().adapter;
    auto other = adapter;
    for (auto& [name, change] : other.tensors)
        for (auto& one : change.a) one *= -0.3F;
    const forge::NamedAdapter parts[] = {{"law", &adapter, 0.5F}, {"other", &other, 0.25F}};
    ASSERT_TRUE(forge::write_adapter(path("stack"), forge::stack_adapters(parts).value()));
    const forge::ScaledAdapter scaled[] = {{&adapter, 0.5F}, {&other, 0.25F}};
    ASSERT_TRUE(forge::merge_adapters(base, scaled, path("merged"), crew_));
    const auto tokens = some_tokens(60, 37);
    auto probe = engine::Probe::open(path("public"), 128, 1, {{path("stack"), 1.0F}});
    ASSERT_TRUE(probe) << probe.error().message;
    Rows rows(tokens.size());
    ASSERT_TRUE((*probe)->read(tokens, {.logits = [&](std::size_t place, std::span<const float> row) { rows[place].assign(row.begin(), row.end()); }}));
    EXPECT_LT(distance(rows, probed("merged", tokens)), 2e-3);
    EXPECT_GT(distance(rows, probed("public", tokens)), 0.1);
}

TEST_F(MixtureInEngine, with_the_last_owner_out_the_logits_are_the_public_models) {
    recombine({"law"}, "one");
    const auto mixture = forge::TensorFile::open(path("one")).value();
    ASSERT_TRUE(forge::withdraw(mixture, "law", std::nullopt, path("left"), crew_));
    const auto tokens = some_tokens(60, 37);
    EXPECT_EQ(distance(decode(*open("left"), {tokens})[0], decode(*open("public"), {tokens})[0]), 0);
}

TEST_F(MixtureInEngine, a_masked_expert_counts_as_if_it_were_not_in_the_file) {
    recombine({"law", "medicine", "code"}, "all");
    const auto mixture = forge::TensorFile::open(path("all")).value();
    ASSERT_TRUE(forge::withdraw(mixture, "medicine", std::nullopt, path("without"), crew_));
    const auto tokens = some_tokens(60, 37);
    auto masked = open("all");
    const std::uint32_t medicine[] = {2};
    masked->leave_out(0, medicine);
    const auto with_mask = decode(*masked, {tokens})[0];
    EXPECT_LT(distance(with_mask, decode(*open("without"), {tokens})[0]), 1e-4);
    EXPECT_GT(distance(with_mask, decode(*open("all"), {tokens})[0]), 0.1) << "the mask must matter here";
}

TEST_F(MixtureInEngine, sequences_with_different_masks_in_one_batch_give_what_they_give_alone) {
    recombine({"law", "medicine", "code"}, "all");
    const std::vector<std::vector<TokenId>> texts{some_tokens(40, 37), some_tokens(17, 53), some_tokens(31, 37)};
    const std::vector<std::vector<std::uint32_t>> masks{{2}, {}, {0, 1, 3}};
    auto together = open("all");
    for (std::uint32_t slot = 0; slot < slots; ++slot) together->leave_out(slot, masks[slot]);
    const auto both = decode(*together, texts);
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        auto alone = open("all");
        alone->leave_out(0, masks[slot]);
        EXPECT_LT(distance(decode(*alone, {texts[slot]})[0], both[slot]), 1e-4) << slot;
    }
}

TEST_F(MixtureInEngine, masks_hold_while_sequences_decode_token_by_token) {
    recombine({"law", "medicine", "code"}, "all");
    const std::vector<std::vector<std::uint32_t>> masks{{1, 2}, {3}, {}};
    auto together = open("all");
    std::vector<Rows> stepped(slots);
    for (std::uint32_t slot = 0; slot < slots; ++slot) together->leave_out(slot, masks[slot]);
    const auto tokens = some_tokens(24, 37);
    for (std::uint32_t i = 0; i < tokens.size(); ++i) {
        const auto rows = decode(*together, {{tokens[i]}, {tokens[i]}, {tokens[i]}}, i);
        for (std::uint32_t slot = 0; slot < slots; ++slot) stepped[slot].push_back(rows[slot][0]);
    }
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
        auto alone = open("all");
        alone->leave_out(0, masks[slot]);
        EXPECT_LT(distance(decode(*alone, {tokens})[0], stepped[slot]), 1e-3) << slot;
    }
    EXPECT_GT(distance(stepped[0], stepped[2]), 0.1);
}

// The whole engine: requests side by side, prefixes kept between them.
class MaskedAnswers : public MixtureInEngine {
protected:
    static std::string answer(engine::Model& model, const std::vector<TokenId>& prompt, std::vector<std::uint32_t> left_out) {
        return answers(model, {{prompt, std::move(left_out)}}).front();
    }
    static std::vector<std::string> answers(engine::Model& model,
                                            const std::vector<std::pair<std::vector<TokenId>, std::vector<std::uint32_t>>>& asks) {
        std::mutex mutex;
        std::condition_variable wake;
        bool ready = false;
        std::vector<std::shared_ptr<engine::EventStream>> streams;
        for (const auto& [prompt, left_out] : asks) {
            streams.push_back(std::make_shared<engine::EventStream>([&] {
                const std::lock_guard lock(mutex);
                ready = true;
                wake.notify_one();
            }));
            engine::GenerateRequest request{
                .prompt = prompt, .max_tokens = 24, .sampling = {.temperature = 0}, .experts_left_out = left_out};
            request.ignore_end = true;
            const auto taken = model.submit(std::move(request), streams.back());
            EXPECT_TRUE(taken) << taken.error().message;
        }
        std::vector<std::string> texts(asks.size());
        for (std::size_t open = asks.size(); open > 0;) {
            std::unique_lock lock(mutex);
            wake.wait(lock, [&] { return ready; });
            ready = false;
            lock.unlock();
            for (std::size_t i = 0; i < streams.size(); ++i) {
                for (auto& event : streams[i]->take()) {
                    if (auto* text = std::get_if<engine::TextEvent>(&event)) texts[i] += text->text;
                    else --open;
                    if (auto* error = std::get_if<engine::ErrorEvent>(&event)) ADD_FAILURE() << error->error.message;
                }
            }
        }
        for (auto& stream : streams) stream->on_ready({});
        return texts;
    }
};

TEST_F(MaskedAnswers, are_the_same_alone_and_beside_others_that_share_the_prompt) {
    recombine({"law", "medicine", "code"}, "all");
    const auto model = engine::load_model({.name = "all", .path = path("all"), .context = 128, .sequences = 4, .threads = 1}).value();
    ASSERT_EQ(model->facts().experts.size(), 4U);
    EXPECT_EQ(model->facts().experts[1].owner, "law gGmbH");
    const auto prompt = some_tokens(40, 37);
    const std::vector<std::vector<std::uint32_t>> masks{{}, {1}, {2, 3}, {0, 1}};
    std::vector<std::string> alone;
    std::vector<std::pair<std::vector<TokenId>, std::vector<std::uint32_t>>> asks;
    for (const auto& mask : masks) {
        const auto fresh = engine::load_model({.name = "all", .path = path("all"), .context = 128, .sequences = 4, .threads = 1}).value();
        alone.push_back(answer(*fresh, prompt, mask));
        asks.emplace_back(prompt, mask);
    }
    EXPECT_EQ(answers(*model, asks), alone);
    EXPECT_EQ(answers(*model, asks), alone) << "from kept prefixes";
    EXPECT_NE(alone[0], alone[2]);
}

TEST_F(MaskedAnswers, are_refused_where_no_expert_would_be_left) {
    recombine({"law"}, "one");
    const auto model = engine::load_model({.name = "one", .path = path("one"), .context = 128, .sequences = 2, .threads = 1}).value();
    const auto refused = [&](std::vector<std::uint32_t> left_out) {
        engine::GenerateRequest request{.prompt = {5}, .experts_left_out = std::move(left_out)};
        return !model->submit(std::move(request), std::make_shared<engine::EventStream>());
    };
    EXPECT_TRUE(refused({0, 1}));
    EXPECT_TRUE(refused({2}));
    EXPECT_TRUE(refused({1, 1}));
    EXPECT_EQ(engine::experts_taking_part(model->facts().experts, std::vector<std::uint32_t>{0}), std::vector<std::string>{"law"});
}

}  // namespace
}  // namespace hanse
