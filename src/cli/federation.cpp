// SPDX-License-Identifier: Apache-2.0
#include "node/federation.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <format>
#include <iostream>
#include <string>
#include <thread>
#include <unistd.h>

#include "catalog/files.hpp"
#include "commands.hpp"
#include "federation.hpp"
#include "node/config.hpp"
#include "node/default_config.hpp"
#include "node/identity.hpp"
#include "node/partner_config.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

using base::ErrorKind;

// Both languages side by side, since these sentences are of this command alone.
struct Both {
    std::string_view english, german;
};
std::string_view in(const Context& context, const Both& text) { return context.language == base::Language::german ? text.german : text.english; }

std::string day(std::int64_t seconds) { return std::format("{:%F}", std::chrono::sys_seconds(std::chrono::seconds(seconds))); }

// 64 digits are for machines; four by four, people can compare them.
std::string in_groups(std::string_view digits) {
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 4) out += (i == 0 ? "" : " ") + std::string(digits.substr(i, 4));
    return out;
}

std::string json_of(const node::CharterSheet& sheet) {
    std::string members;
    for (const auto& member : sheet.members) {
        std::string addresses;
        for (const auto& address : member.addresses) addresses += (addresses.empty() ? "" : ",") + json_text(address);
        members += std::format("{}{{\"name\":{},\"title\":{},\"country\":{},\"control\":{},\"standing\":{},\"fingerprint\":{},\"addresses\":[{}],\"amends\":{},\"self\":{}}}", members.empty() ? "" : ",",
                               json_text(member.name), json_text(member.title), json_text(member.country), json_text(member.control), json_text(member.standing), json_text(member.fingerprint), addresses,
                               member.amends, member.self);
    }
    return std::format("\"federation\":{},\"version\":{},\"fingerprint\":{},\"expires\":{},\"quorum\":{},\"members\":[{}]", json_text(sheet.federation), sheet.version, json_text(sheet.fingerprint), sheet.expires,
                       sheet.quorum, members);
}

std::string text_of(const Context& context, const node::CharterSheet& sheet) {
    std::string out = std::format("{} {}, {} {}, {} {}\n{}: {}\n", in(context, {"Federation", "Föderation"}), plain_line(sheet.federation), in(context, {"version", "Fassung"}), sheet.version,
                                  in(context, {"valid to", "gültig bis"}), day(sheet.expires), in(context, {"Fingerprint of the charter", "Fingerabdruck der Charta"}), sheet.fingerprint);
    std::vector<std::string> rows{std::string(in(context, {"MEMBER\tCOUNTRY\tUNDER LAW OF\tSTANDING\tAMENDS\tADDRESS\tFINGERPRINT", "MITGLIED\tLAND\tUNTER RECHT VON\tSTAND\tÄNDERT MIT\tADRESSE\tFINGERABDRUCK"}))};
    for (const auto& member : sheet.members)
        rows.push_back(std::format("{}{}\t{}\t{}\t{}\t{}\t{}\t{}", plain_line(member.name), member.self ? "*" : "", member.country, member.control,
                                   member.standing == "active" ? in(context, {"active", "aktiv"}) : in(context, {"suspended", "ausgesetzt"}), member.amends ? in(context, {"yes", "ja"}) : "-",
                                   member.addresses.empty() ? "-" : plain_line(member.addresses.front()), in_groups(std::string_view(member.fingerprint).substr(0, 16))));
    return out + table(rows);
}

bool asks_person(const Context& context, bool yes, std::string_view question) {
    if (yes) return true;
    if (!is_terminal(0)) return false;
    std::cerr << question << (context.language == base::Language::german ? " [j/N] " : " [y/N] ") << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return line == "y" || line == "Y" || line == "yes" || line == "j" || line == "J" || line == "ja";
}

struct Tools {
    base::SystemClock clock = {};
    base::SystemRandom random = {};
};

// Of this node's journal, made now if there are none yet; none where no journal is kept.
base::Result<std::vector<std::string>> own_log_keys(const Context& context, const node::DataDirectory& data) {
    const auto config = node::load_config(node::config_file(context.config_option, data, context.environment), node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    if (!config->journal.record) return std::vector<std::string>{};
    auto keys = node::log_keys(data);
    if (keys || keys.error().kind != ErrorKind::not_found) return keys;
    const auto passphrase = node::identity_passphrase(config->identity, context.environment);
    if (!passphrase) return std::unexpected(passphrase.error());
    std::error_code error;
    if (!std::filesystem::exists(data.root, error)) {
        std::filesystem::create_directories(data.root, error);
        if (!error) std::filesystem::permissions(data.root, std::filesystem::perms::owner_all, error);
        if (error) return base::fail(ErrorKind::denied, std::format("cannot make {}: {}", data.root.string(), error.message()));
    }
    base::SystemRandom random;
    if (const auto made = node::make_keys(data, config->identity, *passphrase, random); !made) return std::unexpected(made.error());
    return node::log_keys(data);
}

// What this member says of itself: from the command line, else from policy and configuration.
base::Result<node::MemberWish> member_of(const Context& context, const FederationOptions& options, const node::DataDirectory& data) {
    node::MemberWish self{.name = options.member, .title = options.title, .country = options.country, .control = options.control, .house_in = {}, .addresses = options.addresses, .node = options.node, .profile = options.profile};
    const auto policy = policy_of_node(context);
    if (!policy) return std::unexpected(policy.error());
    const auto& house = (*policy)->words().source().members.front();
    if (self.name.empty()) self.name = house.name;
    if (self.country.empty()) self.country = house.house_in;
    const auto config = node::read_partner_config(node::config_file(context.config_option, data, context.environment));
    if (!config) return std::unexpected(config.error());
    if (self.addresses.empty()) self.addresses.push_back(std::format("{}:{}", config->address, config->port));
    auto keys = own_log_keys(context, data);
    if (!keys) return std::unexpected(keys.error());
    self.log_keys = std::move(*keys);
    return self;
}

// Where partners are told of this house: an explained file, where there is none yet.
base::Result<void> write_partner_config(const Context& context, const node::DataDirectory& data) {
    const auto file = node::partner_file(node::config_file(context.config_option, data, context.environment));
    std::error_code error;
    if (std::filesystem::exists(file, error)) return {};
    auto written = catalog::write_file_whole(file, node::default_partner_config(context.language));
    if (written && !context.json) tell(context.say(Say::config_written, file.string()));
    return written;
}

Exit shown(const Context& context, const base::Result<node::CharterSheet>& sheet, std::string_view sentence) {
    if (!sheet) return fail(context, sheet.error());
    if (context.json) put_line("{" + json_of(*sheet) + "}");
    else {
        if (!sentence.empty()) put_line(sentence);
        put(text_of(context, *sheet));
    }
    return Exit::ok;
}

Exit shown(const Context& context, const base::Result<node::CharterChange>& change) {
    if (!change) return fail(context, change.error());
    if (context.json) {
        put_line(std::format("{{\"in_force\":{},\"waits_for\":{},{}}}", change->in_force, json_text(change->waits_for), json_of(change->charter)));
        return Exit::ok;
    }
    if (change->in_force) put_line(in(context, {"In force: running nodes that can be reached end the sessions concerned within seconds.", "In Kraft: laufende erreichbare Knoten beenden die betroffenen Sitzungen binnen Sekunden."}));
    else put_line(std::format("{}: {}", in(context, {"Signed here, and waits for others (hanse federation approve)", "Hier unterschrieben, wartet auf andere (hanse federation approve)"}), change->waits_for));
    put(text_of(context, change->charter));
    return Exit::ok;
}

// In the order of FederationWord.
constexpr std::array words{
    Both{"Found or join a federation, and manage its members",
         "Eine Föderation gründen oder ihr beitreten, und ihre Mitglieder verwalten"},
    Both{"Found a federation with this house as its first member",
         "Eine Föderation gründen, mit diesem Haus als erstem Mitglied"},
    Both{"Print a one-time code for a new member, and take it in",
         "Einen Einmalcode für ein neues Mitglied ausgeben und es aufnehmen"},
    Both{"Join with a code: shows what one agrees to, and asks",
         "Mit einem Code beitreten: zeigt, dem man zustimmt, und fragt"},
    Both{"Show the charter in force and its members",
         "Die geltende Charta und ihre Mitglieder zeigen"},
    Both{"Show how the running node is connected with the partners",
         "Zeigen, wie der laufende Knoten mit den Partnern verbunden ist"},
    Both{"Suspend a member: its sessions are cut, it stays in the charter",
         "Ein Mitglied aussetzen: seine Sitzungen enden, es bleibt in der Charta"},
    Both{"Lift a suspension",
         "Eine Aussetzung aufheben"},
    Both{"Remove a member: its sessions are cut within seconds",
         "Ein Mitglied entfernen: seine Sitzungen enden binnen Sekunden"},
    Both{"Leave the federation",
         "Die Föderation verlassen"},
    Both{"Bring this house's own entry up to date: addresses, and the keys of this node's journal",
         "Den eigenen Eintrag auf den Stand bringen: Adressen und die Schlüssel des Journals dieses Knotens"},
    Both{"Sign the next version of the charter that waits for signatures",
         "Die nächste Fassung der Charta unterschreiben, die auf Unterschriften wartet"},
    Both{"Certify a node's request where the root key is, or take the certificate at the node",
         "Den Antrag eines Knotens beglaubigen, wo der Wurzelschlüssel liegt, oder am Knoten das Zertifikat annehmen"},
    Both{"Name of the federation",
         "Name der Föderation"},
    Both{"Name of the new member, one word",
         "Name des neuen Mitglieds, ein Wort"},
    Both{"The code, as hanse1.…",
         "Der Code, wie hanse1.…"},
    Both{"Name of the member",
         "Name des Mitglieds"},
    Both{"A node.request, or a certificate for this node",
         "Ein node.request, oder ein Zertifikat für diesen Knoten"},
    Both{"This house as a member (default: the policy's house)",
         "Dieses Haus als Mitglied (Vorgabe: das Haus der Richtlinie)"},
    Both{"Full name of the organisation",
         "Voller Name der Organisation"},
    Both{"Country whose law it is under (default: the policy's)",
         "Land, dessen Recht es untersteht (Vorgabe: das der Richtlinie)"},
    Both{"Region that can order it to hand data over (default: the country)",
         "Region, die Herausgabe von Daten anordnen kann (Vorgabe: das Land)"},
    Both{"HOST:PORT where partners connect (default: as in federation.toml)",
         "HOST:PORT, wo sich Partner verbinden (Vorgabe: wie in federation.toml)"},
    Both{"Name of this node within the house",
         "Name dieses Knotens im Haus"},
    Both{"Profile of the keys: default or bsi",
         "Profil der Schlüssel: default oder bsi"},
    Both{"Days until the charter must be renewed",
         "Tage, bis die Charta erneuert werden muss"},
    Both{"Minutes for which the code is good",
         "Minuten, für die der Code gilt"},
    Both{"No answer of a partner is taken whose receipt does not prove itself",
         "Keine Antwort eines Partners wird genommen, deren Quittung sich nicht prüfen lässt"},
    Both{"Ask nothing: for scripts that have compared the fingerprints",
         "Nichts fragen: für Skripte, die die Fingerabdrücke verglichen haben"},
};

}  // namespace

std::string federation_text(FederationWord word, base::Language language) {
    const Both& both = words[static_cast<std::size_t>(word)];
    return std::string(language == base::Language::german ? both.german : both.english);
}

Exit federation_create(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto self = member_of(context, options, *data);
    if (!self) return fail(context, self.error());
    Tools tools;
    const auto sheet = node::create_federation({*data, tools.clock, tools.random}, options.name, *self, {.valid = std::chrono::days(options.days), .receipts_demanded = options.receipts_demanded});
    if (sheet)
        if (const auto written = write_partner_config(context, *data); !written) return fail(context, written.error());
    return shown(context, sheet, in(context, {"The federation is founded. Next: hanse serve, then hanse federation invite NAME", "Die Föderation ist gegründet. Als Nächstes: hanse serve, dann hanse federation invite NAME"}));
}

Exit federation_invite(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    Tools tools;
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(options.minutes);
    const node::InviteSteps steps{
        .show =
            [&](const std::string& code, const std::string& charter) {
                if (context.json) return put_line(std::format("{{\"code\":{},\"charter\":{}}}", json_text(code), json_text(charter)));
                tell(std::format("{}: {}", in(context, {"Fingerprint of the charter, to be told by another way than the code", "Fingerabdruck der Charta, auf anderem Weg mitzuteilen als der Code"}), charter));
                tell(std::vformat(in(context, {"The code is good once and for {} minutes. On the other side: hanse federation join CODE", "Der Code gilt einmal und {} Minuten lang. Auf der anderen Seite: hanse federation join CODE"}),
                                  std::make_format_args(options.minutes)));
                put_line(code);
            },
        .confirm =
            [&](const std::string& fingerprint) {
                tell(std::format("{} {}: {}", plain_line(options.name), in(context, {"is here; fingerprint of its keys", "ist da; Fingerabdruck seiner Schlüssel"}), in_groups(plain_line(fingerprint))));
                return asks_person(context, options.yes, in(context, {"Did they tell you the same?", "Hat man Ihnen denselben genannt?"}));
            },
        .wait =
            [&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                return std::chrono::steady_clock::now() < until;
            }};
    const auto sheet = node::invite({*data, tools.clock, tools.random}, {.newcomer = options.name, .address = options.addresses.empty() ? "" : options.addresses.front(), .valid = std::chrono::minutes(options.minutes), .confirm = !options.yes}, steps);
    if (!sheet) return fail(context, sheet.error());
    if (options.yes) return Exit::ok;
    return shown(context, sheet, std::format("{} {}", plain_line(options.name), in(context, {"is a member now.", "ist jetzt Mitglied."})));
}

Exit federation_join(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto name = node::invited_name(options.code);
    if (!name) return fail(context, name.error());
    auto self = member_of(context, options, *data);
    if (!self) return fail(context, self.error());
    if (!options.member.empty() && options.member != *name)
        return fail(context, {ErrorKind::invalid, std::format("the code invites {}, not {}", *name, options.member), {}, {}, {}});
    bool refused = false;
    const auto agree = [&](const node::CharterSheet& terms, const std::string& own) {
        if (!context.json) {
            tell(in(context, {"You would stand in this charter:", "In dieser Charta stünden Sie:"}));
            put(text_of(context, terms));
            tell(std::format("{}: {}", in(context, {"Fingerprint of your keys, for the other side", "Fingerabdruck Ihrer Schlüssel, für die andere Seite"}), in_groups(own)));
        }
        refused = !asks_person(context, options.yes, in(context, {"Is this the charter's fingerprint that you were told, and do you agree to the charter?", "Ist das der Fingerabdruck der Charta, den man Ihnen genannt hat, und stimmen Sie der Charta zu?"}));
        return !refused;
    };
    Tools tools;
    const auto sheet = node::join({*data, tools.clock, tools.random}, options.code, *self, agree);
    if (!sheet && refused) {
        return fail(context, {ErrorKind::denied, std::string(in(context, {"nothing was agreed to, and nothing is changed; scripts say --yes", "nichts wurde zugestimmt, nichts ist geändert; Skripte sagen --yes"})), {}, {}, {}});
    }
    if (sheet)
        if (const auto written = write_partner_config(context, *data); !written) return fail(context, written.error());
    return shown(context, sheet, in(context, {"Joined. A running node connects by itself.", "Beigetreten. Ein laufender Knoten verbindet sich von selbst."}));
}

Exit federation_members(const Context& context, const FederationOptions&) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    Tools tools;
    const node::FederationParts parts{*data, tools.clock, tools.random};
    const auto sheet = node::federation_sheet(parts);
    const auto waiting = node::proposed(parts);
    const Exit done = shown(context, sheet, "");
    if (done == Exit::ok && waiting && *waiting && !context.json)
        tell(std::format("{} {}: {}", in(context, {"A next version waits, number", "Eine nächste Fassung wartet, Nummer"}), (*waiting)->charter.version, (*waiting)->waits_for));
    return done;
}

Exit federation_status(const Context& context, const FederationOptions&) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    Tools tools;
    const auto status = node::federation_status({*data, tools.clock, tools.random});
    if (!status) return fail(context, status.error());
    if (context.json) {
        put(*status);
        return Exit::ok;
    }
    const auto partners = node::read_federation_status(*status);
    if (!partners) return fail(context, partners.error());
    std::vector<std::string> rows{std::string(in(context, {"PARTNER\tSTATE\tNODE\tADDRESS\tKEY EXCHANGE\tQUANTUM KEY\tTROUBLE", "PARTNER\tZUSTAND\tKNOTEN\tADRESSE\tSCHLÜSSELAUSTAUSCH\tQUANTENSCHLÜSSEL\tSTÖRUNG"}))};
    for (const auto& each : *partners)
        rows.push_back(std::format("{}\t{}\t{}\t{}\t{}\t{}\t{}", plain_line(each.member),
                                   each.standing != "active" ? in(context, {"suspended", "ausgesetzt"}) : each.connected ? in(context, {"connected", "verbunden"}) : in(context, {"away", "nicht da"}),
                                   each.node.empty() ? "-" : each.node, each.address.empty() ? "-" : each.address, each.group.empty() ? "-" : each.group, each.quantum ? in(context, {"yes", "ja"}) : "-",
                                   each.trouble.empty() ? "-" : plain_line(each.trouble)));
    put(table(rows));
    return Exit::ok;
}

Exit federation_change(const Context& context, const FederationOptions& options, std::string_view step) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto what = step == "suspend" ? node::MemberStep::suspend : step == "restore" ? node::MemberStep::restore : step == "revoke" ? node::MemberStep::revoke : node::MemberStep::leave;
    const auto question = what == node::MemberStep::leave ? in(context, {"Leave the federation? Coming back takes an invitation.", "Die Föderation verlassen? Zurück geht es nur mit einer Einladung."})
                                                          : in(context, {"This cuts its sessions on every node that can be reached. Go on?", "Dies trennt seine Sitzungen auf jedem erreichbaren Knoten. Weiter?"});
    if (what != node::MemberStep::restore && !asks_person(context, options.yes, question))
        return fail(context, {ErrorKind::denied, std::string(in(context, {"nothing is changed; scripts say --yes", "nichts ist geändert; Skripte sagen --yes"})), {}, {}, {}});
    Tools tools;
    return shown(context, node::change_member({*data, tools.clock, tools.random}, what, options.name));
}

Exit federation_update(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto keys = own_log_keys(context, *data);
    if (!keys) return fail(context, keys.error());
    Tools tools;
    return shown(context, node::update_member({*data, tools.clock, tools.random}, {.addresses = options.addresses, .log_keys = *keys}));
}

Exit federation_approve(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    Tools tools;
    const node::FederationParts parts{*data, tools.clock, tools.random};
    const auto waiting = node::proposed(parts);
    if (!waiting) return fail(context, waiting.error());
    if (!*waiting) return fail(context, {ErrorKind::not_found, std::string(in(context, {"no change of the charter waits for a signature", "keine Änderung der Charta wartet auf eine Unterschrift"})), {}, {}, {}});
    if (!context.json) put(text_of(context, (*waiting)->charter));
    if (!asks_person(context, options.yes, in(context, {"Sign this version?", "Diese Fassung unterschreiben?"})))
        return fail(context, {ErrorKind::denied, std::string(in(context, {"nothing is signed; scripts say --yes", "nichts ist unterschrieben; Skripte sagen --yes"})), {}, {}, {}});
    return shown(context, node::approve(parts));
}

Exit federation_certify(const Context& context, const FederationOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const auto text = catalog::read_file_whole(options.file, 1U << 20);
    if (!text) return fail(context, text.error());
    Tools tools;
    const node::FederationParts parts{*data, tools.clock, tools.random};
    // A request is certified where the root is; the answer is taken where the node is.
    if (!text->starts_with("-----BEGIN CERTIFICATE")) {
        const auto pem = node::certify(parts, *text);
        if (!pem) return fail(context, pem.error());
        put(*pem);
        return Exit::ok;
    }
    if (auto taken = node::take_node_certificate(parts, *text); !taken) return fail(context, taken.error());
    put_line(in(context, {"Taken. A running node uses it within minutes.", "Angenommen. Ein laufender Knoten verwendet es binnen Minuten."}));
    return Exit::ok;
}

}  // namespace hanse::cli
