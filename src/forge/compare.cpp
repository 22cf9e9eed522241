// SPDX-License-Identifier: Apache-2.0
#include "forge/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "forge/numbers.hpp"

namespace hanse::forge {
namespace {

using base::Result;
constexpr std::uint64_t piece_elements = 1U << 16U;

struct Sums {
    std::uint64_t differing = 0;
    double largest = 0, squares = 0, first_squares = 0;
};

struct Buffers {
    std::vector<std::byte> raw[2];
    std::vector<float> numbers[2];
};

Result<void> compare_piece(const TensorFile* files[2], const std::size_t tensors[2], std::uint64_t first, std::size_t count, Buffers& mine,
                           Sums& sums) {
    bool same_type = true;
    for (int side = 0; side < 2; ++side) {
        const Tensor& tensor = files[side]->tensor(tensors[side]);
        const Block unit = block(tensor.type);
        mine.raw[side].resize(count / unit.elements * unit.bytes);
        if (auto done = files[side]->read(tensors[side], first / unit.elements * unit.bytes, mine.raw[side]); !done) return done;
        same_type &= tensor.type == files[0]->tensor(tensors[0]).type;
    }
    const TensorType type = files[0]->tensor(tensors[0]).type;
    if (same_type && std::ranges::equal(mine.raw[0], mine.raw[1])) return {};
    if (!is_real(type)) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t width = block(type).bytes;
            sums.differing += std::memcmp(mine.raw[0].data() + i * width, mine.raw[1].data() + i * width, width) != 0 ? 1 : 0;
        }
        return {};
    }
    for (int side = 0; side < 2; ++side) {
        mine.numbers[side].resize(count);
        to_floats(files[side]->tensor(tensors[side]).type, mine.raw[side], mine.numbers[side]);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const float a = mine.numbers[0][i], b = mine.numbers[1][i];
        if (a == b || (std::isnan(a) && std::isnan(b))) continue;
        const double difference = std::fabs(static_cast<double>(a) - static_cast<double>(b));
        ++sums.differing;
        if (std::isnan(difference)) sums.largest = INFINITY;
        else sums.largest = std::max(sums.largest, difference), sums.squares += difference * difference;
    }
    for (const float a : mine.numbers[0]) sums.first_squares += static_cast<double>(a) * static_cast<double>(a);
    return {};
}

}  // namespace

bool ModelDifference::equal() const {
    return metadata.empty() &&
           std::ranges::all_of(tensors, [](const TensorDifference& each) { return each.kind == TensorDifference::Kind::equal; });
}

Result<ModelDifference> compare(const TensorFile& first, const TensorFile& second, Crew& crew) {
    using enum TensorDifference::Kind;
    ModelDifference out;
    std::vector<Buffers> buffers(crew.size());
    for (std::size_t i = 0; i < first.tensors().size(); ++i) {
        const Tensor& tensor = first.tensor(i);
        TensorDifference& made = out.tensors.emplace_back(tensor.name);
        made.elements = tensor.elements();
        const auto other = second.find(tensor.name);
        if (!other) {
            made.kind = only_first;
            continue;
        }
        const Tensor& against = second.tensor(*other);
        if (against.shape != tensor.shape || (against.type != tensor.type && (!is_real(tensor.type) || !is_real(against.type)))) {
            made.kind = against.shape != tensor.shape ? other_shape : other_type;
            continue;
        }
        const std::uint64_t unit = std::max(block(tensor.type).elements, block(against.type).elements) > 1 ? tensor.row() : 1;
        const std::uint64_t piece = std::max<std::uint64_t>(1, piece_elements / unit) * unit;
        const std::uint64_t pieces = (made.elements + piece - 1) / piece;
        std::vector<Sums> sums(pieces);
        const TensorFile* files[2] = {&first, &second};
        const std::size_t tensors[2] = {i, *other};
        auto done = crew.for_each(pieces, [&](std::size_t p, unsigned worker) {
            return compare_piece(files, tensors, p * piece, static_cast<std::size_t>(std::min(piece, made.elements - p * piece)),
                                 buffers[worker], sums[p]);
        });
        if (!done) return std::unexpected(done.error());
        double squares = 0, first_squares = 0;
        for (const Sums& each : sums) {
            made.differing += each.differing;
            made.largest = std::max(made.largest, each.largest);
            squares += each.squares;
            first_squares += each.first_squares;
        }
        made.relative = squares > 0 ? std::sqrt(squares / std::max(first_squares, 1e-300)) : 0;
        made.kind = against.type != tensor.type ? other_type : made.differing > 0 ? values : equal;
    }
    for (const Tensor& tensor : second.tensors())
        if (!first.find(tensor.name)) out.tensors.push_back({tensor.name, only_second, tensor.elements()});
    for (const auto& [key, value] : first.metadata().entries())
        if (const auto* other = second.metadata().find(key); other == nullptr || *other != value) out.metadata.push_back(key);
    for (const auto& [key, value] : second.metadata().entries())
        if (first.metadata().find(key) == nullptr) out.metadata.push_back(key);
    return out;
}

}  // namespace hanse::forge
