// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "merge_kernels.hpp"
#include "merge_method.hpp"

// Fusion by importance: a weight's importance is |x - base| times the divergence KL(softmax(x row) || softmax(base row)); what reaches the
// median plus one and a half interquartile ranges is taken over, the rest stays the base's. The quartiles are exact, found by counting the
// bits of the importances in two passes.

namespace hanse::forge {
namespace {

class Fusion final : public TensorMethod {
public:
    explicit Fusion(const TensorTask& task)
        : type_(task.working),
          row_(static_cast<std::size_t>(task.out.row())),
          size_(task.out.elements()) {}
    bool by_rows() const override { return true; }
    std::size_t segments_most() const override { return 16; }
    unsigned passes() const override { return 2; }

    void begin(unsigned pass, std::size_t segments) override {
        bins_.assign(segments, std::vector<std::uint32_t>((pass == 0 ? 1 : ranks) * 65'536));
        if (pass == 0) set_ranks();
    }
    void look(unsigned pass, std::size_t segment, Piece& piece) override {
        importance(piece);
        for (std::size_t i = 0; i < piece.count; ++i) {
            const auto key = std::bit_cast<std::uint32_t>(piece.out[i]);
            if (pass == 0) ++bins_[segment][key >> 16U];
            else
                for (std::size_t r = 0; r < ranks; ++r)
                    if (key >> 16U == found_[r].key >> 16U) ++bins_[segment][r * 65'536 + (key & 0xFFFFU)];
        }
    }
    void end(unsigned pass) override {
        for (std::size_t r = 0; r < ranks; ++r) {
            std::uint64_t before = found_[r].before;
            const std::size_t begin = pass == 0 ? 0 : r * 65'536;
            for (std::size_t bin = 0; bin < 65'536; ++bin) {
                std::uint64_t here = 0;
                for (const auto& segment : bins_) here += segment[begin + bin];
                if (found_[r].rank < before + here) {
                    found_[r].key = pass == 0 ? static_cast<std::uint32_t>(bin) << 16U : found_[r].key | static_cast<std::uint32_t>(bin);
                    found_[r].before = before;
                    break;
                }
                before += here;
            }
        }
        bins_.clear();
        if (pass == 0) return;
        const auto quantile = [&](std::size_t q) {
            const double low = static_cast<double>(std::bit_cast<float>(found_[2 * q].key)),
                         high = static_cast<double>(std::bit_cast<float>(found_[2 * q + 1].key));
            return low + shares_[q] * (high - low);
        };
        threshold_ = static_cast<float>(quantile(1) + 1.5 * (quantile(2) - quantile(0)));
    }
    void apply(std::size_t, Piece& piece) override {
        importance(piece);
        for (std::size_t i = 0; i < piece.count; ++i) {
            const float step = piece.out[i] >= threshold_ ? rounded(type_, piece.x[0][i] - piece.base[i]) : 0.0F;
            piece.out[i] = rounded(type_, piece.base[i] + step);
        }
    }

private:
    static constexpr std::size_t ranks = 6;  // the elements on both sides of each quartile
    struct Found {
        std::uint64_t rank = 0, before = 0;
        std::uint32_t key = 0;
    };

    void set_ranks() {
        for (std::size_t q = 0; q < 3; ++q) {
            const double place = 0.25 * static_cast<double>(q + 1) * static_cast<double>(size_ - 1);
            const auto low = static_cast<std::uint64_t>(place);
            found_[2 * q] = {.rank = low};
            found_[2 * q + 1] = {.rank = std::min(low + 1, size_ - 1)};
            shares_[q] = place - static_cast<double>(low);
        }
    }

    void importance(Piece& piece) const {
        for (std::size_t begin = 0; begin < piece.count; begin += row_) {
            const float* x = piece.x[0] + begin;
            const float* base = piece.base + begin;
            const auto divergence = static_cast<float>(std::max(0.0, kullback_leibler(x, base)));
            for (std::size_t i = 0; i < row_; ++i) piece.out[begin + i] = std::fabs(rounded(type_, x[i] - base[i])) * divergence;
        }
    }

    // Σ p (log p - log q) of the softmaxes, from the two sums of exponentials.
    double kullback_leibler(const float* x, const float* base) const {
        const double x_most = static_cast<double>(*std::max_element(x, x + row_)),
                     base_most = static_cast<double>(*std::max_element(base, base + row_));
        double x_sum = 0, base_sum = 0, between = 0;
        for (std::size_t i = 0; i < row_; ++i) {
            const double power = std::exp(static_cast<double>(x[i]) - x_most);
            x_sum += power;
            base_sum += std::exp(static_cast<double>(base[i]) - base_most);
            between += power * (static_cast<double>(x[i]) - static_cast<double>(base[i]));
        }
        return between / x_sum - (x_most + std::log(x_sum)) + (base_most + std::log(base_sum));
    }

    Working type_;
    std::size_t row_;
    std::uint64_t size_;
    std::vector<std::vector<std::uint32_t>> bins_;
    std::array<Found, ranks> found_ = {};
    std::array<double, 3> shares_ = {};
    float threshold_ = 0;
};

}  // namespace

std::unique_ptr<TensorMethod> fusion_method(const TensorTask& task) { return std::make_unique<Fusion>(task); }

}  // namespace hanse::forge
