// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/config.hpp"

namespace hanse::base {

// The languages that people are addressed in. Logs, errors of the API and field names are English always:
// programs and colleagues elsewhere read them. A refusal by label is the exception, since it is for the person who asked.
enum class Language { english, german };

// "de", "de_AT.UTF-8" and the like; nothing for a language that we do not speak.
std::optional<Language> language_of(std::string_view locale);
// As the environment wishes: HANSE_LANG, then LC_ALL, LC_MESSAGES, LANG, in POSIX's order; else English.
Language language_from(const Environment& environment);

}  // namespace hanse::base
