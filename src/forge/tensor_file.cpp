// SPDX-License-Identifier: Apache-2.0
#include "forge/tensor_file.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>
#include <map>

#include "catalog/files.hpp"
#include "catalog/reference.hpp"
#include "mapped_source.hpp"
#include "printable.hpp"

struct SafetensorsIndex {
    std::map<std::string, std::string> weight_map;
};

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

std::uint64_t Tensor::elements() const {
    std::uint64_t product = 1;
    for (const std::uint64_t length : shape) product *= length;
    return product;
}

std::uint64_t Tensor::row() const { return shape.empty() ? 1 : shape.back(); }

std::uint64_t Tensor::rows() const {
    std::uint64_t product = 1;
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) product *= shape[i];
    return product;
}

std::uint64_t Tensor::row_bytes() const { return row() / block(type).elements * block(type).bytes; }
std::uint64_t Tensor::bytes() const { return rows() * row_bytes(); }

std::string_view name(TensorFormat format) { return format == TensorFormat::gguf ? "GGUF" : "safetensors"; }

TensorFile::TensorFile() = default;
TensorFile::TensorFile(TensorFile&&) noexcept = default;
TensorFile& TensorFile::operator=(TensorFile&&) noexcept = default;
TensorFile::~TensorFile() = default;

// Puts files together to one model.
struct TensorFileBuilder {
    TensorFile made;

    Result<void> add(const fs::path& path) {
        auto source = TensorFile::Source::open(path);
        if (!source) return std::unexpected(source.error());
        const auto bytes = (*source)->bytes();
        const bool gguf = bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0;
        auto head = gguf ? read_gguf_head(bytes) : read_safetensors_head(bytes);
        if (!head) {
            head.error().message = std::format("{}: {}", path.string(), head.error().message);
            return std::unexpected(head.error());
        }
        made.format_ = gguf ? TensorFormat::gguf : TensorFormat::safetensors;
        for (std::size_t i = 0; i < head->tensors.size(); ++i) {
            Tensor& tensor = head->tensors[i];
            if (!made.by_name_.emplace(tensor.name, made.tensors_.size()).second)
                return base::fail(ErrorKind::corrupt,
                                  std::format("{}: tensor {} is in another file of the model too", path.string(), printable(tensor.name)),
                                  "invalid_safetensors", "tensor " + printable(tensor.name));
            made.tensors_.push_back(std::move(tensor));
            made.places_.push_back({made.sources_.size(), head->offsets[i]});
        }
        for (const auto& [key, value] : head->metadata.entries())
            if (made.metadata_.find(key) == nullptr) made.metadata_.set(key, value);
        made.sources_.push_back(std::move(*source));
        return {};
    }

    Result<void> add_indexed(const fs::path& index) {
        const auto wrong = [&](std::string_view what) {
            return base::fail(ErrorKind::corrupt, std::format("{}: {}", index.string(), what), "invalid_safetensors", "weight_map");
        };
        const auto text = catalog::read_file_whole(index, 100U << 20U);
        if (!text) return std::unexpected(text.error());
        SafetensorsIndex parsed;
        if (const auto error = glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(parsed, *text))
            return wrong(std::format("it is no index of safetensors files, at byte {}", error.count));
        std::vector<std::string> files;
        for (const auto& [tensor, file] : parsed.weight_map) {
            if (!catalog::is_plain_path(file) || file.contains('/'))
                return wrong(std::format("weight_map names the file {}, which is outside its folder", printable(file)));
            files.push_back(file);
        }
        std::ranges::sort(files);
        files.erase(std::ranges::unique(files).begin(), files.end());
        for (const std::string& file : files)
            if (auto done = add(index.parent_path() / file); !done) return done;
        for (const auto& [tensor, file] : parsed.weight_map) {
            const auto found = made.find(tensor);
            if (!found || made.sources_[made.places_[*found].file]->path.filename() != file)
                return wrong(std::format("weight_map puts tensor {} into {}, where it is not", printable(tensor), printable(file)));
        }
        return {};
    }
};

Result<TensorFile> TensorFile::open(const fs::path& path) {
    TensorFileBuilder builder;
    builder.made.path_ = path;
    std::error_code error;
    fs::path file = path;
    if (fs::is_directory(path, error)) {
        std::vector<fs::path> candidates;
        for (const auto& entry : fs::directory_iterator(path, error))
            if (const auto extension = entry.path().extension(); extension == ".safetensors" || extension == ".gguf")
                candidates.push_back(entry.path());
        if (fs::exists(path / "model.safetensors.index.json", error)) file = path / "model.safetensors.index.json";
        else if (fs::exists(path / "model.safetensors", error)) file = path / "model.safetensors";
        else if (candidates.size() == 1) file = candidates.front();
        else
            return base::fail(ErrorKind::invalid,
                              std::format("{} holds {} model: no model.safetensors, no index of parts, and {} files that might be one",
                                          path.string(), candidates.empty() ? "no" : "no single", candidates.size()));
    }
    auto done = file.extension() == ".json" ? builder.add_indexed(file) : builder.add(file);
    if (!done) return std::unexpected(done.error());
    return std::move(builder.made);
}

std::optional<std::size_t> TensorFile::find(std::string_view name) const {
    const auto found = by_name_.find(std::string(name));
    return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<fs::path> TensorFile::files() const {
    std::vector<fs::path> out;
    for (const auto& source : sources_) out.push_back(source->path);
    return out;
}

std::uint64_t TensorFile::file_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& source : sources_) sum += source->size;
    return sum;
}

std::span<const std::byte> TensorFile::bytes(std::size_t tensor) const {
    const Place& place = places_[tensor];
    return sources_[place.file]->bytes().subspan(place.offset, tensors_[tensor].bytes());
}

Result<void> TensorFile::read(std::size_t tensor, std::uint64_t offset, std::span<std::byte> out) const {
    const Place& place = places_[tensor];
    if (const std::uint64_t size = tensors_[tensor].bytes(); offset > size || out.size() > size - offset)
        return base::fail(ErrorKind::bug, std::format("tensor {} was asked for bytes beyond its end", printable(tensors_[tensor].name)));
    return sources_[place.file]->read(place.offset + offset, out);
}

void TensorFile::expect(std::size_t tensor) const {
    sources_[places_[tensor].file]->advise(places_[tensor].offset, tensors_[tensor].bytes(), MADV_WILLNEED);
}

void TensorFile::forget(std::size_t tensor) const {
    sources_[places_[tensor].file]->advise(places_[tensor].offset, tensors_[tensor].bytes(), MADV_DONTNEED);
}

}  // namespace hanse::forge
