// SPDX-License-Identifier: Apache-2.0
#include "node/paths.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <format>
#include <glaze/glaze.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/files.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
namespace {

// Locks of the open file description: asking whether somebody holds one does not take it.
struct flock whole_file() {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

base::Result<DataDirectory> data_directory(const std::string& named, const base::Environment& environment) {
    const auto variable = [&](std::string_view name) -> std::string {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string() : found->second;
    };
    fs::path root = named;
    if (root.empty()) root = variable("HANSE_DATA");
    // The XDG specification tells to ignore a relative path.
    if (root.empty() && fs::path(variable("XDG_DATA_HOME")).is_absolute()) root = fs::path(variable("XDG_DATA_HOME")) / "hanse";
    if (root.empty() && !variable("HOME").empty()) root = fs::path(variable("HOME")) / ".local/share/hanse";
    if (root.empty()) return base::fail(base::ErrorKind::invalid, "no data directory: give --data DIR, or set HANSE_DATA or HOME");
    std::error_code error;
    const fs::path absolute = fs::absolute(root, error);
    return DataDirectory{(error ? root : absolute).lexically_normal()};
}

fs::path config_file(const std::string& named, const DataDirectory& data, const base::Environment& environment) {
    if (!named.empty()) return named;
    const auto found = environment.find("HANSE_CONFIG");
    return found != environment.end() && !found->second.empty() ? fs::path(found->second) : data.config();
}

base::Result<DataLock> DataLock::take(const DataDirectory& data) {
    std::error_code error;
    if (!fs::exists(data.root, error)) {
        fs::create_directories(data.root, error);
        if (!error) fs::permissions(data.root, fs::perms::owner_all, error);
        if (error) return base::fail(base::ErrorKind::denied, std::format("cannot make {}: {}", data.root.string(), error.message()));
    }
    const int descriptor = ::open(data.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return base::fail(base::ErrorKind::denied, std::format("cannot write to {}: {}", data.root.string(), std::strerror(errno)));
    DataLock lock(descriptor);
    struct flock whole = whole_file();
    if (::fcntl(descriptor, F_OFD_SETLK, &whole) != 0) {
        const auto other = running_node(data);
        return base::fail(base::ErrorKind::overloaded,
                          std::format("a node runs already in {}{}", data.root.string(), other ? std::format(" (process {}, {})", other->pid, other->url) : ""), "already_running");
    }
    return lock;
}

DataLock::~DataLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<void> announce(const DataDirectory& data, const RunningNode& node) {
    std::string json;
    if (glz::write<glz::opts{.prettify = true}>(node, json)) json.clear();  // plain values: cannot fail
    return catalog::write_file_whole(data.node(), json + "\n", 0644);
}

void withdraw(const DataDirectory& data) { ::unlink(data.node().c_str()); }

std::optional<RunningNode> running_node(const DataDirectory& data) {
    const auto json = catalog::read_file_whole(data.node(), 64 << 10);
    if (!json) return {};
    RunningNode node;
    if (glz::read<glz::opts{.null_terminated = false, .error_on_unknown_keys = false}>(node, *json)) return {};
    if (node.pid <= 0 || node.url.empty()) return {};
    const int descriptor = ::open(data.lock().c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        struct flock whole = whole_file();
        const bool asked = ::fcntl(descriptor, F_OFD_GETLK, &whole) == 0;
        ::close(descriptor);
        if (asked && whole.l_type == F_UNLCK) return {};
    } else if (errno == ENOENT) {
        return {};
    }
    return node;
}

}  // namespace hanse::node
