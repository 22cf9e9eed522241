// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace hanse::base {

// Environment variables as a value, so that tests bring their own.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment system_environment();

struct ConfigProblem {
    std::uint32_t line = 0;  // 0: not from the file
    std::string text;        // one sentence that names the place and the key
};

// A table of a configuration file while it is read, and the variables that override it. Whoever reads it
// asks for each key once, with its type and range; that one call is the key's declaration. So the reader
// knows every key there can be: what else stands in the file, or in a variable of this table's prefix, is a
// mistake, and the nearest known key is offered. The value given in `out` before the call is the default.
//
// Belongs to read_config() and lives as long as its call. Not thread-safe. Problems are collected, nothing
// fails early, so that a person can mend all of them at once.
class ConfigTable {
public:
    ConfigTable(const ConfigTable&) = delete;
    ConfigTable& operator=(const ConfigTable&) = delete;
    ~ConfigTable();

    void text(std::string_view key, std::string& out);
    void texts(std::string_view key, std::vector<std::string>& out);  // in a variable: separated by commas
    void boolean(std::string_view key, bool& out);
    template <typename Number>
        requires std::is_integral_v<Number>
    void integer(std::string_view key, Number& out, std::int64_t least, std::int64_t most) {
        std::int64_t value = static_cast<std::int64_t>(out);
        whole(key, value, least, most);
        out = static_cast<Number>(value);
    }
    // "250ms", "10s", "5m", "1h", "7d", or a whole number of seconds.
    void duration(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least, std::chrono::milliseconds most);
    // "512MiB", "40GB", or a whole number of bytes.
    void bytes(std::string_view key, std::uint64_t& out, std::uint64_t least = 0, std::uint64_t most = std::uint64_t{1} << 50);
    template <typename Choice>
    void choice(std::string_view key, Choice& out, std::initializer_list<std::pair<std::string_view, Choice>> choices) {
        std::vector<std::string_view> names;
        std::size_t index = choices.size();
        for (const auto& [name, value] : choices) names.push_back(name);
        if (one_of(key, names, index)) out = (choices.begin() + static_cast<std::ptrdiff_t>(index))->second;
    }
    // Pairs of names and texts, in the file's order of names.
    void map(std::string_view key, std::vector<std::pair<std::string, std::string>>& out);

    void table(std::string_view key, const std::function<void(ConfigTable&)>& read);
    // An array of tables. `naming` is the key of each that names it in messages and in variables
    // (HANSE_MODELS_<NAME>_CONTEXT); it must be there, and only once in the array.
    void tables(std::string_view key, std::string_view naming, const std::function<void(ConfigTable&)>& read);

    bool has(std::string_view key) const;
    // A mistake that types and ranges do not show, reported at the key's place.
    void problem(std::string_view key, std::string_view sentence);
    // What stands here cannot be judged, since something before it is wrong: none of its keys is called unknown.
    void leave();

private:
    friend struct ConfigReading;
    struct State;
    explicit ConfigTable(std::unique_ptr<State> state);
    void whole(std::string_view key, std::int64_t& out, std::int64_t least, std::int64_t most);
    bool one_of(std::string_view key, const std::vector<std::string_view>& names, std::size_t& index);
    std::unique_ptr<State> state_;
};

// Reads TOML 1.0 text through `read`. `file` names it in messages. Variables are looked up as
// PREFIX_TABLE_KEY in capitals. `invalid` with one sentence a line, in the order of the file, if anything is
// wrong; nothing that was read should be used then.
Result<void> read_config(std::string_view text, std::string_view file, std::string_view prefix, const Environment& environment,
                         const std::function<void(ConfigTable&)>& read);

// The word among `words` that is likely meant by `word`, empty if none is near.
std::string_view nearest_word(std::string_view word, const std::vector<std::string>& words);

// "512MiB" and "30s" as values; `invalid` otherwise.
Result<std::uint64_t> parse_bytes(std::string_view text);
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace hanse::base
