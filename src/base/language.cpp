// SPDX-License-Identifier: Apache-2.0
#include "base/language.hpp"

namespace hanse::base {

std::optional<Language> language_of(std::string_view locale) {
    const std::string_view word = locale.substr(0, locale.find_first_of("_.@-"));
    if (word == "de") return Language::german;
    if (word == "en" || word == "C" || word == "POSIX") return Language::english;
    return {};
}

Language language_from(const Environment& environment) {
    for (const std::string_view name : {"HANSE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"}) {
        const auto found = environment.find(name);
        if (found == environment.end() || found->second.empty()) continue;
        return language_of(found->second).value_or(Language::english);
    }
    return Language::english;
}

}  // namespace hanse::base
