// SPDX-License-Identifier: Apache-2.0
#include "node/default_config.hpp"

#include <array>
#include <span>
#include <string_view>

namespace hanse::node {
namespace {

// One block of the file: what it is about in both languages, then TOML lines as they are. A line that begins
// with "#" and no blank is a key that may be uncommented.
struct Block {
    std::string_view english;
    std::string_view german;
    std::string_view toml;
};

constexpr std::array blocks{
    Block{"Configuration of a Hanse node. Every key is optional; what is commented out shows its default.\n"
          "Any key can be set by a variable as well: HANSE_SERVER_PORT=9000, HANSE_MODELS_<NAME>_CONTEXT=4096.\n"
          "Durations: \"250ms\", \"30s\", \"5m\", \"1h\". Sizes: \"512MiB\", \"40GB\". Paths are relative to this file.\n"
          "After a change: kill -HUP the node (systemctl reload hanse). All keys: docs/configuration.md.",
          "Konfiguration eines Hanse-Knotens. Jeder Schlüssel darf fehlen; was auskommentiert ist, zeigt die Vorgabe.\n"
          "Jeder Schlüssel geht auch als Variable: HANSE_SERVER_PORT=9000, HANSE_MODELS_<NAME>_CONTEXT=4096.\n"
          "Dauern: \"250ms\", \"30s\", \"5m\", \"1h\". Größen: \"512MiB\", \"40GB\". Pfade gelten ab dieser Datei.\n"
          "Nach einer Änderung: kill -HUP an den Knoten (systemctl reload hanse). Alle Schlüssel: docs/configuration.md.",
          ""},
    Block{"", "", "[server]\n"},
    Block{"Loopback by default: only this machine. Beyond it, TLS and API keys are required unless allowed below.",
          "Voreingestellt ist nur dieser Rechner. Darüber hinaus sind TLS und API-Schlüssel Pflicht, wenn unten nicht anders erlaubt.",
          "#address = \"127.0.0.1\"\n#port = 8420\n"},
    Block{"Listener threads, 0: chosen.", "Threads des Listeners, 0: selbst gewählt.", "#threads = 0\n"},
    Block{"PEM files. With them: TLS 1.3 with a post-quantum key exchange.", "PEM-Dateien. Mit ihnen: TLS 1.3 mit Post-Quanten-Schlüsselaustausch.",
          "#tls_certificate = \"tls/server.pem\"\n#tls_key = \"tls/server.key\"\n"},
    Block{"Beyond loopback without TLS (behind a proxy that has it), or without keys: say so on purpose.",
          "Ohne TLS (hinter einem Proxy, der es hat) oder ohne Schlüssel über diesen Rechner hinaus: nur ausdrücklich.",
          "#allow_plain_http = false\n#allow_no_keys = false\n"},
    Block{"Web pages that may call the API from a browser.", "Webseiten, die die API aus dem Browser rufen dürfen.", "#cors_origins = []\n\n"},
    Block{"", "", "[data]\n"},
    Block{"Serve every model in the store (hanse model list), also those that no [[models]] entry names.",
          "Alle Modelle des Speichers anbieten (hanse model list), auch solche ohne [[models]]-Eintrag.", "#serve_store = true\n\n"},
    Block{"", "", "[memory]\n"},
    Block{"For loaded models together; the least recently used is unloaded. 0: no limit.", "Für geladene Modelle zusammen; das am längsten ungenutzte weicht. 0: keine Grenze.",
          "#models = \"0\"\n\n"},
    Block{"Models of this node, with settings of their own. `file` is a path; without it the store's model of that name.",
          "Modelle dieses Knotens mit eigenen Einstellungen. `file` ist ein Pfad; ohne ihn gilt das Modell dieses Namens im Speicher.",
          "#[[models]]\n#name = \"eurollm-9b\"\n"},
    Block{"0: the model's own context; chosen number of sequences, cache and threads.", "0: der Kontext des Modells; Zahl der Folgen, Cache und Threads selbst gewählt.",
          "#context = 0\n#sequences = 0\n#cache_tokens = 0\n#threads = 0\n"},
    Block{"Requests that may wait.", "Anfragen, die warten dürfen.", "#queue = 256\n"},
    Block{"Time of one step of the batch, \"0ms\": by measured speed. Memory for prefixes outside the cache.",
          "Zeit eines Schritts des Stapels, \"0ms\": nach gemessenem Tempo. Speicher für Präfixe außerhalb des Caches.", "#step_budget = \"0ms\"\n#host_cache = \"256MiB\"\n"},
    Block{"A small model that drafts (name or path), adapters, another chat template.", "Ein kleines Modell, das vorschlägt (Name oder Pfad), Adapter, eine andere Chat-Vorlage.",
          "#draft = \"smollm2-135m\"\n#adapters = { legal = \"adapters/legal.gguf\" }\n#chat_template_file = \"templates/chat.jinja\"\n"},
    Block{"Whose questions it is for: an n-gram table of its owners' texts, by which hanse/auto chooses (hanse forge ngrams).",
          "Für wessen Fragen es ist: eine n-Gramm-Tabelle der Texte seiner Eigentümer, nach der hanse/auto wählt (hanse forge ngrams).", "#ngrams = \"law.ngrams\"\n"},
    Block{"Offer it for embeddings. Load it at the start instead of with the first request.", "Für Embeddings anbieten. Beim Start laden statt bei der ersten Anfrage.",
          "#embeddings = false\n#preload = false\n\n"},
    Block{"Model servers elsewhere that speak the OpenAI protocol (vLLM, SGLang, llama-server, Ollama).\n"
          "Each needs a place of its name in policy.toml, or sees public data only.\n"
          "The key comes from a file or a variable, or, if it must be, stands here as api_key.",
          "Modellserver anderswo, die das OpenAI-Protokoll sprechen (vLLM, SGLang, llama-server, Ollama).\n"
          "Jeder braucht einen Ort seines Namens in policy.toml, sonst sieht er nur öffentliche Daten.\n"
          "Der Schlüssel kommt aus einer Datei oder Variable oder steht, wenn es sein muss, als api_key hier.",
          "#[[upstreams]]\n#name = \"gpu\"\n#url = \"http://127.0.0.1:8001/v1\"\n#models = [\"mistral-small\"]\n#renamed = { \"large\" = \"org/its-name-there\" }\n"
          "#api_key_file = \"gpu.key\"\n#api_key_env = \"GPU_API_KEY\"\n#connect_timeout = \"5s\"\n#head_timeout = \"10m\"\n#idle_timeout = \"2m\"\n#health_interval = \"5s\"\n"
          "#retries = 2\n#failures_to_open = 5\n#open_for = \"10s\"\n#ca_file = \"gpu-ca.pem\"\n\n"},
    Block{"", "", "[route]\n"},
    Block{"The same for models of other places: owners in this table are named as the model that answers for them, \"law\" or \"clinic/law\".",
          "Dasselbe für Modelle anderer Orte: Eigentümer in dieser Tabelle heißen wie das Modell, das für sie antwortet, \"law\" oder \"clinic/law\".",
          "#ngrams = \"owners.ngrams\"\n\n"},
    Block{"", "", "[keys]\n"},
    Block{"\"auto\": required beyond loopback. \"always\", \"never\". Make them with: hanse key create",
          "\"auto\": über diesen Rechner hinaus verlangt. \"always\", \"never\". Anlegen mit: hanse key create", "#required = \"auto\"\n"},
    Block{"/metrics without a key. Where keys are required it then tells of models and back ends only: counts would tell what was asked.",
          "/metrics ohne Schlüssel. Wo Schlüssel Pflicht sind, nennt es dann nur Modelle und Server: Zahlen verrieten, was gefragt wurde.", "#open_metrics = true\n\n"},
    Block{"", "", "[policy]\n"},
    Block{"Who may see what: labels and clearances. Without the file nothing but public data leaves this machine. See: hanse policy",
          "Wer was sehen darf: Etiketten und Zulassungen. Ohne die Datei verlassen nur öffentliche Daten diesen Rechner. Siehe: hanse policy", "#file = \"policy.toml\"\n\n"},
    Block{"", "", "[identity]\n"},
    Block{"Who this node is in its receipts; the name is fixed when its keys are made (hanse init, or the first start). Empty: the machine's name.\n"
          "Signatures: \"default\" (Ed25519 with ML-DSA-65) or \"bsi\" (ECDSA P-256 with ML-DSA-65). A file with the passphrase of the keys, or none.",
          "Wer dieser Knoten in seinen Quittungen ist; der Name steht fest, sobald die Schlüssel gemacht sind (hanse init oder erster Start). Leer: der des Rechners.\n"
          "Signaturen: \"default\" (Ed25519 mit ML-DSA-65) oder \"bsi\" (ECDSA P-256 mit ML-DSA-65). Eine Datei mit der Passphrase der Schlüssel oder keine.",
          "#name = \"\"\n#profile = \"default\"\n#passphrase_file = \"\"\n"},
    Block{"The classical key in a PKCS #11 token (smart card, HSM): its URI, the vendor's module (empty: p11-kit's), a file with the PIN\n"
          "(empty: the credential hanse-token-pin). The post-quantum key stays in identity.key: tokens know none yet.",
          "Der klassische Schlüssel in einem PKCS-#11-Token (Karte, HSM): seine URI, das Modul des Herstellers (leer: was p11-kit kennt), eine Datei\n"
          "mit der PIN (leer: die Zugangsdaten hanse-token-pin). Der Post-Quanten-Schlüssel bleibt in identity.key: Token kennen noch keinen.",
          "#token = \"\"\n#token_module = \"\"\n#token_pin_file = \"\"\n\n"},
    Block{"", "", "[journal]\n"},
    Block{"Each answer leaves a record in a log that nobody can rewrite, and a receipt. Off: no evidence.",
          "Jede Antwort hinterlässt einen Eintrag in einem Protokoll, das niemand umschreiben kann, und eine Quittung. Aus: kein Nachweis.", "#record = true\n"},
    Block{"The public part (hashes only) at /journal/ without a key, for witnesses and mirrors; its size tells how much is asked.",
          "Den öffentlichen Teil (nur Hashes) unter /journal/ ohne Schlüssel, für Zeugen und Spiegel; seine Größe verrät, wie viel gefragt wird.", "#open = false\n"},
    Block{"Keep the texts as well, sealed one by one: at most so long, and never longer than their labels allow. \"0s\": no text is kept.",
          "Auch die Texte aufbewahren, einzeln versiegelt: höchstens so lange und nie länger, als ihre Etiketten erlauben. \"0s\": kein Text wird aufbewahrt.", "#keep = \"0s\"\n"},
    Block{"For the energy in receipts where the machine has no meter: watts of one busy core.",
          "Für die Energie in Quittungen, wo der Rechner keinen Zähler hat: Watt eines beschäftigten Kerns.", "#watts_per_core = 8\n"},
    Block{"Who co-signs the journal, so that nobody is shown another one, and how many of them a receipt needs: a file as docs/witnesses.md shows.\n"
          "Asked so often, if there is something new; their addresses' certificates by this file, else by the system's.",
          "Wer das Journal mitunterschreibt, damit niemand ein anderes zu sehen bekommt, und wie viele davon eine Quittung braucht: eine Datei\n"
          "wie in docs/witnesses.md. So oft gefragt, wenn es Neues gibt; ihre Zertifikate nach dieser Datei, sonst nach denen des Systems.",
          "#witnesses = \"\"\n#witness_every = \"2s\"\n#witness_ca_file = \"\"\n"},
    Block{"Records older than this are pruned, and the journal says so: six months (\"184d\") at least. \"0s\": nothing is ever pruned.",
          "Ältere Einträge werden entfernt, und das Journal sagt es: mindestens sechs Monate (\"184d\"). \"0s\": nie etwas.", "#retention = \"0s\"\n\n"},
    Block{"", "", "[witness]\n"},
    Block{"A file with the keys of the logs that this node co-signs at /witness/, one a line (hanse identity show --keys there). Empty: none.",
          "Eine Datei mit den Schlüsseln der Protokolle, die dieser Knoten unter /witness/ mitunterschreibt, einer je Zeile (dort: hanse identity show --keys). Leer: keines.",
          "#logs = \"\"\n\n"},
    Block{"", "", "[limits]\n"},
    Block{"What is larger or slower is refused or cut.", "Was größer oder langsamer ist, wird abgewiesen oder getrennt.",
          "#body = \"16MiB\"\n#headers = \"16KiB\"\n#connections = 4096\n#in_flight = 512\n#header_timeout = \"10s\"\n#body_timeout = \"60s\"\n#idle_timeout = \"75s\"\n"
          "#write_timeout = \"30s\"\n#load_timeout = \"5m\"\n"},
    Block{"How long running answers may take to end when the node is stopped.", "Wie lange laufende Antworten beim Beenden noch brauchen dürfen.", "#drain = \"30s\"\n\n"},
    Block{"", "", "[logging]\n"},
    Block{"debug, info, warning, error; JSON lines on standard error.", "debug, info, warning, error; JSON-Zeilen auf der Standardfehlerausgabe.", "#level = \"info\"\n"},
    Block{"Access log as JSON lines without any prompt text: a file, \"-\" for standard output, \"\" for none.",
          "Zugriffsprotokoll als JSON-Zeilen ohne jeden Prompt-Text: eine Datei, \"-\" für die Standardausgabe, \"\" für keines.", "#access_log = \"\"\n\n"},
    Block{"", "", "[telemetry]\n"},
    Block{"OpenTelemetry traces to a collector over HTTP, for instance \"http://127.0.0.1:4318\".", "OpenTelemetry-Spuren an einen Sammler über HTTP, etwa \"http://127.0.0.1:4318\".",
          "#otlp_endpoint = \"\"\n"},
};

constexpr std::array partner_blocks{
    Block{"This node among the nodes of other organisations. Every key is optional; what is commented out shows its default, or an example.\n"
          "What may go to whom is said in policy.toml. After a change: kill -HUP the node (where it listens needs a restart). See docs/partners.md.",
          "Dieser Knoten unter den Knoten anderer Organisationen. Jeder Schlüssel darf fehlen; Auskommentiertes zeigt die Vorgabe oder ein Beispiel.\n"
          "Was zu wem darf, sagt policy.toml. Nach einer Änderung: kill -HUP an den Knoten (wo er lauscht: Neustart). Siehe docs/partners.md.",
          "\n"},
    Block{"Where partners' nodes connect, once this house is in a federation. Beyond this machine: \"0.0.0.0\", or \"::\".",
          "Wo sich die Knoten der Partner verbinden, sobald dieses Haus in einer Föderation ist. Über diesen Rechner hinaus: \"0.0.0.0\" oder \"::\".",
          "#address = \"127.0.0.1\"\n#port = 8421\n\n"},
    Block{"What partners may use: a model of this node or of one of its model servers. Nothing else can be asked for.\n"
          "Skills are asked for as hanse/SKILL. Prices in millionths of a euro for a million tokens. Without \"only\" it is for all members.",
          "Was Partner benutzen dürfen: ein Modell dieses Knotens oder eines seiner Modellserver. Sonst nichts.\n"
          "Nach Fähigkeiten fragt man als hanse/FÄHIGKEIT. Preise in millionstel Euro je Million Tokens. Ohne \"only\" ist es für alle Mitglieder.",
          "#[[offers]]\n#model = \"eurollm-9b\"\n#skills = [\"translation\"]\n#languages = [\"de\", \"en\"]\n#context = 8192\n#prompt_price = 0\n#answer_price = 0\n#only = [\"bolt\"]\n\n"},
    Block{"Keys of a quantum key distribution device of the house (ETSI GS QKD 014), added to those of the connections. Partners by the\n"
          "names that the device has for them; with those in \"demanded\" there is no connection without.",
          "Schlüssel aus einem QKD-Gerät des Hauses (ETSI GS QKD 014), zusätzlich zu denen der Verbindungen. Partner unter den Namen, die\n"
          "das Gerät für sie hat; mit denen in \"demanded\" gibt es ohne sie keine Verbindung.",
          "#[qkd]\n#url = \"https://kme.example\"\n#ca_file = \"kme-ca.pem\"\n#certificate = \"sae.pem\"\n#key = \"sae.key\"\n#method = \"post\"\n#members = { bolt = \"sae-bolt\" }\n#demanded = [\"bolt\"]\n"},
};

std::string written(std::span<const Block> of, base::Language language) {
    std::string text;
    for (const Block& block : of) {
        std::string_view comment = language == base::Language::german ? block.german : block.english;
        while (!comment.empty()) {
            const std::string_view line = comment.substr(0, comment.find('\n'));
            text.append("# ").append(line).append("\n");
            comment.remove_prefix(std::min(line.size() + 1, comment.size()));
        }
        text.append(block.toml.empty() ? "\n" : block.toml);
    }
    return text;
}

}  // namespace

std::string default_config(base::Language language) { return written(blocks, language); }
std::string default_partner_config(base::Language language) { return written(partner_blocks, language); }

}  // namespace hanse::node
