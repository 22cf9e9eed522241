// SPDX-License-Identifier: Apache-2.0
#include "progress_record.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <fstream>
#include <string>

#include "catalog/files.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
namespace {

std::string boot_id() {
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(in, id);
    return id;
}

std::string head_for(std::string_view recipe) {
    return std::format("hanse forge progress 1\nboot {}\nrecipe {}\n{}\n", boot_id(), recipe.size(), recipe);
}

std::unexpected<base::Error> cannot_write(const fs::path& path) {
    return base::fail(base::ErrorKind::unavailable, std::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

}  // namespace

std::vector<std::size_t> ProgressRecord::read(const fs::path& path, std::string_view recipe) {
    const auto text = catalog::read_file_whole(path, 64U << 20U);
    const std::string head = head_for(recipe);
    if (!text || !text->starts_with(head) || boot_id().empty()) return {};
    std::vector<std::size_t> tensors;
    std::string_view rest = std::string_view(*text).substr(head.size());
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
        std::size_t number = 0;
        const auto read = std::from_chars(rest.data(), rest.data() + end, number);
        if (read.ec != std::errc{} || read.ptr != rest.data() + end) return {};
        tensors.push_back(number);
        rest.remove_prefix(end + 1);
    }
    return tensors;
}

base::Result<ProgressRecord> ProgressRecord::begin(const fs::path& path, std::string_view recipe, const std::vector<std::size_t>& before) {
    std::string text = head_for(recipe);
    for (const std::size_t tensor : before) text += std::format("{}\n", tensor);
    if (auto done = catalog::write_file_whole(path, text); !done) return std::unexpected(done.error());
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor < 0) return cannot_write(path);
    return ProgressRecord(path, descriptor);
}

ProgressRecord::~ProgressRecord() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<void> ProgressRecord::add(std::size_t tensor) {
    const std::string line = std::format("{}\n", tensor);
    if (::write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return cannot_write(path_);
    return {};
}

void ProgressRecord::remove() {
    std::error_code ignored;  // a record that stays fits no later plan, or only the same one
    fs::remove(path_, ignored);
}

}  // namespace hanse::forge
