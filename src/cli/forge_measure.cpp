// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <functional>
#include <optional>

#include "catalog/files.hpp"
#include "catalog/ngram_table.hpp"
#include "commands.hpp"
#include "engine/probe.hpp"
#include "forge/lora.hpp"
#include "forge/merge.hpp"
#include "forge/mixture.hpp"
#include "forge/score.hpp"
#include "forge/statistics_file.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::Result;

constexpr std::size_t text_max = 1U << 30U;

std::uint32_t threads_of(const RecombinationOptions& options) { return options.threads != 0 ? options.threads : forge::Crew().size(); }

Result<std::vector<std::string>> texts_of(const std::vector<std::string>& files) {
    std::vector<std::string> texts;
    for (const auto& file : files) {
        auto text = catalog::read_file_whole(file, text_max);
        if (!text) return std::unexpected(text.error());
        texts.push_back(std::move(*text));
    }
    return texts;
}

// "FILE" or "FILE=SCALE".
std::pair<std::string, float> scaled(const std::string& text) {
    const auto place = text.rfind('=');
    if (place == std::string::npos) return {text, 1.0F};
    return {text.substr(0, place), std::strtof(text.c_str() + place + 1, nullptr)};
}

Result<std::unique_ptr<engine::Probe>> open_probe(const RecombinationOptions& options, const std::string& model) {
    std::vector<engine::Probe::ScaledAdapter> adapters;
    for (const auto& one : options.adapters) adapters.push_back({scaled(one).first, scaled(one).second});
    auto probe = engine::Probe::open(model, options.window, threads_of(options), adapters);
    if (!probe) return probe;
    std::vector<std::uint32_t> left_out;
    for (const auto& name : options.experts) {
        const auto& experts = (*probe)->facts().experts;
        const auto found = std::ranges::find(experts, name, &engine::ExpertFacts::name);
        if (found == experts.end())
            return base::fail(ErrorKind::not_found, std::format("{} has no expert {}", model, name), "expert_not_found");
        left_out.push_back(static_cast<std::uint32_t>(found - experts.begin()));
    }
    if (!left_out.empty() && left_out.size() >= (*probe)->facts().experts.size())
        return base::fail(ErrorKind::invalid, "at least one expert must take part");
    (*probe)->leave_out(left_out);
    return probe;
}

// The texts in windows, at most so many tokens in sum; each text's last window may be shorter.
Result<void> each_window(const engine::Probe& probe, std::span<const std::string> texts, std::size_t window, std::uint64_t tokens_most,
                         const std::function<Result<void>(std::span<const engine::TokenId>)>& read) {
    std::uint64_t left = tokens_most;
    for (const auto& text : texts) {
        const auto tokens = probe.tokenize(text);
        for (std::size_t begin = 0; begin < tokens.size() && left > 1; begin += window) {
            const auto size = std::min({window, tokens.size() - begin, static_cast<std::size_t>(left)});
            if (size < 2) break;
            left -= size;
            if (auto done = read(std::span(tokens).subspan(begin, size)); !done) return done;
        }
    }
    return {};
}

std::size_t window_of(const RecombinationOptions& options, const engine::Probe& probe) {
    return std::max(2U, std::min(options.window, probe.facts().context));
}

Result<forge::TextScore> score_of(const RecombinationOptions& options, engine::Probe& probe, std::span<const std::string> texts) {
    forge::TextScore score;
    auto done = each_window(probe, texts, window_of(options, probe), options.tokens, [&](std::span<const engine::TokenId> tokens) {
        return probe.read(tokens, {.logits = [&](std::size_t place, std::span<const float> logits) {
                              if (place + 1 < tokens.size() && !logits.empty()) score.add(logits, tokens[place + 1]);
                          }});
    });
    if (!done) return std::unexpected(done.error());
    if (score.tokens() == 0) return base::fail(ErrorKind::invalid, "the texts are too short to be scored");
    return score;
}

// The recipe of a merge of these models with these weights. Paths are quoted as JSON has it, which YAML takes.
std::string recipe_of(const RecombinationOptions& options, std::span<const double> weights) {
    std::string recipe = "models:\n";
    for (std::size_t i = 0; i < options.merged.size(); ++i)
        recipe +=
            std::format("  - model: {}\n    parameters: {{weight: {:.6g}}}\n", json_text(scaled(options.merged[i]).first), weights[i]);
    if (options.method != "linear") recipe += std::format("base_model: {}\n", json_text(options.model));
    return recipe + std::format("merge_method: {}\nparameters: {{normalize: false}}\ndtype: float32\n", options.method);
}

// Scales of adapters, or weights of models in a merge, for which the text is foretold best: each try goes into a temporary file.
Exit search(const Context& context, const RecombinationOptions& options, std::span<const std::string> texts) {
    if (options.adapters.empty() == options.merged.empty())
        return fail(context, {ErrorKind::invalid, context.say(Say::forge_search_needs_adapters), {}, {}, {}});
    const auto base_model = forge::TensorFile::open(options.model);
    if (!base_model) return fail(context, base_model.error());
    const auto& named = options.adapters.empty() ? options.merged : options.adapters;
    std::vector<forge::Adapter> adapters;
    std::vector<double> start;
    for (const auto& one : named) {
        const auto [file, scale] = scaled(one);
        start.push_back(scale / static_cast<double>(named.size()));
        if (options.adapters.empty()) continue;
        auto adapter = forge::read_adapter(file);
        if (!adapter) return fail(context, adapter.error());
        adapters.push_back(std::move(*adapter));
    }
    const fs::path tried = fs::temp_directory_path() / std::format("hanse-search-{}.gguf", ::getpid());
    auto plain = options;
    plain.adapters.clear();
    forge::Crew crew(options.threads);
    const auto make = [&](std::span<const double> weights) -> Result<void> {
        if (!options.merged.empty()) {
            const auto recipe = forge::MergeRecipe::parse(recipe_of(options, weights));
            if (!recipe) return std::unexpected(recipe.error());
            auto merge = forge::Merge::plan(*recipe, {.output = tried, .digests = false});
            if (!merge) return std::unexpected(merge.error());
            return merge->run(crew);
        }
        std::vector<forge::ScaledAdapter> scaled_adapters;
        for (std::size_t i = 0; i < adapters.size(); ++i) scaled_adapters.push_back({&adapters[i], static_cast<float>(weights[i])});
        return forge::merge_adapters(*base_model, scaled_adapters, tried, crew);
    };
    const auto found = forge::search_weights(start, {}, [&](std::span<const double> weights) -> Result<double> {
        std::error_code ignored;
        for (const char* rest : {"", ".forge.json"}) fs::remove(tried.string() + rest, ignored);
        if (auto made = make(weights); !made) return std::unexpected(made.error());
        auto probe = open_probe(plain, tried.string());
        if (!probe) return std::unexpected(probe.error());
        auto score = score_of(plain, **probe, texts);
        if (!score) return std::unexpected(score.error());
        return score->nats();
    });
    std::error_code ignored;
    for (const char* rest : {"", ".forge.json"}) fs::remove(tried.string() + rest, ignored);
    if (!found) return fail(context, found.error());
    if (!options.merged.empty() && !options.output.empty())
        if (auto wrote = catalog::write_file_whole(options.output, recipe_of(options, found->weights)); !wrote)
            return fail(context, wrote.error());
    const bool merging = !options.merged.empty();
    std::string json;
    std::vector<std::string> rows{context.say(merging ? Say::forge_search_models : Say::forge_search_header)};
    for (std::size_t i = 0; i < named.size(); ++i) {
        json += std::format("{}{{\"{}\":{},\"{}\":{}}}", json.empty() ? "" : ",", merging ? "model" : "adapter",
                            json_text(scaled(named[i]).first), merging ? "weight" : "scale", found->weights[i]);
        rows.push_back(std::format("{}\t{:.4g}", plain_line(scaled(named[i]).first), found->weights[i]));
    }
    if (context.json)
        put_line(std::format("{{\"{}\":[{}],\"nats\":{:.6f},\"start_nats\":{:.6f},\"evaluations\":{}}}", merging ? "models" : "adapters",
                             json, found->loss, found->start_loss, found->evaluations));
    else {
        put(table(rows));
        put_line(context.say(Say::forge_search_found, std::format("{:.4f}", found->loss), std::format("{:.4f}", found->start_loss),
                             found->evaluations));
    }
    return Exit::ok;
}

}  // namespace

Exit forge_statistics(const Context& context, const RecombinationOptions& options) {
    const auto file = forge::TensorFile::open(options.model);
    if (!file) return fail(context, file.error());
    const auto digest = forge::trunk_digest(*file);
    if (!digest) return fail(context, digest.error());
    const auto texts = texts_of(options.files);
    if (!texts) return fail(context, texts.error());
    auto plain = options;
    plain.experts.clear();
    const auto probe = open_probe(plain, options.model);
    if (!probe) return fail(context, probe.error());
    const auto& facts = (*probe)->facts();
    forge::StatisticsCollector collector(facts.layers, facts.width);
    const auto done =
        each_window(**probe, *texts, window_of(options, **probe), options.tokens, [&](std::span<const engine::TokenId> tokens) {
            return (*probe)->read(tokens,
                                  {.ffn_inputs = [&](std::uint32_t layer, std::span<const float> rows) { collector.add(layer, rows); }});
        });
    if (!done) return fail(context, done.error());
    auto statistics = collector.finish();
    if (!statistics) return fail(context, statistics.error());
    if (statistics->tokens == 0) return fail(context, {ErrorKind::invalid, context.say(Say::forge_no_tokens), {}, {}, {}});
    const auto tokens = statistics->tokens;
    if (auto wrote = forge::write_statistics(options.output, {options.experts.front(), *digest, std::move(*statistics)}); !wrote)
        return fail(context, wrote.error());
    if (context.json)
        put_line(std::format("{{\"expert\":{},\"tokens\":{},\"trunk\":{},\"file\":{}}}", json_text(options.experts.front()), tokens,
                             json_text(*digest), json_text(options.output)));
    else put_line(context.say(Say::forge_statistics_written, tokens, options.experts.front(), options.output));
    return Exit::ok;
}

Exit forge_score(const Context& context, const RecombinationOptions& options) {
    const auto texts = texts_of(options.files);
    if (!texts) return fail(context, texts.error());
    if (options.search) return search(context, options, *texts);
    const auto probe = open_probe(options, options.model);
    if (!probe) return fail(context, probe.error());
    std::string json;
    std::vector<std::string> rows{context.say(Say::forge_score_header)};
    for (std::size_t i = 0; i < texts->size(); ++i) {
        const auto score = score_of(options, **probe, std::span(*texts).subspan(i, 1));
        if (!score) return fail(context, score.error());
        json += std::format("{}{{\"file\":{},\"tokens\":{},\"nats\":{:.6f},\"perplexity\":{:.6f},\"accuracy\":{:.6f}}}",
                            json.empty() ? "" : ",", json_text(options.files[i]), score->tokens(), score->nats(), score->perplexity(),
                            score->hits());
        rows.push_back(std::format("{}\t{}\t{:.4f}\t{:.3f}\t{:.1f} %", plain_line(options.files[i]), score->tokens(), score->nats(),
                                   score->perplexity(), 100 * score->hits()));
    }
    if (context.json) put_line("[" + json + "]");
    else put(table(rows));
    return Exit::ok;
}

Exit forge_probe(const Context& context, const RecombinationOptions& options) {
    const auto texts = texts_of(options.files);
    if (!texts) return fail(context, texts.error());
    const auto probe = open_probe(options, options.model);
    if (!probe) return fail(context, probe.error());
    std::vector<engine::TokenId> tokens;
    for (const auto& text : *texts) {
        const auto more = (*probe)->tokenize(text);
        tokens.insert(tokens.end(), more.begin(), more.end());
    }
    const std::size_t length = options.prefix + options.continuation;
    if (tokens.size() < length || length > window_of(options, **probe))
        return fail(context, {ErrorKind::invalid, context.say(Say::forge_no_tokens), {}, {}, {}});
    forge::ExtractionProbe extraction;
    const auto places = std::min<std::size_t>(options.probes, tokens.size() / length);
    for (std::size_t i = 0; i < places; ++i) {
        const auto begin = i * ((tokens.size() - length) / places);
        const auto prefix = std::span(tokens).subspan(begin, options.prefix);
        const auto answer = (*probe)->continue_with(prefix, options.continuation);
        if (!answer) return fail(context, answer.error());
        extraction.add(*answer, std::span(tokens).subspan(begin + options.prefix, options.continuation));
    }
    if (context.json)
        put_line(std::format("{{\"probes\":{},\"prefix\":{},\"continuation\":{},\"verbatim\":{:.4f},\"matched\":{:.3f},\"longest\":{}}}",
                             extraction.probes(), options.prefix, options.continuation, extraction.verbatim(), extraction.matched(),
                             extraction.longest()));
    else
        put_line(context.say(Say::forge_probed, extraction.probes(), options.prefix, std::format("{:.1f}", 100 * extraction.verbatim()),
                             options.continuation, std::format("{:.1f}", extraction.matched()), extraction.longest()));
    return Exit::ok;
}

Exit forge_ngrams(const Context& context, const RecombinationOptions& options) {
    catalog::NgramTable table_of_owners;
    std::error_code missing;
    if (fs::exists(options.model, missing) || options.action != "join") {
        const auto bytes = catalog::read_file_whole(options.model, text_max);
        if (!bytes) return fail(context, bytes.error());
        auto parsed = catalog::NgramTable::parse(base::bytes_of(*bytes));
        if (!parsed) return fail(context, parsed.error());
        table_of_owners = std::move(*parsed);
    }
    if (options.action == "score") {
        const auto texts = texts_of(options.files);
        if (!texts) return fail(context, texts.error());
        std::string json;
        std::vector<std::string> rows{context.say(Say::forge_ngrams_header)};
        for (std::size_t i = 0; i < texts->size(); ++i) {
            for (const auto& one : table_of_owners.scores((*texts)[i])) {
                json +=
                    std::format("{}{{\"file\":{},\"owner\":{},\"nats_per_byte\":{:.4f},\"probability\":{:.6f}}}", json.empty() ? "" : ",",
                                json_text(options.files[i]), json_text(one.owner), -one.log_likelihood, one.probability);
                rows.push_back(std::format("{}\t{}\t{:.3f}\t{:.4f}", plain_line(options.files[i]), plain_line(one.owner),
                                           -one.log_likelihood, one.probability));
            }
        }
        if (context.json) put_line("[" + json + "]");
        else put(table(rows));
        return Exit::ok;
    }
    const auto& owner = options.experts.front();
    if (options.action == "join") {
        const auto texts = texts_of(options.files);
        if (!texts) return fail(context, texts.error());
        catalog::NgramCounts counts;
        for (const auto& text : *texts) counts.add(text);
        if (auto joined = table_of_owners.join(owner, std::move(counts)); !joined) return fail(context, joined.error());
    } else if (auto left = table_of_owners.leave(owner); !left) {
        return fail(context, left.error());
    }
    const auto bytes = table_of_owners.to_bytes();
    if (auto wrote = catalog::write_file_whole(options.model, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        !wrote)
        return fail(context, wrote.error());
    put_line(context.say(Say::forge_ngrams_written, options.model, table_of_owners.owners().size()));
    return Exit::ok;
}

}  // namespace hanse::cli
