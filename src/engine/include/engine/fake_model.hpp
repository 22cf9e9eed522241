// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/model.hpp"

namespace hanse::engine {

// A model for tests of other rooms: it answers what its script says, one piece a token, without weights. Its
// tokens are the bytes of the text, so that counts are easy to foresee.
//
//   FakeModel model({.answer = {"Moin", ", ", "moin"}});                     // all of it inside submit()
//   FakeModel slow({.answer = {...}, .pace = FakeModel::Pace::by_hand});     // a piece for each step()
//   FakeModel broken({.answer = {...}, .fail_after = 2, .failure = error});  // an ErrorEvent after two pieces
//   FakeModel full({.refusal = error});                                      // submit() itself fails
//
// It keeps the promises of Model: stop strings, max_tokens, cancellation, exactly one end. Thread-safe.
class FakeModel final : public Model {
public:
    enum class Pace : std::uint8_t {
        at_once,  // within submit(), on the caller's thread
        by_hand,  // one piece of each running answer for each step()
        timed,    // on a thread of its own, one piece of each each `interval`
    };
    struct Script {
        std::string name = "fake";
        std::vector<std::string> answer = {"Hello", " from", " Hanse", "."};
        // Instead of `answer`, if set; called within submit().
        std::function<std::vector<std::string>(const GenerateRequest&)> answer_for = {};
        Pace pace = Pace::at_once;
        std::chrono::milliseconds interval{1};
        std::optional<std::size_t> fail_after = {};  // pieces
        base::Error failure = {base::ErrorKind::unavailable, "the model stopped"};
        std::optional<base::Error> refusal = {};     // of submit(), embed(), rerank()
        std::optional<base::Error> render_failure = {};
        std::uint32_t context = 4096;
        std::uint32_t cached_tokens = 0;             // as reported in Usage
        std::string answer_format = {};              // of render()
        bool starts_in_reasoning = false;
        bool can_embed = true;
        bool can_rerank = true;
    };

    FakeModel();
    explicit FakeModel(Script script);
    ~FakeModel() override;

    // Gives each running answer its next piece, or its end. Returns how many are still running.
    std::size_t step();
    // What was asked so far, in order; conversations as rendered.
    std::vector<GenerateRequest> requests() const;
    std::vector<Conversation> conversations() const;

    const ModelFacts& facts() const override { return facts_; }
    ModelLoad load() const override;
    std::vector<TokenId> tokenize(std::string_view text, bool add_special, bool parse_special) const override;
    std::string detokenize(std::span<const TokenId> tokens) const override;
    base::Result<RenderedPrompt> render(const Conversation& conversation) const override;
    base::Result<void> submit(GenerateRequest request, std::shared_ptr<EventStream> out) override;
    void embed(std::vector<std::vector<TokenId>> inputs, std::function<void(base::Result<EmbeddingResult>)> done) override;
    void rerank(std::string query, std::vector<std::string> documents,
                std::function<void(base::Result<RerankResult>)> done) override;

private:
    struct Answer;
    static bool advance(const Script& script, Answer& answer);

    Script script_;
    ModelFacts facts_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<GenerateRequest> requests_;
    mutable std::vector<Conversation> conversations_;
    std::deque<std::shared_ptr<Answer>> running_;
    ModelLoad load_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace hanse::engine
