// SPDX-License-Identifier: Apache-2.0
#include "catalog/files.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <format>
#include <sys/stat.h>
#include <unistd.h>

namespace hanse::catalog {
namespace {

struct Descriptor {
    int number = -1;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

std::unexpected<base::Error> io_error(std::string_view what, const std::filesystem::path& path) {
    const int error = errno;
    const auto kind = error == ENOENT ? base::ErrorKind::not_found : error == EACCES || error == EPERM ? base::ErrorKind::denied : base::ErrorKind::unavailable;
    return base::fail(kind, std::format("cannot {} {}: {}", what, path.string(), std::strerror(error)));
}

}  // namespace

base::Result<void> write_file_whole(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    const std::filesystem::path part = path.string() + std::format(".{}.new", ::getpid());
    {
        const Descriptor file{::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
        if (file.number < 0) return io_error("write", part);
        (void)::fchmod(file.number, mode);  // whatever the umask is
        while (!content.empty()) {
            const ssize_t written = ::write(file.number, content.data(), content.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) {
                auto failed = io_error("write", part);
                ::unlink(part.c_str());
                return failed;
            }
            content.remove_prefix(static_cast<std::size_t>(written));
        }
        if (::fsync(file.number) != 0) return io_error("sync", part);
    }
    if (::rename(part.c_str(), path.c_str()) != 0) return io_error("rename", part);
    const Descriptor folder{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.number >= 0) (void)::fsync(folder.number);
    return {};
}

base::Result<std::string> read_file_whole(const std::filesystem::path& path, std::size_t limit) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.number < 0) return io_error("read", path);
    std::string content;
    char piece[16'384];
    while (true) {
        const ssize_t got = ::read(file.number, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error("read", path);
        if (got == 0) return content;
        content.append(piece, static_cast<std::size_t>(got));
        if (content.size() > limit) return base::fail(base::ErrorKind::too_large, std::format("{} is over {} bytes", path.string(), limit));
    }
}

}  // namespace hanse::catalog
