// SPDX-License-Identifier: Apache-2.0
#include "step_loop.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>

#include "prompt_lookup.hpp"

namespace hanse::engine {
namespace {

constexpr std::uint32_t draft_most = 12;
constexpr std::size_t jump_bytes_most = 128;

std::chrono::microseconds micros(base::Instant from, base::Instant to) {
    if (from == base::Instant{} || to < from) return std::chrono::microseconds(0);
    return std::chrono::duration_cast<std::chrono::microseconds>(to - from);
}

}  // namespace

// The inner half of one answer. The sampler and the matcher belong to the step thread, or to the constraint
// thread while the sequence is held.
struct StepLoop::Answer {
    SequenceId id;
    Sampler sampler;
    std::optional<ConstraintMatcher> constraint;
    PromptLookup lookup;
    bool speculate;
    bool ignore_end;
    std::shared_ptr<Outlet> outlet;
    Usage usage = {};
    std::vector<float> raw = {};      // logits before bias and penalties, if logprobs want them
    std::vector<float> refused = {};  // logits of a step whose token the constraint refused
    std::vector<std::uint32_t> experts_left_out = {};
    bool away = false;                // with the constraint thread; under the loop's mutex
};

// What became of one piece with output.
struct StepLoop::Drawn {
    SequenceId id = 0;
    std::shared_ptr<Answer> answer = {};  // outlives its end while the constraint thread has it
    std::size_t output = 0;        // row of its first logits
    std::uint32_t room = 0;        // tokens the sequence may still grow by
    std::vector<TokenId> drafts = {};
    std::uint32_t accepted = 0;    // of the drafts
    std::vector<TokenId> next = {};
    std::vector<TokenId> tokens = {};  // to be delivered
    std::vector<TokenLogprobs> logprobs = {};
    std::optional<FinishReason> finish = {};
    std::optional<base::Error> error = {};
    bool to_mask = false;
};

StepLoop::StepLoop(Parts parts)
    : clock_(parts.clock), texts_(std::move(parts.texts)), tokenize_(std::move(parts.tokenize)), backend_(std::move(parts.backend)),
      batcher_(parts.limits), seed_(parts.seed), delivery_(texts_) {
    totals_.cache_tokens_max = parts.limits.slots * parts.limits.slot_tokens;
    constraint_thread_ = std::thread([this] { run_constraints(); });
    thread_ = std::thread([this] { run(); });
}

StepLoop::~StepLoop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    {
        std::lock_guard lock(constraint_mutex_);
        constraint_stopping_ = true;
    }
    constraint_wake_.notify_all();
    constraint_thread_.join();
    for (auto& [id, answer] : answers_) {
        outgoing_.push_back(delivery_of(*answer));
        outgoing_.back().error = base::Error{base::ErrorKind::unavailable, "the model was unloaded", {}, {}, {}};
    }
    delivery_.give(outgoing_);
}

bool StepLoop::is_own_thread() const {
    auto self = std::this_thread::get_id();
    return thread_.get_id() == self || constraint_thread_.get_id() == self || delivery_.is_own_thread();
}

base::Result<void> StepLoop::submit(GenerateRequest request, std::optional<ConstraintMatcher> constraint, std::shared_ptr<EventStream> out) {
    auto outlet = std::make_shared<Outlet>(std::move(out), std::move(request.stop), request.keep_special_tokens);
    {
        std::lock_guard lock(mutex_);
        auto id = next_id_++;
        Sampler sampler(std::move(request.sampling), seed_ + id * 0x9e3779b97f4a7c15ULL);
        auto window = static_cast<std::size_t>(std::max(0, sampler.options().penalty_window));
        auto from = request.prompt.size() - std::min(request.prompt.size(), window);
        for (auto token : std::span(request.prompt).subspan(from)) sampler.accept(token);
        auto answer = std::make_shared<Answer>(Answer{id, std::move(sampler), std::move(constraint), {}, request.speculate, request.ignore_end, std::move(outlet)});
        answer->experts_left_out = request.experts_left_out;
        answer->usage.prompt_tokens = static_cast<std::uint32_t>(request.prompt.size());
        auto added = batcher_.add(id,
                                  {std::move(request.prompt), request.max_tokens, std::move(request.partition), std::move(request.adapters),
                                   request.priority, request.deadline, request.first_token_deadline, std::move(request.experts_left_out)},
                                  clock_.now());
        if (!added) return added;
        answers_.emplace(id, std::move(answer));
    }
    wake_.notify_one();
    return {};
}

ModelLoad StepLoop::load() const {
    std::lock_guard lock(mutex_);
    auto load = totals_;
    load.running = batcher_.running();
    load.waiting = batcher_.waiting();
    load.cache_tokens = batcher_.cached_tokens();
    load.decode_tokens_per_second = batcher_.costs().decode_tokens_per_second(std::max(1U, load.running));
    load.prefill_tokens_per_second = batcher_.costs().prefill_tokens_per_second();
    load.tokens_reused = batcher_.reused_tokens();
    load.preempted = batcher_.preempted();
    return load;
}

std::shared_ptr<StepLoop::Answer> StepLoop::find(SequenceId id) {
    auto found = answers_.find(id);
    return found == answers_.end() ? nullptr : found->second;
}

Delivery StepLoop::delivery_of(Answer& answer) {
    Delivery delivery{answer.outlet};
    delivery.usage = answer.usage;
    if (!batcher_.knows(answer.id)) return delivery;
    auto view = batcher_.view(answer.id);
    auto now = clock_.now();
    auto admitted = view.admitted == base::Instant{} ? now : view.admitted;
    delivery.usage.cached_tokens = view.cached;
    delivery.timings.queued = micros(view.arrived, admitted);
    delivery.timings.prefill = micros(admitted, view.first_token == base::Instant{} ? now : view.first_token);
    delivery.timings.decode = micros(view.first_token, now);
    return delivery;
}

// Under the mutex.
void StepLoop::fail_answer(SequenceId id, base::Error error) {
    auto answer = find(id);
    if (answer == nullptr) return;
    outgoing_.push_back(delivery_of(*answer));
    outgoing_.back().error = std::move(error);
    batcher_.finish(id, clock_.now());
    answers_.erase(id);
}

// Under the mutex. Whose reader went away or whose stop string came is done.
bool StepLoop::drop_cancelled() {
    for (auto at = answers_.begin(); at != answers_.end();) {
        auto& answer = *at->second;
        bool stopped = answer.outlet->stopped.load(std::memory_order_relaxed);
        if (!stopped && !answer.outlet->out->cancelled()) {
            ++at;
            continue;
        }
        if (!stopped) {
            outgoing_.push_back(delivery_of(answer));
            outgoing_.back().error = base::Error{base::ErrorKind::cancelled, "the reader went away", {}, {}, {}};
        }
        batcher_.finish(answer.id, clock_.now());
        at = answers_.erase(at);
    }
    return !answers_.empty();
}

void StepLoop::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        for (auto& one : std::exchange(masked_, {})) apply(one);
        drop_cancelled();
        plan_drafts();
        const auto& plan = batcher_.plan(clock_.now());
        for (const auto& ended : plan.ended) {
            if (auto answer = find(ended.sequence)) {
                outgoing_.push_back(delivery_of(*answer));
                outgoing_.back().error = ended.error;
                answers_.erase(ended.sequence);
            }
        }
        build_batch(plan);
        bool idle = plan.pieces.empty() && plan.operations.empty();
        if (idle) {
            delivery_.give(outgoing_);
            // Held sequences and new requests wake by the condition, deadlines by the time.
            auto ready = [this] { return stopping_ || !masked_.empty() || batcher_.waiting() > 0 || batcher_.running() > 0; };
            if (answers_.empty()) wake_.wait(lock, ready);
            else wake_.wait_for(lock, std::chrono::milliseconds(20));
            continue;
        }
        lock.unlock();
        delivery_.give(outgoing_);
        bool operated = operate(plan);
        base::Result<void> computed;
        auto begin = clock_.now();
        if (operated && !plan.pieces.empty()) computed = backend_->decode(batch_);
        auto took = std::chrono::duration_cast<CostModel::Seconds>(clock_.now() - begin);
        if (operated && computed) draw_all();
        lock.lock();
        if (!operated) continue;
        if (!computed) {
            for (const auto& piece : plan.pieces) {
                batcher_.lost_slot(piece.slot);
                fail_answer(piece.sequence, computed.error());
            }
            continue;
        }
        batcher_.stepped(clock_.now(), took);
        totals_.tokens_prefilled += plan.work.prefill;
        for (auto& one : drawn_) apply(one);
        drawn_.clear();
    }
}

// False: an operation failed, the plan does not hold any more.
bool StepLoop::operate(const StepPlan& plan) {
    using Kind = StepPlan::Operation::Kind;
    for (const auto& one : plan.operations) {
        bool done = true;
        switch (one.kind) {
            case Kind::save: {
                auto& blob = blobs_[one.blob];
                if (!backend_->save(one.slot, blob)) {
                    blobs_.erase(one.blob);
                    std::lock_guard lock(mutex_);
                    batcher_.lost_blob(one.blob);
                }
                break;
            }
            case Kind::drop: blobs_.erase(one.blob); break;
            case Kind::restore: {
                auto found = blobs_.find(one.blob);
                done = found != blobs_.end() && backend_->restore(found->second, one.to);
                break;
            }
            case Kind::copy: done = backend_->copy(one.slot, one.to); break;
            case Kind::trim: done = backend_->trim(one.slot, one.length); break;
        }
        if (done) continue;
        std::lock_guard lock(mutex_);
        // What follows in the plan was not done: every slot it names is unknown, and a blob it was to make is none.
        for (const auto* rest = &one; rest != plan.operations.data() + plan.operations.size(); ++rest) {
            if (rest->kind == Kind::restore || rest->kind == Kind::copy) batcher_.lost_slot(rest->to);
            if (rest->kind == Kind::trim) batcher_.lost_slot(rest->slot);
            if (rest->kind == Kind::save) batcher_.lost_blob(rest->blob);
            if (rest->kind == Kind::drop) blobs_.erase(rest->blob);
        }
        return false;
    }
    if (!plan.pieces.empty()) {
        const std::vector<AdapterChoice>* adapters = nullptr;
        {
            std::lock_guard lock(mutex_);
            adapters = &batcher_.adapters(plan.adapters);
        }
        if (!backend_->use_adapters(*adapters)) {
            std::lock_guard lock(mutex_);
            for (const auto& piece : plan.pieces)
                fail_answer(piece.sequence, {base::ErrorKind::unavailable, "the adapter could not be applied", {}, {}, {}});
            return false;
        }
    }
    return true;
}

// Under the mutex.
void StepLoop::build_batch(const StepPlan& plan) {
    batch_.clear();
    drawn_.clear();
    std::size_t output = 0;
    for (const auto& piece : plan.pieces) {
        const auto& tokens = batcher_.view(piece.sequence).tokens;
        if (const auto answer = find(piece.sequence)) backend_->leave_out(piece.slot, answer->experts_left_out);
        for (std::uint32_t i = 0; i < piece.count; ++i)
            batch_.push_back({tokens[piece.position + i], piece.position + i, piece.slot, piece.output && i + 1 == piece.count});
        if (!piece.output) continue;
        auto drafts = batcher_.drafts(piece.sequence).first(piece.drafts);
        for (std::uint32_t i = 0; i < piece.drafts; ++i)
            batch_.push_back({drafts[i], piece.position + piece.count + i, piece.slot, true});
        Drawn drawn;
        drawn.id = piece.sequence;
        drawn.answer = find(piece.sequence);
        drawn.output = output;
        drawn.room = batcher_.room(piece.sequence);
        drawn.drafts.assign(drafts.begin(), drafts.end());
        drawn_.push_back(std::move(drawn));
        output += 1 + piece.drafts;
    }
}

void StepLoop::draw_all() {
    for (auto& one : drawn_) draw(one);
}

// Draws behind the piece, and behind each draft that turned out right: as many tokens as one after another
// would have given, since each is drawn from the same logits.
void StepLoop::draw(Drawn& drawn) {
    auto& answer = *drawn.answer;
    for (std::size_t i = 0; i <= drawn.drafts.size(); ++i) {
        auto logits = backend_->logits(drawn.output + i);
        if (logits.empty()) {
            drawn.error = base::Error{base::ErrorKind::unavailable, "the model gave no result", {}, {}, {}};
            return;
        }
        auto token = choose(answer, logits, drawn);
        if (drawn.to_mask || drawn.error) return;
        bool right = i < drawn.drafts.size() && token == drawn.drafts[i];
        if (right) ++drawn.accepted;
        else drawn.next.push_back(token);
        if (!take_in(answer, token, drawn) || !right) break;
    }
    if (!drawn.finish) jump(answer, drawn);
}

// One token from one row of logits, by the answer's sampler and constraint.
TokenId StepLoop::choose(Answer& answer, std::span<float> logits, Drawn& drawn) {
    auto& sampler = answer.sampler;
    if (sampler.wants_logprobs()) answer.raw.assign(logits.begin(), logits.end());
    sampler.prepare(logits);
    auto token = sampler.draw(logits);
    if (token >= 0 && answer.ignore_end && texts_.ends[static_cast<std::size_t>(token)] && !answer.constraint) {
        // A benchmark's answer goes on: the best token that is no end.
        for (std::size_t i = 0; i < texts_.ends.size(); ++i)
            if (texts_.ends[i]) logits[i] = -std::numeric_limits<float>::infinity();
        token = sampler.draw(logits);
    }
    if (token >= 0 && answer.constraint && !answer.constraint->accepts(token)) {
        if (drawn_.size() > 1) {
            // Others run: the mask is made elsewhere.
            answer.refused.assign(logits.begin(), logits.end());
            drawn.to_mask = true;
            return -1;
        }
        token = sampler.draw(logits, answer.constraint->allowed()->words());
    }
    if (token < 0) {
        drawn.error = answer.constraint ? base::Error{base::ErrorKind::invalid, "the model's vocabulary cannot spell what the constraint asks for", {}, "response_format", {}}
                                        : base::Error{base::ErrorKind::unavailable, "the model computed no numbers", {}, {}, {}};
    }
    return token;
}

void StepLoop::note_logprobs(Answer& answer, std::span<const float> logits, TokenId token, Drawn& drawn) {
    Sampler::Scored chosen{};
    std::vector<Sampler::Scored> top;
    answer.sampler.logprobs(logits, token, chosen, top);
    TokenLogprobs logprobs{{chosen.token, {}, chosen.logprob}, {}};
    for (const auto& one : top) logprobs.top.push_back({one.token, {}, one.logprob});
    drawn.logprobs.push_back(std::move(logprobs));
}

// The token is part of the answer now. False: it was the last.
bool StepLoop::take_in(Answer& answer, TokenId token, Drawn& drawn) {
    if (answer.constraint) answer.constraint->accept(token);
    if (texts_.ends[static_cast<std::size_t>(token)] && !answer.ignore_end) {
        drawn.finish = FinishReason::stop;
        return false;
    }
    if (answer.sampler.wants_logprobs()) note_logprobs(answer, answer.raw, token, drawn);
    answer.sampler.accept(token);
    drawn.tokens.push_back(token);
    if (drawn.tokens.size() >= drawn.room) drawn.finish = FinishReason::length;
    else if (answer.constraint && answer.constraint->must_end()) drawn.finish = FinishReason::stop;
    return !drawn.finish;
}

// Where the constraint leaves one way only, its text is taken as tokens without asking the model; they are
// read with the next step like a prompt. The last of them is left to the model, which may want to join it
// with what follows.
void StepLoop::jump(Answer& answer, Drawn& drawn) {
    if (!answer.constraint || !tokenize_ || answer.sampler.wants_logprobs() || answer.constraint->sleeping()) return;
    auto text = answer.constraint->forced_bytes(jump_bytes_most);
    if (text.size() < 3) return;
    auto tokens = tokenize_(text);
    if (tokens.size() < 2) return;
    tokens.pop_back();
    for (auto token : tokens) {
        if (drawn.tokens.size() >= drawn.room || !answer.constraint->accepts(token)) return;
        drawn.next.push_back(token);
        if (!take_in(answer, token, drawn)) return;
    }
}

// Under the mutex: what was drawn takes effect.
void StepLoop::apply(Drawn& drawn) {
    auto answer = find(drawn.id);
    if (answer == nullptr) return;
    if (drawn.to_mask) {
        batcher_.append(drawn.id, drawn.accepted, {});
        batcher_.hold(drawn.id, true);
        answer->away = true;
        if (!drawn.tokens.empty()) {
            outgoing_.push_back(delivery_of(*answer));
            outgoing_.back().tokens = std::exchange(drawn.tokens, {});
            outgoing_.back().logprobs = std::exchange(drawn.logprobs, {});
            totals_.tokens_generated += outgoing_.back().tokens.size();
        }
        drawn.room -= std::min(drawn.room, drawn.accepted);
        drawn.drafts.clear();
        drawn.accepted = 0;
        {
            std::lock_guard lock(constraint_mutex_);
            to_mask_.push_back(std::move(drawn));
        }
        constraint_wake_.notify_one();
        return;
    }
    answer->away = false;
    if (drawn.error) return fail_answer(drawn.id, std::move(*drawn.error));
    auto drafted = static_cast<std::uint32_t>(drawn.drafts.size());
    if (drafted > 0) {
        answer->lookup.judged(drafted, drawn.accepted);
        answer->usage.drafted_tokens += drafted;
        answer->usage.accepted_tokens += drawn.accepted;
    }
    totals_.tokens_generated += drawn.tokens.size();
    batcher_.append(drawn.id, drawn.accepted, drawn.next);
    outgoing_.push_back(delivery_of(*answer));
    auto& delivery = outgoing_.back();
    drawn.answer.reset();
    delivery.tokens = std::move(drawn.tokens);
    delivery.logprobs = std::move(drawn.logprobs);
    delivery.finish = drawn.finish;
    if (drawn.finish) {
        batcher_.finish(drawn.id, clock_.now());
        answers_.erase(drawn.id);
    }
}

// Under the mutex: guesses for the next step, as far as the cost model says that they pay.
void StepLoop::plan_drafts() {
    std::vector<TokenId> guesses;
    for (auto& [id, answer] : answers_) {
        if (!answer->speculate || answer->away) continue;
        auto view = batcher_.view(id);
        if (!view.running || view.tokens.size() <= view.prompt) continue;
        auto count = batcher_.draft_tokens(answer->lookup.probability(), draft_most);
        if (count == 0) continue;
        answer->lookup.guess(view.tokens, count, guesses);
        if (answer->constraint && !guesses.empty()) guesses.resize(answer->constraint->accepts_prefix(guesses));
        batcher_.draft(id, guesses);
    }
}

// Draws under a mask for those whose first token was refused.
void StepLoop::run_constraints() {
    std::unique_lock lock(constraint_mutex_);
    while (true) {
        constraint_wake_.wait(lock, [this] { return constraint_stopping_ || !to_mask_.empty(); });
        if (constraint_stopping_) return;
        auto drawn = std::move(to_mask_.front());
        to_mask_.erase(to_mask_.begin());
        lock.unlock();
        auto& answer = *drawn.answer;
        drawn.to_mask = false;
        auto token = answer.sampler.draw(answer.refused, answer.constraint->allowed()->words());
        if (token < 0) {
            drawn.error = base::Error{base::ErrorKind::invalid, "the model's vocabulary cannot spell what the constraint asks for", {}, "response_format", {}};
        } else {
            drawn.next.push_back(token);
            if (take_in(answer, token, drawn)) jump(answer, drawn);
        }
        answer.refused.clear();
        {
            std::lock_guard state(mutex_);
            masked_.push_back(std::move(drawn));
        }
        wake_.notify_one();
        lock.lock();
    }
}

}  // namespace hanse::engine
