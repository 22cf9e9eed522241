// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "merge_kernels.hpp"
#include "merge_method.hpp"

// Merges on the sphere (slerp, nuslerp, multislerp, the Karcher mean) and model stock (arXiv 2403.19522). All of them are sums Σ c x of
// the inputs, with coefficients that depend on nothing but the inputs' scalar products with each other. So one pass gathers those products,
// in double precision whatever the working type, the coefficients are found among a handful of numbers, and a second pass adds up. Even
// the iteration for the Karcher mean never touches the weights again.

namespace hanse::forge {
namespace {

// Scalar products of the inputs with each other.
class Gram {
public:
    explicit Gram(std::size_t size = 0) : size_(size), products_(size * size) {}
    std::size_t size() const { return size_; }
    double& at(std::size_t i, std::size_t j) { return products_[std::min(i, j) * size_ + std::max(i, j)]; }
    double at(std::size_t i, std::size_t j) const { return products_[std::min(i, j) * size_ + std::max(i, j)]; }
    double length(std::size_t i) const { return std::sqrt(at(i, i)); }
    void add(const Gram& other) {
        for (std::size_t k = 0; k < products_.size(); ++k) products_[k] += other.products_[k];
    }
    void add(const std::vector<float*>& x, std::size_t from, std::size_t count) {
        for (std::size_t i = 0; i < size_; ++i)
            for (std::size_t j = i; j < size_; ++j) at(i, j) += kernel::dot(x[i] + from, x[j] + from, count);
    }
    // Of two sums of the inputs.
    double dot(const std::vector<double>& a, const std::vector<double>& b) const {
        double sum = 0;
        for (std::size_t i = 0; i < size_; ++i)
            for (std::size_t j = 0; j < size_; ++j) sum += a[i] * b[j] * at(i, j);
        return sum;
    }

private:
    std::size_t size_;
    std::vector<double> products_;
};

using Coefficients = std::vector<double>;

double safe(double length) { return length > 0 ? length : 1; }

// sin((1-t)θ)/sinθ x0 + sin(tθ)/sinθ x1; nearly parallel ones by a straight line.
Coefficients slerp(const Gram& gram, double t, bool is_flat_by_angle) {
    const double cosine = std::clamp(gram.at(0, 1) / (safe(gram.length(0)) * safe(gram.length(1))), -1.0, 1.0);
    const double angle = std::acos(cosine), sine = std::sin(angle);
    const bool flat = is_flat_by_angle ? std::fabs(sine) < 1e-8 : std::fabs(cosine) > 0.9995;
    if (flat) return {1 - t, t};
    return {std::sin((1 - t) * angle) / sine, std::sin(t * angle) / sine};
}

double total(const std::vector<double>& weights) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    return sum;
}

// The logarithm at the weighted mean's direction, averaged, and the exponential back: one step of the Karcher mean.
Coefficients multislerp(const Gram& gram, std::vector<double> weights, bool normalize, double eps) {
    const std::size_t n = gram.size();
    if (normalize)
        if (const double sum = total(weights); std::fabs(sum) > 0)
            for (double& weight : weights) weight /= sum;
    Coefficients mean(n), out(n);
    double length = 0;
    for (std::size_t i = 0; i < n; ++i) mean[i] = weights[i] / safe(gram.length(i)), length += weights[i] * gram.length(i);
    const double mean_length = std::sqrt(std::max(0.0, gram.dot(mean, mean)));
    if (mean_length < eps) {  // opposite directions: no mean on the sphere
        for (std::size_t i = 0; i < n; ++i) out[i] = weights[i];
        return out;
    }
    for (double& each : mean) each /= mean_length;
    Coefficients tangent(n);
    for (std::size_t i = 0; i < n; ++i) {
        Coefficients unit(n);
        unit[i] = 1 / safe(gram.length(i));
        const double along = gram.dot(unit, mean);
        for (std::size_t j = 0; j < n; ++j) tangent[j] += weights[i] * (unit[j] - along * mean[j]);
    }
    const double step = std::sqrt(std::max(0.0, gram.dot(tangent, tangent)));
    for (std::size_t j = 0; j < n; ++j)
        out[j] = (mean[j] * std::cos(step) + (step > eps ? tangent[j] / step * std::sin(step) : 0)) * length;
    return out;
}

Coefficients karcher(const Gram& gram, std::uint64_t steps, double tolerance) {
    const std::size_t n = gram.size();
    std::vector<std::size_t> used;  // what is zero has no direction
    for (std::size_t i = 0; i < n; ++i)
        if (gram.length(i) > 0) used.push_back(i);
    Coefficients u(n);
    if (used.empty()) return u;
    const double alpha = 1.0 / static_cast<double>(used.size());
    double length = 0;
    for (const std::size_t i : used) u[i] = alpha / gram.length(i), length += alpha * gram.length(i);
    double norm = std::sqrt(std::max(0.0, gram.dot(u, u)));
    if (norm < tolerance) {
        u.assign(n, 0);
        u[used.front()] = 1 / gram.length(used.front());
        norm = 1;
    }
    for (double& each : u) each /= norm;
    for (std::uint64_t step = 0; step < steps; ++step) {
        Coefficients tangent(n);
        for (const std::size_t i : used) {
            Coefficients unit(n);
            unit[i] = 1 / gram.length(i);
            const double cosine = std::clamp(gram.dot(unit, u), -1.0, 1.0), angle = std::acos(cosine);
            if (angle < tolerance) continue;
            const double factor = alpha * angle / safe(std::sin(angle));
            for (std::size_t j = 0; j < n; ++j) tangent[j] += factor * (unit[j] - cosine * u[j]);
        }
        norm = std::sqrt(std::max(0.0, gram.dot(tangent, tangent)));
        if (norm < tolerance) break;
        for (std::size_t j = 0; j < n; ++j) u[j] = std::cos(norm) * u[j] + std::sin(norm) * tangent[j] / norm;
        const double now = std::sqrt(std::max(0.0, gram.dot(u, u)));
        if (now > 0)
            for (double& each : u) each /= now;
    }
    for (double& each : u) each *= length;
    return u;
}

// t = N c / (1 + (N - 1) c) with c the mean cosine between the task vectors; the sum of t/N of each.
Coefficients model_stock(const Gram& gram) {
    const std::size_t n = gram.size();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i + 1; j < n; ++j) {
            const double lengths = gram.length(i) * gram.length(j);
            sum += lengths > 0 ? std::clamp(gram.at(i, j) / lengths, -1.0, 1.0) : 0;
        }
    const auto count = static_cast<double>(n);
    const double cosine = sum / (count * (count - 1) / 2);
    const double t = count * cosine / (1 + (count - 1) * cosine);
    return Coefficients(n, t / count);
}

class Spherical final : public TensorMethod {
public:
    explicit Spherical(const TensorTask& task)
        : task_(task),
          inputs_(task.inputs.size() + (task.method == MergeMethod::slerp ? 1 : 0)),
          row_(static_cast<std::size_t>(task.out.row())) {
        const TensorParameters& p = task.parameters;
        const bool shaped = task.out.shape.size() > 1;
        // mergekit's word row_wise stands for vectors along the first dimension, the columns here.
        rows_ = shaped && ((task.method == MergeMethod::nuslerp && !p.flatten && !p.row_wise) ||
                           (task.method == MergeMethod::model_stock && p.filter_wise));
        columns_ = shaped && task.method == MergeMethod::nuslerp && !p.flatten && p.row_wise;
    }
    bool by_rows() const override { return rows_ || columns_; }
    std::size_t segments_most() const override { return columns_ ? 16 : 256; }
    unsigned passes() const override { return rows_ ? 0 : 1; }

    void begin(unsigned, std::size_t segments) override { grams_.assign(segments, std::vector<Gram>(columns_ ? row_ : 1, Gram(inputs_))); }
    void look(unsigned, std::size_t segment, Piece& piece) override {
        prepare(piece);
        if (!columns_) {
            grams_[segment][0].add(piece.x, 0, piece.count);
            return;
        }
        for (std::size_t at = 0; at < piece.count; ++at) {
            Gram& gram = grams_[segment][at % row_];
            for (std::size_t i = 0; i < inputs_; ++i)
                for (std::size_t j = i; j < inputs_; ++j)
                    gram.at(i, j) += static_cast<double>(piece.x[i][at]) * static_cast<double>(piece.x[j][at]);
        }
    }
    void end(unsigned) override {
        coefficients_.clear();
        for (std::size_t column = 0; column < grams_.front().size(); ++column) {
            Gram sum(inputs_);
            for (const auto& segment : grams_) sum.add(segment[column]);
            coefficients_.push_back(solve(sum));
        }
        grams_.clear();
    }
    void apply(std::size_t, Piece& piece) override {
        prepare(piece);
        std::vector<double> sum(piece.count);
        if (columns_) {
            for (std::size_t at = 0; at < piece.count; ++at)
                for (std::size_t i = 0; i < inputs_; ++i) sum[at] += coefficients_[at % row_][i] * static_cast<double>(piece.x[i][at]);
        } else if (rows_) {
            for (std::size_t begin = 0; begin < piece.count; begin += row_) {
                Gram gram(inputs_);
                gram.add(piece.x, begin, row_);
                const Coefficients found = solve(gram);
                for (std::size_t i = 0; i < inputs_; ++i)
                    kernel::accumulate_exactly(piece.x[i] + begin, found[i], sum.data() + begin, row_);
            }
        } else {
            for (std::size_t i = 0; i < inputs_; ++i) kernel::accumulate_exactly(piece.x[i], coefficients_[0][i], sum.data(), piece.count);
        }
        if (from_base()) kernel::accumulate_exactly(piece.base, 1.0, sum.data(), piece.count);
        kernel::narrow(sum.data(), piece.out, piece.count);
        kernel::round(task_.working, piece.out, piece.count);
    }

private:
    // Whether the inputs are taken as differences from the base.
    bool from_base() const { return task_.base.has_value() && task_.method != MergeMethod::slerp; }

    void prepare(Piece& piece) const {
        if (task_.method == MergeMethod::slerp) piece.x.insert(piece.x.begin(), piece.base);
        if (from_base())
            for (float* x : piece.x) kernel::subtract(task_.working, x, piece.base, x, piece.count);
    }

    Coefficients solve(const Gram& gram) const {
        const TensorParameters& p = task_.parameters;
        std::vector<double> weights;
        for (const MergeInput& input : task_.inputs) weights.push_back(input.parameters.weight);
        switch (task_.method) {
            case MergeMethod::slerp: return slerp(gram, p.t, false);
            case MergeMethod::nuslerp: {
                const double sum = weights[0] + weights[1];
                return slerp(gram, std::fabs(sum) < 1e-6 ? 0.5 : weights[1] / sum, true);
            }
            case MergeMethod::multislerp: return multislerp(gram, weights, p.normalize_weights, p.eps);
            case MergeMethod::karcher: return karcher(gram, p.max_iter, p.tolerance);
            default: return model_stock(gram);
        }
    }

    const TensorTask& task_;
    std::size_t inputs_;
    std::size_t row_;
    bool rows_ = false, columns_ = false;
    std::vector<std::vector<Gram>> grams_;  // of each segment; one, or one a column
    std::vector<Coefficients> coefficients_;
};

}  // namespace

std::unique_ptr<TensorMethod> spherical_method(const TensorTask& task) { return std::make_unique<Spherical>(task); }

}  // namespace hanse::forge
