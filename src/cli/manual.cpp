// SPDX-License-Identifier: Apache-2.0
#include <format>

#include "command_tree.hpp"
#include "messages.hpp"

namespace hanse::cli {
namespace {

// Backslashes and leading dots or quotes are commands to roff; a hyphen is a minus sign that can be copied.
std::string roff(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else out += c;
        line_begins = c == '\n';
    }
    return out;
}

void option_entry(std::string& out, const CommandOption& option) {
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + std::format("\\fB{}\\fR", roff(name));
    if (option.names.empty()) names = std::format("\\fI{}\\fR", roff(option.value));
    else if (!option.value.empty()) names += std::format(" \\fI{}\\fR", roff(option.value));
    out += std::format(".TP\n{}\n{}\n", names, roff(option.about));
}

void command_entry(std::string& out, const CommandTree& command, const std::string& path) {
    const std::string full = path + " " + command.name;
    if (command.commands.empty()) {
        std::string usage = std::format("\\fB{}\\fR", roff(full));
        for (const CommandOption& option : command.options)
            if (option.names.empty()) usage += std::format(" \\fI{}\\fR", roff(option.value));
        out += std::format(".SS {}\n{}.\n", usage, roff(command.about));
        for (const CommandOption& option : command.options) option_entry(out, option);
        if (!command.examples.empty()) out += std::format(".PP\n.nf\n{}\n.fi\n", roff(command.examples));
    }
    for (const CommandTree& inner : command.commands) command_entry(out, inner, full);
}

}  // namespace

std::string manual_page(const CommandTree& root, std::string_view version, base::Language language) {
    const bool german = language == base::Language::german;
    std::string out = std::format(".\\\" {}\n.TH HANSE 1 \"\" \"hanse {}\" \"Hanse\"\n", "Made by hanse --help-man", version);
    out += std::format(".SH NAME\nhanse \\- {}\n", roff(root.about));
    out += german ? ".SH ÜBERSICHT\n" : ".SH SYNOPSIS\n";
    out += "\\fBhanse\\fR [\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n";
    out += german ? ".SH BESCHREIBUNG\n" : ".SH DESCRIPTION\n";
    out += roff(german ? "Ein Knoten führt Sprachmodelle auf diesem Rechner aus oder reicht an andere Server weiter und antwortet unter einer Adresse, die OpenAI-Clients verstehen.\n"
                       : "A node runs language models on this machine or passes requests on to other servers, and answers at an address that OpenAI's clients understand.\n");
    out += german ? ".SH OPTIONEN\n" : ".SH OPTIONS\n";
    for (const CommandOption& option : root.options) option_entry(out, option);
    out += german ? ".SH BEFEHLE\n" : ".SH COMMANDS\n";
    for (const CommandTree& command : root.commands) command_entry(out, command, "hanse");
    out += german ? ".SH RÜCKGABEWERTE\n" : ".SH EXIT STATUS\n";
    out += roff(text(Say::exit_codes, language)) + "\n";
    out += german ? ".SH UMGEBUNG\n" : ".SH ENVIRONMENT\n";
    const auto variable = [&](std::string_view name, std::string_view english, std::string_view deutsch) { out += std::format(".TP\n\\fB{}\\fR\n{}\n", name, roff(german ? deutsch : english)); };
    variable("HANSE_DATA", "The data directory.", "Das Datenverzeichnis.");
    variable("HANSE_CONFIG", "The configuration file.", "Die Konfigurationsdatei.");
    variable("HANSE_URL, HANSE_API_KEY", "Which node ask and chat speak to, and with which key.", "Mit welchem Knoten ask und chat sprechen, und mit welchem Schlüssel.");
    variable("HANSE_LANG", "The language of texts: en or de.", "Die Sprache der Texte: en oder de.");
    variable("HF_TOKEN, HF_ENDPOINT", "Token and address of the hub that models are fetched from.", "Token und Adresse des Hubs, von dem Modelle geholt werden.");
    variable("HANSE_SERVER_PORT, ...", "Every key of the configuration as HANSE_TABLE_KEY.", "Jeder Schlüssel der Konfiguration als HANSE_TABELLE_SCHLÜSSEL.");
    out += german ? ".SH DATEIEN\n" : ".SH FILES\n";
    out += ".TP\n\\fI~/.local/share/hanse\\fR, \\fI/var/lib/hanse\\fR\n";
    out += roff(german ? "Datenverzeichnis: hanse.toml, models/, keys.json, usage.json, node.json.\n" : "Data directory: hanse.toml, models/, keys.json, usage.json, node.json.\n");
    out += german ? ".SH SIGNALE\n" : ".SH SIGNALS\n";
    out += roff(german ? "SIGTERM und SIGINT lassen laufende Antworten zu Ende gehen, ein zweites beendet sofort. SIGHUP liest die Konfiguration neu.\n"
                       : "SIGTERM and SIGINT let running answers end; a second one ends at once. SIGHUP reads the configuration again.\n");
    return out;
}

}  // namespace hanse::cli
