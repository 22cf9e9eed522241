// SPDX-License-Identifier: Apache-2.0
#include "forge/lora.hpp"

#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <format>
#include <limits>
#include <mutex>
#include <numbers>

#include "base/encoding.hpp"
#include "forge/matrix_product.hpp"
#include "forge/numbers.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::uint32_t spare_columns = 8;  // of the projection, beyond the rank
constexpr int power_iterations = 2;

Matrix normal_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
    base::SeededRandom random(seed);
    const auto uniform = [&] { return static_cast<double>(random.next() >> 11) * 0x1p-53; };
    Matrix result(rows, columns);
    for (Eigen::Index i = 0; i < result.size(); ++i)
        result.data()[i] = static_cast<float>(std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()));
    return result;
}

// Columns that are orthogonal and span the same.
Matrix orthonormal(const Matrix& matrix) {
    const Eigen::HouseholderQR<Matrix> factors(matrix);
    return factors.householderQ() * Matrix::Identity(matrix.rows(), matrix.cols());
}

MatrixView view(const float* data, std::uint32_t columns, bool transposed = false) { return {data, columns, transposed}; }

double squares(std::span<const float> values) {
    double sum = 0;
    for (const auto one : values) sum += static_cast<double>(one) * one;
    return sum;
}

}  // namespace

Truncated truncate_matrix(std::span<const float> matrix, std::uint32_t rows, std::uint32_t columns, std::uint32_t rank,
                          std::uint64_t seed) {
    const auto least = std::min(rows, columns);
    rank = std::min(rank, least);
    const auto width = std::min(rank + spare_columns, least);
    const auto thin = static_cast<Eigen::Index>(width);
    const auto project = normal_matrix(columns, thin, seed);
    Matrix left(rows, thin), right(columns, thin);
    multiply(rows, width, columns, view(matrix.data(), columns), view(project.data(), width), left.data(), width);
    for (int i = 0; i < power_iterations; ++i) {
        left = orthonormal(left);
        multiply(columns, width, rows, view(matrix.data(), columns, true), view(left.data(), width), right.data(), width);
        right = orthonormal(right);
        multiply(rows, width, columns, view(matrix.data(), columns), view(right.data(), width), left.data(), width);
    }
    left = orthonormal(left);
    // The matrix seen from these columns, transposed: columns × width.
    multiply(columns, width, rows, view(matrix.data(), columns, true), view(left.data(), width), right.data(), width);
    const Eigen::BDCSVD<Eigen::MatrixXf, Eigen::ComputeThinU | Eigen::ComputeThinV> svd(right);
    Truncated result{{rows, columns, rank, {}, {}}, 0};
    result.form.a.resize(static_cast<std::size_t>(rank) * columns);
    result.form.b.resize(static_cast<std::size_t>(rows) * rank);
    const Matrix turned = left * svd.matrixV();
    double kept = 0;
    for (std::uint32_t r = 0; r < rank; ++r) {
        const auto value = svd.singularValues()[r];
        kept += static_cast<double>(value) * value;
        const auto root = std::sqrt(value);
        for (std::uint32_t i = 0; i < columns; ++i) result.form.a[static_cast<std::size_t>(r) * columns + i] = svd.matrixU()(i, r) * root;
        for (std::uint32_t i = 0; i < rows; ++i) result.form.b[static_cast<std::size_t>(i) * rank + r] = turned(i, r) * root;
    }
    const auto all = squares(matrix);
    result.left_over = all > 0 ? std::max(0.0, 1 - kept / all) : 0;
    return result;
}

namespace {

std::vector<float> floats_of(const TensorFile& file, std::size_t tensor) {
    std::vector<float> values(file.tensor(tensor).elements());
    to_floats(file.tensor(tensor).type, file.bytes(tensor), values);
    file.forget(tensor);
    return values;
}

}  // namespace

Result<Extracted> extract_adapter(const TensorFile& base, const TensorFile& tuned, const Extraction& how) {
    if (how.rank == 0) return fail(ErrorKind::invalid, "the rank must be at least 1");
    Extracted result;
    if (auto architecture = base.metadata().text("general.architecture"); !architecture.empty()) result.adapter.architecture = architecture;
    for (std::size_t i = 0; i < base.tensors().size(); ++i) {
        const auto& tensor = base.tensor(i);
        const auto other = tuned.find(tensor.name);
        if (!other || tuned.tensor(*other).shape != tensor.shape)
            return fail(ErrorKind::invalid, std::format("{} is missing in {} or has another shape", tensor.name, tuned.path().string()));
        if (!is_real(tensor.type) || !is_real(tuned.tensor(*other).type)) continue;
        auto change = floats_of(tuned, *other);
        const auto before = floats_of(base, i);
        bool differs = false;
        for (std::size_t j = 0; j < change.size(); ++j) {
            change[j] -= before[j];
            differs = differs || change[j] != 0;
        }
        if (!differs) continue;
        if (tensor.shape.size() != 2 || tensor.shape[0] > std::numeric_limits<std::uint32_t>::max()) {
            if (how.matrices_only) continue;
            return fail(ErrorKind::invalid, std::format("{} differs and is no matrix, so no adapter can hold it", tensor.name),
                        "no_matrix");
        }
        auto made = truncate_matrix(change, static_cast<std::uint32_t>(tensor.shape[0]), static_cast<std::uint32_t>(tensor.shape[1]),
                                    how.rank, how.seed);
        if (made.left_over >= result.left_over_most) {
            result.left_over_most = made.left_over;
            result.left_over_tensor = tensor.name;
        }
        result.adapter.tensors.emplace(tensor.name, std::move(made.form));
    }
    return result;
}

Result<void> merge_adapters(const TensorFile& base, std::span<const ScaledAdapter> adapters, const std::filesystem::path& out, Crew& crew,
                            const ForgeProgress& progress) {
    for (const auto& [adapter, scale] : adapters) {
        for (const auto& [name, change] : adapter->tensors) {
            const auto found = base.find(name);
            if (!found || base.tensor(*found).shape != std::vector<std::uint64_t>{change.outs, change.ins})
                return fail(ErrorKind::invalid,
                            std::format("{} has no tensor {} of {} × {}", base.path().string(), name, change.outs, change.ins));
            if (!can_write(base.tensor(*found).type))
                return fail(ErrorKind::invalid,
                            std::format("{} is {}, which cannot be written anew", name, forge::name(base.tensor(*found).type)));
        }
    }
    auto writer = TensorWriter::create(out, {base.format(), base.metadata(), base.tensors(), 0});
    if (!writer) return std::unexpected(writer.error());
    std::uint64_t done = 0;
    std::mutex mutex;
    auto all = crew.for_each(base.tensors().size(), [&](std::size_t i, unsigned) -> Result<void> {
        const auto& tensor = base.tensor(i);
        std::vector<float> values;
        for (const auto& [adapter, scale] : adapters) {
            const auto change = adapter->tensors.find(tensor.name);
            if (change == adapter->tensors.end()) continue;
            if (values.empty()) values = floats_of(base, i);
            auto left = change->second.b;
            for (auto& one : left) one *= scale * adapter->factor(change->second);
            multiply(change->second.outs, change->second.ins, change->second.rank, view(left.data(), change->second.rank),
                     view(change->second.a.data(), change->second.ins), values.data(), change->second.ins, Into::add);
        }
        if (values.empty()) {
            if (auto wrote = writer->write(i, 0, base.bytes(i)); !wrote) return wrote;
            base.forget(i);
        } else {
            base::Bytes bytes(tensor.bytes());
            if (auto made = from_floats(tensor.type, values, tensor.row(), bytes); !made) return made;
            if (auto wrote = writer->write(i, 0, bytes); !wrote) return wrote;
        }
        const std::lock_guard lock(mutex);
        done += tensor.bytes();
        if (progress) progress(done, base.file_bytes());
        return writer->complete(i);
    });
    if (!all) return all;
    return writer->finish();
}

namespace {

// Columns of B and rows of A, one part after another.
void append(LowRank& to, const LowRank& more, float factor) {
    std::vector<float> b;
    for (std::uint32_t i = 0; i < more.outs; ++i) {
        for (std::uint32_t r = 0; r < to.rank; ++r) b.push_back(to.b[static_cast<std::size_t>(i) * to.rank + r]);
        for (std::uint32_t r = 0; r < more.rank; ++r) b.push_back(more.b[static_cast<std::size_t>(i) * more.rank + r] * factor);
    }
    to.b = std::move(b);
    to.a.insert(to.a.end(), more.a.begin(), more.a.end());
    to.outs = more.outs;
    to.ins = more.ins;
    to.rank += more.rank;
}

void cut(LowRank& from, std::uint32_t first, std::uint32_t count) {
    std::vector<float> b;
    for (std::uint32_t i = 0; i < from.outs; ++i)
        for (std::uint32_t r = 0; r < from.rank; ++r)
            if (r < first || r >= first + count) b.push_back(from.b[static_cast<std::size_t>(i) * from.rank + r]);
    from.b = std::move(b);
    const auto row = static_cast<std::ptrdiff_t>(from.ins);
    from.a.erase(from.a.begin() + first * row, from.a.begin() + (first + count) * row);
    from.rank -= count;
}

}  // namespace

Result<Adapter> stack_adapters(std::span<const NamedAdapter> adapters) {
    if (adapters.empty()) return fail(ErrorKind::invalid, "a stack needs at least one adapter");
    Adapter stack;
    stack.architecture = adapters.front().adapter->architecture;
    for (const auto& [name, adapter, scale] : adapters) {
        if (adapter->architecture != stack.architecture)
            return fail(ErrorKind::invalid,
                        std::format("{} is for {}, the others are for {}", name, adapter->architecture, stack.architecture));
        if (name.empty() || std::ranges::find(stack.parts, name, &Adapter::Part::name) != stack.parts.end())
            return fail(ErrorKind::invalid, std::format("two adapters are called '{}', or one has no name", name));
        Adapter::Part part{name, {}};
        for (const auto& [tensor, change] : adapter->tensors) {
            auto& to = stack.tensors[tensor];
            if (to.rank > 0 && (to.outs != change.outs || to.ins != change.ins))
                return fail(ErrorKind::invalid, std::format("{} has another shape in {} than in the others", tensor, name));
            append(to, change, scale * adapter->factor(change));
            part.ranks[tensor] = change.rank;
        }
        stack.parts.push_back(std::move(part));
    }
    return stack;
}

Result<Adapter> unstack_adapter(const Adapter& stack, std::string_view part) {
    const auto place = std::ranges::find(stack.parts, part, &Adapter::Part::name);
    if (place == stack.parts.end()) return fail(ErrorKind::not_found, std::format("the adapter has no part {}", part));
    auto result = stack;
    for (const auto& [tensor, rank] : place->ranks) {
        std::uint32_t first = 0;
        for (auto before = stack.parts.begin(); before != place; ++before)
            if (const auto found = before->ranks.find(tensor); found != before->ranks.end()) first += found->second;
        auto& from = result.tensors.at(tensor);
        cut(from, first, rank);
        if (from.rank == 0) result.tensors.erase(tensor);
    }
    result.parts.erase(result.parts.begin() + (place - stack.parts.begin()));
    return result;
}

Result<std::vector<std::uint64_t>> core_to_fixed(std::span<const float> core) {
    std::vector<std::uint64_t> fixed;
    for (const auto one : core) {
        if (!(std::abs(one) < 0x1p20F)) return fail(ErrorKind::invalid, "a number of the core is beyond 2^20 or none");
        fixed.push_back(static_cast<std::uint64_t>(static_cast<std::int64_t>(std::llround(static_cast<double>(one) * 0x1p32))));
    }
    return fixed;
}

std::vector<float> mean_core(std::span<const std::uint64_t> sum, std::uint32_t owners) {
    std::vector<float> mean;
    for (const auto one : sum) mean.push_back(static_cast<float>(static_cast<double>(static_cast<std::int64_t>(one)) * 0x1p-32 / owners));
    return mean;
}

LowRank with_core(const LowRank& shared, std::span<const float> core) {
    auto result = shared;
    multiply(shared.outs, shared.rank, shared.rank, view(shared.b.data(), shared.rank), view(core.data(), shared.rank), result.b.data(),
             shared.rank);
    return result;
}

}  // namespace hanse::forge
