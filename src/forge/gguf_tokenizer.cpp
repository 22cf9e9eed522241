// SPDX-License-Identifier: Apache-2.0
#include "gguf_tokenizer.hpp"

#include <algorithm>
#include <format>
#include <unordered_map>

#include "catalog/files.hpp"
#include "pre_tokenizer.hpp"
#include "printable.hpp"
#include "sentencepiece.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::Result;
using Type = SentencePieceModel::Type;

std::unexpected<base::Error> wrong(const fs::path& file, std::string_view what) {
    return base::fail(ErrorKind::invalid, std::format("{}: {}", file.string(), what), "invalid_tokenizer");
}

struct Vocabulary {
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<std::int32_t> types;

    void put(std::uint64_t id, std::string text, float score, Type type) {
        if (id >= tokens.size()) {
            for (std::uint64_t hole = tokens.size(); hole <= id; ++hole) tokens.push_back(std::format("[PAD{}]", hole));
            scores.resize(tokens.size(), -10'000.0F);
            types.resize(tokens.size(), static_cast<std::int32_t>(Type::unused));
        }
        tokens[id] = std::move(text);
        scores[id] = score;
        types[id] = static_cast<std::int32_t>(type);
    }
};

struct AddedToken {
    std::uint64_t id = 0;
    std::string text;
    bool special = false;
};

std::vector<AddedToken> added_tokens(const Json* tokenizer, const Json* settings) {
    std::vector<AddedToken> out;
    if (const Json* list = tokenizer == nullptr ? nullptr : json_member(*tokenizer, "added_tokens"); list != nullptr && list->is_array())
        for (const Json& each : list->get<Json::array_t>())
            if (const auto id = json_number(each, "id"))
                out.push_back({static_cast<std::uint64_t>(*id), json_string(each, "content"), json_truth(each, "special", false)});
    if (!out.empty()) return out;
    const Json* decoder = settings == nullptr ? nullptr : json_member(*settings, "added_tokens_decoder");
    if (decoder != nullptr && decoder->is_object())
        for (const auto& [id, each] : decoder->get<Json::object_t>())
            if (!id.empty() && id.size() < 10 && std::ranges::all_of(id, [](char c) { return c >= '0' && c <= '9'; }))
                out.push_back({std::stoull(id), json_string(each, "content"), json_truth(each, "special", false)});
    return out;
}

Result<void> check_added(const std::vector<AddedToken>& added, std::uint64_t rows, const fs::path& folder) {
    for (const AddedToken& token : added)
        if (token.id >= rows)
            return wrong(folder, std::format("the added token {} has the number {}, the embedding has {} rows", printable(token.text),
                                             token.id, rows));
    return {};
}

Result<Vocabulary> from_sentencepiece(const SentencePieceModel& model, const std::vector<AddedToken>& added, const fs::path& file) {
    if (model.kind != SentencePieceModel::Kind::bpe)
        return wrong(file, "only SentencePiece models of kind BPE can go into GGUF's llama tokenizer");
    Vocabulary out;
    for (std::size_t i = 0; i < model.pieces.size(); ++i) out.put(i, model.pieces[i].text, model.pieces[i].score, model.pieces[i].type);
    for (const AddedToken& token : added) {
        const bool own = token.id < out.tokens.size() && out.tokens[token.id] == token.text;
        const auto type = own && out.types[token.id] != static_cast<std::int32_t>(Type::normal) ? static_cast<Type>(out.types[token.id])
                          : token.special                                                       ? Type::control
                                                                                                : Type::user_defined;
        out.put(token.id, token.text, own ? out.scores[token.id] : -1000.0F, type);
    }
    return out;
}

// The vocabulary of a tokenizer.json of kind BPE, with each merge's rank as the score of what it makes where `scored`.
Result<Vocabulary> from_bpe(const Json& tokenizer, const std::vector<AddedToken>& added, std::uint64_t rows,
                            std::vector<std::string>& merges, bool byte_fallback, const fs::path& file) {
    const Json* model = json_member(tokenizer, "model");
    const Json* vocabulary = model == nullptr ? nullptr : json_member(*model, "vocab");
    if (vocabulary == nullptr || !vocabulary->is_object()) return wrong(file, "model.vocab is missing");
    Vocabulary out;
    for (const auto& [token, id] : vocabulary->get<Json::object_t>()) {
        const auto* number = id.get_if<double>();
        if (number == nullptr || *number < 0 || *number >= static_cast<double>(rows))
            return wrong(file, std::format("the token {} has a number beyond the embedding's {} rows", printable(token), rows));
        const bool is_byte = byte_fallback && token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
        out.put(static_cast<std::uint64_t>(*number), token, 0, is_byte ? Type::byte : Type::normal);
    }
    std::unordered_map<std::string, std::uint64_t> ids;
    if (byte_fallback)
        for (std::size_t i = 0; i < out.tokens.size(); ++i) ids.emplace(out.tokens[i], i);
    const Json* list = json_member(*model, "merges");
    if (list != nullptr && list->is_array())
        for (const Json& merge : list->get<Json::array_t>()) {
            std::string text;
            if (const auto* plain = merge.get_if<std::string>()) text = *plain;
            else if (const auto* pair = merge.get_if<Json::array_t>();
                     pair != nullptr && pair->size() == 2 && pair->front().is_string() && pair->back().is_string())
                text = pair->front().get<std::string>() + " " + pair->back().get<std::string>();
            const auto blank = text.find(' ', 1);
            if (blank == std::string::npos) return wrong(file, std::format("the merge number {} is none", merges.size()));
            if (byte_fallback)
                if (const auto found = ids.find(text.substr(0, blank) + text.substr(blank + 1));
                    found != ids.end() && out.scores[found->second] == 0)
                    out.scores[found->second] = -static_cast<float>(merges.size()) - 1;
            merges.push_back(std::move(text));
        }
    const std::string unknown = json_string(*model, "unk_token");
    for (const AddedToken& token : added)
        out.put(token.id, token.text, byte_fallback ? -1000.0F : 0, token.special ? Type::control : Type::user_defined);
    if (byte_fallback && !unknown.empty())
        if (const auto found = ids.find(unknown); found != ids.end()) out.types[found->second] = static_cast<std::int32_t>(Type::unknown);
    return out;
}

std::string token_text(const Json* settings, std::string_view key) {
    if (settings == nullptr) return {};
    const Json* held = json_member(*settings, key);
    if (held == nullptr) return {};
    return held->is_object() ? json_string(*held, "content") : json_string(*settings, key);
}

void add_special(const Vocabulary& vocabulary, const Json* settings, const ModelConfig& config, bool is_sentencepiece, Metadata& to) {
    struct Special {
        std::string_view token, key;
        std::optional<std::uint64_t> otherwise;
    };
    const Special specials[] = {{"bos_token", "bos", config.bos},
                                {"eos_token", "eos", config.eos},
                                {"unk_token", "unknown", {}},
                                {"pad_token", "padding", config.pad}};
    for (const auto& [token, key, otherwise] : specials) {
        std::optional<std::uint64_t> id = otherwise;
        if (const std::string text = token_text(settings, token); !text.empty()) {
            // A control token before a plain one of the same text.
            for (std::size_t i = vocabulary.tokens.size(); i > 0; --i)
                if (vocabulary.tokens[i - 1] == text &&
                    (!id || vocabulary.types[i - 1] != static_cast<std::int32_t>(Type::normal) || id == otherwise))
                    id = i - 1;
        }
        if (id && *id < vocabulary.tokens.size()) to.set(std::format("tokenizer.ggml.{}_token_id", key), static_cast<std::uint32_t>(*id));
    }
    const Json* bos = settings == nullptr ? nullptr : json_member(*settings, "add_bos_token");
    const Json* eos = settings == nullptr ? nullptr : json_member(*settings, "add_eos_token");
    if (bos != nullptr && bos->get_if<bool>() != nullptr) to.set("tokenizer.ggml.add_bos_token", *bos->get_if<bool>());
    else if (is_sentencepiece) to.set("tokenizer.ggml.add_bos_token", true);
    if (eos != nullptr && eos->get_if<bool>() != nullptr) to.set("tokenizer.ggml.add_eos_token", *eos->get_if<bool>());
}

// One template, or several by name (Teuken: by language); the one to use is "default", else the first.
Result<void> add_chat_template(const fs::path& folder, const Json* settings, Metadata& to) {
    const auto file = catalog::read_file_whole(folder / "chat_template.jinja", 1U << 20U);
    if (file) to.set("tokenizer.chat_template", *file);
    else if (file.error().kind != ErrorKind::not_found) return std::unexpected(file.error());
    const Json* held = settings == nullptr ? nullptr : json_member(*settings, "chat_template");
    if (held == nullptr || file) return {};
    if (const auto* text = held->get_if<std::string>()) to.set("tokenizer.chat_template", *text);
    const auto* list = held->get_if<Json::array_t>();
    if (list == nullptr) return {};
    std::vector<std::string> names;
    std::string chosen;
    for (const Json& each : *list) {
        const std::string name = json_string(each, "name"), text = json_string(each, "template");
        if (chosen.empty() || name == "default") chosen = text;
        if (name.empty() || name == "default") continue;
        names.push_back(name);
        to.set("tokenizer.chat_template." + name, text);
    }
    to.set("tokenizer.chat_template", chosen);
    if (!names.empty()) to.set("tokenizer.chat_templates", names);
    return {};
}

Result<std::optional<Json>> optional_json(const fs::path& file) {
    auto read = read_json(file);
    if (!read && read.error().kind == ErrorKind::not_found) return std::nullopt;
    if (!read) return std::unexpected(read.error());
    return std::move(*read);
}

}  // namespace

Result<void> add_tokenizer(const fs::path& folder, const ModelConfig& config, std::uint64_t rows, Metadata& to) {
    auto settings = optional_json(folder / "tokenizer_config.json");
    if (!settings) return std::unexpected(settings.error());
    auto tokenizer = optional_json(folder / "tokenizer.json");
    if (!tokenizer) return std::unexpected(tokenizer.error());
    const Json* set = *settings ? &**settings : nullptr;
    const auto added = added_tokens(*tokenizer ? &**tokenizer : nullptr, set);
    if (auto done = check_added(added, rows, folder); !done) return done;

    const auto pieces = read_sentencepiece(folder / "tokenizer.model");
    if (!pieces && pieces.error().kind != ErrorKind::not_found) return std::unexpected(pieces.error());
    bool is_sentencepiece = pieces.has_value();
    bool dummy_prefix = true;
    std::vector<std::string> merges;
    Result<Vocabulary> vocabulary;
    if (pieces) {
        vocabulary = from_sentencepiece(*pieces, added, folder / "tokenizer.model");
        dummy_prefix = pieces->add_dummy_prefix;
        to.set("tokenizer.ggml.model", std::string("llama"));
        to.set("tokenizer.ggml.pre", std::string("default"));
    } else if (*tokenizer) {
        const Json* model = json_member(**tokenizer, "model");
        if (model == nullptr || (json_string(*model, "type") != "BPE" && !json_string(*model, "type").empty()))
            return wrong(folder / "tokenizer.json", std::format("its model is of kind {}, BPE is known",
                                                                model == nullptr ? "none" : printable(json_string(*model, "type"))));
        is_sentencepiece = json_truth(*model, "byte_fallback", false);
        vocabulary = from_bpe(**tokenizer, added, rows, merges, is_sentencepiece, folder / "tokenizer.json");
        if (is_sentencepiece) {
            dummy_prefix = prepends_blank(**tokenizer);
            to.set("tokenizer.ggml.model", std::string("llama"));
            to.set("tokenizer.ggml.pre", std::string("default"));
        } else {
            const auto name = pre_tokenizer_name(**tokenizer);
            if (!name) return wrong(folder / "tokenizer.json", "its pre-tokenizer is none of those that llama.cpp has a name for");
            to.set("tokenizer.ggml.model", std::string("gpt2"));
            to.set("tokenizer.ggml.pre", *name);
        }
    } else {
        return wrong(folder, "there is no tokenizer: neither tokenizer.model nor tokenizer.json");
    }
    if (!vocabulary) return std::unexpected(vocabulary.error());
    if (vocabulary->tokens.size() > rows)
        return wrong(folder, std::format("the vocabulary has {} tokens, the embedding {} rows", vocabulary->tokens.size(), rows));
    if (rows > 0 && vocabulary->tokens.size() < rows) vocabulary->put(rows - 1, std::format("[PAD{}]", rows - 1), -10'000.0F, Type::unused);
    add_special(*vocabulary, set, config, is_sentencepiece, to);
    if (is_sentencepiece) {
        to.set("tokenizer.ggml.scores", vocabulary->scores);
        to.set("tokenizer.ggml.add_space_prefix", dummy_prefix);
    } else {
        to.set("tokenizer.ggml.merges", merges);
    }
    to.set("tokenizer.ggml.tokens", std::move(vocabulary->tokens));
    to.set("tokenizer.ggml.token_type", std::move(vocabulary->types));
    return add_chat_template(folder, set, to);
}

}  // namespace hanse::forge
