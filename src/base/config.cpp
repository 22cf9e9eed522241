// SPDX-License-Identifier: Apache-2.0
#include "base/config.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <optional>
#include <set>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
// toml++ 3.4 asserts what a key begins with before it checks it, and in a release build assumes it: "[^" would be
// undefined behaviour. Without the assertion the check that follows gives the right error.
#include <toml++/impl/preprocessor.hpp>
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expr) static_assert(true)
#include <toml++/toml.hpp>

namespace hanse::base {
namespace {

constexpr std::size_t problems_max = 20;
constexpr std::size_t text_max = 1 << 20;

// NAME_LIKE_THIS of any key or name.
std::string variable_word(std::string_view text) {
    std::string word;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        word += letter ? static_cast<char>(c & ~0x20) : digit ? c : '_';
    }
    return word;
}

std::string_view kind_of(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::string: return "a text";
        case toml::node_type::integer: return "a whole number";
        case toml::node_type::floating_point: return "a number with a point";
        case toml::node_type::boolean: return "true or false";
        case toml::node_type::array: return "a list";
        case toml::node_type::table: return "a table";
        default: return "a date or time";
    }
}

std::uint32_t line_of(const toml::node& node) { return static_cast<std::uint32_t>(node.source().begin.line); }

}  // namespace

// What all tables of one reading share.
struct ConfigReading {
    std::string_view file;
    const Environment& environment;
    std::vector<ConfigProblem> problems = {};
    std::set<std::string, std::less<>> variables_known = {};  // asked for by somebody
    std::set<std::string, std::less<>> variable_prefixes = {};

    void report(std::uint32_t line, std::string text) {
        if (problems.size() < problems_max) problems.push_back({line, std::move(text)});
    }
    static std::unique_ptr<ConfigTable> table(ConfigReading& reading, const toml::table* node, std::string path, std::string prefix);
    static void check_keys(ConfigTable& table);
};

struct ConfigTable::State {
    ConfigReading& reading;
    const toml::table* node;  // nullptr: absent in the file, variables may still speak
    std::string path;         // "server", "models.eurollm-9b", empty at the root
    std::string prefix;       // "HANSE_SERVER"
    std::vector<std::string> known = {};

    std::string full(std::string_view key) const { return path.empty() ? std::string(key) : std::format("{}.{}", path, key); }
    std::string place(std::uint32_t line) const { return std::format("{}:{}: ", reading.file, line); }

    // Declares the key and returns its node if the file has it.
    const toml::node* find(std::string_view key) {
        known.emplace_back(key);
        return node == nullptr ? nullptr : node->get(key);
    }
    const std::string* variable(std::string_view key, std::string& name) {
        name = std::format("{}_{}", prefix, variable_word(key));
        reading.variables_known.insert(name);
        const auto found = reading.environment.find(name);
        return found == reading.environment.end() ? nullptr : &found->second;
    }
    void wrong(const toml::node& node_, std::string_view key, std::string_view sentence) {
        reading.report(line_of(node_), std::format("{}{} {}", place(line_of(node_)), full(key), sentence));
    }
    void wrong_type(const toml::node& node_, std::string_view key, std::string_view wanted) {
        wrong(node_, key, std::format("must be {}, but is {}", wanted, kind_of(node_)));
    }
    void wrong_variable(std::string_view name, std::string_view sentence) { reading.report(0, std::format("variable {} {}", name, sentence)); }

    // The way of every key: the variable if there is one, else the node. Each of the two gets a function
    // that returns a sentence if the value will not do.
    template <typename FromNode, typename FromVariable>
    void read(std::string_view key, std::string_view wanted, FromNode from_node, FromVariable from_variable) {
        const toml::node* found = find(key);
        std::string name;
        const std::string* value = variable(key, name);
        if (found != nullptr) {
            const std::optional<std::string> sentence = from_node(*found);
            if (sentence && sentence->empty()) wrong_type(*found, key, wanted);
            else if (sentence) wrong(*found, key, *sentence);
        }
        if (value != nullptr)
            if (const std::optional<std::string> sentence = from_variable(*value))
                wrong_variable(name, sentence->empty() ? std::format("must be {}", wanted) : *sentence);
    }
};

ConfigTable::ConfigTable(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConfigTable::~ConfigTable() = default;

std::unique_ptr<ConfigTable> ConfigReading::table(ConfigReading& reading, const toml::table* node, std::string path, std::string prefix) {
    reading.variable_prefixes.insert(prefix);
    return std::unique_ptr<ConfigTable>(
        new ConfigTable(std::make_unique<ConfigTable::State>(ConfigTable::State{reading, node, std::move(path), std::move(prefix)})));
}

void ConfigReading::check_keys(ConfigTable& table) {
    auto& state = *table.state_;
    if (state.node == nullptr) return;
    for (const auto& [key, value] : *state.node) {
        if (std::ranges::contains(state.known, key.str())) continue;
        const auto line = static_cast<std::uint32_t>(key.source().begin.line);
        const std::string_view near = nearest_word(key.str(), state.known);
        state.reading.report(line, std::format("{}unknown key {}{}", state.place(line), state.full(key.str()),
                                               near.empty() ? "" : std::format("; did you mean {}?", state.full(near))));
    }
}

void ConfigTable::text(std::string_view key, std::string& out) {
    const auto take = [&](std::string_view value) -> std::optional<std::string> {
        if (value.find('\0') != std::string_view::npos) return "must not hold a NUL character";
        out = value;
        return {};
    };
    state_->read(
        key, "a text",
        [&](const toml::node& node) -> std::optional<std::string> {
            const auto* value = node.as_string();
            return value == nullptr ? std::optional<std::string>("") : take(value->get());
        },
        take);
}

void ConfigTable::texts(std::string_view key, std::vector<std::string>& out) {
    state_->read(
        key, "a list of texts",
        [&](const toml::node& node) -> std::optional<std::string> {
            const toml::array* list = node.as_array();
            if (list == nullptr || !std::ranges::all_of(*list, [](const toml::node& each) { return each.is_string(); })) return "";
            out.clear();
            for (const toml::node& each : *list) out.push_back(each.as_string()->get());
            return {};
        },
        [&](std::string_view value) -> std::optional<std::string> {
            out.clear();
            while (!value.empty()) {
                const std::string_view each = value.substr(0, value.find(','));
                if (!each.empty()) out.emplace_back(each);
                value.remove_prefix(std::min(each.size() + 1, value.size()));
            }
            return {};
        });
}

void ConfigTable::boolean(std::string_view key, bool& out) {
    state_->read(
        key, "true or false",
        [&](const toml::node& node) -> std::optional<std::string> {
            if (const auto* value = node.as_boolean()) return out = value->get(), std::nullopt;
            return "";
        },
        [&](std::string_view value) -> std::optional<std::string> {
            if (value != "true" && value != "false") return "";
            out = value == "true";
            return {};
        });
}

void ConfigTable::whole(std::string_view key, std::int64_t& out, std::int64_t least, std::int64_t most) {
    const auto take = [&](std::int64_t value) -> std::optional<std::string> {
        if (value < least || value > most) return std::format("is {}, but must be between {} and {}", value, least, most);
        out = value;
        return {};
    };
    state_->read(
        key, "a whole number",
        [&](const toml::node& node) -> std::optional<std::string> {
            const auto* value = node.as_integer();
            return value == nullptr ? std::optional<std::string>("") : take(value->get());
        },
        [&](const std::string& text) -> std::optional<std::string> {
            std::int64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size()) return "";
            return take(value);
        });
}

void ConfigTable::duration(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least, std::chrono::milliseconds most) {
    const auto take = [&](std::chrono::milliseconds value) -> std::optional<std::string> {
        if (value < least || value > most) return std::format("must be between {} and {} milliseconds", least.count(), most.count());
        out = value;
        return {};
    };
    const auto parse = [&](std::string_view text) -> std::optional<std::string> {
        const auto value = parse_duration(text);
        return value ? take(*value) : std::optional("cannot be read: " + value.error().message);
    };
    state_->read(
        key, "a duration such as \"30s\"",
        [&](const toml::node& node) -> std::optional<std::string> {
            if (const auto* seconds = node.as_integer()) return parse(std::to_string(seconds->get()));
            const auto* value = node.as_string();
            return value == nullptr ? std::optional<std::string>("") : parse(value->get());
        },
        parse);
}

void ConfigTable::bytes(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
    const auto parse = [&](std::string_view text) -> std::optional<std::string> {
        const auto value = parse_bytes(text);
        if (!value) return "cannot be read: " + value.error().message;
        if (*value < least || *value > most) return std::format("must be between {} and {} bytes", least, most);
        out = *value;
        return {};
    };
    state_->read(
        key, "a size such as \"512MiB\"",
        [&](const toml::node& node) -> std::optional<std::string> {
            if (const auto* count = node.as_integer()) return parse(std::to_string(count->get()));
            const auto* value = node.as_string();
            return value == nullptr ? std::optional<std::string>("") : parse(value->get());
        },
        parse);
}

bool ConfigTable::one_of(std::string_view key, const std::vector<std::string_view>& names, std::size_t& index) {
    bool chosen = false;
    const auto take = [&](std::string_view value) -> std::optional<std::string> {
        const auto found = std::ranges::find(names, value);
        if (found == names.end()) {
            std::string list;
            for (const std::string_view each : names) list += std::format("{}\"{}\"", list.empty() ? "" : ", ", each);
            return std::format("must be one of {}", list);
        }
        index = static_cast<std::size_t>(found - names.begin());
        chosen = true;
        return {};
    };
    state_->read(
        key, "a text",
        [&](const toml::node& node) -> std::optional<std::string> {
            const auto* value = node.as_string();
            return value == nullptr ? std::optional<std::string>("") : take(value->get());
        },
        take);
    return chosen;
}

void ConfigTable::map(std::string_view key, std::vector<std::pair<std::string, std::string>>& out) {
    const toml::node* found = state_->find(key);
    if (found == nullptr) return;
    const toml::table* pairs = found->as_table();
    if (pairs == nullptr) return state_->wrong_type(*found, key, "a table of texts");
    out.clear();
    for (const auto& [name, value] : *pairs) {
        if (const auto* text = value.as_string()) out.emplace_back(name.str(), text->get());
        else state_->wrong_type(value, std::format("{}.{}", key, name.str()), "a text");
    }
}

void ConfigTable::table(std::string_view key, const std::function<void(ConfigTable&)>& read) {
    const toml::node* found = state_->find(key);
    if (found != nullptr && !found->is_table()) return state_->wrong_type(*found, key, "a table");
    const auto inner = ConfigReading::table(state_->reading, found == nullptr ? nullptr : found->as_table(), state_->full(key),
                                            std::format("{}_{}", state_->prefix, variable_word(key)));
    read(*inner);
    ConfigReading::check_keys(*inner);
}

void ConfigTable::tables(std::string_view key, std::string_view naming, const std::function<void(ConfigTable&)>& read) {
    const toml::node* found = state_->find(key);
    const std::string prefix = std::format("{}_{}", state_->prefix, variable_word(key));
    state_->reading.variable_prefixes.insert(prefix);
    if (found == nullptr) return;
    const toml::array* list = found->as_array();
    if (list == nullptr) return state_->wrong(*found, key, std::format("must be a list of tables: write [[{}]]", state_->full(key)));
    std::set<std::string> names;
    for (const toml::node& each : *list) {
        const toml::table* entry = each.as_table();
        if (entry == nullptr) {
            state_->wrong_type(each, key, "a table");
            continue;
        }
        const toml::node* name_node = entry->get(naming);
        const auto* name = name_node == nullptr ? nullptr : name_node->as_string();
        if (name == nullptr || name->get().empty()) {
            state_->wrong(each, key, std::format("needs a {} in each entry", naming));
            continue;
        }
        if (!names.insert(variable_word(name->get())).second) {
            state_->wrong(*name_node, key, std::format("has \"{}\" twice (case and punctuation do not tell names apart)", name->get()));
            continue;
        }
        const auto inner = ConfigReading::table(state_->reading, entry, std::format("{}.{}", state_->full(key), name->get()),
                                                std::format("{}_{}", prefix, variable_word(name->get())));
        read(*inner);
        ConfigReading::check_keys(*inner);
    }
}

bool ConfigTable::has(std::string_view key) const {
    return (state_->node != nullptr && state_->node->contains(key)) ||
           state_->reading.environment.contains(std::format("{}_{}", state_->prefix, variable_word(key)));
}

void ConfigTable::leave() {
    if (state_->node == nullptr) return;
    for (const auto& [key, value] : *state_->node) state_->known.emplace_back(key.str());
}

void ConfigTable::problem(std::string_view key, std::string_view sentence) {
    const toml::node* found = state_->node == nullptr ? nullptr : state_->node->get(key);
    if (found != nullptr) return state_->wrong(*found, key, sentence);
    const std::uint32_t line = state_->node == nullptr || state_->path.empty() ? 0 : line_of(*state_->node);
    state_->reading.report(line, std::format("{}{} {}", line == 0 ? std::format("{}: ", state_->reading.file) : state_->place(line), state_->full(key), sentence));
}

namespace {

// A variable of one of our tables that nobody asked for is a slip of the pen.
void check_variables(ConfigReading& reading, std::string_view prefix) {
    const std::vector<std::string> known(reading.variables_known.begin(), reading.variables_known.end());
    for (const auto& [name, value] : reading.environment) {
        if (!name.starts_with(prefix) || reading.variables_known.contains(name)) continue;
        const bool ours = std::ranges::any_of(reading.variable_prefixes, [&](const std::string& each) {
            return each != prefix && name.starts_with(each) && name.size() > each.size() && name[each.size()] == '_';
        });
        if (!ours) continue;
        const std::string_view near = nearest_word(name, known);
        reading.report(0, std::format("variable {} overrides no key{}", name, near.empty() ? "" : std::format("; did you mean {}?", near)));
    }
}

}  // namespace

Result<void> read_config(std::string_view text, std::string_view file, std::string_view prefix, const Environment& environment,
                         const std::function<void(ConfigTable&)>& read) {
    if (text.size() > text_max) return fail(ErrorKind::too_large, std::format("{}: is over {} bytes", file, text_max));
    const toml::parse_result parsed = toml::parse(text, file);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        std::string reason(error.description());
        std::ranges::replace_if(reason, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
        return fail(ErrorKind::invalid, std::format("{}:{}:{}: this is not TOML: {}", file, error.source().begin.line, error.source().begin.column, reason));
    }
    ConfigReading reading{file, environment};
    const auto root = ConfigReading::table(reading, &parsed.table(), "", std::string(prefix));
    read(*root);
    ConfigReading::check_keys(*root);
    check_variables(reading, prefix);
    if (reading.problems.empty()) return {};
    std::ranges::stable_sort(reading.problems, {}, &ConfigProblem::line);
    std::string all;
    for (const ConfigProblem& problem : reading.problems) all += (all.empty() ? "" : "\n") + problem.text;
    return fail(ErrorKind::invalid, std::move(all));
}

}  // namespace hanse::base
