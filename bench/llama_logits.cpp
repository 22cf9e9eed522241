// SPDX-License-Identifier: Apache-2.0
// What the stock engine computes for a text: llama_logits MODEL OUT < TEXT. Prints the tokens' numbers in one line and writes the
// logits of every place to OUT, f32, one row a token. For comparisons of converted models with their originals.
#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

int main(int count, char** arguments) {
    if (count != 3) return std::fputs("usage: llama_logits MODEL OUT < TEXT\n", stderr), 2;
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    llama_log_set(
        [](ggml_log_level level, const char* words, void*) {
            if (level >= GGML_LOG_LEVEL_ERROR) std::fputs(words, stderr);
        },
        nullptr);
    ggml_backend_load_all();
    llama_backend_init();
    llama_model* model = llama_model_load_from_file(arguments[1], llama_model_default_params());
    if (model == nullptr) return 1;
    const llama_vocab* vocabulary = llama_model_get_vocab(model);
    std::vector<llama_token> tokens(text.size() + 8);
    const int found =
        llama_tokenize(vocabulary, text.data(), static_cast<int>(text.size()), tokens.data(), static_cast<int>(tokens.size()), true, false);
    if (found <= 0) return std::fputs("the text has no tokens\n", stderr), 1;
    tokens.resize(static_cast<std::size_t>(found));
    llama_context_params settings = llama_context_default_params();
    settings.n_ctx = settings.n_batch = settings.n_ubatch = static_cast<std::uint32_t>(tokens.size() + 8);
    settings.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    settings.type_k = settings.type_v = GGML_TYPE_F32;
    settings.n_threads = settings.n_threads_batch = 1;
    llama_context* context = llama_init_from_model(model, settings);
    if (context == nullptr) return 1;
    llama_batch batch = llama_batch_init(found, 0, 1);
    for (int i = 0; i < found; ++i) {
        batch.token[i] = tokens[static_cast<std::size_t>(i)];
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = 1;
    }
    batch.n_tokens = found;
    if (llama_decode(context, batch) != 0) return std::fputs("the model cannot be run\n", stderr), 1;
    std::ofstream out(arguments[2], std::ios::binary);
    const int words = llama_vocab_n_tokens(vocabulary);
    for (int i = 0; i < found; ++i) {
        std::printf("%d ", tokens[static_cast<std::size_t>(i)]);
        out.write(reinterpret_cast<const char*>(llama_get_logits_ith(context, i)), static_cast<std::streamsize>(sizeof(float)) * words);
    }
    std::printf("\n");
    llama_batch_free(batch);
    llama_free(context);
    llama_model_free(model);
    return out.good() ? 0 : 1;
}
