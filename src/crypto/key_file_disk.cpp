// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <format>

#include "crypto/key_file.hpp"

// Where key files touch the disk: who may read them is checked on the open file, not on its name.
namespace hanse::crypto {
namespace {

struct Descriptor {
    explicit Descriptor(int opened) : number(opened) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
    int number;
};

base::Error cannot(const std::filesystem::path& path, std::string_view done) {
    const auto kind = errno == ENOENT   ? base::ErrorKind::not_found
                      : errno == EEXIST ? base::ErrorKind::invalid
                                        : base::ErrorKind::unavailable;
    return {kind, std::format("{} cannot be {}: {}", path.string(), done, std::strerror(errno)), {}, {}, {}};
}

}  // namespace

base::Result<KeyFile> read_key_file(const std::filesystem::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts{};
    if (file.number < 0 || ::fstat(file.number, &facts) != 0) return std::unexpected(cannot(path, "read"));
    if (!S_ISREG(facts.st_mode)) return base::fail(base::ErrorKind::denied, path.string() + " is no regular file");
    if (facts.st_uid != ::geteuid() && facts.st_uid != 0)
        return base::fail(base::ErrorKind::denied, path.string() + " belongs to somebody else");
    if ((facts.st_mode & 077) != 0)
        return base::fail(base::ErrorKind::denied, std::format("{} can be read or written by others (mode {:o}); it must be 600",
                                                               path.string(), facts.st_mode & 0777));
    if (facts.st_size > 16 * 1024) return base::fail(base::ErrorKind::corrupt, path.string() + " is too long for a key file");
    Secret text(static_cast<std::size_t>(facts.st_size));
    for (auto rest = text.fill(); !rest.empty();) {
        const ssize_t got = ::read(file.number, rest.data(), rest.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::unexpected(cannot(path, "read to its end"));
        rest = rest.subspan(static_cast<std::size_t>(got));
    }
    const auto bytes = text.reveal();
    auto parsed = KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!parsed) parsed.error().message = path.string() + ": " + parsed.error().message;
    return parsed;
}

base::Result<void> write_key_file(const std::filesystem::path& path, const Secret& text) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.number < 0) return std::unexpected(cannot(path, "made"));
    const auto give_up = [&] {
        auto error = cannot(path, "written");
        ::unlink(path.c_str());
        return std::unexpected(std::move(error));
    };
    for (auto rest = text.reveal(); !rest.empty();) {
        const ssize_t put = ::write(file.number, rest.data(), rest.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return give_up();
        rest = rest.subspan(static_cast<std::size_t>(put));
    }
    if (::fsync(file.number) != 0) return give_up();
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const Descriptor held(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (held.number < 0 || ::fsync(held.number) != 0) return give_up();
    return {};
}

}  // namespace hanse::crypto
