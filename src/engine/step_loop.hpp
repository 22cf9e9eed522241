// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "backend.hpp"
#include "base/time.hpp"
#include "batcher.hpp"
#include "delivery.hpp"
#include "engine/event_stream.hpp"
#include "engine/model.hpp"
#include "grammar_matcher.hpp"
#include "sampler.hpp"

namespace hanse::engine {

// The thread that steps one model, and the two beside it. Asks come in by submit(), answers go out through
// their EventStreams.
//
//   caller ──submit──► batcher ──plan──► [step thread: operations, decode, draw] ──tokens──► [delivery] ──► streams
//                                                  └──refused token──► [constraint thread: mask, draw] ──┘
//
// The step thread decides, computes and draws; it waits for nobody but the model. Text, stop strings and
// events are the delivery thread's, while the next step runs. A token that a constraint refuses needs a mask,
// which may take long the first time: if others run, the constraint thread draws it and its sequence skips
// steps until then.
//
// mutex_ guards the batcher and the list of answers and is never held while the model computes. Thread-safe;
// the destructor ends all answers with `unavailable` and waits for its threads, so it must not run on them.
class StepLoop {
public:
    struct Parts {
        std::unique_ptr<Backend> backend;
        Batcher::Limits limits;
        TokenTexts texts;
        base::Clock& clock;
        // Tokens for text that a constraint forces, as the tokeniser would write it; empty: never jump.
        std::function<std::vector<TokenId>(std::string_view)> tokenize = {};
        std::uint64_t seed = 0;  // for requests without one
    };
    explicit StepLoop(Parts parts);
    ~StepLoop();

    base::Result<void> submit(GenerateRequest request, std::optional<ConstraintMatcher> constraint, std::shared_ptr<EventStream> out);
    ModelLoad load() const;
    bool is_own_thread() const;

private:
    struct Answer;
    struct Drawn;

    void run();
    void run_constraints();
    bool drop_cancelled();
    bool operate(const StepPlan& plan);
    void build_batch(const StepPlan& plan);
    void draw_all();
    void draw(Drawn& drawn);
    TokenId choose(Answer& answer, std::span<float> logits, Drawn& drawn);
    void note_logprobs(Answer& answer, std::span<const float> logits, TokenId token, Drawn& drawn);
    bool take_in(Answer& answer, TokenId token, Drawn& drawn);
    void jump(Answer& answer, Drawn& drawn);
    void apply(Drawn& drawn);
    void plan_drafts();
    void fail_answer(SequenceId id, base::Error error);
    Delivery delivery_of(Answer& answer);
    std::shared_ptr<Answer> find(SequenceId id);

    base::Clock& clock_;
    TokenTexts texts_;
    std::function<std::vector<TokenId>(std::string_view)> tokenize_;
    std::unique_ptr<Backend> backend_;      // step thread only
    std::map<BlobId, base::Bytes> blobs_;   // step thread only
    std::vector<BatchToken> batch_;         // step thread only
    std::vector<Drawn> drawn_;              // step thread only
    std::vector<Delivery> outgoing_;        // step thread only

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    Batcher batcher_;
    std::map<SequenceId, std::shared_ptr<Answer>> answers_;
    std::vector<Drawn> masked_;             // come back from the constraint thread
    SequenceId next_id_ = 1;
    std::uint64_t seed_;
    bool stopping_ = false;
    ModelLoad totals_;

    std::mutex constraint_mutex_;
    std::condition_variable constraint_wake_;
    std::vector<Drawn> to_mask_;
    bool constraint_stopping_ = false;

    DeliveryThread delivery_;
    std::thread constraint_thread_;
    std::thread thread_;
};

}  // namespace hanse::engine
