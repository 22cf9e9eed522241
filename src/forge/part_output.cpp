// SPDX-License-Identifier: Apache-2.0
#include "part_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <format>
#include <string>
#include <vector>

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

PartOutput::~PartOutput() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

fs::path PartOutput::part() const { return path_.string() + ".part"; }

std::unexpected<base::Error> PartOutput::cannot_write(int error) const {
    if (error == ENOSPC || error == EDQUOT)
        return base::fail(ErrorKind::overloaded, std::format("no room on the disk for {}, which takes {} bytes", path_.string(), bytes_),
                          "disk_full");
    return base::fail(error == EACCES || error == EROFS ? ErrorKind::denied : ErrorKind::unavailable,
                      std::format("cannot write {}: {}", path_.string(), std::strerror(error)));
}

Result<void> PartOutput::begin(std::string_view head) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::open(part().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) return cannot_write(errno);
    // Reserved at once, so that a full disk is known before hours of work; file systems that cannot reserve just grow.
    if (bytes_ > 0 && ::fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes_)) != 0) {
        if (errno != EOPNOTSUPP && errno != ENOSYS) return cannot_write(errno);
        if (::ftruncate(descriptor_, static_cast<off_t>(bytes_)) != 0) return cannot_write(errno);
    }
    return write(0, std::as_bytes(std::span(head)));
}

bool PartOutput::reopen(std::string_view head) {
    descriptor_ = ::open(part().c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts{};
    if (descriptor_ < 0 || ::fstat(descriptor_, &facts) != 0 || static_cast<std::uint64_t>(facts.st_size) != bytes_) return false;
    std::vector<char> there(head.size());
    return ::pread(descriptor_, there.data(), there.size(), 0) == static_cast<ssize_t>(there.size()) &&
           std::string_view(there.data(), there.size()) == head;
}

Result<void> PartOutput::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return cannot_write(errno);
        offset += static_cast<std::uint64_t>(put);
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

Result<void> PartOutput::sync() {
    if (::fdatasync(descriptor_) != 0) return cannot_write(errno);
    return {};
}

Result<void> PartOutput::give_name() {
    if (::rename(part().c_str(), path_.c_str()) != 0) return cannot_write(errno);
    const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return cannot_write(errno);
    const int failed = ::fsync(descriptor) != 0 ? errno : 0;
    ::close(descriptor);
    if (failed != 0) return cannot_write(failed);
    return {};
}

void PartOutput::remove() {
    std::error_code ignored;  // nothing to do about it: the part stays, and the next run writes over it
    fs::remove(part(), ignored);
}

}  // namespace hanse::forge
