// SPDX-License-Identifier: Apache-2.0
#include "messages.hpp"

#include <array>
#include <cstddef>

namespace hanse::cli {
namespace {

struct Entry {
    Say id;
    std::string_view english;
    std::string_view german;
};

constexpr std::array entries{
    Entry{Say::about, "Hanse: language models of your own, under rules of your own, through one OpenAI-compatible address.",
          "Hanse: eigene Sprachmodelle nach eigenen Regeln, über eine OpenAI-kompatible Adresse."},
    Entry{Say::about_init, "Write a commented configuration", "Eine kommentierte Konfiguration schreiben"},
    Entry{Say::about_serve, "Run the node until Ctrl-C or SIGTERM", "Den Knoten betreiben, bis Ctrl-C oder SIGTERM kommt"},
    Entry{Say::about_ask, "Ask one question and print the answer", "Eine Frage stellen und die Antwort ausgeben"},
    Entry{Say::about_chat, "Talk with a model", "Mit einem Modell sprechen"},
    Entry{Say::about_model, "Fetch, list and remove models", "Modelle holen, auflisten und entfernen"},
    Entry{Say::about_model_list, "List the models here, or those that can be fetched", "Die Modelle hier auflisten, oder die, die es zu holen gibt"},
    Entry{Say::about_model_pull, "Fetch a model: resumable, with its SHA-256 checked", "Ein Modell holen: fortsetzbar, mit geprüfter SHA-256"},
    Entry{Say::about_model_add, "Take a GGUF file that is here already", "Eine vorhandene GGUF-Datei aufnehmen"},
    Entry{Say::about_model_show, "Show what is known of a model", "Zeigen, was über ein Modell bekannt ist"},
    Entry{Say::about_model_remove, "Remove a model from the store", "Ein Modell aus dem Speicher entfernen"},
    Entry{Say::about_model_verify, "Hash a model's files again and compare", "Die Dateien eines Modells neu hashen und vergleichen"},
    Entry{Say::about_key, "Manage API keys", "API-Schlüssel verwalten"},
    Entry{Say::about_key_create, "Create a key; it is shown once", "Einen Schlüssel anlegen; er wird einmal gezeigt"},
    Entry{Say::about_key_list, "List the keys, never their secrets", "Die Schlüssel auflisten, nie ihre Geheimnisse"},
    Entry{Say::about_key_revoke, "Revoke a key at once", "Einen Schlüssel sofort sperren"},
    Entry{Say::about_version, "Print the version", "Die Version ausgeben"},
    Entry{Say::about_completion, "Print a completion script for a shell", "Ein Vervollständigungsskript für eine Shell ausgeben"},
    Entry{Say::examples, "Examples:", "Beispiele:"},
    Entry{Say::exit_codes,
          "Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 denied, 4 unavailable, 5 not found, 130 interrupted.",
          "Rückgabewerte: 0 getan, 1 gescheitert, 2 falsch benutzt oder eingestellt, 3 verweigert, 4 nicht erreichbar, 5 nicht gefunden, 130 unterbrochen."},
    Entry{Say::option_help, "Show this help", "Diese Hilfe zeigen"},
    Entry{Say::option_data, "Data directory (HANSE_DATA; default: ~/.local/share/hanse)", "Datenverzeichnis (HANSE_DATA; Vorgabe: ~/.local/share/hanse)"},
    Entry{Say::option_config, "Configuration file (HANSE_CONFIG; default: hanse.toml in the data directory)",
          "Konfigurationsdatei (HANSE_CONFIG; Vorgabe: hanse.toml im Datenverzeichnis)"},
    Entry{Say::option_lang, "Language: en or de (HANSE_LANG; default: as LANG says)", "Sprache: en oder de (HANSE_LANG; Vorgabe: wie LANG)"},
    Entry{Say::option_json, "Print JSON", "JSON ausgeben"},
    Entry{Say::option_version, "Print the version", "Die Version ausgeben"},
    Entry{Say::option_url, "Address of a node (HANSE_URL; default: the node of the data directory)", "Adresse eines Knotens (HANSE_URL; Vorgabe: der Knoten des Datenverzeichnisses)"},
    Entry{Say::option_key, "API key (better in the variable HANSE_API_KEY)", "API-Schlüssel (besser in der Variable HANSE_API_KEY)"},
    Entry{Say::option_ca, "PEM file with certificates to trust", "PEM-Datei mit Zertifikaten, denen zu trauen ist"},
    Entry{Say::option_force, "Replace a file that is there", "Eine vorhandene Datei ersetzen"},
    Entry{Say::option_address, "Address to listen on", "Adresse, auf der gelauscht wird"},
    Entry{Say::option_port, "Port to listen on, 0: chosen", "Port, auf dem gelauscht wird, 0: beliebig"},
    Entry{Say::option_model, "Model (default: the node's first)", "Modell (Vorgabe: das erste des Knotens)"},
    Entry{Say::option_system, "System prompt", "Systemanweisung"},
    Entry{Say::option_stats, "Print speed, time to first token and memory to standard error", "Tempo, Zeit bis zum ersten Token und Speicher auf die Standardfehlerausgabe schreiben"},
    Entry{Say::option_max_tokens, "Longest answer, in tokens", "Längste Antwort, in Token"},
    Entry{Say::option_temperature, "Temperature, 0: always the likeliest", "Temperatur, 0: immer das Wahrscheinlichste"},
    Entry{Say::option_available, "The built-in list of European models", "Die eingebaute Liste europäischer Modelle"},
    Entry{Say::option_name, "Name in the store", "Name im Speicher"},
    Entry{Say::option_licence, "Licence to note", "Lizenz, die vermerkt wird"},
    Entry{Say::option_key_name, "Whom or what the key is for", "Für wen oder was der Schlüssel ist"},
    Entry{Say::option_key_models, "Only this model (can be given several times)", "Nur dieses Modell (mehrfach möglich)"},
    Entry{Say::option_key_rpm, "Requests a minute", "Anfragen je Minute"},
    Entry{Say::option_key_tpm, "Tokens a minute", "Token je Minute"},
    Entry{Say::option_key_day, "Tokens a day (UTC)", "Token je Tag (UTC)"},
    Entry{Say::option_key_month, "Tokens a month (UTC)", "Token je Monat (UTC)"},
    Entry{Say::option_key_partition, "Keys with the same word share cached prompts", "Schlüssel mit demselben Wort teilen zwischengespeicherte Prompts"},
    Entry{Say::option_man, "Print the manual page (roff)", "Die Handbuchseite ausgeben (roff)"},
    Entry{Say::option_seed, "Seed of the sampler, for repeatable answers", "Startwert der Auswahl, für wiederholbare Antworten"},
    Entry{Say::argument_question, "The question; without it standard input is read", "Die Frage; ohne sie wird die Standardeingabe gelesen"},
    Entry{Say::argument_reference, "hf:OWNER/REPOSITORY[:FILE][@REVISION], or a name of: hanse model list --available",
          "hf:OWNER/REPOSITORY[:FILE][@REVISION], oder ein Name aus: hanse model list --available"},
    Entry{Say::argument_file, "GGUF file", "GGUF-Datei"},
    Entry{Say::argument_model, "Name of the model", "Name des Modells"},
    Entry{Say::argument_key_id, "Id of the key, as key_…", "Kennung des Schlüssels, wie key_…"},
    Entry{Say::argument_shell, "bash, zsh or fish", "bash, zsh oder fish"},
    Entry{Say::config_written, "Configuration written to {}", "Konfiguration geschrieben nach {}"},
    Entry{Say::config_kept, "{} is there already and was left as it is (--force replaces it)", "{} gibt es schon und blieb, wie es ist (--force ersetzt es)"},
    Entry{Say::init_next, "Next: hanse model pull smollm2-135m, then hanse serve, then in another terminal: hanse ask \"Moin!\"",
          "Als Nächstes: hanse model pull smollm2-135m, dann hanse serve, dann in einem anderen Terminal: hanse ask \"Moin!\""},
    Entry{Say::init_folder, "cannot make {}: {}", "kann {} nicht anlegen: {}"},
    Entry{Say::no_node, "No node runs in {}.", "In {} läuft kein Knoten."},
    Entry{Say::no_node_hint, "Start one with: hanse serve   (or name one with --url)", "Starten mit: hanse serve   (oder einen nennen mit --url)"},
    Entry{Say::node_unreachable, "The node at {} does not answer: {}", "Der Knoten unter {} antwortet nicht: {}"},
    Entry{Say::key_needed, "The node asks for an API key: make one with hanse key create, and set HANSE_API_KEY.",
          "Der Knoten verlangt einen API-Schlüssel: mit hanse key create anlegen und HANSE_API_KEY setzen."},
    Entry{Say::key_not_named, "Give the key a name: hanse key create --name NAME", "Der Schlüssel braucht einen Namen: hanse key create --name NAME"},
    Entry{Say::listening, "Hanse answers at {}/v1", "Hanse antwortet unter {}/v1"},
    Entry{Say::listening_models, "Models: {}", "Modelle: {}"},
    Entry{Say::listening_none, "No model yet: hanse model pull smollm2-135m (or name an upstream in {})", "Noch kein Modell: hanse model pull smollm2-135m (oder ein Upstream in {})"},
    Entry{Say::listening_stop, "Ctrl-C ends it.", "Ctrl-C beendet ihn."},
    Entry{Say::drained, "All answers ended; the node is down.", "Alle Antworten sind zu Ende; der Knoten ist unten."},
    Entry{Say::cut_off, "Some answers were cut off at the limit; the node is down.", "Einige Antworten wurden an der Frist abgeschnitten; der Knoten ist unten."},
    Entry{Say::no_question, "There is no question: give one as an argument or on standard input.", "Es fehlt die Frage: als Argument oder auf der Standardeingabe."},
    Entry{Say::no_models, "The node has no model: hanse model pull smollm2-135m", "Der Knoten hat kein Modell: hanse model pull smollm2-135m"},
    Entry{Say::answer_cut, "(the answer stopped at the longest length)", "(die Antwort endete an der größten Länge)"},
    Entry{Say::stats_line, "{} tokens, {:.1f} tokens/s, first after {:.0f} ms, prompt {} tokens ({} cached), {:.2f} s in all",
          "{} Token, {:.1f} Token/s, das erste nach {:.0f} ms, Prompt {} Token ({} aus dem Cache), {:.2f} s insgesamt"},
    Entry{Say::stats_memory, "node memory {:.0f} MiB", "Speicher des Knotens {:.0f} MiB"},
    Entry{Say::chat_welcome, "{} — /help shows the commands, Ctrl-C stops an answer, Ctrl-D ends.", "{} — /help zeigt die Befehle, Ctrl-C stoppt eine Antwort, Ctrl-D beendet."},
    Entry{Say::chat_help,
          "/new            begin anew\n/model [NAME]   show the models, or change to one\n/system [TEXT]  show or set the system prompt\n/save FILE      save the talk as Markdown\n/quit           end",
          "/new            neu beginnen\n/model [NAME]   die Modelle zeigen oder wechseln\n/system [TEXT]  Systemanweisung zeigen oder setzen\n/save DATEI     das Gespräch als Markdown sichern\n/quit           beenden"},
    Entry{Say::chat_new, "A new talk.", "Ein neues Gespräch."},
    Entry{Say::chat_model, "Model: {}", "Modell: {}"},
    Entry{Say::chat_models, "Models: {}", "Modelle: {}"},
    Entry{Say::chat_model_unknown, "The node has no model \"{}\".", "Der Knoten hat kein Modell \"{}\"."},
    Entry{Say::chat_system, "System prompt set.", "Systemanweisung gesetzt."},
    Entry{Say::chat_system_now, "System prompt: {}", "Systemanweisung: {}"},
    Entry{Say::chat_saved, "Saved to {}", "Gesichert in {}"},
    Entry{Say::chat_save_how, "Name a file: /save talk.md", "Eine Datei nennen: /save gespraech.md"},
    Entry{Say::chat_unknown, "There is no command {}; /help shows them.", "Den Befehl {} gibt es nicht; /help zeigt alle."},
    Entry{Say::chat_stopped, "(stopped)", "(gestoppt)"},
    Entry{Say::chat_prompt, "you> ", "du> "},
    Entry{Say::chat_bye, "", ""},
    Entry{Say::model_none, "No model here yet.", "Noch kein Modell hier."},
    Entry{Say::model_available_hint, "hanse model list --available shows some to begin with.", "hanse model list --available zeigt welche für den Anfang."},
    Entry{Say::model_header, "NAME\tSIZE\tLICENCE\tSOURCE", "NAME\tGRÖSSE\tLIZENZ\tQUELLE"},
    Entry{Say::model_available_header, "NAME\tSIZE\tCONTEXT\tLICENCE\tLANGUAGES\tMAKER", "NAME\tGRÖSSE\tKONTEXT\tLIZENZ\tSPRACHEN\tHERSTELLER"},
    Entry{Say::model_damaged, "The manifest of {} is damaged; fetch the model again.", "Das Manifest von {} ist beschädigt; das Modell neu holen."},
    Entry{Say::model_pulling, "Fetching {}", "Hole {}"},
    Entry{Say::model_pulled, "{} is here: {}, SHA-256 checked, licence {}.", "{} ist da: {}, SHA-256 geprüft, Lizenz {}."},
    Entry{Say::model_resumed, "continuing after {}", "weiter nach {}"},
    Entry{Say::model_retrying, "the connection broke; trying again", "die Verbindung brach ab; neuer Versuch"},
    Entry{Say::model_hashing, "checking", "prüfe"},
    Entry{Say::model_added, "{} is here: {}.", "{} ist da: {}."},
    Entry{Say::model_removed, "{} is removed.", "{} ist entfernt."},
    Entry{Say::model_present, "{} is here already.", "{} ist schon da."},
    Entry{Say::model_sound, "{} is sound: every file has the SHA-256 of its manifest.", "{} ist heil: jede Datei hat die SHA-256 ihres Manifests."},
    Entry{Say::model_interrupted, "Interrupted. The same command continues where this one stopped.", "Unterbrochen. Derselbe Befehl macht weiter, wo dieser aufhörte."},
    Entry{Say::model_told_node, "The running node was told.", "Der laufende Knoten weiß Bescheid."},
    Entry{Say::model_known_unknown, "\"{}\" is neither a reference (hf:OWNER/REPOSITORY) nor in the built-in list (hanse model list --available).",
          "\"{}\" ist weder ein Verweis (hf:OWNER/REPOSITORY) noch in der eingebauten Liste (hanse model list --available)."},
    Entry{Say::show_name, "Name", "Name"},
    Entry{Say::show_source, "Source", "Quelle"},
    Entry{Say::show_revision, "Revision", "Revision"},
    Entry{Say::show_licence, "Licence", "Lizenz"},
    Entry{Say::show_size, "Size", "Größe"},
    Entry{Say::show_files, "SHA-256", "SHA-256"},
    Entry{Say::show_added, "Added", "Aufgenommen"},
    Entry{Say::show_path, "Path", "Pfad"},
    Entry{Say::show_languages, "Languages", "Sprachen"},
    Entry{Say::show_maker, "Maker", "Hersteller"},
    Entry{Say::show_context, "Context", "Kontext"},
    Entry{Say::show_original, "Original", "Original"},
    Entry{Say::show_fetch, "Not here yet. Fetch it with: hanse model pull {}", "Noch nicht hier. Holen mit: hanse model pull {}"},
    Entry{Say::key_created, "Key {} for {}:", "Schlüssel {} für {}:"},
    Entry{Say::key_once, "It is shown this once and stored only as a hash.", "Er wird nur dieses eine Mal gezeigt und nur als Hash gespeichert."},
    Entry{Say::key_header, "ID\tNAME\tMODELS\tTOKENS\tSTATE", "KENNUNG\tNAME\tMODELLE\tTOKEN\tZUSTAND"},
    Entry{Say::key_none, "No keys yet.", "Noch keine Schlüssel."},
    Entry{Say::key_revoked, "{} is revoked.", "{} ist gesperrt."},
    Entry{Say::key_all_models, "all", "alle"},
    Entry{Say::key_revoked_mark, "revoked", "gesperrt"},
    Entry{Say::usage_hint, "See: {} --help", "Siehe: {} --help"},
    Entry{Say::unexpected_argument, "hanse: {}", "hanse: {}"},
    Entry{Say::did_you_mean, "There is no command \"{}\"; did you mean \"{}\"?", "Den Befehl \"{}\" gibt es nicht; gemeint war \"{}\"?"},
};

consteval bool complete() {
    if (entries.size() != static_cast<std::size_t>(Say::count_)) return false;
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (entries[i].id != static_cast<Say>(i)) return false;
    return true;
}
static_assert(complete(), "each Say needs one entry, in the order of the enumeration");

}  // namespace

std::string_view text(Say id, base::Language language) {
    const Entry& entry = entries[static_cast<std::size_t>(id)];
    return language == base::Language::german ? entry.german : entry.english;
}

}  // namespace hanse::cli
