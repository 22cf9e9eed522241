// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace hanse::privacy {

struct Person {
    std::string given;                      // "Anna-Lena"; may be empty
    std::string family;                     // "von Brinkmann"
    std::string initials = {};              // "ALB", as it signs notes
    std::vector<std::string> aliases = {};  // birth name, nickname, login
};

// A firm or a project: found by its name, without the legal form as well, and by its aliases.
struct Organisation {
    std::string name;
    std::vector<std::string> aliases = {};
};
struct Project {
    std::string name;
    std::vector<std::string> aliases = {};
};

// Whom and what the organisation knows by name: what near-total recall can be promised for. A plain value.
struct Directory {
    std::vector<Person> people = {};
    std::vector<Organisation> organisations = {};
    std::vector<Project> projects = {};

    // TOML: [[people]] with name ("Anna-Lena von Brinkmann"; given and family where that does not part it right), initials
    // and aliases; [[organisations]] and [[projects]] with name and aliases.
    // `invalid` with a line for each mistake; an unknown key is one, and so is a name of one letter.
    static base::Result<Directory> read(std::string_view text, std::string_view file);
};

}  // namespace hanse::privacy
