// SPDX-License-Identifier: Apache-2.0
#include "forge/tensor_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <format>
#include <unordered_set>

#include "catalog/files.hpp"
#include "json_text.hpp"
#include "part_output.hpp"
#include "printable.hpp"
#include "progress_record.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

namespace {

struct Place {
    std::size_t output = 0;
    std::uint64_t offset = 0;
};

// The plan of each file: one, or several of at most shard_bytes.
std::vector<std::vector<std::size_t>> shards_of(const TensorPlan& plan) {
    std::vector<std::vector<std::size_t>> shards(1);
    std::uint64_t filled = 0;
    for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
        const std::uint64_t bytes = plan.tensors[i].bytes();
        if (plan.shard_bytes != 0 && !shards.back().empty() && filled + bytes > plan.shard_bytes) {
            shards.emplace_back();
            filled = 0;
        }
        shards.back().push_back(i);
        filled += bytes;
    }
    return shards;
}

std::string shard_name(std::size_t index, std::size_t count) { return std::format("model-{:05}-of-{:05}.safetensors", index + 1, count); }

}  // namespace

struct TensorWriter::State {
    fs::path path;
    TensorPlan plan;
    std::vector<PartOutput> outputs;
    std::vector<Place> places;
    std::vector<std::atomic<bool>> complete;
    std::vector<bool> from_before;
    std::optional<ProgressRecord> progress;
    std::uint64_t bytes = 0;
    bool finished = false;

    bool sharded() const { return plan.shard_bytes != 0; }

    std::string index() const {
        std::uint64_t total = 0;
        std::string map;
        for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
            total += plan.tensors[i].bytes();
            map += std::format("{}\n    {}: \"{}\"", map.empty() ? "" : ",", json_text(plan.tensors[i].name),
                               outputs[places[i].output].path().filename().string());
        }
        return std::format("{{\n  \"metadata\": {{\"total_size\": {}}},\n  \"weight_map\": {{{}\n  }}\n}}\n", total, map);
    }

    Result<void> lay_out(std::vector<std::string>& heads) {
        const auto shards = shards_of(plan);
        places.resize(plan.tensors.size());
        for (std::size_t s = 0; s < shards.size(); ++s) {
            TensorPlan part{plan.format, plan.metadata, {}, 0};
            for (const std::size_t i : shards[s]) part.tensors.push_back(plan.tensors[i]);
            auto layout = plan.format == TensorFormat::gguf ? lay_out_gguf(part) : lay_out_safetensors(part);
            if (!layout) return std::unexpected(layout.error());
            for (std::size_t k = 0; k < shards[s].size(); ++k) places[shards[s][k]] = {s, layout->offsets[k]};
            outputs.emplace_back(sharded() ? path / shard_name(s, shards.size()) : path, layout->file_bytes);
            heads.push_back(std::move(layout->head));
            bytes += layout->file_bytes;
        }
        return {};
    }

    // Parts that are there already, whole in length and with the very same head.
    bool can_go_on(const std::vector<std::string>& heads) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (!outputs[i].reopen(heads[i])) return false;
        return true;
    }
};

TensorWriter::TensorWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
TensorWriter::TensorWriter(TensorWriter&&) noexcept = default;
TensorWriter& TensorWriter::operator=(TensorWriter&&) noexcept = default;

TensorWriter::~TensorWriter() {
    if (!state_ || state_->finished || state_->progress) return;
    for (PartOutput& output : state_->outputs) output.remove();
}

Result<TensorWriter> TensorWriter::create(const fs::path& path, TensorPlan plan, std::string_view recipe) {
    std::unordered_set<std::string_view> names;
    for (const Tensor& tensor : plan.tensors) {
        if (!names.insert(tensor.name).second)
            return base::fail(ErrorKind::invalid, std::format("tensor {} is planned twice", printable(tensor.name)));
        if (tensor.row() % block(tensor.type).elements != 0)
            return base::fail(ErrorKind::invalid, std::format("tensor {}: rows of {} are no whole blocks of {}", printable(tensor.name),
                                                              tensor.row(), name(tensor.type)));
    }
    auto state = std::make_unique<State>();
    state->path = path;
    state->plan = std::move(plan);
    state->complete = std::vector<std::atomic<bool>>(state->plan.tensors.size());
    state->from_before.resize(state->plan.tensors.size());
    std::vector<std::string> heads;
    if (auto done = state->lay_out(heads); !done) return std::unexpected(done.error());
    std::error_code error;
    const fs::path folder = state->sharded() ? path : path.parent_path();
    if (!folder.empty()) fs::create_directories(folder, error);
    const fs::path progress = state->sharded() ? path / "model.progress" : fs::path(path.string() + ".progress");
    std::vector<std::size_t> before;
    if (!recipe.empty()) before = ProgressRecord::read(progress, recipe);
    if (!before.empty() && state->can_go_on(heads)) {
        for (const std::size_t tensor : before)
            if (tensor < state->complete.size()) state->complete[tensor] = state->from_before[tensor] = true;
    } else {
        before.clear();
        for (std::size_t i = 0; i < heads.size(); ++i)
            if (auto done = state->outputs[i].begin(heads[i]); !done) {
                for (PartOutput& output : state->outputs) output.remove();
                return std::unexpected(done.error());
            }
    }
    if (!recipe.empty()) {
        auto record = ProgressRecord::begin(progress, recipe, before);
        if (!record) return std::unexpected(record.error());
        state->progress = std::move(*record);
    }
    return TensorWriter(std::move(state));
}

const TensorPlan& TensorWriter::plan() const { return state_->plan; }
std::uint64_t TensorWriter::file_bytes() const { return state_->bytes; }
bool TensorWriter::done(std::size_t tensor) const { return state_->from_before[tensor]; }
const fs::path& TensorWriter::path() const { return state_->path; }

Result<void> TensorWriter::write(std::size_t tensor, std::uint64_t offset, std::span<const std::byte> bytes) {
    const Tensor& planned = state_->plan.tensors[tensor];
    if (const std::uint64_t size = planned.bytes(); offset > size || bytes.size() > size - offset)
        return base::fail(ErrorKind::bug, std::format("tensor {} was given bytes beyond its end", printable(planned.name)));
    const Place& place = state_->places[tensor];
    return state_->outputs[place.output].write(place.offset + offset, bytes);
}

std::uint64_t TensorWriter::file_offset(std::size_t tensor) const { return state_->places[tensor].offset; }

Result<void> TensorWriter::complete(std::size_t tensor) {
    if (state_->complete[tensor].exchange(true) || !state_->progress) return {};
    return state_->progress->add(tensor);
}

Result<void> TensorWriter::finish() {
    for (std::size_t i = 0; i < state_->complete.size(); ++i)
        if (!state_->complete[i])
            return base::fail(ErrorKind::bug, std::format("tensor {} was not written", printable(state_->plan.tensors[i].name)));
    for (PartOutput& output : state_->outputs)
        if (auto done = output.sync(); !done) return done;
    for (PartOutput& output : state_->outputs)
        if (auto done = output.give_name(); !done) return done;
    if (state_->sharded())
        if (auto done = catalog::write_file_whole(state_->path / "model.safetensors.index.json", state_->index()); !done) return done;
    state_->finished = true;
    if (state_->progress) state_->progress->remove();
    return {};
}

}  // namespace hanse::forge
