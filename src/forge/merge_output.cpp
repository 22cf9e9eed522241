// SPDX-License-Identifier: Apache-2.0
#include "merge_output.hpp"

#include <algorithm>
#include <format>
#include <system_error>

#include "catalog/files.hpp"
#include "file_type.hpp"
#include "json_text.hpp"
#include "merged_tokenizer.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::string_view tokenizer_files[] = {
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json",     "merges.txt",      "chat_template.jinja",   "generation_config.json"};
constexpr std::size_t small_file_max = 256U << 20U;

fs::path folder_of(const TensorFile& model) { return fs::is_directory(model.path()) ? model.path() : model.path().parent_path(); }

std::string parents_json(const MergeSummary& summary) {
    std::string out = "[";
    for (const MergeParent& parent : summary.parents) {
        out += std::format("{}{{\"name\":{},\"bytes\":{},\"files\":[", out.size() > 1 ? "," : "", json_text(parent.name), parent.bytes);
        for (std::size_t i = 0; i < parent.sha256.size(); ++i)
            out += std::format("{}{{\"name\":{},\"sha256\":{}}}", i > 0 ? "," : "", json_text(parent.sha256[i].first),
                               json_text(parent.sha256[i].second));
        out += "]}";
    }
    return out + "]";
}

// The type of most of the output's bytes.
TensorType main_type(const MergePlan& plan) {
    std::map<TensorType, std::uint64_t> bytes;
    for (const TensorTask& task : plan.tasks) bytes[task.out.type] += task.out.bytes();
    return std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; })->first;
}

std::string torch_name(TensorType type) {
    switch (type) {
        case TensorType::bf16: return "\"bfloat16\"";
        case TensorType::f16: return "\"float16\"";
        case TensorType::f32: return "\"float32\"";
        case TensorType::f8_e4m3: return "\"float8_e4m3fn\"";
        case TensorType::f8_e5m2: return "\"float8_e5m2\"";
        default: return "null";
    }
}

constexpr std::string_view chatml =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

// The recipe's template: a text of its own, "chatml", or "auto" for that of the model whose tokenizer is taken.
Result<std::string> chat_template(const MergeRecipe& recipe) {
    if (recipe.chat_template.empty() || recipe.chat_template == "auto") return std::string();
    if (recipe.chat_template == "chatml") return std::string(chatml);
    if (recipe.chat_template.contains('{')) return recipe.chat_template;
    return base::fail(ErrorKind::invalid,
                      std::format("recipe, chat_template: {} is not known; give the template's text, chatml or auto", recipe.chat_template),
                      "invalid_recipe", "chat_template");
}

Result<std::vector<std::pair<std::string, std::string>>> digests_of(const std::vector<fs::path>& files, Crew& crew) {
    std::vector<std::pair<std::string, std::string>> out(files.size());
    auto done = crew.for_each(files.size(), [&](std::size_t i, unsigned) -> Result<void> {
        auto digest = catalog::sha256_of_file(files[i]);
        if (!digest) return std::unexpected(digest.error());
        out[i] = {files[i].filename().string(), std::move(*digest)};
        return {};
    });
    if (!done) return std::unexpected(done.error());
    return out;
}

}  // namespace

Result<void> check_output(const MergePlan& plan, const MergeRecipe& recipe, const fs::path& output) {
    if (auto words = chat_template(recipe); !words) return std::unexpected(words.error());
    std::error_code error;
    const fs::path target = fs::weakly_canonical(output, error);
    for (const TensorFile& model : plan.models)
        if (fs::weakly_canonical(model.path(), error) == target || fs::weakly_canonical(folder_of(model), error) == target)
            return base::fail(ErrorKind::invalid, std::format("the output {} is one of the merge's own inputs", output.string()));
    if (plan.format == TensorFormat::gguf && fs::is_directory(output, error))
        return base::fail(ErrorKind::invalid, std::format("{} is a folder; models in GGUF are merged into a file", output.string()));
    if (plan.format == TensorFormat::safetensors && fs::exists(output, error) && !fs::is_directory(output, error))
        return base::fail(ErrorKind::invalid, std::format("{} is a file; models in safetensors are merged into a folder", output.string()));
    return {};
}

Result<void> digest_parents(const MergePlan& plan, MergeSummary& summary, Crew& crew) {
    std::vector<fs::path> files;
    for (const TensorFile& model : plan.models)
        for (const fs::path& file : model.files()) files.push_back(file);
    auto digests = digests_of(files, crew);
    if (!digests) return std::unexpected(digests.error());
    std::size_t next = 0;
    for (std::size_t m = 0; m < plan.models.size(); ++m) {
        summary.parents[m].sha256.clear();
        for (std::size_t i = 0; i < plan.models[m].files().size(); ++i) summary.parents[m].sha256.push_back(std::move((*digests)[next++]));
    }
    return {};
}

Metadata output_metadata(const MergePlan& plan, const MergeRecipe& recipe, const MergeSummary& summary, std::uint64_t seed) {
    Metadata out = plan.models[plan.leading].metadata();
    if (plan.format == TensorFormat::gguf) {
        const std::string architecture = out.text("general.architecture");
        out.set(architecture + ".block_count", static_cast<std::uint32_t>(plan.layers));
        if (const auto type = file_type_of(main_type(plan))) out.set("general.file_type", *type);
        out.remove_all("general.base_model.");
        out.set("general.base_model.count", static_cast<std::uint32_t>(summary.parents.size()));
        for (std::size_t i = 0; i < summary.parents.size(); ++i) {
            const std::string name = plan.models[i].metadata().text("general.name");
            out.set(std::format("general.base_model.{}.name", i), name.empty() ? summary.parents[i].path.filename().string() : name);
        }
        if (auto words = chat_template(recipe); words && !words->empty()) out.set("tokenizer.chat_template", *words);
    } else {
        out.set("format", std::string("pt"));
    }
    out.set("hanse.forge.recipe", recipe.yaml);
    out.set("hanse.forge.parents", parents_json(summary));
    out.set("hanse.forge.seed", std::to_string(seed));
    return out;
}

std::string resume_key(const MergeRecipe& recipe, const MergeSummary& summary, std::uint64_t seed) {
    return std::format("{}\n{}\nseed {}\n", recipe.yaml, parents_json(summary), seed);
}

Result<void> write_companions(const MergePlan& plan, const MergeRecipe& recipe, const fs::path& output) {
    if (plan.format == TensorFormat::gguf) return {};
    const fs::path from = folder_of(plan.models[plan.leading]);
    std::error_code error;
    for (const std::string_view name : tokenizer_files) {
        const auto content = catalog::read_file_whole(from / name, small_file_max);
        if (!content && content.error().kind == ErrorKind::not_found) continue;
        if (!content) return std::unexpected(content.error());
        if (auto done = catalog::write_file_whole(output / name, *content); !done) return done;
    }
    if (auto words = chat_template(recipe); words && !words->empty())
        if (auto done = catalog::write_file_whole(output / "chat_template.jinja", *words); !done) return done;
    if (plan.tokens)
        if (auto done = write_merged_tokenizer(plan, from, output); !done) return done;
    auto config = catalog::read_file_whole(from / "config.json", 16U << 20U);
    if (!config && config.error().kind == ErrorKind::not_found) return {};
    if (!config) return std::unexpected(config.error());
    std::string text = with_member(*config, "num_hidden_layers", std::to_string(plan.layers));
    const TensorType type = main_type(plan);
    text = with_member(text, has_member(text, "dtype") ? "dtype" : "torch_dtype", torch_name(type));
    if (plan.tokens) text = with_member(text, "vocab_size", std::to_string(plan.tokens->count));
    // Where an output layer of its own came in from another model.
    const bool has_head = std::ranges::any_of(plan.tasks, [](const TensorTask& task) { return task.out.name == "lm_head.weight"; });
    if (has_head && has_member(text, "tie_word_embeddings")) text = with_member(text, "tie_word_embeddings", "false");
    return catalog::write_file_whole(output / "config.json", text);
}

Result<void> write_manifest(const MergePlan& plan, const MergeRecipe& recipe, const MergeSummary& summary, const MergeOptions& options,
                            const TensorWriter& writer, Crew& crew, const Signer& signer) {
    auto made = TensorFile::open(writer.path());
    if (!made) return std::unexpected(made.error());
    std::string outputs;
    if (options.digests) {
        auto digests = digests_of(made->files(), crew);
        if (!digests) return std::unexpected(digests.error());
        for (const auto& [name, digest] : *digests)
            outputs += std::format("{}{{\"name\":{},\"sha256\":{}}}", outputs.empty() ? "" : ",", json_text(name), json_text(digest));
    }
    const std::string statement =
        std::format("{{\"format\":\"hanse-forge-1\",\"method\":{},\"seed\":{},\"recipe\":{},\"parents\":{},\"outputs\":[{}]}}",
                    json_text(summary.method), options.seed, json_text(recipe.yaml), parents_json(summary), outputs);
    std::string signature = "null";
    if (signer) {
        auto made_signature = signer(statement);
        if (!made_signature) return std::unexpected(made_signature.error());
        signature = json_text(*made_signature);
    }
    // The statement as one text, so that the signed bytes are exactly these, however a reader formats JSON.
    const std::string manifest = std::format("{{\n  \"statement\": {},\n  \"signature\": {}\n}}\n", json_text(statement), signature);
    const fs::path place =
        plan.format == TensorFormat::gguf ? fs::path(options.output.string() + ".forge.json") : options.output / "hanse-forge.json";
    return catalog::write_file_whole(place, manifest);
}

}  // namespace hanse::forge
