// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/config.hpp"
#include "base/language.hpp"
#include "base/result.hpp"
#include "exit_code.hpp"
#include "messages.hpp"
#include "node/paths.hpp"

namespace hanse::cli {

// What every command knows: where things are and how to speak. Made once by run(); commands get it const.
struct Context {
    base::Environment environment;
    base::Language language = base::Language::english;
    std::string data_option = {};
    std::string config_option = {};
    bool json = false;

    std::string variable(std::string_view name) const;
    template <typename... Arguments>
    std::string say(Say id, const Arguments&... arguments) const {
        return cli::say(language, id, arguments...);
    }
    // The data directory, also where only the configuration file names it.
    base::Result<node::DataDirectory> data() const;
};

// Standard output and error, whole and unbuffered; a closed pipe ends the command quietly.
void put(std::string_view text);
void put_line(std::string_view text);
void tell(std::string_view text);  // standard error, one line
// The error for people on standard error, or as JSON; and the exit code for it.
Exit fail(const Context& context, const base::Error& error);
std::string json_text(std::string_view text);  // quoted and escaped

}  // namespace hanse::cli
