// SPDX-License-Identifier: Apache-2.0
#include "local_model.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <future>
#include <mutex>

namespace hanse::engine {
namespace {

const char* model_path() { return std::getenv("HANSE_TEST_MODEL"); }

struct Answer {
    std::string text;
    std::uint32_t tokens = 0;
    std::vector<TokenLogprobs> logprobs;
    std::optional<FinishEvent> finish;
    std::optional<base::Error> error;
    bool ended() const { return finish || error; }
};

// Reads a stream to its end.
class Reader {
public:
    std::shared_ptr<EventStream> stream = std::make_shared<EventStream>([this] {
        std::lock_guard lock(mutex_);
        ready_ = true;
        wake_.notify_one();
    });
    ~Reader() { stream->on_ready({}); }
    Answer& read_some() {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return ready_; });
        ready_ = false;
        lock.unlock();
        for (auto& event : stream->take()) {
            if (auto* text = std::get_if<TextEvent>(&event)) {
                answer_.text += text->text;
                answer_.tokens += text->tokens;
                std::move(text->logprobs.begin(), text->logprobs.end(), std::back_inserter(answer_.logprobs));
            }
            if (auto* finish = std::get_if<FinishEvent>(&event)) answer_.finish = *finish;
            if (auto* error = std::get_if<ErrorEvent>(&event)) answer_.error = error->error;
        }
        return answer_;
    }
    Answer& read() {
        while (!read_some().ended()) {}
        return answer_;
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ready_ = false;
    Answer answer_;
};

// One model for all tests here, since loading takes most of their time.
class LocalModel : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (model_path() == nullptr) return;
        auto loaded = load_model({.name = "smol", .path = model_path(), .context = 1024, .sequences = 6});
        ASSERT_TRUE(loaded) << loaded.error().message;
        model = *loaded;
    }
    static void TearDownTestSuite() { model.reset(); }
    void SetUp() override {
        if (model_path() == nullptr) GTEST_SKIP() << "HANSE_TEST_MODEL names no model";
    }
    static GenerateRequest chat(std::string text, std::uint32_t most = 24) {
        GenerateRequest request;
        request.prompt = model->tokenize(model->render({.messages = {{.text = std::move(text)}}})->text, false, true);
        request.max_tokens = most;
        request.sampling.temperature = 0;
        return request;
    }
    static Answer ask(GenerateRequest request) {
        Reader reader;
        auto submitted = model->submit(std::move(request), reader.stream);
        if (!submitted) return Answer{.error = submitted.error()};
        return reader.read();
    }
    static inline std::shared_ptr<Model> model;
};

TEST_F(LocalModel, tells_what_it_is) {
    EXPECT_EQ(model->facts().architecture, "llama");
    EXPECT_EQ(model->facts().vocabulary, 49152U);
    EXPECT_EQ(model->facts().context, 1024U);
    EXPECT_TRUE(model->facts().can_generate);
    EXPECT_FALSE(model->facts().can_rerank);
}

TEST_F(LocalModel, turns_text_into_tokens_and_back) {
    std::string text = "Moin, schöne Grüße aus Lübeck – 你好!";
    EXPECT_EQ(model->detokenize(model->tokenize(text, false, false)), text);
    EXPECT_NE(model->tokenize("<|im_end|>", false, false), model->tokenize("<|im_end|>", false, true));
    EXPECT_EQ(model->tokenize("<|im_end|>", false, true).size(), 1U);
    EXPECT_TRUE(model->tokenize("", false, false).empty());
}

TEST_F(LocalModel, answers_a_question) {
    auto answer = ask(chat("What is the capital of France? Answer with one word."));
    ASSERT_TRUE(answer.finish);
    EXPECT_NE(answer.text.find("Paris"), std::string::npos) << answer.text;
    EXPECT_GT(answer.finish->usage.prompt_tokens, 10U);
    EXPECT_GE(answer.finish->usage.completion_tokens, answer.tokens);
}

TEST_F(LocalModel, greedy_answers_are_the_same_alone_and_in_company) {
    auto alone = ask(chat("Count from one to ten."));
    std::vector<std::unique_ptr<Reader>> readers;
    for (int i = 0; i < 12; ++i) {
        readers.push_back(std::make_unique<Reader>());
        ASSERT_TRUE(model->submit(chat("Count from one to ten."), readers.back()->stream));
    }
    for (auto& reader : readers) {
        auto& answer = reader->read();
        ASSERT_TRUE(answer.finish);
        EXPECT_EQ(answer.text, alone.text);
    }
}

TEST_F(LocalModel, a_prompt_seen_before_is_not_computed_again) {
    auto first = ask(chat("Tell me about the Hanseatic League and its cities."));
    auto second = ask(chat("Tell me about the Hanseatic League and its cities."));
    EXPECT_EQ(first.text, second.text);
    EXPECT_GT(second.finish->usage.cached_tokens, second.finish->usage.prompt_tokens - 3);
    auto request = chat("Tell me about the Hanseatic League and its cities.");
    request.partition = "somebody else";
    EXPECT_EQ(ask(std::move(request)).finish->usage.cached_tokens, 0U);
}

TEST_F(LocalModel, the_token_limit_ends_an_answer) {
    auto answer = ask(chat("Write a long story.", 5));
    EXPECT_EQ(answer.finish->reason, FinishReason::length);
    EXPECT_EQ(answer.finish->usage.completion_tokens, 5U);
}

TEST_F(LocalModel, a_stop_string_ends_an_answer) {
    auto request = chat("Count from one to ten in digits, separated by commas.", 60);
    request.stop = {"3"};
    auto answer = ask(std::move(request));
    ASSERT_TRUE(answer.finish);
    EXPECT_EQ(answer.text.find('3'), std::string::npos);
}

TEST_F(LocalModel, a_seed_repeats_an_answer) {
    auto request = chat("Invent a name for a ship.");
    request.sampling = {.temperature = 1.2F, .top_k = 50, .top_p = 0.95F, .seed = 7};
    auto first = ask(request);
    auto second = ask(request);
    EXPECT_EQ(first.text, second.text);
}

TEST_F(LocalModel, logprobs_tell_what_was_likely) {
    auto request = chat("What is the capital of France?", 4);
    request.sampling.top_logprobs = 3;
    auto answer = ask(std::move(request));
    ASSERT_EQ(answer.logprobs.size(), answer.finish->usage.completion_tokens);
    for (const auto& one : answer.logprobs) {
        ASSERT_EQ(one.top.size(), 3U);
        EXPECT_EQ(one.chosen.token, one.top[0].token);
        EXPECT_LE(one.chosen.logprob, 0.0F);
        EXPECT_GE(one.top[0].logprob, one.top[1].logprob);
    }
}

TEST_F(LocalModel, a_cancelled_answer_ends_soon) {
    Reader reader;
    auto request = chat("Write a very long story.", 900);
    request.ignore_end = true;
    ASSERT_TRUE(model->submit(std::move(request), reader.stream));
    reader.read_some();
    reader.stream->cancel();
    auto& answer = reader.read();
    ASSERT_TRUE(answer.error);
    EXPECT_EQ(answer.error->kind, base::ErrorKind::cancelled);
}

TEST_F(LocalModel, the_context_end_is_a_length) {
    auto request = chat("hello", 4000);
    request.ignore_end = true;
    auto filler = model->tokenize(" one two three four", false, false);
    while (request.prompt.size() < 1000) request.prompt.insert(request.prompt.end(), filler.begin(), filler.end());
    auto answer = ask(std::move(request));
    ASSERT_TRUE(answer.finish);
    EXPECT_EQ(answer.finish->reason, FinishReason::length);
    EXPECT_EQ(answer.finish->usage.prompt_tokens + answer.finish->usage.completion_tokens, 1024U);
}

TEST_F(LocalModel, refuses_what_it_cannot_do) {
    GenerateRequest empty;
    EXPECT_EQ(ask(empty).error->kind, base::ErrorKind::invalid);
    GenerateRequest unknown{.prompt = {49152}};
    EXPECT_EQ(ask(unknown).error->kind, base::ErrorKind::invalid);
    GenerateRequest negative{.prompt = {-1}};
    EXPECT_EQ(ask(negative).error->kind, base::ErrorKind::invalid);
    GenerateRequest large{.prompt = std::vector<TokenId>(1024, 5)};
    EXPECT_EQ(ask(large).error->code, "context_length_exceeded");
    GenerateRequest adapter{.prompt = {5}, .adapters = {{"none", 1.0F}}};
    EXPECT_EQ(ask(adapter).error->kind, base::ErrorKind::not_found);
    auto late = chat("hello");
    late.deadline = base::Deadline::at(base::SystemClock().now());
    EXPECT_EQ(ask(late).error->kind, base::ErrorKind::deadline);
}

TEST_F(LocalModel, structured_output_obeys_its_schema) {
    auto request = chat("Describe the city of Lübeck as JSON.", 120);
    request.constraint = JsonSchemaText{R"({"type":"object","properties":{"name":{"type":"string"},"country":{"enum":["Germany","France"]}},
        "required":["name","country"],"additionalProperties":false})"};
    auto answer = ask(std::move(request));
    ASSERT_TRUE(answer.finish) << answer.error->message;
    EXPECT_TRUE(answer.text.starts_with("{")) << answer.text;
    EXPECT_TRUE(answer.text.ends_with("}")) << answer.text;
    EXPECT_NE(answer.text.find("\"country\""), std::string::npos) << answer.text;
}

TEST_F(LocalModel, embeds_related_texts_closer) {
    std::promise<base::Result<EmbeddingResult>> promise;
    model->embed({model->tokenize("A cat sleeps on the sofa.", true, false), model->tokenize("A kitten naps on the couch.", true, false),
                  model->tokenize("Quarterly tax law for shipping companies.", true, false)},
                 [&](auto result) { promise.set_value(std::move(result)); });
    auto result = promise.get_future().get();
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->vectors.size(), 3U);
    auto dot = [&](int a, int b) {
        double sum = 0;
        for (std::size_t i = 0; i < result->vectors[0].size(); ++i)
            sum += static_cast<double>(result->vectors[static_cast<std::size_t>(a)][i]) * result->vectors[static_cast<std::size_t>(b)][i];
        return sum;
    };
    EXPECT_NEAR(dot(0, 0), 1.0, 1e-4);
    EXPECT_GT(dot(0, 1), dot(0, 2));
}

TEST_F(LocalModel, says_that_it_cannot_rerank) {
    std::promise<base::Result<RerankResult>> promise;
    model->rerank("q", {"d"}, [&](auto result) { promise.set_value(std::move(result)); });
    EXPECT_EQ(promise.get_future().get().error().kind, base::ErrorKind::invalid);
}

TEST(LoadModel, names_a_file_that_is_not_there) {
    auto loaded = load_model({.name = "none", .path = "/nowhere/none.gguf"});
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, base::ErrorKind::not_found);
}

TEST(LoadModel, refuses_a_file_that_is_no_gguf) {
    auto path = testing::TempDir() + "not_a_model.gguf";
    std::ofstream(path) << "GGUF, or so it says";
    auto loaded = load_model({.name = "broken", .path = path});
    ASSERT_FALSE(loaded);
    EXPECT_TRUE(loaded.error().kind == base::ErrorKind::corrupt || loaded.error().kind == base::ErrorKind::invalid);
}

TEST(ChooseCache, fits_several_sequences_into_a_share_of_memory) {
    auto shape = choose_cache({}, 8192, 23'040, 24ULL << 30);
    EXPECT_GE(shape.sequences, 8U);
    EXPECT_LE(shape.context, 4096U);
    EXPECT_LE(shape.sequences * shape.context * 23'040ULL, (24ULL << 30) / 20);
}

TEST(ChooseCache, keeps_what_the_spec_says) {
    auto shape = choose_cache({.context = 1024, .sequences = 64}, 8192, 23'040, 24ULL << 30);
    EXPECT_EQ(shape.context, 1024U);
    EXPECT_EQ(shape.sequences, 64U);
    shape = choose_cache({.context = 1024, .sequences = 64, .cache_tokens = 16384}, 8192, 23'040, 24ULL << 30);
    EXPECT_EQ(shape.sequences, 16U);
    EXPECT_EQ(choose_cache({.context = 9999}, 2048, 1, 1ULL << 30).context, 2048U);
}

}  // namespace
}  // namespace hanse::engine
