// SPDX-License-Identifier: Apache-2.0
#include "log_files.hpp"

#include <format>

namespace hanse::federation {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view between = "\n=== and also ===\n\n";

base::Result<void> write_in_folder(const fs::path& file, std::string_view text) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return base::fail(base::ErrorKind::denied, std::format("cannot make {}: {}", file.parent_path().string(), error.message()));
    return write_file(file, text);
}

}  // namespace

void LogFiles::recall(LogWatch& logs, const Charter& charter) {
    for (const auto& member : charter.members) {
        if (const auto note = read_file(home_.log_of(member.name))) {
            (void)logs.take(member.name, *note, charter);
            on_disk_[member.name] = *note;
        }
        const auto both = read_file(home_.evidence(member.name));
        const auto at = both ? both->find(between) : std::string::npos;
        if (at != std::string::npos) logs.recall_evidence(member.name, {both->substr(0, at), both->substr(at + between.size())});
    }
}

void LogFiles::remember(const LogWatch& logs) {
    for (const auto& member : logs.members()) {
        const auto* note = logs.latest(member);
        if (note == nullptr || on_disk_[member] == *note) continue;
        if (write_in_folder(home_.log_of(member), *note)) on_disk_[member] = *note;
    }
}

base::Result<void> LogFiles::keep_evidence(std::string_view member, const std::pair<std::string, std::string>& notes) {
    return write_in_folder(home_.evidence(member), std::format("{}{}{}", notes.first, between, notes.second));
}

}  // namespace hanse::federation
