// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace hanse::catalog {

// Names a model's file on a hub: hf:OWNER/REPOSITORY[:FILE][@REVISION]. FILE may lie in folders and may be
// the first of several parts; without it the file is chosen. REVISION is a branch, tag or commit. All parts
// are checked to be what a hub allows, so that they can go into a URL and a path as they are.
struct Reference {
    std::string owner;
    std::string repository;
    std::string file = {};
    std::string revision = "main";

    // `invalid` with what is wrong and how it should look.
    static base::Result<Reference> parse(std::string_view text);
    std::string text() const;
    bool operator==(const Reference&) const = default;
};

// A relative path of plain segments: no "..", no empty segment, no control character, at most 512 bytes.
bool is_plain_path(std::string_view path);
// What a model may be called in this node: letters, digits and "._-", starting with a letter or digit, at
// most 96 characters. So a name is also a safe file name.
bool is_model_name(std::string_view name);
// The nearest allowed name: "Org/My Model.gguf" becomes "my-model".
std::string model_name_from(std::string_view file);

}  // namespace hanse::catalog
