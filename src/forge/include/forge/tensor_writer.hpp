// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "forge/tensor_file.hpp"

namespace hanse::forge {

// What a file will hold, known before its first byte of data: so the head is written first, and every block of data has its
// place from the start.
struct TensorPlan {
    TensorFormat format = TensorFormat::safetensors;
    Metadata metadata = {};
    std::vector<Tensor> tensors = {};
    // safetensors only: a folder with files of at most so many bytes of tensors each and their index; 0: one file.
    std::uint64_t shard_bytes = 0;
};

// Writes a model from all threads, blocks in any order. Until finish() the files are called NAME.part; then everything is
// synced and gets its name, the index last, so that a power cut leaves a whole model or none.
//
// Resumable: with a `recipe` (a text that determines every byte, for instance the configuration with the parents' digests) the
// tensors that complete() was told of stand in NAME.progress; a later create() with the same plan and recipe on the same boot
// keeps them, and done() says so. After a reboot the parts are written anew, since nothing says what of them reached the disk. Without a
// recipe an unfinished writer takes its parts away.
//
// write() and complete() are safe from any thread; a tensor is complete when all its blocks were written. Errors: `invalid` if the plan
// cannot be written in this format (the message names the tensor), `overloaded` with the code "disk_full", `unavailable`.
class TensorWriter {
public:
    static base::Result<TensorWriter> create(const std::filesystem::path& path, TensorPlan plan, std::string_view recipe = {});

    const TensorPlan& plan() const;
    // Bytes of all files together.
    std::uint64_t file_bytes() const;
    // From an earlier, interrupted run.
    bool done(std::size_t tensor) const;
    base::Result<void> write(std::size_t tensor, std::uint64_t offset, std::span<const std::byte> bytes);
    // Of a tensor's first byte in its file. Long stretches whose memory has the same place within a page as they have in the
    // file, as part_output.hpp's FileBuffer gives it, are written past the page cache.
    std::uint64_t file_offset(std::size_t tensor) const;
    base::Result<void> complete(std::size_t tensor);
    // `bug` if a tensor is not complete.
    base::Result<void> finish();
    // Where the model is after finish(): the file, or the folder.
    const std::filesystem::path& path() const;

    TensorWriter(TensorWriter&&) noexcept;
    TensorWriter& operator=(TensorWriter&&) noexcept;
    ~TensorWriter();

private:
    struct State;
    explicit TensorWriter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// The bytes of a file up to its data, and each tensor's offset from the file's beginning. What create() writes first.
struct TensorLayout {
    std::string head;
    std::vector<std::uint64_t> offsets;
    std::uint64_t file_bytes = 0;
};
base::Result<TensorLayout> lay_out_safetensors(const TensorPlan& plan);
base::Result<TensorLayout> lay_out_gguf(const TensorPlan& plan);

}  // namespace hanse::forge
