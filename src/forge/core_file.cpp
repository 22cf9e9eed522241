// SPDX-License-Identifier: Apache-2.0
#include "forge/core_file.hpp"

#include <algorithm>
#include <format>

#include "forge/tensor_file.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {
namespace {

constexpr std::uint64_t size_max = 4096;

}  // namespace

base::Result<void> write_cores(const std::filesystem::path& path, const std::vector<Core>& cores) {
    TensorPlan plan;
    for (const auto& core : cores) plan.tensors.push_back({core.name, TensorType::f32, {core.size, core.size}});
    auto writer = TensorWriter::create(path, std::move(plan));
    if (!writer) return std::unexpected(writer.error());
    for (std::size_t i = 0; i < cores.size(); ++i) {
        if (auto wrote = writer->write(i, 0, std::as_bytes(std::span(cores[i].values))); !wrote) return wrote;
        if (auto done = writer->complete(i); !done) return done;
    }
    return writer->finish();
}

base::Result<std::vector<Core>> read_cores(const std::filesystem::path& path) {
    const auto file = TensorFile::open(path);
    if (!file) return std::unexpected(file.error());
    std::vector<Core> cores;
    for (std::size_t i = 0; i < file->tensors().size(); ++i) {
        const Tensor& tensor = file->tensor(i);
        if (tensor.type != TensorType::f32 || tensor.shape.size() != 2 || tensor.shape[0] != tensor.shape[1] || tensor.shape[0] == 0 ||
            tensor.shape[0] > size_max)
            return base::fail(base::ErrorKind::invalid, std::format("{}: {} is no square matrix in F32", path.string(), tensor.name),
                              "invalid_core", tensor.name);
        Core core{tensor.name, static_cast<std::uint32_t>(tensor.shape[0]), std::vector<float>(tensor.elements())};
        if (auto read = file->read(i, 0, std::as_writable_bytes(std::span(core.values))); !read) return std::unexpected(read.error());
        cores.push_back(std::move(core));
    }
    std::ranges::sort(cores, {}, &Core::name);
    return cores;
}

}  // namespace hanse::forge
