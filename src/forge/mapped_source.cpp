// SPDX-License-Identifier: Apache-2.0
#include "mapped_source.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

namespace hanse::forge {
namespace {

std::unexpected<base::Error> cannot_read(const std::filesystem::path& path, int error) {
    const auto kind = error == ENOENT || error == ENOTDIR ? base::ErrorKind::not_found
                      : error == EACCES                   ? base::ErrorKind::denied
                                                          : base::ErrorKind::unavailable;
    return base::fail(kind, std::format("cannot read {}: {}", path.string(), std::strerror(error)));
}

}  // namespace

base::Result<std::shared_ptr<const TensorFile::Source>> TensorFile::Source::open(const std::filesystem::path& path) {
    auto made = std::make_shared<Source>();
    made->path = path;
    made->descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (made->descriptor < 0) return cannot_read(path, errno);
    struct stat facts{};
    if (::fstat(made->descriptor, &facts) != 0) return cannot_read(path, errno);
    if (!S_ISREG(facts.st_mode)) return base::fail(base::ErrorKind::invalid, std::format("{} is no regular file", path.string()));
    made->size = static_cast<std::uint64_t>(facts.st_size);
    if (made->size == 0) return made;
    void* begin = ::mmap(nullptr, made->size, PROT_READ, MAP_SHARED, made->descriptor, 0);
    if (begin == MAP_FAILED) return cannot_read(path, errno);
    made->begin = begin;
    return made;
}

TensorFile::Source::~Source() {
    if (begin != nullptr) ::munmap(begin, size);
    if (descriptor >= 0) ::close(descriptor);
}

base::Result<void> TensorFile::Source::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t got = ::pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cannot_read(path, errno);
        if (got == 0) return base::fail(base::ErrorKind::corrupt, std::format("{} has become shorter while it was read", path.string()));
        offset += static_cast<std::uint64_t>(got);
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

void TensorFile::Source::advise(std::uint64_t offset, std::uint64_t length, int advice) const {
    if (begin == nullptr || length == 0) return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t from = offset / page * page;
    (void)::madvise(static_cast<std::byte*>(begin) + from, std::min(offset + length, size) - from, advice);
}

}  // namespace hanse::forge
