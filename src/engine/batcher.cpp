// SPDX-License-Identifier: Apache-2.0
#include "batcher.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <set>
#include <stdexcept>

namespace hanse::engine {
namespace {

constexpr PrefixTree::Holder blob_holder_first = 1U << 24;
constexpr std::uint32_t reuse_least = 8;                        // tokens; less is not worth a copy
constexpr std::uint32_t keep_least = 32;                        // tokens that nobody else has; less is not worth host memory
constexpr std::uint32_t wait_gain_least = 16;                   // tokens a sibling must promise beyond what is there already
constexpr std::uint32_t forced_most = 32;                       // tokens of an answer computed beside its next one
constexpr std::uint32_t hole_patience = 3;                      // steps; a new request often fills it by itself
constexpr auto done_together = std::chrono::milliseconds(500);  // prompts within this are read by slot
constexpr auto priority_step = std::chrono::seconds(30);

PrefixTree::Holder holder_of(BlobId blob) { return blob_holder_first + blob; }

}  // namespace

struct Batcher::Sequence {
    SequenceId id = 0;
    std::vector<TokenId> tokens = {};
    std::vector<TokenId> draft = {};
    std::uint32_t prompt = 0;
    std::uint32_t cached = 0;
    std::uint32_t computed = 0;  // tokens whose keys and values are in the slot
    std::uint32_t limit = 0;
    std::uint32_t adapters = 0;
    std::string key = {};  // of the prefix tree
    std::string partition = {};
    Priority priority = Priority::normal;
    base::Deadline deadline = {};
    base::Deadline first_token_deadline = {};
    base::Instant arrived = {}, admitted = {}, first_token = {};
    std::optional<SlotId> slot = {};
    double rank_admitted = 0;  // by then with what waiting gave
    bool held = false;
    bool started = false;  // was in a slot before

    std::uint32_t size() const { return static_cast<std::uint32_t>(tokens.size()); }
    std::uint32_t remaining() const { return size() - computed; }
    bool answers() const { return size() > prompt && remaining() <= forced_most; }
};

struct Batcher::Slot {
    Sequence* owner = nullptr;
    std::uint32_t length = 0;  // tokens it holds; of these the owner's `computed` count
    std::uint64_t used = 0;
    bool unknown = false;  // to be emptied before use
};

struct Batcher::Blob {
    std::uint64_t bytes = 0;
    std::uint64_t used = 0;
    std::uint64_t step = 0;  // the last plan that names it
};

void StepPlan::clear() {
    operations.clear();
    pieces.clear();
    ended.clear();
    adapters = 0;
    work = {};
}

Batcher::Batcher(Limits limits) : limits_(limits), slots_(limits.slots) { group_served_.push_back(0); }
Batcher::~Batcher() = default;

// --- Asking --------------------------------------------------------------------------------------------------

base::Result<void> Batcher::add(SequenceId id, Ask ask, base::Instant now) {
    using enum base::ErrorKind;
    if (ask.prompt.empty()) return base::fail(invalid, "the prompt is empty", {}, "prompt");
    if (ask.prompt.size() >= limits_.slot_tokens)
        return base::fail(invalid,
                          "the prompt has " + std::to_string(ask.prompt.size()) + " tokens, a context holds " +
                              std::to_string(limits_.slot_tokens) + " with the answer",
                          "context_length_exceeded", "prompt");
    if (ask.deadline.passed(now) || ask.first_token_deadline.passed(now)) return base::fail(deadline, "the time given is already used up");
    if (waiting_.size() >= limits_.queue_max) {
        base::Error error{overloaded, "the queue is full", "queue_full", {}, {}};
        auto wait = std::clamp(service_seconds_ / limits_.slots, 1.0, 60.0);
        error.retry_after = std::chrono::milliseconds(static_cast<std::int64_t>(wait * 1000));
        return std::unexpected(std::move(error));
    }
    auto sequence = std::make_unique<Sequence>();
    sequence->id = id;
    sequence->prompt = static_cast<std::uint32_t>(ask.prompt.size());
    sequence->tokens = std::move(ask.prompt);
    auto most = std::max<std::uint64_t>(1, ask.max_tokens.value_or(limits_.slot_tokens));
    sequence->limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(limits_.slot_tokens, sequence->prompt + most));
    sequence->adapters = adapter_index(ask.adapters);
    for (const auto& one : ask.adapters) sequence->key += one.name + '\0' + std::to_string(one.scale) + '\0';
    sequence->key += '\0' + ask.partition;
    for (const auto expert : ask.experts_left_out) sequence->key += '\0' + std::to_string(expert);
    sequence->partition = std::move(ask.partition);
    sequence->priority = ask.priority;
    sequence->deadline = ask.deadline;
    sequence->first_token_deadline = ask.first_token_deadline;
    sequence->arrived = now;

    auto soonest = ask.first_token_deadline.sooner(ask.deadline);
    if (soonest.when()) {
        auto expected = until_first_token(*sequence);
        if (expected > std::chrono::duration_cast<CostModel::Seconds>(soonest.left(now))) {
            base::Error error{deadline,
                              "the time given cannot suffice: the first token is expected in " +
                                  std::to_string(static_cast<std::int64_t>(expected.count() * 1000)) + " ms",
                              "deadline_unreachable",
                              {},
                              {}};
            return std::unexpected(std::move(error));
        }
    }
    auto& partition = partitions_[sequence->partition];
    if (partition.sequences++ == 0) {
        // Who comes new starts level with the one served least, not with an old credit.
        auto least = std::numeric_limits<double>::max();
        for (const auto& [name, other] : partitions_)
            if (other.sequences > 0 && &other != &partition) least = std::min(least, other.served);
        partition.served = least == std::numeric_limits<double>::max() ? 0 : least;
    }
    waiting_.push_back(sequence.get());
    sequences_.emplace(id, std::move(sequence));
    return {};
}

std::uint32_t Batcher::adapter_index(const std::vector<AdapterChoice>& adapters) {
    auto found = std::ranges::find(adapter_sets_, adapters);
    if (found == adapter_sets_.end()) {
        // A set that no sequence uses makes room; the first is that without adapters and stays.
        for (std::uint32_t index = 1; index < adapter_sets_.size(); ++index) {
            if (std::ranges::any_of(sequences_, [&](const auto& one) { return one.second->adapters == index; })) continue;
            adapter_sets_[index] = adapters;
            group_served_[index] = steps_;
            return index;
        }
        adapter_sets_.push_back(adapters);
        group_served_.push_back(steps_);
        return static_cast<std::uint32_t>(adapter_sets_.size() - 1);
    }
    return static_cast<std::uint32_t>(found - adapter_sets_.begin());
}

CostModel::Seconds Batcher::until_first_token(const Sequence& sequence) const {
    std::uint64_t tokens = 0, ahead = 0;
    for (const auto* other : running_) tokens += other->answers() ? 0 : other->remaining();
    for (const auto* other : waiting_)
        if (other->priority >= sequence.priority) tokens += other->remaining(), ++ahead;
    std::vector<PrefixTree::Match> matches;
    tree_.matches(sequence.key, sequence.tokens, matches);
    auto own = sequence.size();
    if (!matches.empty()) own -= std::min(matches.front().length, own - 1);
    double seconds = static_cast<double>(tokens + own) / costs_.prefill_tokens_per_second();
    // Beside answers only a part of each step goes to prompts.
    if (answering() > 0) seconds *= limits_.gap_factor / (limits_.gap_factor - 1.0);
    auto busy = running_.size() + ahead + 1;
    if (busy > slots_.size()) seconds += service_seconds_ * static_cast<double>(busy - slots_.size()) / static_cast<double>(slots_.size());
    return CostModel::Seconds(seconds) + costs_.predicted({1, 0});
}

// --- Leaving -------------------------------------------------------------------------------------------------

void Batcher::forget(Sequence& sequence) {
    if (sequence.slot) leave_slot(sequence);
    std::erase(waiting_, &sequence);
    auto partition = partitions_.find(sequence.partition);
    if (--partition->second.sequences == 0) partitions_.erase(partition);
    sequences_.erase(sequence.id);
}

void Batcher::end(Sequence& sequence, base::Error error) {
    plan_.ended.push_back({sequence.id, std::move(error)});
    forget(sequence);
}

void Batcher::finish(SequenceId id, base::Instant now) {
    auto found = sequences_.find(id);
    if (found == sequences_.end()) return;
    if (const auto& one = *found->second; one.started)
        service_seconds_ += 0.1 * (std::chrono::duration<double>(now - one.admitted).count() - service_seconds_);
    forget(*found->second);
}

// The slot becomes idle with what was computed in it.
void Batcher::leave_slot(Sequence& sequence) {
    auto id = *sequence.slot;
    auto& slot = slots_[id];
    slot.owner = nullptr;
    slot.used = ++uses_;
    sequence.slot.reset();
    std::erase(running_, &sequence);
    if (slot.unknown) tree_.drop(id);  // emptied when it is used next
    else tree_.trim(id, sequence.computed);
}

void Batcher::expire(base::Instant now) {
    order_ = waiting_;
    order_.insert(order_.end(), running_.begin(), running_.end());
    for (auto* sequence : order_) {
        bool late = sequence->deadline.passed(now) || (sequence->size() == sequence->prompt && sequence->first_token_deadline.passed(now));
        if (late) end(*sequence, {base::ErrorKind::deadline, "the time given was used up"});
    }
}

// --- Slots and what they hold --------------------------------------------------------------------------------

std::optional<SlotId> Batcher::lowest_free_slot() const {
    for (SlotId id = 0; id < slots_.size(); ++id)
        if (slots_[id].owner == nullptr) return id;
    return {};
}

void Batcher::clear_slot(SlotId id) {
    auto& slot = slots_[id];
    if (slot.length > 0 || slot.unknown) operate({.kind = StepPlan::Operation::Kind::trim, .slot = id, .length = 0});
    slot.length = 0;
    slot.unknown = false;
    tree_.drop(id);
}

void Batcher::set_content(SlotId id, const Sequence& sequence, std::uint32_t length) {
    slots_[id].length = length;
    slots_[id].unknown = false;
    // All that it will hold, so that siblings see what is promised.
    tree_.put(id, sequence.key, sequence.tokens);
}

// Before a slot is overwritten beyond its first `reused` tokens: what only it has goes to host memory.
void Batcher::keep_content(SlotId id, std::uint32_t reused) {
    auto length = tree_.length(id);
    if (slots_[id].unknown || length == 0 || limits_.host_bytes == 0) return;
    auto known = std::max(reused, tree_.shared_length(id));
    if (length < known + keep_least) return;
    if (slots_[id].length != length) {
        operate({.kind = StepPlan::Operation::Kind::trim, .slot = id, .length = length});
        slots_[id].length = length;
    }
    auto bytes = length * limits_.token_bytes;
    if (bytes > limits_.host_bytes) return;
    while (host_used_ + bytes > limits_.host_bytes) {
        auto oldest = blobs_.end();
        for (auto at = blobs_.begin(); at != blobs_.end(); ++at)
            if (at->second.step != steps_ && (oldest == blobs_.end() || at->second.used < oldest->second.used)) oldest = at;
        if (oldest == blobs_.end()) return;
        auto blob = oldest->first;
        operate({.kind = StepPlan::Operation::Kind::drop, .blob = blob});
        forget_blob(blob);
    }
    auto blob = next_blob_++;
    operate({.kind = StepPlan::Operation::Kind::save, .slot = id, .blob = blob, .length = length});
    blobs_[blob] = {bytes, ++uses_, steps_};
    host_used_ += bytes;
    tree_.copy(id, holder_of(blob));
}

void Batcher::forget_blob(BlobId blob) {
    auto found = blobs_.find(blob);
    if (found == blobs_.end()) return;
    host_used_ -= found->second.bytes;
    blobs_.erase(found);
    tree_.drop(holder_of(blob));
}

void Batcher::lost_blob(BlobId blob) { forget_blob(blob); }

void Batcher::lost_slot(SlotId id) {
    auto& slot = slots_[id];
    slot.unknown = true;
    if (slot.owner != nullptr) {
        slot.owner->computed = 0;
        slot.owner->draft.clear();
    } else {
        tree_.drop(id);
    }
}

// Fills the gap that a finished sequence left from above, so that batches stay one run of neighbouring slots.
void Batcher::fill_holes() {
    while (!running_.empty()) {
        auto hole = lowest_free_slot();
        SlotId highest = 0;
        for (const auto* sequence : running_) highest = std::max(highest, *sequence->slot);
        if (!hole || *hole > highest) {
            hole_steps_ = 0;
            return;
        }
        if (hole_steps_ < hole_patience) {
            ++hole_steps_;
            return;
        }
        auto* moved = slots_[highest].owner;
        if (!waiting_.empty() || slots_[highest].unknown || moved->computed == 0) return;
        keep_content(*hole, 0);
        clear_slot(*hole);
        operate({.kind = StepPlan::Operation::Kind::copy, .slot = highest, .to = *hole});
        set_content(*hole, *moved, slots_[highest].length);
        slots_[*hole].owner = moved;
        slots_[highest].owner = nullptr;
        clear_slot(highest);
        moved->slot = *hole;
    }
}

// --- Letting in ----------------------------------------------------------------------------------------------

double Batcher::rank(const Sequence& sequence, base::Instant now) const {
    auto waited = std::chrono::duration<double>(now - sequence.arrived) / std::chrono::duration<double>(priority_step);
    return static_cast<double>(sequence.priority) + std::floor(std::max(0.0, waited));
}

Batcher::Sequence* Batcher::next_waiting(base::Instant now) const {
    Sequence* best = nullptr;
    double best_rank = 0, best_served = 0;
    for (auto* one : waiting_) {
        if (std::ranges::contains(held_back_, one)) continue;
        auto its_rank = rank(*one, now);
        auto served = partitions_.at(one->partition).served;
        bool better = best == nullptr || its_rank > best_rank ||
                      (its_rank == best_rank && (served < best_served || (served == best_served && one->arrived < best->arrived)));
        if (better) best = one, best_rank = its_rank, best_served = served;
    }
    return best;
}

void Batcher::admit(base::Instant now) {
    held_back_.clear();
    while (held_back_.size() < waiting_.size()) {
        auto* sequence = next_waiting(now);
        if (sequence == nullptr) return;
        if (!lowest_free_slot() && !preempt_for(*sequence)) return;
        if (!start(*sequence, now)) held_back_.push_back(sequence);
    }
}

bool Batcher::preempt_for(const Sequence& sequence) {
    Sequence* victim = nullptr;
    // running_ is in the order of admission, so the last of the lowest is the youngest. Waiting lets in, but it
    // does not push out; and who came in by waiting is not pushed out again by what it was waiting behind.
    for (auto* one : running_)
        if (one->rank_admitted < static_cast<double>(sequence.priority) &&
            (victim == nullptr || one->rank_admitted <= victim->rank_admitted))
            victim = one;
    if (victim == nullptr) return false;
    leave_slot(*victim);
    victim->computed = 0;
    victim->draft.clear();
    waiting_.insert(std::ranges::upper_bound(waiting_, victim->arrived, {}, &Sequence::arrived), victim);
    ++preempted_;
    return true;
}

// Gives it the lowest free slot, filled with the longest beginning that somebody holds. False: somebody is
// reading that beginning just now, and waiting for it is better.
bool Batcher::start(Sequence& sequence, base::Instant now) {
    auto target = *lowest_free_slot();
    tree_.matches(sequence.key, sequence.tokens, matches_);
    std::uint32_t ready = 0, promised = 0;
    PrefixTree::Holder from = target;
    for (auto [holder, length] : matches_) {
        length = std::min(length, sequence.size() - 1);
        auto there = length;
        if (holder < blob_holder_first) {
            const auto& slot = slots_[holder];
            if (slot.unknown) there = 0;
            else if (slot.owner != nullptr) {
                there = std::min(length, slot.owner->computed);
                if (!slot.owner->answers() && !slot.owner->held) promised = std::max(promised, length);
            }
            if (!limits_.partial_reuse && there != slot.length) there = 0;
        } else if (!limits_.partial_reuse && there != tree_.length(holder)) {
            there = 0;
        }
        // What is in the target already costs nothing.
        if (there > ready || (there == ready && holder == target)) ready = there, from = holder;
    }
    if (limits_.partial_reuse && promised >= ready + wait_gain_least) return false;
    if (ready < reuse_least) ready = 0;

    using Kind = StepPlan::Operation::Kind;
    if (ready == 0) {
        keep_content(target, 0);
        clear_slot(target);
    } else if (from == target) {
        keep_content(target, ready);
    } else if (from < blob_holder_first) {
        keep_content(target, 0);
        clear_slot(target);
        operate({.kind = Kind::copy, .slot = from, .to = target});
        slots_[target].length = slots_[from].length;
        // A conversation that goes on leaves nothing behind.
        if (slots_[from].owner == nullptr) {
            if (ready == tree_.length(from)) clear_slot(from);
            else slots_[from].used = ++uses_;
        }
    } else {
        auto blob = from - blob_holder_first;
        blobs_[blob].step = steps_;
        blobs_[blob].used = ++uses_;
        auto length = tree_.length(from);
        keep_content(target, 0);
        clear_slot(target);
        operate({.kind = Kind::restore, .to = target, .blob = blob});
        slots_[target].length = length;
        if (ready == length) {
            operate({.kind = Kind::drop, .blob = blob});
            forget_blob(blob);
        }
    }
    if (slots_[target].length > ready) operate({.kind = Kind::trim, .slot = target, .length = ready});
    set_content(target, sequence, ready);
    slots_[target].owner = &sequence;
    sequence.slot = target;
    sequence.computed = ready;
    sequence.rank_admitted = rank(sequence, now);
    reused_ += ready;
    if (!sequence.started) {
        sequence.started = true;
        sequence.cached = ready;
        sequence.admitted = now;
    }
    std::erase(waiting_, &sequence);
    running_.push_back(&sequence);
    return true;
}

// --- The batch -----------------------------------------------------------------------------------------------

namespace {

// Every token looks at those before it.
void add_attention(const StepPlan::Piece& piece, CostModel::Work& work) {
    auto rows = piece.count + piece.drafts;
    auto cells = std::uint64_t{rows} * piece.position + std::uint64_t{rows} * (rows + 1) / 2;
    (rows < CostModel::tile ? work.attended : work.tiled) += cells;
}

// libllama takes each run of neighbouring slots by itself: first a token of each piece of it, as often as the shortest has any,
// then the rest of the longer ones.
std::uint32_t passes_over_weights(std::span<const StepPlan::Piece> by_slot) {
    std::uint32_t passes = 0;
    std::set<std::uint32_t> lengths;
    for (std::size_t i = 0; i < by_slot.size(); ++i) {
        if (i > 0 && by_slot[i].slot != by_slot[i - 1].slot + 1) passes += static_cast<std::uint32_t>(lengths.size()), lengths.clear();
        lengths.insert(by_slot[i].count + by_slot[i].drafts);
    }
    return passes + static_cast<std::uint32_t>(lengths.size());
}

}  // namespace

const StepPlan& Batcher::plan(base::Instant now) {
    plan_.clear();
    ++steps_;
    // Partial work of a plan that was not computed leaves nothing behind here: `computed` moves in stepped().
    expire(now);
    admit(now);
    fill_holes();
    choose_group();
    place_answers();
    place_prompts(now);
    for (SlotId id = 0; id < slots_.size(); ++id) {
        auto& slot = slots_[id];
        auto* owner = slot.owner;
        if (owner == nullptr) continue;
        if (slot.unknown || slot.length > owner->computed) {
            operate({.kind = StepPlan::Operation::Kind::trim, .slot = id, .length = owner->computed});
            slot.length = owner->computed;
            slot.unknown = false;
        }
    }
    std::ranges::sort(plan_.pieces, {}, &StepPlan::Piece::slot);
    plan_.work.passes = passes_over_weights(plan_.pieces);
    return plan_;
}

std::uint32_t Batcher::answering() const { return static_cast<std::uint32_t>(std::ranges::count_if(running_, &Sequence::answers)); }

// Sequences of one adapter set go into a batch; the set that waited longest is next.
void Batcher::choose_group() {
    std::optional<std::uint32_t> chosen;
    for (const auto* one : running_) {
        if (one->held || one->remaining() == 0) continue;
        if (!chosen || group_served_[one->adapters] < group_served_[*chosen]) chosen = one->adapters;
    }
    plan_.adapters = chosen.value_or(0);
    group_served_[plan_.adapters] = steps_;
}

void Batcher::place(Sequence& sequence, std::uint32_t count, std::uint32_t drafts) {
    bool output = count == sequence.remaining();
    if (!output) drafts = 0;
    plan_.pieces.push_back({sequence.id, *sequence.slot, sequence.computed, count, drafts, output});
    add_attention(plan_.pieces.back(), plan_.work);
    if (sequence.answers() && output) {
        plan_.work.decode += 1 + drafts;
        plan_.work.prefill += count - 1;
    } else {
        plan_.work.prefill += count;
    }
}

void Batcher::place_answers() {
    auto room = limits_.batch_tokens;
    for (auto* one : running_) {
        if (one->held || one->adapters != plan_.adapters || !one->answers() || one->remaining() == 0) continue;
        if (room == 0) break;
        if (one->remaining() > room) {
            place(*one, std::exchange(room, 0), 0);
            break;
        }
        auto drafts = std::min<std::uint32_t>(static_cast<std::uint32_t>(one->draft.size()), room - one->remaining());
        drafts = std::min(drafts, limits_.slot_tokens - one->size());
        one->draft.resize(drafts);
        room -= one->remaining() + drafts;
        place(*one, one->remaining(), drafts);
    }
}

// What the answers of this step cost by themselves.
CostModel::Work Batcher::beside_prompts() const {
    auto work = plan_.work;
    work.decode = std::max(answering(), work.decode);
    auto by_slot = plan_.pieces;
    std::ranges::sort(by_slot, {}, &StepPlan::Piece::slot);
    work.passes = passes_over_weights(by_slot);
    return work;
}

// How many prompt tokens this step may read, beginning with this one.
std::uint32_t Batcher::prompt_quota(const Sequence& first) const {
    auto answers = answering();
    if (answers == 0) {
        // A lone prompt goes in full batches, as in other servers, so that it is computed alike.
        if (std::ranges::count_if(running_, [](const Sequence* one) { return !one->held; }) <= 1 && waiting_.empty())
            return limits_.batch_tokens;
        return std::max(32U, costs_.prefill_within(limits_.idle_step, {}, first.computed));
    }
    auto beside = beside_prompts();
    CostModel::Seconds budget = limits_.step_budget;
    if (limits_.step_budget.count() == 0) {
        auto others = static_cast<double>(order_.size() + held_back_.size() - 1);  // who wait for more than their own prompt
        auto least = std::max<CostModel::Seconds>(limits_.gap_unseen, limits_.idle_step * std::min(1.0, others / answers));
        budget = std::max(costs_.predicted(beside) * limits_.gap_factor, least);
    }
    return std::max(1U, costs_.prefill_within(budget, beside, first.computed));
}

void Batcher::place_prompts(base::Instant now) {
    order_.clear();
    for (auto* one : running_)
        if (!one->held && one->adapters == plan_.adapters && !one->answers() && one->remaining() > 0) order_.push_back(one);
    if (order_.empty()) return;
    std::uint32_t used = 0;
    for (const auto& piece : plan_.pieces) used += piece.count + piece.drafts;
    // When each would be done if it were alone since it came; higher ranks before lower ones.
    auto alone = [&](const Sequence* one) {
        return one->admitted + std::chrono::duration_cast<base::Instant::duration>(
                                   CostModel::Seconds(one->remaining() / costs_.prefill_tokens_per_second()));
    };
    std::ranges::sort(order_, [&](const Sequence* a, const Sequence* b) {
        auto rank_a = rank(*a, now), rank_b = rank(*b, now);
        if (rank_a != rank_b) return rank_a > rank_b;
        auto done_a = alone(a).time_since_epoch() / done_together, done_b = alone(b).time_since_epoch() / done_together;
        return done_a != done_b ? done_a < done_b : *a->slot < *b->slot;
    });
    auto quota = prompt_quota(*order_.front());
    auto room = std::min(quota, limits_.batch_tokens - std::min(used, limits_.batch_tokens));
    counts_.assign(order_.size(), 0);
    for (std::size_t i = 0; i < order_.size() && room > 0; ++i) {
        counts_[i] = std::min(order_[i]->remaining(), room);
        room -= counts_[i];
    }
    bridge_gaps();
    for (std::size_t i = 0; i < order_.size(); ++i)
        if (counts_[i] > 0) place(*order_[i], counts_[i], 0);
}

// Prompts whose turn it is not, but whose slots lie between those of the batch, take one token each from the longest piece
// of a prompt that is not done with this step.
void Batcher::bridge_gaps() {
    SlotId highest = 0;
    for (const auto& piece : plan_.pieces) highest = std::max(highest, piece.slot);
    for (std::size_t i = 0; i < order_.size(); ++i)
        if (counts_[i] > 0) highest = std::max(highest, *order_[i]->slot);
    auto stands_between = [&](std::size_t i) { return counts_[i] == 0 && *order_[i]->slot < highest; };
    std::uint32_t gaps = 0;
    for (std::size_t i = 0; i < order_.size(); ++i) gaps += stands_between(i) ? 1 : 0;
    std::optional<std::size_t> giver;
    for (std::size_t i = 0; i < order_.size(); ++i)
        if (counts_[i] < order_[i]->remaining() && (!giver || counts_[i] > counts_[*giver])) giver = i;
    // Else the prompt whose turn it is would hardly get on.
    if (!giver || gaps > counts_[*giver] / 2) return;
    for (std::size_t i = 0; i < order_.size(); ++i)
        if (stands_between(i)) counts_[i] = 1, --counts_[*giver];
}

void Batcher::stepped(base::Instant now, CostModel::Seconds took) {
    costs_.measured(plan_.work, took);
    for (const auto& piece : plan_.pieces) {
        auto found = sequences_.find(piece.sequence);
        if (found == sequences_.end()) {
            // Finished meanwhile; its slot now holds more than it is known for.
            slots_[piece.slot].length = std::max(slots_[piece.slot].length, piece.position + piece.count + piece.drafts);
            continue;
        }
        auto& sequence = *found->second;
        sequence.computed += piece.count;
        slots_[piece.slot].length = piece.position + piece.count + piece.drafts;
        partitions_[sequence.partition].served += piece.count;
        if (piece.output && sequence.size() == sequence.prompt && sequence.first_token == base::Instant{}) sequence.first_token = now;
    }
}

void Batcher::append(SequenceId id, std::uint32_t accepted, std::span<const TokenId> next) {
    auto found = sequences_.find(id);
    if (found == sequences_.end()) return;
    auto& sequence = *found->second;
    accepted = std::min<std::uint32_t>(accepted, static_cast<std::uint32_t>(sequence.draft.size()));
    auto before = sequence.tokens.size();
    sequence.tokens.insert(sequence.tokens.end(), sequence.draft.begin(), sequence.draft.begin() + accepted);
    sequence.computed += accepted;
    sequence.draft.clear();
    sequence.tokens.insert(sequence.tokens.end(), next.begin(), next.end());
    sequence.held = false;
    if (sequence.slot) tree_.extend(*sequence.slot, std::span(sequence.tokens).subspan(before));
}

void Batcher::draft(SequenceId id, std::span<const TokenId> tokens) {
    auto found = sequences_.find(id);
    if (found == sequences_.end() || !limits_.partial_reuse) return;
    auto& sequence = *found->second;
    auto room = sequence.limit > sequence.size() ? sequence.limit - sequence.size() : 0;
    sequence.draft.assign(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(tokens.size(), room)));
}

void Batcher::hold(SequenceId id, bool held) {
    if (auto found = sequences_.find(id); found != sequences_.end()) found->second->held = held;
}

std::uint32_t Batcher::draft_tokens(double probability, std::uint32_t most) const {
    if (!limits_.partial_reuse || !waiting_.empty()) return 0;
    auto answers = answering();
    if (answers == 0 || answers < running_.size()) return 0;  // prompts are being read: they use the time better
    // One sequence's drafts slow all others down: compare what all get per second.
    auto best_rate = answers / costs_.predicted({answers, 0}).count();
    std::uint32_t best = 0;
    double gained = 0, chance = 1;
    for (std::uint32_t count = 1; count <= most; ++count) {
        chance *= probability;
        gained += chance;
        // All answering sequences are expected to draft as much, so that the decision is one for all.
        auto rate = answers * (1 + gained) / costs_.predicted({answers * (1 + count), 0}).count();
        if (rate > best_rate * 1.02) best_rate = rate, best = count;
    }
    return best;
}

// --- Looking -------------------------------------------------------------------------------------------------

Batcher::View Batcher::view(SequenceId id) const {
    const auto& one = *sequences_.at(id);
    return {one.tokens, one.prompt, one.cached, one.computed, one.limit, one.slot.has_value(), one.arrived, one.admitted, one.first_token};
}

std::span<const TokenId> Batcher::drafts(SequenceId id) const { return sequences_.at(id)->draft; }

std::uint32_t Batcher::room(SequenceId id) const {
    const auto& one = *sequences_.at(id);
    return one.limit > one.size() ? one.limit - one.size() : 0;
}

std::uint32_t Batcher::cached_tokens() const {
    std::uint32_t sum = 0;
    for (const auto& slot : slots_) sum += slot.length;
    return sum;
}

std::optional<base::Instant> Batcher::wakes_at() const {
    std::optional<base::Instant> first;
    auto consider = [&](const base::Deadline& deadline) {
        if (deadline.when() && (!first || *deadline.when() < *first)) first = deadline.when();
    };
    for (const auto& [id, one] : sequences_) {
        consider(one->deadline);
        if (one->size() == one->prompt) consider(one->first_token_deadline);
    }
    return first;
}

void Batcher::check() const {
    auto require = [](bool holds, const char* what) {
        if (!holds) throw std::logic_error(what);
    };
    require(running_.size() + waiting_.size() == sequences_.size(), "each sequence runs or waits");
    require(running_.size() <= slots_.size(), "no more run than there are slots");
    for (const auto* one : running_) {
        require(one->slot && slots_[*one->slot].owner == one, "a running sequence owns its slot");
        require(one->computed <= one->size(), "nothing is computed twice");
        require(tree_.length(*one->slot) == one->size(), "the tree knows a running sequence");
    }
    for (const auto* one : waiting_) require(!one->slot, "who waits has no slot");
    for (SlotId id = 0; id < slots_.size(); ++id) {
        const auto& slot = slots_[id];
        require(slot.length <= limits_.slot_tokens, "a slot holds at most a context");
        if (slot.owner == nullptr && !slot.unknown) require(tree_.length(id) <= slot.length, "an idle slot holds what the tree says");
    }
    std::uint64_t bytes = 0;
    for (const auto& [id, blob] : blobs_) {
        bytes += blob.bytes;
        require(tree_.length(holder_of(id)) * limits_.token_bytes == blob.bytes, "the tree knows each blob");
    }
    require(bytes == host_used_ && bytes <= limits_.host_bytes, "host memory is within its bound");
}

}  // namespace hanse::engine
