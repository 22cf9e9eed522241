// SPDX-License-Identifier: Apache-2.0
#include "keys_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <glaze/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace hanse::task {
namespace {

constexpr std::uint64_t file_max = 16U << 20;

struct KeysFile {
    int version = 1;
    std::vector<StoredKey> keys = {};
};
struct UsageFile {
    int version = 1;
    std::map<std::string, KeyUsage> keys = {};
};

base::Result<std::optional<std::string>> read_whole(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error == std::errc::no_such_file_or_directory) return std::nullopt;
    if (error) return base::fail(base::ErrorKind::unavailable, path + " cannot be read: " + error.message());
    if (size > file_max) return base::fail(base::ErrorKind::too_large, path + " is larger than 16 MiB");
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return base::fail(base::ErrorKind::unavailable, path + " cannot be read");
    return std::move(text).str();
}

template <typename T>
base::Result<T> parse(std::string_view text, std::string_view path) {
    T file;
    try {
        const auto error = glz::read_json(file, text);
        // The position, not the text around it: that would show what the file holds.
        if (error)
            return base::fail(base::ErrorKind::corrupt, std::string(path) + " is not valid at byte " + std::to_string(error.count) + ": " +
                                                            std::string(glz::format_error(error.ec)));
    } catch (const std::exception&) {
        return base::fail(base::ErrorKind::corrupt, std::string(path) + " cannot be understood");
    }
    if (file.version != 1) return base::fail(base::ErrorKind::corrupt, std::string(path) + " has a version that this build does not know");
    return file;
}

std::optional<engine::Priority> priority_of(std::string_view word) {
    if (word == "background") return engine::Priority::background;
    if (word == "normal") return engine::Priority::normal;
    if (word == "urgent") return engine::Priority::urgent;
    return std::nullopt;
}

std::string_view word_of(engine::Priority priority) {
    switch (priority) {
        case engine::Priority::background: return "background";
        case engine::Priority::normal: return "normal";
        case engine::Priority::urgent: return "urgent";
    }
    return "normal";
}

base::Error cannot(const std::string& path, std::string_view what) {
    return {base::ErrorKind::unavailable, path + " cannot be " + std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

KeyFacts facts_of(const StoredKey& key) {
    return {.id = key.id,
            .name = key.name,
            .models = key.models,
            .requests_per_minute = key.requests_per_minute,
            .tokens_per_minute = key.tokens_per_minute,
            .tokens_per_day = key.tokens_per_day,
            .tokens_per_month = key.tokens_per_month,
            .priority_max = priority_of(key.priority_max).value_or(engine::Priority::normal),
            .partition = key.partition,
            .label = key.label,
            .ceiling = key.ceiling,
            .place = key.place,
            .created = key.created,
            .revoked = key.revoked};
}

StoredKey stored_of(const KeyFacts& facts, std::string sha256) {
    return {.id = facts.id,
            .name = facts.name,
            .sha256 = std::move(sha256),
            .models = facts.models,
            .requests_per_minute = facts.requests_per_minute,
            .tokens_per_minute = facts.tokens_per_minute,
            .tokens_per_day = facts.tokens_per_day,
            .tokens_per_month = facts.tokens_per_month,
            .priority_max = std::string(word_of(facts.priority_max)),
            .partition = facts.partition,
            .label = facts.label,
            .ceiling = facts.ceiling,
            .place = facts.place,
            .created = facts.created,
            .revoked = facts.revoked};
}

base::Result<std::vector<StoredKey>> parse_keys(std::string_view text, std::string_view path) {
    auto file = parse<KeysFile>(text, path);
    if (!file) return std::unexpected(file.error());
    for (const auto& key : file->keys) {
        if (key.id.empty()) return base::fail(base::ErrorKind::corrupt, std::string(path) + ": a key has no id");
        if (!priority_of(key.priority_max))
            return base::fail(base::ErrorKind::corrupt, std::string(path) + ": priority_max of key " + key.id + " must be background, normal or urgent");
    }
    return std::move(file->keys);
}

base::Result<std::vector<StoredKey>> read_keys(const std::string& path) {
    auto text = read_whole(path);
    if (!text) return std::unexpected(text.error());
    if (!*text) return std::vector<StoredKey>();
    return parse_keys(**text, path);
}

base::Result<void> write_keys(const std::string& path, const std::vector<StoredKey>& keys) {
    std::string text;
    const KeysFile file{1, keys};
    if (glz::write<glz::opts{.prettify = true}>(file, text)) return base::fail(base::ErrorKind::bug, path + " cannot be put together");
    text += '\n';
    return write_whole(path, text);
}

base::Result<std::map<std::string, KeyUsage>> read_usage(const std::string& path) {
    auto text = read_whole(path);
    if (!text) return std::unexpected(text.error());
    if (!*text) return std::map<std::string, KeyUsage>();
    auto file = parse<UsageFile>(**text, path);
    if (!file) return std::unexpected(file.error());
    return std::move(file->keys);
}

std::string usage_text(const std::map<std::string, KeyUsage>& usage) {
    std::string text;
    if (glz::write_json(UsageFile{1, usage}, text)) text.clear();
    return text;
}

base::Result<void> write_whole(const std::string& path, std::string_view text) {
    const std::filesystem::path target(path);
    std::error_code ignored;
    if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), ignored);
    const std::string beside = path + ".new";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return std::unexpected(cannot(beside, "written"));
    for (auto rest = text; !rest.empty();) {
        const auto written = ::write(file, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            auto error = cannot(beside, "written");
            ::close(file);
            return std::unexpected(std::move(error));
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    const bool synced = ::fsync(file) == 0;
    if (::close(file) != 0 || !synced) return std::unexpected(cannot(beside, "written"));
    if (::rename(beside.c_str(), path.c_str()) != 0) return std::unexpected(cannot(path, "replaced"));
    // The rename itself must survive a power cut too.
    const int folder = ::open(target.has_parent_path() ? target.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return {};
}

std::optional<FileMark> mark_of(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
    return FileMark{facts.st_ino, static_cast<std::uint64_t>(facts.st_size),
                    std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

}  // namespace hanse::task
