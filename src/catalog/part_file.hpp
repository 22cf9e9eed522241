// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hanse::catalog {

// A file on its way in: NAME.part grows, NAME.part.json says what it is a part of. Opening finds a part of
// the same content and hashes it again, so nothing that lies there is trusted; of anything else it starts
// anew. Not thread-safe; blocks on the disk.
class PartFile {
public:
    struct Identity {
        std::string commit;
        std::string sha256;
        std::uint64_t size = 0;
        bool operator==(const Identity&) const = default;
    };
    static base::Result<PartFile> open(std::filesystem::path target, Identity identity);
    PartFile(PartFile&&) noexcept;
    ~PartFile();

    std::uint64_t size() const;
    base::Result<void> append(std::string_view bytes);  // `unavailable` if the disk is full
    base::Result<void> reset();
    std::string hash();  // ends it: no append after this
    void discard();
    // Syncs, lets `check` look at it, and gives it its name; discards it if the check fails.
    base::Result<std::filesystem::path> finish(const std::function<base::Result<void>(const std::filesystem::path&)>& check);

private:
    struct State;
    explicit PartFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hanse::catalog
