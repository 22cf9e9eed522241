// SPDX-License-Identifier: Apache-2.0
#include "forge/mixture.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <format>

#include "assembly.hpp"
#include "crypto/digest.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::string_view parts[] = {"ffn_gate", "ffn_up", "ffn_down"};

// The block's number and which of the three parts it is, of "blk.3.ffn_up.weight" or, stacked, "blk.3.ffn_up_exps.weight".
struct BlockName {
    std::string prefix;  // "blk.3."
    std::string_view part;
    bool stacked;
};
std::optional<BlockName> block_name(std::string_view name) {
    if (!name.starts_with("blk.")) return std::nullopt;
    const auto dot = name.find('.', 4);
    if (dot == std::string_view::npos) return std::nullopt;
    const auto rest = name.substr(dot + 1);
    for (const auto part : parts) {
        if (!rest.starts_with(part)) continue;
        const auto end = rest.substr(part.size());
        if (end == ".weight" || end == "_exps.weight") return BlockName{std::string(name.substr(0, dot + 1)), part, end != ".weight"};
    }
    return std::nullopt;
}
bool is_router(std::string_view name) { return name.ends_with(".ffn_gate_inp.weight"); }
std::string router_name(const BlockName& block) { return block.prefix + "ffn_gate_inp.weight"; }

std::string expert_key(std::size_t expert, std::string_view field) { return std::format("hanse.expert.{}.{}", expert, field); }

// Each field with its key, so that writing and reading cannot differ.
constexpr std::pair<std::string_view, std::string ExpertTerms::*> fields[] = {{"name", &ExpertTerms::name},
                                                                              {"owner", &ExpertTerms::owner},
                                                                              {"licence", &ExpertTerms::licence},
                                                                              {"label", &ExpertTerms::label},
                                                                              {"output_floor", &ExpertTerms::output_floor},
                                                                              {"digest", &ExpertTerms::digest}};

void remove_facts(Metadata& metadata) {
    metadata.remove_all("hanse.mixture.");
    metadata.remove_all("hanse.expert.");
    metadata.remove("llama.expert_count");
    metadata.remove("llama.expert_used_count");
}

// Always at the end and in one order, so that what was never there leaves no trace.
void set_facts(Metadata& metadata, const MixtureFacts& facts) {
    remove_facts(metadata);
    const auto count = static_cast<std::uint32_t>(facts.experts.size());
    metadata.set("llama.expert_count", count);
    metadata.set("llama.expert_used_count", std::min(count, facts.used));
    metadata.set("hanse.mixture.trunk", facts.trunk_digest);
    metadata.set("hanse.mixture.router", facts.router);
    metadata.set("hanse.mixture.used", facts.used);
    if (facts.router == "ridge") metadata.set("hanse.mixture.penalty", facts.ridge.penalty);
    metadata.set("hanse.mixture.temperature", facts.ridge.temperature);
    for (std::size_t i = 0; i < facts.experts.size(); ++i)
        for (const auto& [key, member] : fields) metadata.set(expert_key(i, key), facts.experts[i].*member);
}

template <typename T>
void update(crypto::Sha256& hash, const T& value) {
    hash.update(std::as_bytes(std::span(&value, 1)));
}

Result<void> update_with(crypto::Sha256& hash, const TensorFile& file, std::size_t tensor, base::Bytes& buffer) {
    const auto bytes = file.tensor(tensor).bytes();
    for (std::uint64_t from = 0; from < bytes; from += buffer.size()) {
        const auto size = std::min<std::uint64_t>(buffer.size(), bytes - from);
        const auto to = std::span(buffer).first(size);
        if (auto read = file.read(tensor, from, to); !read) return read;
        hash.update(to);
    }
    return {};
}

// SHA-256 over a dense model's blocks, by block and in the order of `parts`.
Result<std::string> block_digest(const TensorFile& model) {
    crypto::Sha256 hash;
    base::Bytes buffer(1U << 20);
    const auto layers = model.metadata().whole("llama.block_count").value_or(0);
    for (std::uint64_t layer = 0; layer < layers; ++layer) {
        for (const auto part : parts) {
            const auto tensor = model.find(std::format("blk.{}.{}.weight", layer, part));
            if (!tensor)
                return fail(ErrorKind::invalid, std::format("{} has no tensor blk.{}.{}.weight", model.path().string(), layer, part));
            if (auto done = update_with(hash, model, *tensor, buffer); !done) return std::unexpected(done.error());
        }
    }
    return base::hex(hash.finish());
}

Result<void> check_name(std::string_view name, std::span<const ExpertTerms> others) {
    const bool sound = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!sound) return fail(ErrorKind::invalid, std::format("{} is no name for an expert: lower-case letters, digits, '-' and '_'", name));
    if (std::ranges::find(others, name, &ExpertTerms::name) != others.end())
        return fail(ErrorKind::invalid, std::format("two experts are called {}", name));
    return {};
}

base::Bytes bytes_of_rows(const std::vector<float>& rows) {
    const auto bytes = std::as_bytes(std::span(rows));
    return {bytes.begin(), bytes.end()};
}

Result<void> check_router(const Router& router, std::size_t experts, const TensorFile& model) {
    const auto layers = model.metadata().whole("llama.block_count").value_or(0);
    const auto width = model.metadata().whole("llama.embedding_length").value_or(0);
    if (router.experts != experts || router.layers.size() != layers || router.width != width)
        return fail(ErrorKind::invalid, std::format("the router is for {} experts and {} layers of {}, the mixture has {} and {} of {}",
                                                    router.experts, router.layers.size(), router.width, experts, layers, width));
    return {};
}

Result<std::uint64_t> layer_of(const BlockName& block) {
    std::uint64_t layer = 0;
    const auto digits = std::string_view(block.prefix).substr(4, block.prefix.size() - 5);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
    if (error != std::errc() || end != digits.data() + digits.size())
        return fail(ErrorKind::invalid, std::format("{} names no block", block.prefix));
    return layer;
}

}  // namespace

Result<MixtureFacts> mixture_facts(const TensorFile& file) {
    const auto& metadata = file.metadata();
    MixtureFacts facts;
    facts.trunk_digest = metadata.text("hanse.mixture.trunk");
    facts.router = metadata.text("hanse.mixture.router");
    const auto count = metadata.whole("llama.expert_count").value_or(0);
    if (facts.trunk_digest.empty() || facts.router.empty() || count == 0 || count > 4096)
        return fail(ErrorKind::invalid, std::format("{} is no mixture that hanse forge made", file.path().string()), "no_mixture");
    facts.used = static_cast<std::uint32_t>(metadata.whole("hanse.mixture.used").value_or(1));
    facts.ridge.penalty = metadata.number("hanse.mixture.penalty").value_or(facts.ridge.penalty);
    facts.ridge.temperature = metadata.number("hanse.mixture.temperature").value_or(1.0);
    for (std::size_t i = 0; i < count; ++i) {
        ExpertTerms terms;
        for (const auto& [key, member] : fields) terms.*member = metadata.text(expert_key(i, key));
        if (auto sound = check_name(terms.name, facts.experts); !sound)
            return fail(ErrorKind::corrupt, std::format("{}, expert {}: {}", file.path().string(), i, sound.error().message));
        facts.experts.push_back(std::move(terms));
    }
    return facts;
}

Result<std::string> trunk_digest(const TensorFile& model) {
    crypto::Sha256 hash;
    base::Bytes buffer(1U << 20);
    for (std::size_t i = 0; i < model.tensors().size(); ++i) {
        const auto& tensor = model.tensor(i);
        if (block_name(tensor.name) || is_router(tensor.name)) continue;
        hash.update(base::bytes_of(tensor.name));
        update(hash, '\0');
        update(hash, static_cast<std::uint32_t>(tensor.type));
        for (const auto length : tensor.shape) update(hash, length);
        if (auto done = update_with(hash, model, i, buffer); !done) return std::unexpected(done.error());
    }
    return base::hex(hash.finish());
}

Result<void> check_trunk(const TensorFile& trunk, const TensorFile& model) {
    const auto wrong = [&](std::string what) {
        return fail(ErrorKind::invalid, std::format("{} is no child of {}: {}", model.path().string(), trunk.path().string(), what),
                    "other_trunk");
    };
    for (const auto* one : {&trunk, &model})
        if (one->metadata().text("general.architecture") != "llama" || one->metadata().whole("llama.expert_count").value_or(0) != 0)
            return fail(ErrorKind::invalid,
                        std::format("{} is no GGUF model of the architecture llama without experts", one->path().string()));
    for (const auto& [key, value] : trunk.metadata().entries()) {
        if (!key.starts_with("llama.") && !key.starts_with("tokenizer.ggml.")) continue;
        const auto* other = model.metadata().find(key);
        if (other == nullptr || *other != value) return wrong(std::format("{} differs", key));
    }
    if (trunk.tensors().size() != model.tensors().size()) return wrong("it has another number of tensors");
    for (std::size_t i = 0; i < trunk.tensors().size(); ++i) {
        const auto& tensor = trunk.tensor(i);
        const auto found = model.find(tensor.name);
        if (!found) return wrong(std::format("the tensor {} is missing", tensor.name));
        if (model.tensor(*found) != tensor) return wrong(std::format("the tensor {} has another type or shape", tensor.name));
        if (block_name(tensor.name)) continue;
        const auto a = trunk.bytes(i), b = model.bytes(*found);
        const bool same = std::memcmp(a.data(), b.data(), a.size()) == 0;
        trunk.forget(i);
        model.forget(*found);
        if (!same) return wrong(std::format("the tensor {} is not the trunk's; train the feed-forward blocks alone", tensor.name));
    }
    return {};
}

Result<void> recombine(const TensorFile& trunk, std::span<const Contribution> owners, const MixtureFacts& how, const Router& router,
                       const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress) {
    Assembly assembly{{TensorFormat::gguf, trunk.metadata(), {}, 0}, {}};
    remove_facts(assembly.plan.metadata);
    if (owners.empty()) {
        for (std::size_t i = 0; i < trunk.tensors().size(); ++i) assembly.add(trunk.tensor(i), {whole(trunk, i)});
        return assembly.write(out, crew, progress);
    }
    MixtureFacts facts = how;
    facts.experts = {{.name = std::string(public_expert), .licence = trunk.metadata().text("general.license")}};
    std::vector<const TensorFile*> models{&trunk};
    for (const auto& owner : owners) {
        if (auto sound = check_name(owner.terms.name, facts.experts); !sound) return sound;
        if (auto sound = check_trunk(trunk, *owner.model); !sound) return sound;
        facts.experts.push_back(owner.terms);
        models.push_back(owner.model);
    }
    if (facts.used == 0) return fail(ErrorKind::invalid, "at least one expert must be used for each token");
    if (auto sound = check_router(router, models.size(), trunk); !sound) return sound;
    for (std::size_t i = 0; i < models.size(); ++i) {
        auto digest = block_digest(*models[i]);
        if (!digest) return std::unexpected(digest.error());
        facts.experts[i].digest = std::move(*digest);
    }
    auto digest = trunk_digest(trunk);
    if (!digest) return std::unexpected(digest.error());
    facts.trunk_digest = std::move(*digest);
    set_facts(assembly.plan.metadata, facts);

    const std::uint64_t experts = models.size();
    for (std::size_t i = 0; i < trunk.tensors().size(); ++i) {
        const auto& tensor = trunk.tensor(i);
        const auto block = block_name(tensor.name);
        if (!block) {
            assembly.add(tensor, {whole(trunk, i)});
            continue;
        }
        if (block->part == parts[0]) {
            const auto layer = layer_of(*block);
            if (!layer || *layer >= router.layers.size())
                return fail(ErrorKind::invalid, std::format("{} has no place in the router", tensor.name));
            assembly.add({router_name(*block), TensorType::f32, {experts, router.width}}, {{.made = bytes_of_rows(router.layers[*layer])}});
        }
        Tensor stacked{block->prefix + std::string(block->part) + "_exps.weight", tensor.type, tensor.shape};
        stacked.shape.insert(stacked.shape.begin(), experts);
        std::vector<AssemblyPiece> pieces;
        for (const auto* model : models) pieces.push_back(whole(*model, *model->find(tensor.name)));
        assembly.add(std::move(stacked), std::move(pieces));
    }
    return assembly.write(out, crew, progress);
}

Result<void> withdraw(const TensorFile& mixture, std::string_view expert, const std::optional<Router>& router,
                      const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress) {
    auto facts = mixture_facts(mixture);
    if (!facts) return std::unexpected(facts.error());
    const auto place = std::ranges::find(facts->experts, expert, &ExpertTerms::name);
    if (place == facts->experts.end())
        return fail(ErrorKind::not_found, std::format("{} has no expert {}", mixture.path().string(), expert), "expert_not_found");
    if (place == facts->experts.begin()) return fail(ErrorKind::invalid, "the public expert belongs to the trunk and cannot leave");
    const auto number = static_cast<std::uint64_t>(place - facts->experts.begin());
    const std::uint64_t before = facts->experts.size();
    facts->experts.erase(place);
    const bool dense = facts->experts.size() == 1;
    if (router && !dense)
        if (auto sound = check_router(*router, facts->experts.size(), mixture); !sound) return sound;

    Assembly assembly{{TensorFormat::gguf, mixture.metadata(), {}, 0}, {}};
    if (dense) remove_facts(assembly.plan.metadata);
    else set_facts(assembly.plan.metadata, *facts);
    for (std::size_t i = 0; i < mixture.tensors().size(); ++i) {
        auto tensor = mixture.tensor(i);
        const auto block = block_name(tensor.name);
        if (!is_router(tensor.name) && !block) {
            assembly.add(std::move(tensor), {whole(mixture, i)});
            continue;
        }
        if (tensor.shape.empty() || tensor.shape.front() != before)
            return fail(ErrorKind::corrupt, std::format("{}: {} does not hold {} experts", mixture.path().string(), tensor.name, before));
        const auto slab = tensor.bytes() / before;
        if (is_router(tensor.name) && dense) continue;
        std::vector<AssemblyPiece> pieces;
        if (is_router(tensor.name) && router) {
            const auto layer = layer_of({tensor.name.substr(0, tensor.name.find("ffn_")), {}, false});
            if (!layer || *layer >= router->layers.size())
                return fail(ErrorKind::corrupt, std::format("{} has no place in the router", tensor.name));
            pieces.push_back({.made = bytes_of_rows(router->layers[*layer])});
        } else {
            if (number > 0) pieces.push_back({&mixture, i, 0, slab * number, {}});
            if (number + 1 < before) pieces.push_back({&mixture, i, slab * (number + 1), slab * (before - number - 1), {}});
        }
        tensor.shape.front() = before - 1;
        if (dense) {
            tensor.shape.erase(tensor.shape.begin());
            tensor.name = block->prefix + std::string(block->part) + ".weight";
        }
        assembly.add(std::move(tensor), std::move(pieces));
    }
    return assembly.write(out, crew, progress);
}

Result<Router> router_of(const TensorFile& mixture) {
    const auto layers = mixture.metadata().whole("llama.block_count").value_or(0);
    Router router;
    for (std::uint64_t layer = 0; layer < layers; ++layer) {
        const auto tensor = mixture.find(std::format("blk.{}.ffn_gate_inp.weight", layer));
        if (!tensor || mixture.tensor(*tensor).type != TensorType::f32 || mixture.tensor(*tensor).shape.size() != 2)
            return fail(ErrorKind::invalid, std::format("{} has no router in layer {}", mixture.path().string(), layer));
        const auto& shape = mixture.tensor(*tensor).shape;
        router.experts = static_cast<std::uint32_t>(shape[0]);
        router.width = static_cast<std::uint32_t>(shape[1]);
        std::vector<float> rows(mixture.tensor(*tensor).elements());
        if (auto read = mixture.read(*tensor, 0, std::as_writable_bytes(std::span(rows))); !read) return std::unexpected(read.error());
        router.layers.push_back(std::move(rows));
    }
    return router;
}

}  // namespace hanse::forge
