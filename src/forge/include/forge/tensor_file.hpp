// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "forge/metadata.hpp"
#include "forge/tensor_type.hpp"

namespace hanse::forge {

// A tensor as a file describes it. The shape is outermost first in both formats (GGUF writes it the other way round), so
// that a matrix of a linear layer is {outputs, inputs} and a row lies in one piece.
struct Tensor {
    std::string name;
    TensorType type = TensorType::f32;
    std::vector<std::uint64_t> shape = {};

    std::uint64_t elements() const;
    std::uint64_t row() const;  // elements of a row: the innermost length, 1 without a shape
    std::uint64_t rows() const;
    std::uint64_t row_bytes() const;
    std::uint64_t bytes() const;
    bool operator==(const Tensor&) const = default;
};

// No tensor and no file is larger; so sums of sizes cannot overflow.
inline constexpr std::uint64_t tensor_bytes_max = std::uint64_t{1} << 60;

enum class TensorFormat : std::uint8_t { safetensors, gguf };
std::string_view name(TensorFormat format);

// An open model: one safetensors file, several with their index, or one GGUF file, behind one face. Nothing is loaded: the heads
// are read and checked, data stay on disk until they are asked for, by mapping (bytes()) or by copy into the caller's own
// buffer (read(), which leaves no trace in this process's memory and is what passes over whole models use).
//
// Nothing in the file is believed: counts, lengths, offsets, shapes and UTF-8 are checked before use, tensors must lie
// inside the file and over no other, names must be unique. `corrupt` names the field; `not_found`, `unavailable`: it
// cannot be read; `invalid`: the path is no model. A file that another process cuts short while it is mapped ends this one
// (SIGBUS), as with any mapping; read() reports it instead.
//
// Cheap to move, shares nothing mutable: all observers are safe from any thread.
class TensorFile {
public:
    // A .gguf or .safetensors file, a model.safetensors.index.json, or a folder that holds one of these.
    static base::Result<TensorFile> open(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    TensorFormat format() const { return format_; }
    const Metadata& metadata() const { return metadata_; }
    const std::vector<Tensor>& tensors() const { return tensors_; }
    const Tensor& tensor(std::size_t index) const { return tensors_[index]; }
    std::optional<std::size_t> find(std::string_view name) const;
    // The files behind it, in order; and their bytes in sum.
    std::vector<std::filesystem::path> files() const;
    std::uint64_t file_bytes() const;

    // All bytes of a tensor, mapped. Valid as long as this lives.
    std::span<const std::byte> bytes(std::size_t tensor) const;
    // Some bytes of a tensor; the range must lie within it.
    base::Result<void> read(std::size_t tensor, std::uint64_t offset, std::span<std::byte> out) const;
    // A tensor will be read soon, or its mapped pages are not needed any more. Only hints.
    void expect(std::size_t tensor) const;
    void forget(std::size_t tensor) const;

    // The two formats' own doors; open() finds the right one.
    struct Source;
    TensorFile(TensorFile&&) noexcept;
    TensorFile& operator=(TensorFile&&) noexcept;
    ~TensorFile();

private:
    friend struct TensorFileBuilder;
    TensorFile();
    struct Place {
        std::size_t file = 0;
        std::uint64_t offset = 0;  // from the file's beginning
    };
    std::filesystem::path path_;
    TensorFormat format_ = TensorFormat::safetensors;
    Metadata metadata_;
    std::vector<Tensor> tensors_;
    std::vector<Place> places_;
    std::unordered_map<std::string, std::size_t> by_name_;
    std::vector<std::shared_ptr<const Source>> sources_;
};

// Reading a head from bytes, without a file: for tests and fuzzers, and what open() does. `size`: of the whole file.
struct TensorHead {
    Metadata metadata;
    std::vector<Tensor> tensors;
    std::vector<std::uint64_t> offsets;  // from the file's beginning, one for each tensor
};
base::Result<TensorHead> read_safetensors_head(std::span<const std::byte> file);
base::Result<TensorHead> read_gguf_head(std::span<const std::byte> file);

}  // namespace hanse::forge
