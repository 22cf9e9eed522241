// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "cost_model.hpp"
#include "engine/generate.hpp"
#include "prefix_tree.hpp"

namespace hanse::engine {

using SequenceId = std::uint64_t;
using SlotId = std::uint32_t;
using BlobId = std::uint32_t;

// What one step of the model does: first the operations on slots in their order, then one batch of all pieces.
struct StepPlan {
    struct Operation {
        enum class Kind : std::uint8_t {
            save,     // slot → blob, as the slot is now
            restore,  // blob → slot, which it fills
            drop,     // the blob is not needed any more
            copy,     // slot → slot `to`, which it replaces
            trim,     // the slot keeps its first `length` tokens
        };
        Kind kind;
        SlotId slot = 0;
        SlotId to = 0;
        BlobId blob = 0;
        std::uint32_t length = 0;
    };
    struct Piece {
        SequenceId sequence;
        SlotId slot;
        std::uint32_t position;  // of the first token
        std::uint32_t count;     // tokens of the sequence from there on
        std::uint32_t drafts;    // guessed tokens behind them
        bool output;             // the logits behind the last of them (and behind each draft) are wanted
    };
    struct Ended {
        SequenceId sequence;
        base::Error error;
    };

    std::vector<Operation> operations;
    std::vector<Piece> pieces;   // by rising slot
    std::vector<Ended> ended;    // given up by the batcher, and already forgotten by it
    std::uint32_t adapters = 0;  // index for Batcher::adapters()
    CostModel::Work work;

    void clear();
};

// Decides what each step of a model computes: who decodes, which pieces of prompts are read beside, who is let
// in, who must step back, what is kept for later. Pure: no thread, no clock, no model; the step loop drives it
// and so do tests with random events.
//
// The rules, in order:
// - Answers that run get their token in every step of their adapter group; nothing below delays them except
//   by the prompt quota, which is the time that keeps a step within `gap_factor` of an undisturbed one. Two
//   bounds to that: up to `gap_unseen` nobody who reads along notices a gap, and where few answer their steps are so
//   short that a part of one could carry no prompt at all; and the more prompts wait behind another for each answer that runs, the longer a
//   step may take, up to `idle_step` where they are as many: those who come together are soon computed together, which is
//   worth more than the pace of the first of them, and every step that reads prompts costs passes over the weights.
// - Prompts are read in the order in which they would be done if each were alone, so short ones slip by a long
//   one and the long one still gets its turn. If no answer runs, batches are full.
// - A prompt that begins like another one that is being read waits for it, then starts from a copy.
// - Slots go to the higher priority, then to the partition that was served least, then to the older. A waiting
//   request of higher priority takes the slot of the youngest of the lowest; that one waits and goes on later
//   from what is kept. Waiting long raises the priority, so nobody starves.
// - What cannot meet its deadline is refused in add(); a full queue too, with an estimate of when to come back.
//
// A slot keeps the tokens of its last sequence until another needs it; then they move to a blob in host memory
// if nobody else holds them and they fit. A batch whose slots are neighbours is computed in one go, and each gap in
// them costs a pass over the weights. So the lowest free slot is taken first, a hole that stays is filled from
// above, prompts that would be done at about the same time are read from the lowest slot up, and one that stands between
// others in the batch gives a token to it while it waits for its turn.
class Batcher {
public:
    struct Limits {
        std::uint32_t slots = 1;
        std::uint32_t slot_tokens = 2048;  // one sequence's context
        std::uint32_t batch_tokens = 512;
        std::uint32_t queue_max = 256;
        std::chrono::milliseconds step_budget{0};  // 0: by gap_factor
        double gap_factor = 1.9;
        std::chrono::milliseconds gap_unseen{70};
        std::chrono::milliseconds idle_step{400};  // longest step while prompts prevail, unless it is the only prompt
        std::uint64_t host_bytes = 0;
        std::uint64_t token_bytes = 1;  // of one token in a blob
        bool partial_reuse = true;      // a slot may be cut back to any length (not with recurrent models)
    };
    struct Ask {
        std::vector<TokenId> prompt;
        std::optional<std::uint32_t> max_tokens;
        std::string partition;
        std::vector<AdapterChoice> adapters;
        Priority priority = Priority::normal;
        base::Deadline deadline;
        base::Deadline first_token_deadline;
        std::vector<std::uint32_t> experts_left_out = {};
    };
    // A sequence as others may see it.
    struct View {
        const std::vector<TokenId>& tokens;
        std::uint32_t prompt;  // of these
        std::uint32_t cached;  // of the prompt, not computed for it
        std::uint32_t computed;
        std::uint32_t limit;  // tokens it may reach
        bool running;
        base::Instant arrived, admitted, first_token;
    };

    explicit Batcher(Limits limits);
    ~Batcher();

    // Takes the sequence into the queue, or says why not.
    base::Result<void> add(SequenceId id, Ask ask, base::Instant now);
    // The plan of the next step; valid until the next call. Empty pieces: nothing to do before wakes_at().
    const StepPlan& plan(base::Instant now);
    // The plan's batch was computed and took so long.
    void stepped(base::Instant now, CostModel::Seconds took);
    // The batch failed, or the slot's operation: what the slot holds is unknown, so its sequence is computed
    // anew. The plan's pieces do not count; plan again.
    void lost_slot(SlotId slot);
    // After stepped(), for each piece with output: `accepted` of its drafts were right, and `next` follows
    // them (several if a grammar forces them). Appending needs room(): the caller finishes at its end.
    void append(SequenceId id, std::uint32_t accepted, std::span<const TokenId> next);
    // Guesses to be checked behind the next token. Dropped if the step has no room for them.
    void draft(SequenceId id, std::span<const TokenId> tokens);
    // Its sampled token is not known yet: it skips steps until append().
    void hold(SequenceId id, bool held);
    void finish(SequenceId id, base::Instant now);
    // A save or a restore that did not work: the blob is gone.
    void lost_blob(BlobId blob);

    View view(SequenceId id) const;
    std::span<const TokenId> drafts(SequenceId id) const;
    bool knows(SequenceId id) const { return sequences_.contains(id); }
    std::uint32_t room(SequenceId id) const;
    // How many draft tokens the next step could carry for one sequence so that they pay if each is accepted
    // with `probability`; 0: none.
    std::uint32_t draft_tokens(double probability, std::uint32_t most) const;
    const std::vector<AdapterChoice>& adapters(std::uint32_t index) const { return adapter_sets_[index]; }

    std::uint32_t running() const { return static_cast<std::uint32_t>(running_.size()); }
    std::uint32_t waiting() const { return static_cast<std::uint32_t>(waiting_.size()); }
    std::uint32_t cached_tokens() const;
    std::uint64_t preempted() const { return preempted_; }
    std::uint64_t reused_tokens() const { return reused_; }
    std::uint64_t host_bytes() const { return host_used_; }
    std::optional<base::Instant> wakes_at() const;
    const CostModel& costs() const { return costs_; }
    void learn(CostModel::Work work, CostModel::Seconds took) { costs_.measured(work, took); }
    // For tests: what must hold between calls.
    void check() const;

private:
    struct Sequence;
    struct Slot;
    struct Blob;
    struct Partition {
        double served = 0;
        std::uint32_t sequences = 0;
    };

    void expire(base::Instant now);
    void end(Sequence& sequence, base::Error error);
    void forget(Sequence& sequence);
    void admit(base::Instant now);
    Sequence* next_waiting(base::Instant now) const;
    double rank(const Sequence& sequence, base::Instant now) const;
    bool start(Sequence& sequence, base::Instant now);
    std::optional<SlotId> lowest_free_slot() const;
    bool preempt_for(const Sequence& sequence);
    void leave_slot(Sequence& sequence);
    void keep_content(SlotId slot, std::uint32_t reused);
    void set_content(SlotId slot, const Sequence& sequence, std::uint32_t length);
    void clear_slot(SlotId slot);
    void forget_blob(BlobId blob);
    void fill_holes();
    void choose_group();
    void place(Sequence& sequence, std::uint32_t count, std::uint32_t drafts);
    void place_answers();
    void place_prompts(base::Instant now);
    void bridge_gaps();
    std::uint32_t answering() const;
    std::uint32_t prompt_quota(const Sequence& first) const;
    CostModel::Work beside_prompts() const;
    CostModel::Seconds until_first_token(const Sequence& sequence) const;
    std::uint32_t adapter_index(const std::vector<AdapterChoice>& adapters);
    void operate(StepPlan::Operation operation) { plan_.operations.push_back(operation); }

    Limits limits_;
    CostModel costs_;
    StepPlan plan_;
    std::map<SequenceId, std::unique_ptr<Sequence>> sequences_;
    std::vector<Sequence*> running_;  // by admission
    std::vector<Sequence*> waiting_;  // by arrival
    std::vector<Slot> slots_;
    std::map<BlobId, Blob> blobs_;
    BlobId next_blob_ = 0;
    std::uint64_t host_used_ = 0;
    PrefixTree tree_;                                         // holders: slots, and blobs from blob_holder_first on
    std::deque<std::vector<AdapterChoice>> adapter_sets_{1};  // a deque: adapters() is read while others are added
    std::vector<std::uint64_t> group_served_;                 // step number, by adapter index
    std::map<std::string, Partition> partitions_;
    std::uint64_t steps_ = 0;
    std::uint64_t uses_ = 0;  // a clock for "least recently"
    std::uint32_t hole_steps_ = 0;
    std::uint64_t preempted_ = 0;
    std::uint64_t reused_ = 0;
    double service_seconds_ = 1.0;  // of one sequence in its slot, on average
    std::vector<PrefixTree::Match> matches_;
    std::vector<Sequence*> order_;
    std::vector<Sequence*> held_back_;
    std::vector<std::uint32_t> counts_;  // of tokens, for the prompts in order_
};

}  // namespace hanse::engine
