// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <format>

#include "forge/lora.hpp"
#include "forge/numbers.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::string_view end_a = ".lora_a";
constexpr std::string_view end_b = ".lora_b";
constexpr std::uint64_t length_max = 1U << 30;
constexpr std::size_t parts_max = 4096;

std::string part_key(std::size_t part, std::string_view field) { return std::format("hanse.lora.{}.{}", part, field); }

}  // namespace

Result<void> write_adapter(const std::filesystem::path& path, const Adapter& adapter) {
    if (adapter.tensors.empty()) return fail(ErrorKind::invalid, "an adapter without a tensor changes nothing");
    TensorPlan plan{TensorFormat::gguf, {}, {}, 0};
    plan.metadata.set("general.type", std::string("adapter"));
    plan.metadata.set("general.architecture", adapter.architecture);
    plan.metadata.set("adapter.type", std::string("lora"));
    plan.metadata.set("adapter.lora.alpha", adapter.alpha);
    std::vector<std::string> names;
    for (const auto& [name, change] : adapter.tensors) names.push_back(name);
    if (!adapter.parts.empty()) plan.metadata.set("hanse.lora.tensors", names);
    for (std::size_t i = 0; i < adapter.parts.size(); ++i) {
        std::vector<std::uint32_t> ranks;
        for (const auto& name : names) {
            const auto found = adapter.parts[i].ranks.find(name);
            ranks.push_back(found == adapter.parts[i].ranks.end() ? 0 : found->second);
        }
        plan.metadata.set(part_key(i, "name"), adapter.parts[i].name);
        plan.metadata.set(part_key(i, "ranks"), ranks);
    }
    for (const auto& [name, change] : adapter.tensors) {
        plan.tensors.push_back({name + std::string(end_a), TensorType::f32, {change.rank, change.ins}});
        plan.tensors.push_back({name + std::string(end_b), TensorType::f32, {change.outs, change.rank}});
    }
    auto writer = TensorWriter::create(path, std::move(plan));
    if (!writer) return std::unexpected(writer.error());
    std::size_t tensor = 0;
    for (const auto& [name, change] : adapter.tensors) {
        for (const auto* values : {&change.a, &change.b}) {
            if (auto wrote = writer->write(tensor, 0, std::as_bytes(std::span(*values))); !wrote) return wrote;
            if (auto done = writer->complete(tensor++); !done) return done;
        }
    }
    return writer->finish();
}

Result<Adapter> read_adapter(const std::filesystem::path& path) {
    auto file = TensorFile::open(path);
    if (!file) return std::unexpected(file.error());
    const auto wrong = [&](std::string_view field, std::string_view what) {
        return fail(ErrorKind::corrupt, std::format("{}, {}: {}", path.string(), field, what), "invalid_adapter", std::string(field));
    };
    const auto& metadata = file->metadata();
    if (metadata.text("general.type") != "adapter" || metadata.text("adapter.type") != "lora")
        return wrong("general.type", "this is no LoRA adapter");
    const auto alpha = metadata.number("adapter.lora.alpha");
    if (!alpha || !std::isfinite(*alpha)) return wrong("adapter.lora.alpha", "it is missing or no number");
    Adapter adapter;
    adapter.architecture = metadata.text("general.architecture");
    adapter.alpha = static_cast<float>(*alpha);
    for (std::size_t i = 0; i < file->tensors().size(); ++i) {
        const auto& a = file->tensor(i);
        if (a.name.ends_with(end_b)) continue;
        if (!a.name.ends_with(end_a)) return wrong(a.name, "its name ends neither in .lora_a nor in .lora_b");
        const auto name = a.name.substr(0, a.name.size() - end_a.size());
        const auto place = file->find(name + std::string(end_b));
        if (!place) return wrong(name, "its .lora_b is missing");
        const auto& b = file->tensor(*place);
        if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] != b.shape[1] || a.shape[1] > length_max || b.shape[0] > length_max ||
            !is_real(a.type) || !is_real(b.type))
            return wrong(name, "its two matrices do not fit each other");
        LowRank change{static_cast<std::uint32_t>(b.shape[0]), static_cast<std::uint32_t>(a.shape[1]),
                       static_cast<std::uint32_t>(a.shape[0]), std::vector<float>(a.elements()), std::vector<float>(b.elements())};
        to_floats(a.type, file->bytes(i), change.a);
        to_floats(b.type, file->bytes(*place), change.b);
        adapter.tensors.emplace(name, std::move(change));
    }
    if (file->tensors().size() != 2 * adapter.tensors.size()) return wrong("tensors", "a .lora_b has no .lora_a");
    const auto* names = metadata.get<std::vector<std::string>>("hanse.lora.tensors");
    std::map<std::string, std::uint64_t> sums;
    for (std::size_t i = 0; names != nullptr && metadata.find(part_key(i, "name")) != nullptr && i < parts_max; ++i) {
        const auto* ranks = metadata.get<std::vector<std::uint32_t>>(part_key(i, "ranks"));
        if (ranks == nullptr || ranks->size() != names->size())
            return wrong(part_key(i, "ranks"), "it does not have one rank for each tensor");
        Adapter::Part part{metadata.text(part_key(i, "name")), {}};
        for (std::size_t j = 0; j < names->size(); ++j) {
            if ((*ranks)[j] > 0) part.ranks[(*names)[j]] = (*ranks)[j];
            sums[(*names)[j]] += (*ranks)[j];
        }
        adapter.parts.push_back(std::move(part));
    }
    if (!adapter.parts.empty())
        for (const auto& [name, change] : adapter.tensors)
            if (sums[name] != change.rank) return wrong(name, "the ranks of the parts do not add up to its rank");
    if (!adapter.parts.empty() && sums.size() != adapter.tensors.size())
        return wrong("hanse.lora.tensors", "it names a tensor that is not there");
    return adapter;
}

}  // namespace hanse::forge
