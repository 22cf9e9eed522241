// SPDX-License-Identifier: Apache-2.0
#include "base/disk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

namespace hanse::base {
namespace {

std::unexpected<Error> failed(const std::filesystem::path& path, std::string_view what) {
    const int reason = errno;
    const std::string sentence = std::format("{} cannot be {}: {}", path.string(), what, std::strerror(reason));
    if (reason == ENOENT) return fail(ErrorKind::not_found, sentence);
    if (reason == ENOSPC || reason == EDQUOT) return fail(ErrorKind::overloaded, sentence, "disk_full");
    return fail(ErrorKind::unavailable, sentence, "disk_failed");
}

class SystemFile final : public File {
public:
    SystemFile(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
    SystemFile(const SystemFile&) = delete;
    SystemFile& operator=(const SystemFile&) = delete;
    ~SystemFile() override { ::close(descriptor_); }

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failed(path_, "read");
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }
    Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        while (!bytes.empty()) {
            const ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return failed(path_, "written");
            offset += static_cast<std::uint64_t>(put);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        return {};
    }
    Result<std::uint64_t> size() override {
        struct stat facts{};
        if (::fstat(descriptor_, &facts) != 0) return failed(path_, "looked at");
        return static_cast<std::uint64_t>(facts.st_size);
    }
    Result<void> truncate(std::uint64_t size) override {
        if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return failed(path_, "cut");
        return {};
    }
    Result<void> sync() override {
        if (::fdatasync(descriptor_) != 0) return failed(path_, "made durable");
        return {};
    }

private:
    int descriptor_;
    std::filesystem::path path_;
};

Result<void> with_folder(const std::filesystem::path& folder, int (*sync)(int)) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return failed(folder, "opened");
    const int result = sync(descriptor);
    const int reason = errno;
    ::close(descriptor);
    errno = reason;
    if (result != 0) return failed(folder, "made durable");
    return {};
}

}  // namespace

Result<Bytes> Disk::read_whole(const std::filesystem::path& path, std::size_t most) {
    const auto file = open(path, Open::existing);
    if (!file) return std::unexpected(file.error());
    const auto size = (*file)->size();
    if (!size) return std::unexpected(size.error());
    if (*size > most)
        return fail(ErrorKind::too_large, std::format("{} has {} bytes; at most {} were expected", path.string(), *size, most));
    Bytes bytes(*size);
    const auto got = (*file)->read(0, bytes);
    if (!got) return std::unexpected(got.error());
    bytes.resize(*got);
    return bytes;
}

Result<void> Disk::write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const auto file = open(path, Open::create);
    if (!file) return std::unexpected(file.error());
    if (auto cut = (*file)->truncate(0); !cut) return cut;
    return (*file)->write(0, bytes);
}

Result<void> Disk::replace(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const std::filesystem::path beside = path.string() + ".new";
    {
        const auto file = open(beside, Open::create);
        if (!file) return std::unexpected(file.error());
        if (auto cut = (*file)->truncate(0); !cut) return cut;
        if (auto written = (*file)->write(0, bytes); !written) return written;
        if (auto synced = (*file)->sync(); !synced) return synced;
    }
    if (auto renamed = rename(beside, path); !renamed) return renamed;
    return sync_folder(path.parent_path());
}

Result<void> Disk::make_folders(const std::filesystem::path& path) {
    auto made = make_folder(path);
    if (made) return sync_folder(path.parent_path());
    if (made.error().kind != ErrorKind::not_found || !path.has_parent_path()) return made;
    if (auto parent = make_folders(path.parent_path()); !parent) return parent;
    if (made = make_folder(path); !made) return made;
    return sync_folder(path.parent_path());
}

Result<std::unique_ptr<File>> SystemDisk::open(const std::filesystem::path& path, Open how) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (how == Open::create ? O_CREAT : 0), 0600);
    if (descriptor < 0) return failed(path, "opened");
    return std::make_unique<SystemFile>(descriptor, path);
}

Result<void> SystemDisk::make_folder(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed(path, "made");
    return {};
}

Result<void> SystemDisk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed(to, "replaced");
    return {};
}

Result<void> SystemDisk::remove(const std::filesystem::path& path) {
    if (::remove(path.c_str()) != 0 && errno != ENOENT) return failed(path, "removed");
    return {};
}

Result<std::vector<std::string>> SystemDisk::list(const std::filesystem::path& folder) {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        names.push_back(at->path().filename().string());
    if (error) {
        errno = error.value();
        return failed(folder, "listed");
    }
    std::ranges::sort(names);
    return names;
}

Result<void> SystemDisk::sync_folder(const std::filesystem::path& folder) { return with_folder(folder, ::fsync); }
Result<void> SystemDisk::sync_all(const std::filesystem::path& folder) { return with_folder(folder, ::syncfs); }

}  // namespace hanse::base
