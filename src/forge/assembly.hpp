// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "base/encoding.hpp"
#include "forge/mixture.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {

// A model made of pieces of others, without looking into them: what each tensor's bytes are copied from, in order.
struct AssemblyPiece {
    const TensorFile* file = nullptr;  // none: `made`
    std::size_t tensor = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    base::Bytes made = {};
};

struct Assembly {
    TensorPlan plan;
    std::vector<std::vector<AssemblyPiece>> pieces;  // by tensor

    void add(Tensor tensor, std::vector<AssemblyPiece> from);
    base::Result<void> write(const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress) const;
};

AssemblyPiece whole(const TensorFile& file, std::size_t tensor);

}  // namespace hanse::forge
