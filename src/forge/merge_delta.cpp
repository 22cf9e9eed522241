// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "magnitude_ranks.hpp"
#include "merge_kernels.hpp"
#include "merge_method.hpp"

// Task vectors δ = x - base: task arithmetic (arXiv 2212.04089), TIES (2306.01708), DARE (2311.03099), model breadcrumbs (2312.06795),
// DELLA (2406.11617). They differ in what of δ is kept, and in whether signs are put to the vote:
//   out = base + λ Σ w δ [/ Σ w]

namespace hanse::forge {
namespace {

class DeltaMerge final : public TensorMethod {
public:
    DeltaMerge(const TensorTask& task, std::uint64_t seed)
        : task_(task),
          type_(task.working),
          seed_(seed),
          row_(static_cast<std::size_t>(task.out.row())) {
        using enum MergeMethod;
        consensus_ = task.method == ties || task.method == dare_ties || task.method == della || task.method == breadcrumbs_ties;
        random_ = task.method == dare_linear || task.method == dare_ties;
        ranked_rows_ = task.method == della || task.method == della_linear;
        for (const MergeInput& input : task.inputs) {
            weights_.push_back(rounded(type_, static_cast<float>(input.parameters.weight)));
            if (task.method == ties || task.method == breadcrumbs || task.method == breadcrumbs_ties) add_ranks(input.parameters);
        }
        float total = std::accumulate(weights_.begin(), weights_.end(), 0.0F);
        total_ = rounded(type_, total);
        if (std::fabs(total_) < 1e-8F) total_ = 1;
        rescale_.assign(weights_.size(), 1.0F);
    }

    bool by_rows() const override { return ranked_rows_; }
    std::size_t segments_most() const override { return ranks_.empty() ? 256 : 32; }
    unsigned passes() const override {
        if (is_random()) return task_.parameters.rescale ? 1 : 0;
        return dense() ? 0 : ranks_.front().passes();
    }

    void begin(unsigned pass, std::size_t segments) override {
        for (MagnitudeRanks& ranks : ranks_) ranks.begin_pass(pass, segments);
        if (is_random()) sums_.assign(segments, std::vector<std::array<double, 2>>(weights_.size()));
    }

    void look(unsigned pass, std::size_t segment, Piece& piece) override {
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            float* delta = piece.x[i];
            kernel::subtract(type_, delta, piece.base, delta, piece.count);
            if (!is_random()) {
                ranks_[i].count(pass, segment, delta, piece.count);
                continue;
            }
            sums_[segment][i][0] += kernel::magnitude(delta, piece.count);
            drop(i, piece);
            sums_[segment][i][1] += kernel::magnitude(delta, piece.count);
        }
    }

    void end(unsigned pass) override {
        for (MagnitudeRanks& ranks : ranks_) ranks.end_pass(pass);
        if (!is_random()) return;
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            double before = 0, after = 0;
            for (const auto& segment : sums_) before += segment[i][0], after += segment[i][1];
            rescale_[i] = after > 0 ? rounded(type_, static_cast<float>(before / after)) : 1.0F;
        }
    }

    void apply(std::size_t segment, Piece& piece) override {
        for (std::size_t i = 0; i < weights_.size(); ++i) {
            float* delta = piece.x[i];
            kernel::subtract(type_, delta, piece.base, delta, piece.count);
            if (is_random()) {
                drop(i, piece);
                if (task_.parameters.rescale && rescale_[i] != 1.0F) kernel::scale(type_, delta, rescale_[i], delta, piece.count);
            } else if (!dense()) {
                ranks_[i].keep(segment, delta, piece.count);
            }
            kernel::scale(type_, delta, weights_[i], delta, piece.count);
        }
        std::fill_n(piece.out, piece.count, 0.0F);
        if (consensus_) vote(piece);
        else {
            for (std::size_t i = 0; i < weights_.size(); ++i) kernel::accumulate(piece.x[i], piece.out, piece.count);
            kernel::round(type_, piece.out, piece.count);
            if (task_.parameters.normalize) kernel::divide(type_, piece.out, total_, piece.count);
        }
        if (task_.parameters.lambda != 1)
            kernel::scale(type_, piece.out, static_cast<float>(task_.parameters.lambda), piece.out, piece.count);
        kernel::add(type_, piece.base, piece.out, piece.out, piece.count);
    }

private:
    static constexpr std::size_t some = 2048;

    bool is_random() const { return random_ || ranked_rows_; }
    // Nothing is dropped.
    bool dense() const { return ranks_.empty(); }

    void add_ranks(const InputParameters& parameters) {
        const std::uint64_t size = task_.out.elements();
        const bool outliers = task_.method != MergeMethod::ties;
        const auto kept = static_cast<std::uint64_t>(parameters.density * static_cast<double>(size));
        const std::uint64_t largest = outliers ? static_cast<std::uint64_t>(parameters.gamma * static_cast<double>(size)) : 0;
        const std::uint64_t high = size - std::min(size, largest);
        ranks_.emplace_back(type_, high - std::min(high, kept), high);
        // With nothing to drop from any model no pass is needed.
        any_dropped_ |= kept < size || largest > 0;
        if (ranks_.size() == task_.inputs.size() && !any_dropped_) ranks_.clear();
    }

    // Which elements stay is drawn from the place of each in the tensor, so every pass draws the same.
    void drop(std::size_t input, Piece& piece) const {
        const InputParameters& parameters = task_.inputs[input].parameters;
        const std::uint64_t seed = seed_ + input * 0xD1342543DE82EF95U;
        if (random_) {
            if (parameters.density < 1)
                kernel::keep_by_chance(piece.x[input], static_cast<float>(parameters.density), seed, piece.first, piece.count);
            return;
        }
        if (parameters.density >= 1) return;
        std::vector<std::uint32_t> order(row_);
        for (std::size_t begin = 0; begin < piece.count; begin += row_) {
            float* delta = piece.x[input] + begin;
            std::iota(order.begin(), order.end(), 0U);
            std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(std::fabs(delta[i]), i); });
            for (std::size_t rank = 0; rank < row_; ++rank) {
                const double place = row_ > 1 ? static_cast<double>(rank) / static_cast<double>(row_ - 1) : 0.5;
                const double share = parameters.density - parameters.epsilon + 2 * parameters.epsilon * place;
                if (kernel::chance(seed, piece.first + begin + order[rank]) >= static_cast<float>(share)) delta[order[rank]] = 0;
            }
        }
    }

    void vote(Piece& piece) const {
        std::array<float, some> sign, weights;
        for (std::size_t begin = 0; begin < piece.count; begin += some) {
            const std::size_t count = std::min(some, piece.count - begin);
            float* out = piece.out + begin;
            for (float* delta : piece.x) kernel::accumulate(delta + begin, out, count);
            kernel::round(type_, out, count);
            kernel::signs(out, sign.data(), count);
            std::fill_n(out, count, 0.0F);
            std::fill_n(weights.data(), count, 0.0F);
            for (std::size_t i = 0; i < weights_.size(); ++i)
                kernel::accumulate_agreeing(piece.x[i] + begin, sign.data(), weights_[i], out, weights.data(), count);
            kernel::round(type_, out, count);
            if (!task_.parameters.normalize) continue;
            kernel::round(type_, weights.data(), count);
            kernel::divide_by(type_, out, weights.data(), 1e-8F, 1.0F, count);
        }
    }

    const TensorTask& task_;
    Working type_;
    std::uint64_t seed_;
    std::size_t row_;
    bool consensus_ = false, random_ = false, ranked_rows_ = false, any_dropped_ = false;
    std::vector<float> weights_, rescale_;
    float total_ = 1;
    std::vector<MagnitudeRanks> ranks_;
    std::vector<std::vector<std::array<double, 2>>> sums_;  // of each segment and input: before and after the drop
};

// SCE (arXiv 2408.07990): select the elements that vary most between the models, calculate each model's weight from what it changed,
// erase the minority's signs. As mergekit does it: the share to select is one of the elements that vary at all, and weights are computed
// in the working type, step by step; where all changes are so small that the weights' sum is below 1e-6, all models count the same.
class ConsensusSelection final : public TensorMethod {
public:
    explicit ConsensusSelection(const TensorTask& task)
        : type_(task.working),
          models_(task.inputs.size()),
          size_(task.out.elements()),
          share_(std::clamp(task.parameters.select_topk, 0.0, 1.0)) {
        if (share_ < 1) ranks_.emplace_back(Working::f32, 0, size_);
    }
    std::size_t segments_most() const override { return ranks_.empty() ? 256 : 32; }
    unsigned passes() const override { return ranks_.empty() ? 1 : 3; }
    void begin(unsigned pass, std::size_t segments) override {
        if (selects(pass)) ranks_[0].begin_pass(pass, segments);
        else sums_.assign(segments, std::vector<double>(models_));
        if (pass == 0) varying_.assign(segments, 0);
    }
    void look(unsigned pass, std::size_t segment, Piece& piece) override {
        take_deltas(piece);
        if (selects(pass)) {
            spread(piece);
            if (pass == 0)
                varying_[segment] += piece.count - static_cast<std::size_t>(std::count(piece.out, piece.out + piece.count, nothing));
            ranks_[0].count(pass, segment, piece.out, piece.count);
            return;
        }
        select(segment, piece);
        for (std::size_t i = 0; i < models_; ++i) sums_[segment][i] += kernel::squares(type_, piece.x[i], piece.count);
    }
    void end(unsigned pass) override {
        if (selects(pass)) {
            if (pass == 0) {
                const auto varying = std::accumulate(varying_.begin(), varying_.end(), std::uint64_t{0});
                ranks_[0].range(size_ - static_cast<std::uint64_t>(share_ * static_cast<double>(varying)), size_);
            }
            ranks_[0].end_pass(pass);
            return;
        }
        weights_.assign(models_, 0.0F);
        float total = 0;
        for (std::size_t i = 0; i < models_; ++i) {
            double squares = 0;
            for (const auto& segment : sums_) squares += segment[i];
            weights_[i] = rounded(type_, static_cast<float>(squares / static_cast<double>(size_)));
            total += weights_[i];
        }
        total = rounded(type_, total);
        for (float& weight : weights_) weight = rounded(type_, total < 1e-6F ? 1.0F / static_cast<float>(models_) : weight / total);
        for (MagnitudeRanks& ranks : ranks_) ranks.rewind();  // the segments are walked once more
    }
    void apply(std::size_t segment, Piece& piece) override {
        take_deltas(piece);
        select(segment, piece);
        std::array<float, some> sign, weights;
        for (std::size_t begin = 0; begin < piece.count; begin += some) {
            const std::size_t count = std::min(some, piece.count - begin);
            float* out = piece.out + begin;
            std::fill_n(out, count, 0.0F);
            for (float* delta : piece.x) kernel::accumulate(delta + begin, out, count);
            kernel::round(type_, out, count);
            kernel::signs(out, sign.data(), count);
            std::fill_n(out, count, 0.0F);
            std::fill_n(weights.data(), count, 0.0F);
            for (std::size_t i = 0; i < models_; ++i) {
                kernel::scale(type_, piece.x[i] + begin, weights_[i], piece.x[i] + begin, count);
                kernel::accumulate_agreeing(piece.x[i] + begin, sign.data(), weights_[i], out, weights.data(), count);
            }
            kernel::round(type_, out, count);
            kernel::round(type_, weights.data(), count);
            kernel::divide_by(type_, out, weights.data(), 1e-6F, 1e-6F, count);
        }
        kernel::add(type_, piece.base, piece.out, piece.out, piece.count);
    }

private:
    static constexpr std::size_t some = 2048;
    bool selects(unsigned pass) const { return pass + 1 < passes(); }

    void take_deltas(Piece& piece) const {
        for (float* x : piece.x) kernel::subtract(type_, x, piece.base, x, piece.count);
    }
    // By Welford's recurrence (1962), as tensor libraries do it: the last bits decide who is selected.
    template <typename Real>
    float variance_at(const Piece& piece, std::size_t at) const {
        Real mean = 0, squares = 0, count = 0;
        for (const float* x : piece.x) {
            const Real away = static_cast<Real>(x[at]) - mean;
            count += 1;
            mean += away / count;
            squares += away * (static_cast<Real>(x[at]) - mean);
        }
        return static_cast<float>(squares / count);
    }
    // The variance over the models, into `out`; of 16-bit numbers in f32.
    void spread(Piece& piece) const {
        for (std::size_t at = 0; at < piece.count; ++at) {
            const float variance = rounded(type_, type_ == Working::f32 ? variance_at<double>(piece, at) : variance_at<float>(piece, at));
            // The next larger number: the order stays, and what is selected is never zero.
            piece.out[at] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(variance) + 1);
        }
        static_assert(std::bit_cast<std::uint32_t>(nothing) == 1);
    }
    void select(std::size_t segment, Piece& piece) {
        if (ranks_.empty()) return;
        spread(piece);
        ranks_[0].keep(segment, piece.out, piece.count);
        for (std::size_t at = 0; at < piece.count; ++at)
            if (piece.out[at] == 0.0F)
                for (float* x : piece.x) x[at] = 0.0F;
    }

    static constexpr float nothing = std::bit_cast<float>(std::uint32_t{1});  // what spread() gives where no model differs
    Working type_;
    std::size_t models_;
    std::uint64_t size_;
    double share_;
    std::vector<std::uint64_t> varying_;  // elements with any variance, of each segment
    std::vector<MagnitudeRanks> ranks_;
    std::vector<std::vector<double>> sums_;
    std::vector<float> weights_;
};

}  // namespace

std::unique_ptr<TensorMethod> delta_method(const TensorTask& task, std::uint64_t seed) { return std::make_unique<DeltaMerge>(task, seed); }
std::unique_ptr<TensorMethod> consensus_selection(const TensorTask& task) { return std::make_unique<ConsensusSelection>(task); }

}  // namespace hanse::forge
