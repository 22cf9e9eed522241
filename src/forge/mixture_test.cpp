// SPDX-License-Identifier: Apache-2.0
#include "forge/mixture.hpp"

#include <gtest/gtest.h>

#include "forge/reference_file.hpp"
#include "forge/statistics_file.hpp"
#include "sample_model.hpp"
#include "temporary_folder.hpp"

namespace hanse::forge {
namespace {

constexpr LlamaShape shape{.layers = 2, .width = 64, .heads = 4, .heads_kv = 2, .ff = 96, .vocabulary = byte_tokens};

class MixtureTest : public ::testing::Test {
protected:
    void SetUp() override { make(TensorType::f32); }

    void make(TensorType type) {
        models_.assign(1, sample_model(shape, 1));
        for (std::uint64_t i = 0; i < 3; ++i) models_.push_back(sample_child(models_.front(), 10 + i));
        files_.clear();
        for (std::size_t i = 0; i < models_.size(); ++i) {
            const auto path = folder_ / std::format("{}.gguf", names_[i]);
            ASSERT_TRUE(write_sample(path, models_[i], type));
            files_.push_back(TensorFile::open(path).value());
        }
        statistics_.clear();
        for (const auto& model : models_) {
            StatisticsCollector collector(shape.layers, shape.width);
            base::SeededRandom random(statistics_.size());
            std::vector<std::int32_t> tokens(320);
            for (auto& one : tokens) one = static_cast<std::int32_t>(random.next() % byte_tokens);
            forward(model, {tokens, 32}, {.ffn_inputs = [&](std::size_t layer, auto rows) { collector.add(layer, rows); }});
            statistics_.push_back(collector.finish().value());
        }
    }

    Router ridge(const std::vector<std::size_t>& who) const {
        Statistics total(shape.layers, shape.width);
        std::vector<const Statistics*> owners;
        for (const auto one : who) {
            (void)total.add(statistics_[one]);
            owners.push_back(&statistics_[one]);
        }
        return ridge_router(total, owners).value();
    }
    Router means(const std::vector<std::size_t>& who) const {
        std::vector<const Statistics*> owners;
        for (const auto one : who) owners.push_back(&statistics_[one]);
        return means_router(owners).value();
    }

    // Of the public model and these owners.
    std::string made(const std::vector<std::size_t>& owners, const std::string& router, std::uint32_t used = 2) {
        std::vector<Contribution> contributions;
        std::vector<std::size_t> who{0};
        for (const auto one : owners) {
            who.push_back(one);
            contributions.push_back(
                {{.name = names_[one], .owner = names_[one] + " e.V.", .licence = "cc-by-4.0", .label = "partner"}, &files_[one]});
        }
        const auto done = recombine(files_[0], contributions, {.router = router, .used = used}, router == "ridge" ? ridge(who) : means(who),
                                    folder_ / "made.gguf", crew_);
        EXPECT_TRUE(done) << done.error().message;
        return folder_.read("made.gguf");
    }
    std::string withdrawn(const std::string& expert, const std::optional<Router>& router) {
        const auto file = TensorFile::open(folder_ / "made.gguf").value();
        const auto done = withdraw(file, expert, router, folder_ / "left.gguf", crew_);
        EXPECT_TRUE(done) << done.error().message;
        return folder_.read("left.gguf");
    }

    TemporaryFolder folder_;
    Crew crew_{2};
    std::vector<std::string> names_{"public", "law", "medicine", "code"};
    std::vector<LlamaModel> models_;
    std::vector<TensorFile> files_;
    std::vector<Statistics> statistics_;
};

TEST_F(MixtureTest, after_withdrawal_the_file_is_the_one_that_never_held_the_owner) {
    for (const auto type : {TensorType::f32, TensorType::q8_0, TensorType::q4_0, TensorType::bf16}) {
        make(type);
        const auto never = made({1, 3}, "means");
        made({1, 2, 3}, "means");
        EXPECT_TRUE(withdrawn("medicine", std::nullopt) == never) << name(type);
        const auto never_by_ridge = made({1, 3}, "ridge");
        made({1, 2, 3}, "ridge");
        EXPECT_TRUE(withdrawn("medicine", ridge({0, 1, 3})) == never_by_ridge) << name(type);
    }
}

TEST_F(MixtureTest, any_owner_may_leave_first_and_last) {
    for (const std::size_t leaver : {1, 2, 3}) {
        std::vector<std::size_t> rest;
        for (const std::size_t one : {1, 2, 3})
            if (one != leaver) rest.push_back(one);
        const auto never = made(rest, "means");
        made({1, 2, 3}, "means");
        EXPECT_TRUE(withdrawn(names_[leaver], std::nullopt) == never) << names_[leaver];
    }
}

TEST_F(MixtureTest, with_the_last_owner_out_the_public_model_is_back) {
    made({2}, "ridge");
    EXPECT_TRUE(withdrawn("medicine", std::nullopt) == folder_.read("public.gguf"));
    const auto back = read_reference(TensorFile::open(folder_ / "left.gguf").value());
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, models_[0]);
}

TEST_F(MixtureTest, without_owners_the_public_model_is_written) {
    ASSERT_TRUE(recombine(files_[0], {}, {.router = "means"}, {}, folder_ / "made.gguf", crew_));
    EXPECT_TRUE(folder_.read("made.gguf") == folder_.read("public.gguf"));
}

TEST_F(MixtureTest, joining_late_changes_no_byte_of_the_others_parts) {
    made({1, 2}, "means");
    std::filesystem::rename(folder_ / "made.gguf", folder_ / "before.gguf");
    made({1, 2, 3}, "means");
    const auto before = TensorFile::open(folder_ / "before.gguf").value(), after = TensorFile::open(folder_ / "made.gguf").value();
    for (std::size_t i = 0; i < before.tensors().size(); ++i) {
        const auto place = after.find(before.tensor(i).name);
        ASSERT_TRUE(place);
        const auto old = before.bytes(i);
        EXPECT_TRUE(std::ranges::equal(old, after.bytes(*place).first(old.size()))) << before.tensor(i).name;
    }
    const auto old = mixture_facts(before).value(), now = mixture_facts(after).value();
    EXPECT_EQ(old.trunk_digest, now.trunk_digest);
    EXPECT_TRUE(std::ranges::equal(old.experts, std::span(now.experts).first(3)));
}

TEST_F(MixtureTest, the_mixture_is_what_its_metadata_says) {
    made({1, 2}, "ridge");
    const auto file = TensorFile::open(folder_ / "made.gguf").value();
    const auto facts = mixture_facts(file);
    ASSERT_TRUE(facts) << facts.error().message;
    ASSERT_EQ(facts->experts.size(), 3U);
    EXPECT_EQ(facts->experts[0].name, "public");
    EXPECT_EQ(facts->experts[2].owner, "medicine e.V.");
    EXPECT_EQ(facts->experts[2].label, "partner");
    EXPECT_EQ(facts->experts[2].digest.size(), 64U);
    EXPECT_EQ(facts->trunk_digest, trunk_digest(files_[3]).value());
    EXPECT_EQ(router_of(file).value(), ridge({0, 1, 2}));
    const auto model = read_reference(file);
    ASSERT_TRUE(model) << model.error().message;
    for (std::size_t i = 0; i < shape.layers; ++i)
        for (std::size_t e = 0; e < 3; ++e) EXPECT_EQ(model->layers[i].blocks[e], models_[e].layers[i].blocks.front());
}

TEST_F(MixtureTest, one_expert_a_token_computes_what_that_expert_computes_alone) {
    made({1}, "means", 1);
    auto model = read_reference(TensorFile::open(folder_ / "made.gguf").value()).value();
    std::vector<std::int32_t> tokens(64);
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::int32_t>(i * 37 % byte_tokens);
    const ForwardHooks all_to_one{.router_logits = [](std::size_t, auto, std::span<float> logits) {
        for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = i % 2 == 1 ? 1.0F : 0.0F;
    }};
    EXPECT_EQ(forward(model, {tokens, 32}, all_to_one), forward(models_[1], {tokens, 32}));
}

TEST_F(MixtureTest, a_trunk_that_was_touched_is_refused_by_name) {
    auto touched = models_[1];
    touched.layers[1].value[5] += 1e-3F;
    ASSERT_TRUE(write_sample(folder_ / "touched.gguf", touched));
    const auto file = TensorFile::open(folder_ / "touched.gguf").value();
    const auto done = check_trunk(files_[0], file);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("blk.1.attn_v.weight"), std::string::npos) << done.error().message;
    EXPECT_NE(trunk_digest(file).value(), trunk_digest(files_[0]).value());
}

TEST_F(MixtureTest, other_hyperparameters_and_other_types_are_refused_by_name) {
    auto other = models_[1];
    other.shape.norm_epsilon = 1e-6F;
    ASSERT_TRUE(write_sample(folder_ / "other.gguf", other));
    auto done = check_trunk(files_[0], TensorFile::open(folder_ / "other.gguf").value());
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("layer_norm_rms_epsilon"), std::string::npos);
    ASSERT_TRUE(write_sample(folder_ / "other.gguf", models_[1], TensorType::q8_0));
    EXPECT_FALSE(check_trunk(files_[0], TensorFile::open(folder_ / "other.gguf").value()));
}

TEST_F(MixtureTest, who_is_not_there_cannot_leave_and_the_public_block_never) {
    made({1}, "means");
    const auto file = TensorFile::open(folder_ / "made.gguf").value();
    EXPECT_EQ(withdraw(file, "nobody", std::nullopt, folder_ / "left.gguf", crew_).error().kind, base::ErrorKind::not_found);
    EXPECT_EQ(withdraw(file, "public", std::nullopt, folder_ / "left.gguf", crew_).error().kind, base::ErrorKind::invalid);
    EXPECT_FALSE(withdraw(files_[0], "law", std::nullopt, folder_ / "left.gguf", crew_)) << "a dense model";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "left.gguf"));
}

TEST_F(MixtureTest, refuses_names_twice_names_that_are_none_and_routers_of_another_size) {
    const Contribution law{{.name = "law"}, &files_[1]};
    const Contribution twice[] = {law, law};
    const MixtureFacts how{.router = "means"};
    EXPECT_FALSE(recombine(files_[0], twice, how, means({0, 1, 1}), folder_ / "made.gguf", crew_));
    const Contribution bad[] = {{{.name = "Law Firm"}, &files_[1]}};
    EXPECT_FALSE(recombine(files_[0], bad, how, means({0, 1}), folder_ / "made.gguf", crew_));
    EXPECT_FALSE(recombine(files_[0], std::span(&law, 1), how, means({0, 1, 2}), folder_ / "made.gguf", crew_));
}

TEST_F(MixtureTest, statistics_come_back_as_they_were_written) {
    const StatisticsFile file{"law", trunk_digest(files_[0]).value(), statistics_[1]};
    ASSERT_TRUE(write_statistics(folder_ / "law.safetensors", file));
    const auto back = read_statistics(folder_ / "law.safetensors");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, file);
    EXPECT_FALSE(read_statistics(folder_ / "public.gguf"));
}

}  // namespace
}  // namespace hanse::forge
