// SPDX-License-Identifier: Apache-2.0
#include "assembly.hpp"

#include <algorithm>
#include <mutex>

#include "part_output.hpp"

namespace hanse::forge {
namespace {

constexpr std::uint64_t chunk_bytes = 4U << 20;

struct Chunk {
    std::size_t tensor;
    const AssemblyPiece* piece;
    std::uint64_t from;  // within the piece
    std::uint64_t to;    // within the tensor
    std::uint64_t bytes;
};

}  // namespace

AssemblyPiece whole(const TensorFile& file, std::size_t tensor) { return {&file, tensor, 0, file.tensor(tensor).bytes(), {}}; }

void Assembly::add(Tensor tensor, std::vector<AssemblyPiece> from) {
    plan.tensors.push_back(std::move(tensor));
    pieces.push_back(std::move(from));
}

base::Result<void> Assembly::write(const std::filesystem::path& out, Crew& crew, const ForgeProgress& progress) const {
    auto writer = TensorWriter::create(out, plan);
    if (!writer) return std::unexpected(writer.error());
    std::vector<Chunk> chunks;
    std::uint64_t all = 0;
    for (std::size_t tensor = 0; tensor < pieces.size(); ++tensor) {
        std::uint64_t to = 0;
        for (const auto& piece : pieces[tensor]) {
            const auto bytes = piece.file == nullptr ? piece.made.size() : piece.bytes;
            for (std::uint64_t from = 0; from < bytes; from += chunk_bytes) {
                const auto size = std::min(chunk_bytes, bytes - from);
                chunks.push_back({tensor, &piece, from, to + from, size});
            }
            to += bytes;
        }
        all += to;
    }
    std::vector<FileBuffer> buffers(crew.size());
    std::mutex mutex;
    std::uint64_t done = 0;
    auto copied = crew.for_each(chunks.size(), [&](std::size_t number, unsigned worker) -> base::Result<void> {
        const auto& chunk = chunks[number];
        auto bytes = std::span<const std::byte>();
        if (chunk.piece->file == nullptr) {
            bytes = std::span(chunk.piece->made).subspan(chunk.from, chunk.bytes);
        } else {
            const auto buffer = buffers[worker].at(writer->file_offset(chunk.tensor) + chunk.to, chunk.bytes);
            if (auto read = chunk.piece->file->read(chunk.piece->tensor, chunk.piece->offset + chunk.from, buffer); !read) return read;
            bytes = buffer;
        }
        if (auto wrote = writer->write(chunk.tensor, chunk.to, bytes); !wrote) return wrote;
        const std::lock_guard lock(mutex);
        done += chunk.bytes;
        if (progress) progress(done, all);
        return {};
    });
    if (!copied) return copied;
    for (std::size_t tensor = 0; tensor < pieces.size(); ++tensor)
        if (auto complete = writer->complete(tensor); !complete) return complete;
    return writer->finish();
}

}  // namespace hanse::forge
