// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <format>

#include "commands.hpp"
#include "forge/mixture.hpp"
#include "forge/statistics_file.hpp"
#include "progress.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::Result;

// Progress of a long copy on standard error; nothing with --json.
class Copying {
public:
    Copying(const Context& context, std::string what)
        : quiet_(context.json),
          what_(std::move(what)),
          progress_(is_terminal(2) ? Progress::Style::bar : Progress::Style::lines, terminal_width()) {}
    ~Copying() { print(progress_.finish()); }
    forge::ForgeProgress on_bytes() {
        return
            [this](std::uint64_t done, std::uint64_t all) { print(progress_.update(std::chrono::steady_clock::now(), what_, done, all)); };
    }

private:
    void print(std::string text) const {
        while (text.ends_with('\n')) text.pop_back();
        if (!text.empty() && !quiet_) tell(text);
    }
    bool quiet_;
    std::string what_;
    Progress progress_;
};

std::pair<std::string, std::string> cut_at(std::string_view text, char mark) {
    const auto place = text.find(mark);
    if (place == std::string_view::npos) return {std::string(text), {}};
    return {std::string(text.substr(0, place)), std::string(text.substr(place + 1))};
}

Result<std::vector<forge::ExpertTerms>> terms_of(const RecombinationOptions& options) {
    std::vector<forge::ExpertTerms> terms;
    for (const auto& one : options.experts) {
        const auto [name, file] = cut_at(one, '=');
        if (file.empty()) return base::fail(ErrorKind::invalid, std::format("--expert {}: it is written NAME=FILE", one));
        terms.push_back({.name = name});
    }
    for (const auto& one : options.terms) {
        const auto [name, rest] = cut_at(one, ':');
        const auto [key, value] = cut_at(rest, '=');
        const auto place = std::ranges::find(terms, name, &forge::ExpertTerms::name);
        if (place == terms.end()) return base::fail(ErrorKind::not_found, std::format("--terms {}: there is no expert {}", one, name));
        if (key == "owner") place->owner = value;
        else if (key == "licence") place->licence = value;
        else if (key == "label") place->label = value;
        else if (key == "output-floor") place->output_floor = value;
        else return base::fail(ErrorKind::invalid, std::format("--terms {}: the terms are owner, licence, label and output-floor", one));
    }
    return terms;
}

// Statistics by the expert that they are of, in the experts' order; after them what a secure sum made of their products.
Result<std::vector<forge::StatisticsFile>> statistics_for(std::span<const forge::ExpertTerms> experts, std::span<const std::string> files,
                                                          std::string_view trunk_digest) {
    std::vector<forge::StatisticsFile> all, result;
    bool summed = false;
    for (const auto& file : files) {
        auto read = forge::read_statistics(file);
        if (!read) return std::unexpected(read.error());
        if (read->trunk_digest != trunk_digest)
            return base::fail(ErrorKind::invalid, std::format("{} was taken from a model with another trunk", file), "other_trunk");
        summed |= read->expert == forge::summed_expert;
        all.push_back(std::move(*read));
    }
    for (const auto& expert : experts) {
        const auto found = std::ranges::find(all, expert.name, &forge::StatisticsFile::expert);
        if (found == all.end())
            return base::fail(ErrorKind::not_found,
                              std::format("there are no statistics of {}; hanse forge statistics makes them", expert.name));
        if (summed && std::ranges::any_of(found->statistics.products, [](auto one) { return one != 0; }))
            return base::fail(ErrorKind::invalid,
                              std::format("the statistics of {} hold products that are in the secure sum as well", expert.name));
        result.push_back(*found);
    }
    for (auto& one : all)
        if (one.expert == forge::summed_expert) result.push_back(std::move(one));
    return result;
}

Result<forge::Router> router_from(std::string_view kind, std::span<const forge::StatisticsFile> files, const forge::RidgeOptions& ridge) {
    std::vector<const forge::Statistics*> owners;
    for (const auto& file : files)
        if (file.expert != forge::summed_expert) owners.push_back(&file.statistics);
    if (kind == "means") return forge::means_router(owners, ridge.temperature);
    forge::Statistics total(files.front().statistics.layers, files.front().statistics.width);
    for (const auto& file : files)
        if (auto added = total.add(file.statistics); !added) return std::unexpected(added.error());
    return forge::ridge_router(total, owners, ridge);
}

Result<forge::Router> router_for(const RecombinationOptions& options, const forge::MixtureFacts& facts, const forge::TensorFile& model) {
    if (facts.router == "ridge" || facts.router == "means") {
        auto files = statistics_for(facts.experts, options.statistics, facts.trunk_digest);
        if (!files) return std::unexpected(files.error());
        return router_from(facts.router, *files, facts.ridge);
    }
    if (facts.router != "random" && facts.router != "uniform")
        return base::fail(ErrorKind::invalid, std::format("there is no router '{}': ridge, means, random, uniform", facts.router));
    base::SeededRandom random(options.seed);
    return forge::random_router(static_cast<std::uint32_t>(model.metadata().whole("llama.block_count").value_or(0)),
                                static_cast<std::uint32_t>(facts.experts.size()),
                                static_cast<std::uint32_t>(model.metadata().whole("llama.embedding_length").value_or(0)),
                                facts.router == "random" ? forge::RandomRows::normal : forge::RandomRows::uniform, random);
}

std::string json_of(const forge::MixtureFacts& facts) {
    std::string list;
    for (const auto& one : facts.experts)
        list += std::format("{}{{\"name\":{},\"owner\":{},\"licence\":{},\"label\":{},\"output_floor\":{},\"digest\":{}}}",
                            list.empty() ? "" : ",", json_text(one.name), json_text(one.owner), json_text(one.licence),
                            json_text(one.label), json_text(one.output_floor), json_text(one.digest));
    return std::format("{{\"trunk\":{},\"router\":{},\"used\":{},\"experts\":[{}]}}", json_text(facts.trunk_digest),
                       json_text(facts.router), facts.used, list);
}

Exit tell_of(const Context& context, const std::string& path) {
    const auto file = forge::TensorFile::open(path);
    if (!file) return fail(context, file.error());
    const auto facts = forge::mixture_facts(*file);
    if (!facts && file->metadata().whole("llama.expert_count").value_or(0) == 0 && !file->metadata().text("general.architecture").empty()) {
        if (context.json) put_line("{\"experts\":[]}");
        else put_line(context.say(Say::forge_dense, path));
        return Exit::ok;
    }
    if (!facts) return fail(context, facts.error());
    if (context.json) {
        put_line(json_of(*facts));
        return Exit::ok;
    }
    std::vector<std::string> rows{context.say(Say::forge_experts_header)};
    const auto shown = [](const std::string& text) { return text.empty() ? std::string("-") : plain_line(text); };
    for (std::size_t i = 0; i < facts->experts.size(); ++i) {
        const auto& one = facts->experts[i];
        rows.push_back(std::format("{}\t{}\t{}\t{}\t{}\t{}\t{}", i, shown(one.name), shown(one.owner), shown(one.licence), shown(one.label),
                                   shown(one.output_floor), one.digest.substr(0, 12)));
    }
    put(table(rows));
    put_line(context.say(Say::forge_router, facts->router, std::min<std::size_t>(facts->used, facts->experts.size()), facts->experts.size(),
                         facts->trunk_digest.substr(0, 12)));
    return Exit::ok;
}

}  // namespace

Exit forge_experts(const Context& context, const RecombinationOptions& options) { return tell_of(context, options.model); }

Exit forge_recombine(const Context& context, const RecombinationOptions& options) {
    const auto trunk = forge::TensorFile::open(options.model);
    if (!trunk) return fail(context, trunk.error());
    const auto terms = terms_of(options);
    if (!terms) return fail(context, terms.error());
    std::vector<forge::TensorFile> models;
    for (const auto& one : options.experts) {
        auto model = forge::TensorFile::open(cut_at(one, '=').second);
        if (!model) return fail(context, model.error());
        if (auto child = forge::check_trunk(*trunk, *model); !child) return fail(context, child.error());
        models.push_back(std::move(*model));
    }
    auto digest = forge::trunk_digest(*trunk);
    if (!digest) return fail(context, digest.error());
    forge::MixtureFacts facts{
        *digest, options.router, options.used, {options.penalty, options.temperature}, {{.name = std::string(forge::public_expert)}}};
    std::vector<forge::Contribution> owners;
    for (std::size_t i = 0; i < models.size(); ++i) {
        facts.experts.push_back((*terms)[i]);
        owners.push_back({(*terms)[i], &models[i]});
    }
    const auto router = owners.empty() ? Result<forge::Router>(forge::Router{}) : router_for(options, facts, *trunk);
    if (!router) return fail(context, router.error());
    if (options.dry_run) {
        if (context.json) put_line(json_of(facts));
        else put_line(context.say(Say::forge_would_recombine, owners.size(), trunk->path().string(), options.output));
        return Exit::ok;
    }
    {
        Copying copying(context, options.output);
        forge::Crew crew(options.threads);
        if (auto done = forge::recombine(*trunk, owners, facts, *router, options.output, crew, copying.on_bytes()); !done)
            return fail(context, done.error());
    }
    return tell_of(context, options.output);
}

Exit forge_withdraw(const Context& context, const RecombinationOptions& options) {
    const auto mixture = forge::TensorFile::open(options.model);
    if (!mixture) return fail(context, mixture.error());
    auto facts = forge::mixture_facts(*mixture);
    if (!facts) return fail(context, facts.error());
    const auto& expert = options.experts.front();
    std::erase_if(facts->experts, [&](const auto& one) { return one.name == expert && one.name != forge::public_expert; });
    std::optional<forge::Router> router;
    // A ridge router's rows depend on all who are in it.
    if (facts->router == "ridge" && facts->experts.size() > 1) {
        auto made = router_for(options, *facts, *mixture);
        if (!made) return fail(context, made.error());
        router = std::move(*made);
    }
    if (options.dry_run) {
        put_line(context.say(Say::forge_would_withdraw, expert, options.model, options.output));
        return Exit::ok;
    }
    {
        Copying copying(context, options.output);
        forge::Crew crew(options.threads);
        if (auto done = forge::withdraw(*mixture, expert, router, options.output, crew, copying.on_bytes()); !done)
            return fail(context, done.error());
    }
    return tell_of(context, options.output);
}

}  // namespace hanse::cli
