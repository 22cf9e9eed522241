// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <format>
#include <unistd.h>
#include <vector>

#include "base/encoding.hpp"
#include "catalog/files.hpp"
#include "crypto/digest.hpp"

namespace hanse::catalog {

base::Result<std::string> sha256_of_file(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& progress) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return base::fail(base::ErrorKind::not_found, std::format("cannot read {}: {}", path.string(), std::strerror(errno)));
    (void)::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    crypto::Sha256 hash;
    std::vector<std::byte> piece(1 << 20);
    std::uint64_t done = 0;
    while (true) {
        const ssize_t got = ::read(descriptor, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            const int error = errno;
            ::close(descriptor);
            return base::fail(base::ErrorKind::unavailable, std::format("cannot read {}: {}", path.string(), std::strerror(error)));
        }
        if (got == 0) break;
        hash.update(std::span(piece).first(static_cast<std::size_t>(got)));
        done += static_cast<std::uint64_t>(got);
        if (progress) progress(done);
    }
    ::close(descriptor);
    return base::hex(hash.finish());
}

}  // namespace hanse::catalog
