// SPDX-License-Identifier: Apache-2.0
#include "forge/convert.hpp"

#include <algorithm>
#include <atomic>
#include <format>

#include "catalog/files.hpp"
#include "forge/numbers.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
using base::Result;

namespace {

constexpr std::uint64_t piece_elements = 1U << 16U;

struct Scratch {
    std::vector<std::byte> raw;
    std::vector<float> numbers;
};

// Row `out` of the one layout is this row of the other. A head's rows are two halves (Hugging Face) or adjacent pairs (ggml).
std::uint64_t source_row(std::uint64_t out, std::uint64_t rows, std::uint64_t heads, Conversion::Direction direction) {
    const std::uint64_t size = rows / heads, half = size / 2, head = out / size, at = out % size;
    const std::uint64_t in = direction == Conversion::Direction::to_gguf ? at % 2 * half + at / 2 : at % half * 2 + at / half;
    return head * size + in;
}

class Mover {
public:
    Mover(const Conversion& conversion, const TensorFile& model, TensorWriter& writer, std::vector<Scratch>& scratch,
          std::atomic<std::uint64_t>& done)
        : conversion_(conversion),
          model_(model),
          writer_(writer),
          scratch_(scratch),
          done_(done) {}

    Result<void> move(std::size_t index, Crew& crew) {
        const Tensor& out = conversion_.plan.tensors[index];
        // A vector is a column: its elements are rows of one.
        row_ = out.shape.size() < 2 ? 1 : out.row();
        rows_ = out.elements() / row_;
        const bool whole_rows = out.shape.size() >= 2 || conversion_.moves[index].heads > 0;
        const std::uint64_t most = whole_rows ? std::max<std::uint64_t>(1, piece_elements / row_) : piece_elements;
        const std::uint64_t pieces = (rows_ + most - 1) / most;
        auto done = crew.for_each(pieces, [&](std::size_t piece, unsigned worker) {
            return move_rows(index, piece * most, std::min(most, rows_ - piece * most), scratch_[worker]);
        });
        if (!done) return done;
        return writer_.complete(index);
    }

private:
    Result<void> move_rows(std::size_t index, std::uint64_t first, std::uint64_t count, Scratch& mine) {
        const TensorMove& move = conversion_.moves[index];
        const Tensor& out = conversion_.plan.tensors[index];
        mine.numbers.resize(count * row_);
        TensorType from = TensorType::f32;
        if (!move.made.empty()) {
            std::copy_n(move.made.begin() + static_cast<std::ptrdiff_t>(first * row_), count * row_, mine.numbers.begin());
        } else {
            from = model_.tensor(move.source).type;
            const Block unit = block(from);
            const std::uint64_t row_bytes = row_ * unit.bytes / unit.elements;
            mine.raw.resize(count * row_bytes);
            if (move.heads == 0) {
                if (auto done = model_.read(move.source, first * row_bytes, mine.raw); !done) return done;
            } else {
                for (std::uint64_t r = 0; r < count; ++r)
                    if (auto done = model_.read(move.source, source_row(first + r, rows_, move.heads, conversion_.direction) * row_bytes,
                                                std::span(mine.raw).subspan(r * row_bytes, row_bytes));
                        !done)
                        return done;
            }
        }
        const Block unit = block(out.type);
        const std::uint64_t row_bytes = row_ * unit.bytes / unit.elements;
        if (move.made.empty() && from == out.type) {
            done_ += mine.raw.size();
            return writer_.write(index, first * row_bytes, mine.raw);
        }
        if (move.made.empty()) to_floats(from, mine.raw, mine.numbers);
        mine.raw.resize(count * row_bytes);
        if (auto done = from_floats(out.type, mine.numbers, out.shape.size() < 2 ? mine.numbers.size() : row_, mine.raw); !done)
            return done;
        done_ += mine.raw.size();
        return writer_.write(index, first * row_bytes, mine.raw);
    }

    const Conversion& conversion_;
    const TensorFile& model_;
    TensorWriter& writer_;
    std::vector<Scratch>& scratch_;
    std::atomic<std::uint64_t>& done_;
    std::uint64_t row_ = 1, rows_ = 1;
};

}  // namespace

std::uint64_t Conversion::bytes() const {
    std::uint64_t sum = 0;
    for (const Tensor& tensor : plan.tensors) sum += tensor.bytes();
    return sum;
}

Result<void> run_conversion(const Conversion& conversion, const TensorFile& model, const fs::path& output, Crew& crew,
                            const ConvertProgress& progress) {
    const bool folder = conversion.direction == Conversion::Direction::to_folder;
    TensorPlan plan = conversion.plan;
    const std::uint64_t total = conversion.bytes();
    if (folder && total > 5'000'000'000) plan.shard_bytes = 5'000'000'000;
    const fs::path file = folder && plan.shard_bytes == 0 ? output / "model.safetensors" : output;
    // The same source and the same plan give the same bytes.
    std::error_code error;
    const auto changed = fs::last_write_time(model.files().front(), error);
    const std::string recipe =
        std::format("convert {} {} {}", fs::absolute(model.path(), error).string(), model.file_bytes(), changed.time_since_epoch().count());
    auto writer = TensorWriter::create(file, std::move(plan), recipe);
    if (!writer) return std::unexpected(writer.error());
    std::vector<Scratch> scratch(crew.size());
    std::atomic<std::uint64_t> done_bytes = 0;
    std::uint64_t resumed = 0;
    for (std::size_t i = 0; i < conversion.plan.tensors.size(); ++i) {
        if (writer->done(i)) resumed += conversion.plan.tensors[i].bytes();
        else if (auto done = Mover(conversion, model, *writer, scratch, done_bytes).move(i, crew); !done) return done;
        if (progress) progress(done_bytes + resumed, total, resumed);
    }
    if (auto done = writer->finish(); !done) return done;
    for (const auto& [name, content] : conversion.files)
        if (auto done = catalog::write_file_whole(output / name, content); !done) return done;
    return {};
}

}  // namespace hanse::forge
