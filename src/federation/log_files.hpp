// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "federation/home.hpp"
#include "federation/log_watch.hpp"

namespace hanse::federation {

// What this node has seen of others' logs, kept over restarts: a member must not get a second chance to show another log
// by waiting for one. Blocks on the disk.
class LogFiles {
public:
    explicit LogFiles(Home home) : home_(std::move(home)) {}
    // Notes that the charter's keys no longer sign are passed over.
    void recall(LogWatch& logs, const Charter& charter);
    // Those that changed. A failure is tried again the next time.
    void remember(const LogWatch& logs);
    // The two notes, whole, one after the other; whoever has the charter can check them.
    base::Result<void> keep_evidence(std::string_view member, const std::pair<std::string, std::string>& notes);

private:
    Home home_;
    std::map<std::string, std::string, std::less<>> on_disk_;
};

}  // namespace hanse::federation
