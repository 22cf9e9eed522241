// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace hanse::catalog {

// What a GGUF file says about itself, for `hanse model show` and for whoever loads it. Texts are as the file
// holds them, but valid UTF-8.
struct GgufFacts {
    std::uint32_t version = 0;
    std::string architecture;      // "llama"
    std::string name = {};         // general.name
    std::string size_label = {};   // "135M"
    std::string licence = {};      // "apache-2.0"
    std::vector<std::string> languages = {};
    std::string weights = {};      // type of most of the weights' bytes, "Q4_1"
    std::optional<std::uint32_t> file_type = {};  // llama.cpp's number for the mix of types
    std::uint64_t parameters = 0;  // counted from the tensors
    std::uint64_t bytes = 0;       // of the file
    std::uint64_t tensor_bytes = 0;
    std::uint64_t tensors = 0;
    std::optional<std::uint64_t> context_length = {};
    std::optional<std::uint64_t> embedding_length = {};
    std::optional<std::uint64_t> block_count = {};
    std::uint64_t vocabulary = 0;
    std::string tokenizer = {};    // tokenizer.ggml.model
    std::string chat_template = {};
    std::optional<std::uint32_t> pooling_type = {};
};

// Reads the head of a GGUF file (version 2 or 3) without trusting any of it, and without loading the model: the
// loader of ggml ends the process over some damages that this one reports. Checked are counts and lengths against
// the file's size, types, keys given twice, and each tensor's shape, size, alignment and place: inside the file,
// over no other.
//
// `corrupt`: the file is not what it claims to be, and the message names the field; `not_found` or `unavailable`: it
// cannot be read. Memory stays in the order of the head's tensor list, at most some 100 MB; time is linear in the head.
base::Result<GgufFacts> check_gguf(const std::filesystem::path& file);

// The same from a stream that holds the head, of a file of `size` bytes in sum.
base::Result<GgufFacts> check_gguf(std::istream& head, std::uint64_t size);

}  // namespace hanse::catalog
