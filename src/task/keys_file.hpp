// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "task/keys.hpp"

namespace hanse::task {

// keys.json and usage.json as they lie on disk.
//   keys.json   {"version":1,"keys":[{"id":…,"name":…,"sha256":…,"models":[…],…}]}
//   usage.json  {"version":1,"keys":{"key_…":{"day":…,"tokens_day":…,…}}}
// At most 16 MiB each; an unknown field is an error, since a misspelt limit would be no limit.
struct StoredKey {
    std::string id;
    std::string name;
    std::string sha256;
    std::vector<std::string> models = {};
    std::optional<std::uint64_t> requests_per_minute = {};
    std::optional<std::uint64_t> tokens_per_minute = {};
    std::optional<std::uint64_t> tokens_per_day = {};
    std::optional<std::uint64_t> tokens_per_month = {};
    std::string priority_max = "normal";
    std::string partition = {};
    std::string label = {};
    std::string ceiling = {};
    std::string place = {};
    std::int64_t created = 0;
    std::optional<std::int64_t> revoked = {};
    bool operator==(const StoredKey&) const = default;
};

KeyFacts facts_of(const StoredKey& key);
StoredKey stored_of(const KeyFacts& facts, std::string sha256);

// A file that is not there holds no keys.
base::Result<std::vector<StoredKey>> read_keys(const std::string& path);
base::Result<void> write_keys(const std::string& path, const std::vector<StoredKey>& keys);
base::Result<std::vector<StoredKey>> parse_keys(std::string_view text, std::string_view path);
base::Result<std::map<std::string, KeyUsage>> read_usage(const std::string& path);
std::string usage_text(const std::map<std::string, KeyUsage>& usage);

// Replaces the file as a whole, readable by its owner only: written beside, synced, renamed.
base::Result<void> write_whole(const std::string& path, std::string_view text);

// Tells one state of a file from another without reading it.
struct FileMark {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const FileMark&) const = default;
};
std::optional<FileMark> mark_of(const std::string& path);

}  // namespace hanse::task
