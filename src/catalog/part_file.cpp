// SPDX-License-Identifier: Apache-2.0
#include "part_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <format>
#include <glaze/glaze.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "base/encoding.hpp"
#include "catalog/files.hpp"
#include "crypto/digest.hpp"

namespace hanse::catalog {
namespace fs = std::filesystem;

struct PartFile::State {
    fs::path target;
    fs::path part;
    fs::path note;
    int descriptor = -1;
    std::uint64_t size = 0;
    crypto::Sha256 hash = {};
    std::string digest = {};

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (descriptor >= 0) ::close(descriptor);
    }
    std::unexpected<base::Error> failed(std::string_view what) const {
        return base::fail(base::ErrorKind::unavailable, std::format("cannot {} {}: {}", what, part.string(), std::strerror(errno)));
    }
};

PartFile::PartFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
PartFile::PartFile(PartFile&&) noexcept = default;
PartFile::~PartFile() = default;

base::Result<PartFile> PartFile::open(fs::path target, Identity identity) {
    auto state = std::make_unique<State>();
    state->part = target.string() + ".part";
    state->note = target.string() + ".part.json";
    state->target = std::move(target);
    bool same = false;
    if (const auto note = read_file_whole(state->note, 4096)) {
        Identity noted;
        same = !glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(noted, *note) && noted == identity;
    }
    state->descriptor = ::open(state->part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (same ? 0 : O_TRUNC), 0644);
    if (state->descriptor < 0) return state->failed("write");
    if (!same) {
        std::string note;
        if (glz::write_json(identity, note)) note.clear();
        if (auto written = write_file_whole(state->note, note); !written) return std::unexpected(written.error());
    }
    std::vector<std::byte> piece(1 << 20);
    while (true) {
        const ssize_t got = ::read(state->descriptor, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return state->failed("read");
        if (got == 0) break;
        state->hash.update(std::span(piece).first(static_cast<std::size_t>(got)));
        state->size += static_cast<std::uint64_t>(got);
    }
    PartFile file(std::move(state));
    if (file.size() > identity.size)
        if (auto reset = file.reset(); !reset) return std::unexpected(reset.error());
    return file;
}

std::uint64_t PartFile::size() const { return state_->size; }

base::Result<void> PartFile::append(std::string_view bytes) {
    state_->hash.update(base::bytes_of(bytes));
    while (!bytes.empty()) {
        const ssize_t written = ::write(state_->descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return state_->failed("write");
        state_->size += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

base::Result<void> PartFile::reset() {
    if (::ftruncate(state_->descriptor, 0) != 0 || ::lseek(state_->descriptor, 0, SEEK_SET) != 0) return state_->failed("empty");
    state_->size = 0;
    state_->hash = crypto::Sha256();
    return {};
}

std::string PartFile::hash() {
    if (state_->digest.empty()) state_->digest = base::hex(state_->hash.finish());
    return state_->digest;
}

void PartFile::discard() {
    ::unlink(state_->part.c_str());
    ::unlink(state_->note.c_str());
}

base::Result<fs::path> PartFile::finish(const std::function<base::Result<void>(const fs::path&)>& check) {
    if (::fsync(state_->descriptor) != 0) return state_->failed("sync");
    if (auto sound = check(state_->part); !sound) {
        discard();
        return std::unexpected(sound.error());
    }
    if (::rename(state_->part.c_str(), state_->target.c_str()) != 0) return state_->failed("rename");
    ::unlink(state_->note.c_str());
    return state_->target;
}

}  // namespace hanse::catalog
