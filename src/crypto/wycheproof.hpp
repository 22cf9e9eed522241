// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

// Vectors made by others, for tests only: ../shared/vectors, or where HANSE_VECTORS says.
namespace hanse::crypto {

// Nothing, and said so, where the vectors are not.
inline std::optional<nlohmann::json> wycheproof(const std::string& name) {
    const char* named = std::getenv("HANSE_VECTORS");
    const std::filesystem::path path =
        std::filesystem::path(named != nullptr ? named : "../shared/vectors") / "wycheproof" / (name + ".json");
    std::ifstream file(path);
    if (!file) {
        std::printf("not run: no vectors at %s (set HANSE_VECTORS)\n", path.c_str());
        return std::nullopt;
    }
    return nlohmann::json::parse(file);
}

}  // namespace hanse::crypto
