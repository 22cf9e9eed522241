// SPDX-License-Identifier: Apache-2.0
#include "forge/merge.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <format>
#include <mutex>

#include "catalog/files.hpp"
#include "forge/numbers.hpp"
#include "json_text.hpp"
#include "layer_name.hpp"
#include "merge_output.hpp"
#include "merge_plan.hpp"
#include "part_output.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::size_t piece_elements = 8192;
constexpr std::uint64_t segment_elements = 1U << 20U;
constexpr std::uint64_t stretch_bytes = 4U << 20U;

std::uint64_t mixed(std::uint64_t seed, std::string_view name) {
    std::uint64_t hash = 0xCBF29CE484222325U ^ seed;  // FNV-1a
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return hash;
}

// A worker's own memory, kept from tensor to tensor.
struct Scratch {
    std::vector<std::byte> raw;
    std::vector<std::vector<float>> x;
    std::vector<float> base, out, row;
    FileBuffer file;
};

// One tensor's way from its inputs through a method to the output.
class TensorRun {
public:
    TensorRun(const MergePlan& plan, const TensorTask& task, std::size_t index, TensorWriter& writer, std::vector<Scratch>& scratch,
              std::uint64_t seed, std::atomic<std::uint64_t>& done)
        : plan_(plan),
          task_(task),
          index_(index),
          writer_(writer),
          scratch_(scratch),
          method_(tensor_method(task, mixed(seed, task.out.name))),
          done_(done) {
        mapped_ = plan.tokens && is_vocabulary_tensor(task.out.name);
        const bool quantised = is_quantised(task.out.type) ||
                               std::ranges::any_of(task.inputs, [&](const MergeInput& each) { return is_quantised(source(each).type); }) ||
                               (task.base && is_quantised(source(*task.base).type));
        unit_ = method_->by_rows() || mapped_ || quantised ? task.out.row() : 1;
        piece_ = std::max<std::uint64_t>(1, piece_elements / unit_) * unit_;
        const std::uint64_t elements = task.out.elements();
        const std::uint64_t wanted = std::clamp<std::uint64_t>(elements / segment_elements, 1, method_->segments_most());
        segment_ = std::max<std::uint64_t>(piece_, ((elements + wanted - 1) / wanted + unit_ - 1) / unit_ * unit_);
        segments_ = elements == 0 ? 0 : static_cast<std::size_t>((elements + segment_ - 1) / segment_);
    }

    Result<void> run(Crew& crew) {
        for (unsigned pass = 0; pass < method_->passes(); ++pass) {
            method_->begin(pass, segments_);
            auto done = crew.for_each(segments_, [&](std::size_t segment, unsigned worker) {
                return walk(segment, worker, [&](Piece& piece) -> Result<void> {
                    method_->look(pass, segment, piece);
                    return {};
                });
            });
            if (!done) return done;
            method_->end(pass);
        }
        auto done = crew.for_each(segments_, [&](std::size_t segment, unsigned worker) {
            Stretch stretch{place_in_file(segment * segment_), {}, 0};
            auto walked = walk(segment, worker, [&](Piece& piece) {
                method_->apply(segment, piece);
                return store(piece, stretch, scratch_[worker].file);
            });
            if (!walked) return walked;
            return flush(stretch);
        });
        if (!done) return done;
        return writer_.complete(index_);
    }

private:
    const Tensor& source(const MergeInput& input) const { return plan_.models[input.model].tensor(input.tensor); }

    template <typename Use>
    Result<void> walk(std::size_t segment, unsigned worker, const Use& use) {
        Scratch& mine = scratch_[worker];
        mine.x.resize(std::max(mine.x.size(), task_.inputs.size()));
        for (auto* buffer : {&mine.base, &mine.out}) buffer->resize(std::max<std::size_t>(buffer->size(), piece_));
        for (auto& buffer : mine.x) buffer.resize(std::max<std::size_t>(buffer.size(), piece_));
        const std::uint64_t end = std::min(task_.out.elements(), (segment + 1) * segment_);
        for (std::uint64_t first = segment * segment_; first < end; first += piece_) {
            Piece piece{first, static_cast<std::size_t>(std::min(piece_, end - first)), {}, nullptr, mine.out.data()};
            for (std::size_t i = 0; i < task_.inputs.size(); ++i) {
                piece.x.push_back(mine.x[i].data());
                if (auto done = load(task_.inputs[i], piece, piece.x.back(), mine); !done) return done;
            }
            if (task_.base) {
                piece.base = mine.base.data();
                if (auto done = load(*task_.base, piece, piece.base, mine); !done) return done;
            }
            if (auto done = use(piece); !done) return done;
        }
        return {};
    }

    Result<void> read(std::size_t model, std::size_t tensor, std::uint64_t first, std::size_t count, float* to, Scratch& mine) {
        const Tensor& from = plan_.models[model].tensor(tensor);
        const Block unit = block(from.type);
        const std::size_t bytes = count / unit.elements * unit.bytes;
        mine.raw.resize(std::max(mine.raw.size(), bytes));
        const std::span<std::byte> raw(mine.raw.data(), bytes);
        if (auto done = plan_.models[model].read(tensor, first / unit.elements * unit.bytes, raw); !done) return done;
        to_floats(from.type, raw, std::span(to, count));
        done_ += bytes;
        return {};
    }

    Result<void> load(const MergeInput& input, const Piece& piece, float* to, Scratch& mine) {
        if (mapped_) {
            if (auto done = load_rows(input, piece, to, mine); !done) return done;
        } else if (auto done = read(input.model, input.tensor, piece.first, piece.count, to, mine); !done) {
            return done;
        }
        const TensorType type = source(input).type;
        const bool exact = task_.working == Working::f32 || (type == TensorType::bf16 && task_.working == Working::bf16) ||
                           (type == TensorType::f16 && task_.working == Working::f16);
        if (!exact || mapped_)
            for (std::size_t i = 0; i < piece.count; ++i) to[i] = rounded(task_.working, to[i]);
        return {};
    }

    // Rows of the embedding as the output's vocabulary orders them.
    Result<void> load_rows(const MergeInput& input, const Piece& piece, float* to, Scratch& mine) {
        const std::uint64_t row = task_.out.row();
        mine.row.resize(std::max<std::size_t>(mine.row.size(), row));
        for (std::uint64_t at = 0; at < piece.count; at += row) {
            const TokenMap::Row& from = plan_.tokens->rows[input.model][(piece.first + at) / row];
            std::fill_n(to + at, row, 0.0F);
            for (const auto& [model, number] : from) {
                const auto tensor = tensor_in(model, input);
                if (!tensor || number >= plan_.models[model].tensor(*tensor).shape[0])
                    return base::fail(ErrorKind::invalid,
                                      std::format("{} has no row {} in {}", plan_.names[model].path, number, task_.out.name));
                if (auto done = read(model, *tensor, number * row, row, mine.row.data(), mine); !done) return done;
                for (std::uint64_t i = 0; i < row; ++i) to[at + i] += mine.row[i];
            }
            if (from.size() > 1)
                for (std::uint64_t i = 0; i < row; ++i) to[at + i] /= static_cast<float>(from.size());
        }
        return {};
    }

    std::optional<std::size_t> tensor_in(std::size_t model, const MergeInput& input) const {
        if (model == input.model) return input.tensor;
        if (const auto found = plan_.models[model].find(task_.out.name)) return found;
        return plan_.models[model].find(tied_to(task_.out.name));
    }

    // What has been made of the output and is not written yet: one disk access for many pieces.
    struct Stretch {
        std::uint64_t offset;  // in the tensor
        std::span<std::byte> bytes;
        std::size_t used;
    };

    std::uint64_t place_in_file(std::uint64_t element) const {
        const Block unit = block(task_.out.type);
        return element / unit.elements * unit.bytes;
    }

    Result<void> store(const Piece& piece, Stretch& stretch, FileBuffer& file) {
        const auto size = static_cast<std::size_t>(place_in_file(piece.count));
        if (stretch.used + size > stretch.bytes.size()) {
            if (auto done = flush(stretch); !done) return done;
            const std::uint64_t left =
                place_in_file(std::min(task_.out.elements(), (piece.first / segment_ + 1) * segment_)) - stretch.offset;
            stretch.bytes = file.at(writer_.file_offset(index_) + stretch.offset,
                                    std::max(size, static_cast<std::size_t>(std::min(left, stretch_bytes))));
        }
        const auto to = stretch.bytes.subspan(stretch.used, size);
        stretch.used += size;
        return from_floats(task_.out.type, std::span(piece.out, piece.count),
                           block(task_.out.type).elements > 1 ? task_.out.row() : piece.count, to);
    }

    Result<void> flush(Stretch& stretch) {
        if (auto done = writer_.write(index_, stretch.offset, stretch.bytes.first(stretch.used)); !done) return done;
        done_ += stretch.used;
        stretch = {stretch.offset + stretch.used, {}, 0};
        return {};
    }

    const MergePlan& plan_;
    const TensorTask& task_;
    std::size_t index_;
    TensorWriter& writer_;
    std::vector<Scratch>& scratch_;
    std::unique_ptr<TensorMethod> method_;
    std::atomic<std::uint64_t>& done_;
    bool mapped_ = false;
    std::uint64_t unit_ = 1, piece_ = 1, segment_ = 1;
    std::size_t segments_ = 0;
};

// Bytes of one tensor to another place, unchanged.
Result<void> copy_tensor(const MergePlan& plan, const MergeInput& from, std::size_t index, TensorWriter& writer, Crew& crew,
                         std::vector<Scratch>& scratch, std::atomic<std::uint64_t>& done_bytes) {
    constexpr std::uint64_t piece = 1U << 20U;
    const std::uint64_t size = plan.models[from.model].tensor(from.tensor).bytes();
    auto done = crew.for_each((size + piece - 1) / piece, [&](std::size_t i, unsigned worker) -> Result<void> {
        const auto bytes = scratch[worker].file.at(writer.file_offset(index) + i * piece, std::min(piece, size - i * piece));
        if (auto read = plan.models[from.model].read(from.tensor, i * piece, bytes); !read) return read;
        done_bytes += 2 * bytes.size();
        return writer.write(index, i * piece, bytes);
    });
    if (!done) return done;
    return writer.complete(index);
}

}  // namespace

struct Merge::State {
    MergeRecipe recipe;
    MergeOptions options;
    MergePlan plan;
    MergeSummary summary;
};

Merge::Merge(std::unique_ptr<State> state) : state_(std::move(state)) {}
Merge::Merge(Merge&&) noexcept = default;
Merge& Merge::operator=(Merge&&) noexcept = default;
Merge::~Merge() = default;

const MergeSummary& Merge::summary() const { return state_->summary; }

Result<Merge> Merge::plan(const MergeRecipe& recipe, const MergeOptions& options) {
    auto state = std::make_unique<State>(recipe, options);
    auto plan = plan_tensors(state->recipe);
    if (!plan) return std::unexpected(plan.error());
    state->plan = std::move(*plan);
    MergeSummary& summary = state->summary;
    summary.method = recipe.method;
    summary.format = state->plan.format;
    summary.layers = state->plan.layers;
    for (std::size_t i = 0; i < state->plan.models.size(); ++i)
        summary.parents.push_back({state->plan.names[i].path, state->plan.models[i].path(), state->plan.models[i].file_bytes()});
    for (const TensorTask& task : state->plan.tasks) {
        summary.tensors.push_back(task.out);
        summary.copied_tensors += task.copied ? 1 : 0;
        summary.bytes_to_read += bytes_read(state->plan, task);
        summary.bytes_to_write += task.out.bytes();
    }
    if (auto checked = check_output(state->plan, recipe, options.output); !checked) return std::unexpected(checked.error());
    return Merge(std::move(state));
}

Result<void> Merge::run(Crew& crew, const MergeProgress& progress, const Signer& signer) {
    State& state = *state_;
    if (state.options.digests)
        if (auto done = digest_parents(state.plan, state.summary, crew); !done) return done;
    TensorPlan layout{state.plan.format, output_metadata(state.plan, state.recipe, state.summary, state.options.seed),
                      state.summary.tensors, 0};
    fs::path file = state.options.output;
    if (layout.format == TensorFormat::safetensors) {
        if (state.summary.bytes_to_write > state.options.shard_bytes) layout.shard_bytes = state.options.shard_bytes;
        else file /= "model.safetensors";
    }
    auto writer = TensorWriter::create(file, std::move(layout), resume_key(state.recipe, state.summary, state.options.seed));
    if (!writer) return std::unexpected(writer.error());

    std::vector<Scratch> scratch(crew.size());
    std::atomic<std::uint64_t> done_bytes = 0;
    const std::uint64_t total = state.summary.bytes_to_read + state.summary.bytes_to_write;
    std::uint64_t resumed = 0;
    for (std::size_t i = 0; i < state.plan.tasks.size(); ++i) {
        const TensorTask& task = state.plan.tasks[i];
        if (writer->done(i)) {
            resumed += bytes_read(state.plan, task) + task.out.bytes();
            continue;
        }
        auto done = task.copied ? copy_tensor(state.plan, task.inputs.front(), i, *writer, crew, scratch, done_bytes)
                                : TensorRun(state.plan, task, i, *writer, scratch, state.options.seed, done_bytes).run(crew);
        if (!done) return done;
        if (progress) progress(std::min(total, done_bytes + resumed), total, resumed);
    }
    if (auto done = writer->finish(); !done) return done;
    if (auto done = write_companions(state.plan, state.recipe, state.options.output); !done) return done;
    return write_manifest(state.plan, state.recipe, state.summary, state.options, *writer, crew, signer);
}

}  // namespace hanse::forge
