// SPDX-License-Identifier: Apache-2.0
#include "privacy/directory.hpp"

#include "base/config.hpp"
#include "characters.hpp"

namespace hanse::privacy {
namespace {

// One letter, or none, would find itself everywhere.
bool long_enough(std::string_view name) {
    std::size_t letters = 0;
    for (std::size_t at = 0; at < name.size();) {
        const Character c = character_at(name, at);
        letters += is_letter(c.code) || (c.code < 0x80 && is_digit(static_cast<char>(c.code))) ? 1U : 0U;
        at += c.size;
    }
    return letters >= 2;
}

void check_aliases(base::ConfigTable& table, const std::vector<std::string>& aliases) {
    for (const std::string& alias : aliases)
        if (!long_enough(alias)) table.problem("aliases", "has a name of fewer than two letters, which would be found everywhere");
}

template <typename Named>
void read_named(base::ConfigTable& table, std::vector<Named>& out) {
    Named entry;
    table.text("name", entry.name);
    table.texts("aliases", entry.aliases);
    if (!long_enough(entry.name)) table.problem("name", "must have at least two letters");
    check_aliases(table, entry.aliases);
    out.push_back(std::move(entry));
}

}  // namespace

base::Result<Directory> Directory::read(std::string_view text, std::string_view file) {
    Directory directory;
    const auto read = base::read_config(text, file, "HANSE_DIRECTORY", {}, [&](base::ConfigTable& root) {
        root.tables("people", "name", [&](base::ConfigTable& table) {
            Person person;
            std::string name;
            table.text("name", name);
            table.text("given", person.given);
            table.text("family", person.family);
            table.text("initials", person.initials);
            table.texts("aliases", person.aliases);
            // "Anna-Lena von Brinkmann": what stands before the particle or the last word is given.
            if (person.family.empty()) {
                auto cut = name.rfind(' ');
                for (const std::string_view particle : {" von ", " van ", " de ", " zu ", " vom ", " zur ", " zum ", " di ", " del "})
                    if (const auto at = name.find(particle); at != std::string::npos) cut = std::min(cut, at);
                person.family = cut == std::string::npos ? name : name.substr(cut + 1);
                if (person.given.empty() && cut != std::string::npos) person.given = name.substr(0, cut);
            }
            if (!long_enough(person.family)) table.problem("name", "must have a family name of at least two letters");
            check_aliases(table, person.aliases);
            directory.people.push_back(std::move(person));
        });
        root.tables("organisations", "name", [&](base::ConfigTable& table) { read_named(table, directory.organisations); });
        root.tables("projects", "name", [&](base::ConfigTable& table) { read_named(table, directory.projects); });
    });
    if (!read) return std::unexpected(read.error());
    return directory;
}

}  // namespace hanse::privacy
