// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <llama.h>

#include <map>
#include <memory>
#include <string>

#include "llama_adapter.hpp"

namespace hanse::engine {

// What llama_adapter.cpp and probe.cpp share of libllama; nobody else includes it.
struct FreeModel {
    void operator()(llama_model* model) const { llama_model_free(model); }
};
struct FreeContext {
    void operator()(llama_context* context) const { llama_free(context); }
};
using ContextPointer = std::unique_ptr<llama_context, FreeContext>;

struct LlamaWeights::Handle {
    std::unique_ptr<llama_model, FreeModel> model;
    const llama_vocab* vocabulary = nullptr;
    std::map<std::string, llama_adapter_lora*, std::less<>> adapters;  // freed with the model
};

}  // namespace hanse::engine
