// SPDX-License-Identifier: Apache-2.0
#include "step_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <semaphore>

namespace hanse::engine {
namespace {

// A model whose tokens are bytes: it answers each prompt with the bytes of `answer`, one after another, by
// looking at how far its slot has come since the byte '>' that ends each prompt. It remembers what each slot
// holds, so that a token in the wrong place is found out.
class ByteBackend final : public Backend {
public:
    struct State {
        std::string answer = "Moin, moin.";
        std::size_t steps = 0;
        std::size_t tokens = 0;
        std::atomic<int> failures_left = 0;
        std::counting_semaphore<1 << 20>* pace = nullptr;  // one permit a step, if set
    };
    static constexpr std::size_t vocabulary = 257;  // 256 ends
    ByteBackend(std::shared_ptr<State> state, std::uint32_t slots) : state_(std::move(state)), slots_(slots) {}

    base::Result<void> decode(std::span<const BatchToken> batch) override {
        if (state_->pace != nullptr) state_->pace->acquire();
        ++state_->steps;
        rows_.clear();
        if (state_->failures_left > 0) {
            --state_->failures_left;
            for (const auto& one : batch) slots_[one.slot].clear();
            return base::fail(base::ErrorKind::unavailable, "the step failed");
        }
        for (const auto& one : batch) {
            auto& slot = slots_[one.slot];
            EXPECT_EQ(slot.size(), one.position);
            slot.push_back(one.token);
            ++state_->tokens;
            if (!one.output) continue;
            auto begin = std::ranges::find(slot, TokenId{'>'});
            auto said = static_cast<std::size_t>(slot.end() - begin) - 1;
            std::vector<float> row(vocabulary, 0.0F);
            row[said < state_->answer.size() ? static_cast<unsigned char>(state_->answer[said]) : 256] = 50.0F;
            rows_.push_back(std::move(row));
        }
        return {};
    }
    std::span<float> logits(std::size_t output) override { return rows_.at(output); }
    bool copy(std::uint32_t from, std::uint32_t to) override { return slots_[to] = slots_[from], true; }
    bool trim(std::uint32_t slot, std::uint32_t length) override {
        return slots_[slot].resize(std::min<std::size_t>(length, slots_[slot].size())), true;
    }
    bool save(std::uint32_t slot, base::Bytes& out) override {
        auto bytes = std::as_bytes(std::span(slots_[slot]));
        return out.assign(bytes.begin(), bytes.end()), true;
    }
    bool restore(std::span<const std::byte> saved, std::uint32_t slot) override {
        slots_[slot].resize(saved.size() / sizeof(TokenId));
        std::memcpy(slots_[slot].data(), saved.data(), saved.size());
        return true;
    }
    bool use_adapters(const std::vector<AdapterChoice>&) override { return true; }

private:
    std::shared_ptr<State> state_;
    std::vector<std::vector<TokenId>> slots_;
    std::vector<std::vector<float>> rows_;
};

struct Answer {
    std::string text;
    std::optional<FinishEvent> finish;
    std::optional<base::Error> error;
};

class Reader {
public:
    std::shared_ptr<EventStream> stream = std::make_shared<EventStream>([this] { ready_.release(); });
    ~Reader() { stream->on_ready({}); }
    bool read_some() {
        ready_.acquire();
        for (auto& event : stream->take()) {
            if (auto* text = std::get_if<TextEvent>(&event)) answer.text += text->text;
            if (auto* finish = std::get_if<FinishEvent>(&event)) answer.finish = *finish;
            if (auto* error = std::get_if<ErrorEvent>(&event)) answer.error = error->error;
        }
        return !answer.finish && !answer.error;
    }
    const Answer& read() {
        while (read_some()) {}
        return answer;
    }
    Answer answer;

private:
    std::counting_semaphore<> ready_{0};
};

class StepLoopTest : public testing::Test {
protected:
    base::SystemClock clock;
    base::ManualClock manual;
    std::shared_ptr<ByteBackend::State> state = std::make_shared<ByteBackend::State>();
    std::vector<std::string> pieces;
    std::unique_ptr<StepLoop> loop;

    void SetUp() override {
        for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(1, static_cast<char>(byte));
        pieces.emplace_back("");
    }
    StepLoop& start(Batcher::Limits limits = {}) { return start(limits, clock); }
    StepLoop& start(Batcher::Limits limits, base::Clock& its_clock) {
        if (limits.slots == 1) limits.slots = 4;
        limits.slot_tokens = 256;
        limits.batch_tokens = 64;
        limits.host_bytes = 1 << 16;
        limits.token_bytes = sizeof(TokenId);
        StepLoop::Parts parts{
            std::make_unique<ByteBackend>(state, limits.slots), limits, {pieces, pieces, std::vector<bool>(257, false)}, its_clock};
        parts.texts.ends[256] = true;
        parts.tokenize = [](std::string_view text) { return bytes(text); };
        loop = std::make_unique<StepLoop>(std::move(parts));
        return *loop;
    }
    static std::vector<TokenId> bytes(std::string_view text) {
        std::vector<TokenId> tokens;
        for (unsigned char byte : text) tokens.push_back(byte);
        return tokens;
    }
    static GenerateRequest ask(std::string_view prompt) {
        GenerateRequest request;
        request.prompt = bytes(prompt);
        request.sampling.temperature = 0;
        return request;
    }
    Answer answer(GenerateRequest request, std::optional<ConstraintMatcher> constraint = {}) {
        Reader reader;
        auto submitted = loop->submit(std::move(request), std::move(constraint), reader.stream);
        if (!submitted) return {{}, {}, submitted.error()};
        return reader.read();
    }
    std::unique_ptr<ConstraintCompiler> compiler() {
        std::vector<TokenId> end{256};
        return std::make_unique<ConstraintCompiler>(std::make_shared<const VocabularyTrie>(pieces, std::span<const TokenId>(), end));
    }
};

TEST_F(StepLoopTest, answers_to_the_end) {
    start();
    auto got = answer(ask("hello>"));
    EXPECT_EQ(got.text, "Moin, moin.");
    ASSERT_TRUE(got.finish);
    EXPECT_EQ(got.finish->reason, FinishReason::stop);
    EXPECT_EQ(got.finish->usage.prompt_tokens, 6U);
    EXPECT_EQ(got.finish->usage.completion_tokens, 11U);
}

TEST_F(StepLoopTest, many_at_once_from_many_threads) {
    start({.slots = 5});
    std::vector<std::thread> users;
    std::atomic<int> right = 0;
    for (int user = 0; user < 6; ++user)
        users.emplace_back([&, user] {
            for (int i = 0; i < 30; ++i) {
                auto request = ask("user " + std::to_string(user % 3) + " asks question " + std::to_string(i) + ">");
                request.partition = std::to_string(user % 2);
                request.priority = static_cast<Priority>(i % 3);
                if (answer(std::move(request)).text == "Moin, moin.") ++right;
            }
        });
    for (auto& user : users) user.join();
    EXPECT_EQ(right, 180);
    EXPECT_GT(loop->load().tokens_reused, 0U);
}

TEST_F(StepLoopTest, stops_at_a_limit_and_at_a_string) {
    start();
    auto request = ask("a>");
    request.max_tokens = 4;
    EXPECT_EQ(answer(request).text, "Moin");
    request.max_tokens.reset();
    request.stop = {", m"};
    auto got = answer(request);
    EXPECT_EQ(got.text, "Moin");
    EXPECT_EQ(got.finish->stop_sequence, ", m");
    EXPECT_EQ(got.finish->usage.completion_tokens, 7U);
}

TEST_F(StepLoopTest, a_reader_that_goes_away_stops_its_answer_within_a_step) {
    std::counting_semaphore<1 << 20> pace(0);
    state->pace = &pace;
    state->answer = std::string(200, 'x');
    start();
    Reader reader;
    ASSERT_TRUE(loop->submit(ask("a>"), {}, reader.stream));
    pace.release(2);
    reader.read_some();
    reader.stream->cancel();
    pace.release(2);
    EXPECT_EQ(reader.read().error->kind, base::ErrorKind::cancelled);
    EXPECT_LE(state->steps, 4U);
    pace.release(1000);
}

TEST_F(StepLoopTest, a_step_that_fails_ends_its_answers_and_no_others) {
    state->failures_left = 1;
    start();
    EXPECT_EQ(answer(ask("a>")).error->kind, base::ErrorKind::unavailable);
    EXPECT_EQ(answer(ask("a>")).text, "Moin, moin.");
}

TEST_F(StepLoopTest, the_end_of_the_loop_tells_those_who_wait) {
    std::counting_semaphore<1 << 20> pace(0);
    state->pace = &pace;
    start();
    std::vector<std::unique_ptr<Reader>> readers;
    for (int i = 0; i < 8; ++i) {
        readers.push_back(std::make_unique<Reader>());
        ASSERT_TRUE(loop->submit(ask(std::to_string(i) + ">"), {}, readers.back()->stream));
    }
    std::thread ending([&] { loop.reset(); });
    pace.release(1000);
    ending.join();
    for (auto& reader : readers) {
        reader->read();
        EXPECT_TRUE(reader->answer.finish || reader->answer.error->kind == base::ErrorKind::unavailable);
    }
}

TEST_F(StepLoopTest, a_constraint_is_obeyed_alone_and_in_company) {
    start();
    auto constraints = compiler();
    GrammarText grammar{R"(root ::= "No" [a-z]* "!")"};
    auto constrained = [&] {
        auto request = ask("speak>");
        request.max_tokens = 12;
        return answer(std::move(request), *constraints->matcher(grammar));
    };
    auto alone = constrained();
    ASSERT_TRUE(alone.finish);
    EXPECT_TRUE(alone.text.starts_with("No")) << alone.text;
    std::vector<std::thread> users;
    for (int user = 0; user < 4; ++user)
        users.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                auto got = constrained();
                EXPECT_TRUE(got.text.starts_with("No")) << got.text;
                EXPECT_EQ(answer(ask("free>")).text, "Moin, moin.");
            }
        });
    for (auto& user : users) user.join();
}

TEST_F(StepLoopTest, forced_text_costs_no_steps_of_its_own) {
    start();
    auto constraints = compiler();
    auto got = answer(ask("speak>"), *constraints->matcher(GrammarText{R"(root ::= "It is the law that this be said.")"}));
    EXPECT_EQ(got.text, "It is the law that this be said.");
    EXPECT_LT(state->steps, 10U);
    EXPECT_EQ(got.finish->usage.completion_tokens, 32U);
}

TEST_F(StepLoopTest, guesses_from_the_prompt_do_not_change_the_answer) {
    state->answer = "the quick brown fox jumps over the lazy dog and the quick brown fox jumps over the lazy dog again";
    start();
    auto prompt = "say: " + state->answer + ">";
    auto request = ask(prompt);
    auto with = answer(request);
    request.speculate = false;
    auto without = answer(request);
    EXPECT_EQ(with.text, state->answer);
    EXPECT_EQ(without.text, state->answer);
    EXPECT_EQ(without.finish->usage.drafted_tokens, 0U);
}

TEST_F(StepLoopTest, a_deadline_ends_an_answer) {
    std::counting_semaphore<1 << 20> pace(0);
    state->pace = &pace;
    start({.queue_max = 4}, manual);
    auto request = ask("a>");
    request.deadline = base::Deadline::after(manual.now(), std::chrono::milliseconds(60));
    Reader reader;
    ASSERT_TRUE(loop->submit(std::move(request), {}, reader.stream));
    manual.advance(std::chrono::milliseconds(61));  // the first step takes longer than the deadline
    pace.release(1000);
    EXPECT_EQ(reader.read().error->kind, base::ErrorKind::deadline);
}

TEST_F(StepLoopTest, logprobs_come_with_their_bytes) {
    start();
    auto request = ask("a>");
    request.sampling.top_logprobs = 2;
    Reader reader;
    ASSERT_TRUE(loop->submit(std::move(request), {}, reader.stream));
    std::string text;
    for (bool more = true; more;) {
        more = false;
        for (auto& event : reader.stream->take()) {
            if (auto* piece = std::get_if<TextEvent>(&event))
                for (auto& one : piece->logprobs) text += one.chosen.bytes;
            more = more || std::holds_alternative<FinishEvent>(event);
        }
        more = !more;
    }
    EXPECT_EQ(text, "Moin, moin.");
}

}  // namespace
}  // namespace hanse::engine
