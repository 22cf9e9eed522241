// SPDX-License-Identifier: Apache-2.0
#include <format>

#include "command_tree.hpp"

namespace hanse::cli {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += "'\\''";
        else out += c;
    }
    return out + "'";
}

std::string words_of(const CommandTree& command, const CommandTree& root) {
    std::string words;
    const auto add = [&](std::string_view word) { words += (words.empty() ? "" : " ") + std::string(word); };
    for (const CommandTree& inner : command.commands) add(inner.name);
    for (const CommandTree* tree : {&command, &root}) {
        for (const CommandOption& option : tree->options)
            for (const std::string& name : option.names)
                if (name.starts_with("--")) add(name);
        if (&command == &root) break;
    }
    return words;
}

void bash_cases(std::string& out, const CommandTree& command, const CommandTree& root, const std::string& path) {
    out += std::format("    {}) words={} ;;\n", quoted(path), quoted(words_of(command, root)));
    for (const CommandTree& inner : command.commands) bash_cases(out, inner, root, path + " " + inner.name);
}

void bash_nodes(std::string& out, const CommandTree& command, const std::string& path) {
    for (const CommandTree& inner : command.commands) {
        out += std::format("      {}) path=\"$path $word\" ;;\n", quoted(path + " " + inner.name));
        bash_nodes(out, inner, path + " " + inner.name);
    }
}

std::string bash(const CommandTree& root) {
    std::string out = "# bash completion of hanse; made by: hanse completion bash\n_hanse() {\n  local current=${COMP_WORDS[COMP_CWORD]} path=hanse words='' word index\n"
                      "  for ((index = 1; index < COMP_CWORD; index++)); do\n    word=${COMP_WORDS[index]}\n    case \"$path $word\" in\n";
    bash_nodes(out, root, "hanse");
    out += "    esac\n  done\n  case $path in\n";
    bash_cases(out, root, root, "hanse");
    out += "  esac\n  case $path in\n"
           "    'hanse model show' | 'hanse model rm' | 'hanse model verify') words=\"$words $(hanse model list 2>/dev/null | awk 'NR > 1 { print $1 }')\" ;;\n"
           "    'hanse model pull') words=\"$words $(hanse model list --available 2>/dev/null | awk 'NR > 1 { print $1 }')\" ;;\n"
           "    'hanse completion') words=\"$words bash zsh fish\" ;;\n"
           "  esac\n"
           "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "  case ${COMP_WORDS[COMP_CWORD - 1]} in\n    --data) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
           "    --config | --ca) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n    --lang) mapfile -t COMPREPLY < <(compgen -W 'en de' -- \"$current\") ;;\n  esac\n"
           "  [[ $path != 'hanse model add' || $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n}\ncomplete -F _hanse hanse\n";
    return out;
}

// Every word that stands alone on a command line of zsh's _describe is "name:what it does".
void zsh_cases(std::string& out, const CommandTree& command, const std::string& path) {
    if (!command.commands.empty()) {
        out += std::format("    {})\n      commands=(", quoted(path));
        for (const CommandTree& inner : command.commands) out += "\n        " + quoted(inner.name + ":" + inner.about);
        out += "\n      )\n      _describe -t commands command commands\n      ;;\n";
    } else {
        out += std::format("    {})\n      options=(", quoted(path));
        for (const CommandOption& option : command.options)
            for (const std::string& name : option.names)
                if (name.starts_with("--")) out += "\n        " + quoted(name + ":" + option.about);
        out += "\n      )\n      _describe -t options option options\n      _files\n      ;;\n";
    }
    for (const CommandTree& inner : command.commands) zsh_cases(out, inner, path + " " + inner.name);
}

std::string zsh(const CommandTree& root) {
    std::string out = "#compdef hanse\n# zsh completion of hanse; made by: hanse completion zsh\n_hanse() {\n  local path=hanse word\n  local -a commands options\n"
                      "  for word in ${words[2,CURRENT-1]}; do\n    case \"$path $word\" in\n";
    bash_nodes(out, root, "hanse");
    out += "    esac\n  done\n  case $path in\n";
    zsh_cases(out, root, "hanse");
    out += "  esac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then _hanse \"$@\"; else compdef _hanse hanse; fi\n";
    return out;
}

void fish_lines(std::string& out, const CommandTree& command, const std::string& seen) {
    std::string inner_words;
    for (const CommandTree& inner : command.commands) inner_words += (inner_words.empty() ? "" : " ") + inner.name;
    const std::string here = seen.empty() ? "" : std::format("__fish_seen_subcommand_from {}", seen);
    for (const CommandTree& inner : command.commands) {
        const std::string condition = here.empty() ? "__fish_use_subcommand" : std::format("{}; and not __fish_seen_subcommand_from {}", here, inner_words);
        out += std::format("complete -c hanse -f -n {} -a {} -d {}\n", quoted(condition), inner.name, quoted(inner.about));
    }
    for (const CommandOption& option : command.options) {
        std::string names;
        for (const std::string& name : option.names) names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        if (names.empty()) continue;
        const std::string condition = here.empty() ? "" : " -n " + quoted(here);
        out += std::format("complete -c hanse{}{}{} -d {}\n", condition, names, option.value.empty() ? "" : " -r", quoted(option.about));
    }
    for (const CommandTree& inner : command.commands) fish_lines(out, inner, seen.empty() || !inner.commands.empty() ? inner.name : std::format("{}; and __fish_seen_subcommand_from {}", seen, inner.name));
}

std::string fish(const CommandTree& root) {
    std::string out = "# fish completion of hanse; made by: hanse completion fish\n";
    fish_lines(out, root, "");
    return out;
}

}  // namespace

std::string completion_script(const CommandTree& root, std::string_view shell) {
    if (shell == "bash") return bash(root);
    if (shell == "zsh") return zsh(root);
    if (shell == "fish") return fish(root);
    return {};
}

}  // namespace hanse::cli
