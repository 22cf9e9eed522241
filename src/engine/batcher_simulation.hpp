// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "batcher.hpp"

namespace hanse::engine {

// A model of slots and a crowd of users driven by any source of numbers, for tests and fuzzing. It remembers
// which tokens each slot really holds and checks that every piece continues exactly these, so that an answer
// could never be computed from another one's past. Throws what went wrong.
class BatcherSimulation {
public:
    explicit BatcherSimulation(std::function<std::uint32_t()> number) : number_(std::move(number)), limits_(make_limits()), batcher_(limits_), slots_(limits_.slots) {}

    void event() {
        switch (number_() % 8) {
            case 0:
            case 1: add(); break;
            case 2: cancel(); break;
            case 3: hold(); break;
            case 4: now_ += std::chrono::milliseconds(number_() % 4000); break;
            default: step(); break;
        }
        batcher_.check();
    }

    // Everybody gets to the end.
    void drain() {
        for (auto& [id, asked] : asked_) batcher_.hold(id, false);
        for (int steps = 0; !asked_.empty(); ++steps) {
            require(steps < 100'000, "everybody finishes");
            step();
            batcher_.check();
        }
    }

private:
    struct Asked { std::uint32_t prompt; std::uint64_t last_step; };

    static void require(bool holds, const char* what) {
        if (!holds) throw std::logic_error(what);
    }
    Batcher::Limits make_limits() {
        Batcher::Limits limits;
        limits.slots = 1 + number_() % 5;
        limits.slot_tokens = 40 + number_() % 100;
        limits.batch_tokens = 8 + number_() % 64;
        limits.queue_max = 1 + number_() % 12;
        limits.host_bytes = number_() % 3 == 0 ? 0 : number_() % 4000;
        limits.token_bytes = 1 + number_() % 20;
        limits.partial_reuse = number_() % 4 != 0;
        return limits;
    }

    void add() {
        Batcher::Ask ask;
        // Few beginnings, so that many share one.
        auto family = static_cast<TokenId>(number_() % 3 * 1000);
        for (std::uint32_t i = 0, count = 1 + number_() % (limits_.slot_tokens + 4); i < count; ++i) ask.prompt.push_back(family + static_cast<TokenId>(i));
        if (number_() % 2) ask.prompt.back() = static_cast<TokenId>(number_() % 50);
        ask.max_tokens = 1 + number_() % 20;
        ask.partition = std::string(1, static_cast<char>('a' + number_() % 2));
        if (number_() % 4 == 0) ask.adapters = {{"x", 1.0F}};
        ask.priority = static_cast<Priority>(number_() % 3);
        if (number_() % 8 == 0) ask.deadline = base::Deadline::after(now_, std::chrono::milliseconds(number_() % 20'000));
        auto id = next_++;
        auto prompt = static_cast<std::uint32_t>(ask.prompt.size());
        if (batcher_.add(id, std::move(ask), now_)) asked_[id] = {prompt, steps_};
    }
    SequenceId any() {
        auto at = asked_.begin();
        std::advance(at, number_() % asked_.size());
        return at->first;
    }
    void cancel() {
        if (asked_.empty()) return;
        auto id = any();
        batcher_.finish(id, now_);
        asked_.erase(id);
    }
    void hold() {
        if (asked_.empty()) return;
        batcher_.hold(any(), number_() % 2 == 0);
    }

    void operate(const StepPlan::Operation& one) {
        using Kind = StepPlan::Operation::Kind;
        switch (one.kind) {
            case Kind::save: blobs_[one.blob] = slots_.at(one.slot); break;
            case Kind::drop: require(blobs_.erase(one.blob) == 1, "a blob dropped exists"); break;
            case Kind::restore:
                require(blobs_.contains(one.blob), "a blob restored exists");
                slots_.at(one.to) = blobs_[one.blob];
                break;
            case Kind::copy: slots_.at(one.to) = slots_.at(one.slot); break;
            case Kind::trim:
                require(limits_.partial_reuse || one.length == 0 || one.length >= slots_.at(one.slot).size(), "only what can be cut is cut");
                if (slots_.at(one.slot).size() > one.length) slots_[one.slot].resize(one.length);
                break;
        }
    }

    void step() {
        ++steps_;
        const auto& plan = batcher_.plan(now_);
        for (const auto& ended : plan.ended) require(asked_.erase(ended.sequence) == 1, "who is given up was there");
        for (const auto& one : plan.operations) operate(one);
        std::uint32_t total = 0;
        SlotId last = 0;
        for (const auto& piece : plan.pieces) {
            auto view = batcher_.view(piece.sequence);
            require(&piece == plan.pieces.data() || piece.slot > last, "pieces come by rising slot");
            last = piece.slot;
            auto& slot = slots_.at(piece.slot);
            require(slot.size() == piece.position, "a piece continues what its slot holds");
            require(std::equal(slot.begin(), slot.end(), view.tokens.begin()), "the slot holds the sequence's own past");
            require(piece.count > 0 && piece.position + piece.count <= view.tokens.size(), "a piece is of the sequence");
            slot.insert(slot.end(), view.tokens.begin() + piece.position, view.tokens.begin() + piece.position + piece.count);
            auto drafts = batcher_.drafts(piece.sequence);
            require(piece.drafts <= drafts.size(), "drafts are the sequence's");
            slot.insert(slot.end(), drafts.begin(), drafts.begin() + piece.drafts);
            require(slot.size() <= limits_.slot_tokens, "a slot holds at most a context");
            total += piece.count + piece.drafts;
        }
        require(total <= limits_.batch_tokens, "a batch is not too large");
        auto took = CostModel::Seconds(0.001 + 0.0001 * total);
        now_ += std::chrono::duration_cast<base::Instant::duration>(took);
        auto pieces = plan.pieces;
        batcher_.stepped(now_, took);
        if (number_() % 50 == 0 && !pieces.empty()) {
            // The batch was in vain for one.
            slots_[pieces[0].slot].assign(3, -1);
            batcher_.lost_slot(pieces[0].slot);
            slots_[pieces[0].slot].clear();
            pieces.erase(pieces.begin());
        }
        for (const auto& piece : pieces) {
            if (!piece.output || !asked_.contains(piece.sequence)) continue;
            auto accepted = piece.drafts == 0 ? 0 : number_() % (piece.drafts + 1);
            std::vector<TokenId> next(1 + (number_() % 5 == 0 ? number_() % 4 : 0), static_cast<TokenId>(number_() % 50));
            auto room = batcher_.room(piece.sequence);
            accepted = std::min(accepted, room - 1);
            next.resize(std::min<std::size_t>(next.size(), room - accepted));
            batcher_.append(piece.sequence, accepted, next);
            if (batcher_.room(piece.sequence) == 0 || number_() % 30 == 0) {
                batcher_.finish(piece.sequence, now_);
                asked_.erase(piece.sequence);
                continue;
            }
            if (number_() % 3 == 0) {
                std::vector<TokenId> drafts(number_() % 4, static_cast<TokenId>(number_() % 50));
                batcher_.draft(piece.sequence, drafts);
            }
        }
    }

    std::function<std::uint32_t()> number_;
    Batcher::Limits limits_;
    Batcher batcher_;
    std::vector<std::vector<TokenId>> slots_;
    std::map<BlobId, std::vector<TokenId>> blobs_;
    std::map<SequenceId, Asked> asked_;
    SequenceId next_ = 1;
    base::Instant now_ = base::Instant{} + std::chrono::hours(1);
    std::uint64_t steps_ = 0;
};

}  // namespace hanse::engine
