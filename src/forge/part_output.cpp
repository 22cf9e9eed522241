// SPDX-License-Identifier: Apache-2.0
#include "part_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <format>
#include <new>
#include <string>
#include <vector>

namespace hanse::forge {
namespace fs = std::filesystem;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t direct_least = 64 * page;  // less is not worth a disk access of its own

}  // namespace

void FileBuffer::Free::operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{page}); }

std::span<std::byte> FileBuffer::at(std::uint64_t file_offset, std::size_t size) {
    const auto skipped = static_cast<std::size_t>(file_offset % page);
    if (skipped + size > size_) {
        size_ = (skipped + size + page - 1) / page * page;
        memory_.reset(static_cast<std::byte*>(::operator new(size_, std::align_val_t{page})));
    }
    return {memory_.get() + skipped, size};
}

PartOutput::~PartOutput() {
    for (const int descriptor : {descriptor_, direct_})
        if (descriptor >= 0) ::close(descriptor);
}

void PartOutput::open_direct() {
    if (direct_ >= 0) ::close(direct_);
    direct_ = ::open(part().c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
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
    open_direct();
    return write(0, std::as_bytes(std::span(head)));
}

bool PartOutput::reopen(std::string_view head) {
    descriptor_ = ::open(part().c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts{};
    if (descriptor_ < 0 || ::fstat(descriptor_, &facts) != 0 || static_cast<std::uint64_t>(facts.st_size) != bytes_) return false;
    open_direct();
    std::vector<char> there(head.size());
    return ::pread(descriptor_, there.data(), there.size(), 0) == static_cast<ssize_t>(there.size()) &&
           std::string_view(there.data(), there.size()) == head;
}

Result<void> PartOutput::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (direct_ >= 0 && bytes.size() >= direct_least && reinterpret_cast<std::uintptr_t>(bytes.data()) % page == offset % page) {
        const auto before = static_cast<std::size_t>((page - offset % page) % page);
        const auto middle = (bytes.size() - before) / page * page;
        const auto went = before + write_past_cache(offset + before, bytes.subspan(before, middle));
        if (auto done = write_through_cache(offset, bytes.first(before)); !done) return done;
        return write_through_cache(offset + went, bytes.subspan(went));
    }
    return write_through_cache(offset, bytes);
}

// How much went; what did not, for whatever reason, goes the other way, which tells the reason.
std::size_t PartOutput::write_past_cache(std::uint64_t offset, std::span<const std::byte> bytes) {
    std::size_t went = 0;
    while (went < bytes.size()) {
        const ssize_t put = ::pwrite(direct_, bytes.data() + went, bytes.size() - went, static_cast<off_t>(offset + went));
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) break;
        went += static_cast<std::size_t>(put);
        if (went % page != 0) break;
    }
    return went;
}

Result<void> PartOutput::write_through_cache(std::uint64_t offset, std::span<const std::byte> bytes) {
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
