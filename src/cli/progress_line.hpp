// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "progress.hpp"

namespace hanse::cli {

// How far a long command is, on standard error: a bar on a terminal, a line at every tenth elsewhere. Silent where the output is JSON.
class ProgressLine {
public:
    explicit ProgressLine(bool silent);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void show(std::string_view what, std::uint64_t done, std::uint64_t total, std::uint64_t resumed = 0);

private:
    bool silent_;
    Progress progress_;
};

}  // namespace hanse::cli
