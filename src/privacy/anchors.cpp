// SPDX-License-Identifier: Apache-2.0
#include "anchors.hpp"

#include <array>

namespace hanse::privacy {
namespace {

constexpr std::uint8_t of(Word word) { return static_cast<std::uint8_t>(word); }
constexpr std::uint8_t of(TokenForm form) { return static_cast<std::uint8_t>(form); }

// Bytes, not characters: the engine must take text that is no UTF-8. "ß" is (?:\xc3\x9f|ss), "." a byte.
constexpr std::array all{
    Pattern{R"(\b\d)", Anchor::number},
    Pattern{R"(\+[1-9])", Anchor::plus},
    Pattern{R"(\((?:0|\+)\d?)", Anchor::bracket},
    Pattern{R"(\b[A-Z][A-Z][ \-]?\d\d)", Anchor::iban, 0, true},
    Pattern{R"(\b(?:DE|AT|BE|BG|CY|CZ|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[ \-.]?[0-9UKX])", Anchor::vat},
    Pattern{R"(\b[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8})", Anchor::document},
    Pattern{R"(\b[A-Z][ \-]?\d{3})", Anchor::health},
    Pattern{R"([A-Za-z0-9_\-"+%]@[A-Za-z0-9\[\xc3])", Anchor::at},
    Pattern{R"([A-Za-z0-9] ?[(\[{](?:at|ät|\xc4\x80)[)\]}] ?[A-Za-z0-9])", Anchor::at_word, 0, true},
    Pattern{R"([A-Za-z]://)", Anchor::scheme},
    Pattern{R"([0-9a-fA-F:]:[0-9a-fA-F:])", Anchor::ip6},
    Pattern{R"((?:[A-Z]|\xc3[\x84\x96\x9c])[^A-Za-z0-9]{0,4}[A-Z]{1,2}[^A-Za-z0-9]{0,3}[1-9])", Anchor::plate},
    Pattern{
        R"((?:stra(?:\xc3\x9f|\xe1\xba\x9e|ss)e|str\.?|weg|platz|allee|gasse|gäßchen|gässchen|ring|ufer|damm|chaussee|promenade|steig|stieg|pfad|markt|hof|graben|wall|kai|brücke|tor|park|zeile|winkel|redder|twiete|kamp|anger|berg|feld|garten|gärten|siedlung|passage|rain|höhe|hang|tal|wiese|wiesen|acker|busch|horst|deich|stiege|terrasse|treppe|eck|grund|heide|kehre|koppel|leite|reihe|dorf|au|bach|see|brink|bruch|hain|holz|wald),?[ \xa0\xc2\n]{1,3}\d)",
        Anchor::street, 0, true},
    Pattern{
        R"(\b(?:Am|An|Im|In|Zum|Zur|Auf|Unter|Hinter|Beim|Vor|Alte[rsn]?|Neue[rsn]?|Gro\xc3\x9fe[rsn]?|Kleine[rsn]?|Lange[rsn]?|Hohe[rsn]?) )",
        Anchor::street_front},
    Pattern{R"(\b(?:Postfach|P\.? ?O\.? Box)[ \xa0\xc2]{1,2}\d)", Anchor::post_box, 0, true},

    Pattern{R"(\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9])", Anchor::token, of(TokenForm::aws)},
    Pattern{R"(\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|xox[abeoprs]-|npm_|hf_|dop_v1_|shpat_|sq0atp-|pypi-|dckr_pat_|hanse_)[A-Za-z0-9])",
            Anchor::token, of(TokenForm::word20)},
    Pattern{R"(\b(?:sk-|sk_live_|sk_test_|rk_live_|pk_live_|whsec_|sk-ant-|sk-proj-|glsa_|AGE-SECRET-KEY-1)[A-Za-z0-9])", Anchor::token,
            of(TokenForm::word20)},
    Pattern{R"(\b(?:AIza|ya29\.)[A-Za-z0-9_\-])", Anchor::token, of(TokenForm::word30)},
    Pattern{R"(\beyJ[A-Za-z0-9_\-]{8})", Anchor::token, of(TokenForm::json_web_token)},
    Pattern{R"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY( BLOCK)?-----)", Anchor::token, of(TokenForm::private_key)},
    Pattern{R"(\bSG\.[A-Za-z0-9_\-])", Anchor::token, of(TokenForm::sendgrid)},
    Pattern{R"(\b(?:Bearer|Basic) [A-Za-z0-9])", Anchor::token, of(TokenForm::bearer), true},
    Pattern{
        R"((?:password|passwort|kennwort|passwd|passphrase|passcode|\bpwd|\bpass|secret|geheimnis|token|api[ _\-]?key|api[ _\-]?schl(?:ü|ue)ssel|access[ _\-]?key|auth[ _\-]?key|account[ _\-]?key|private[ _\-]?key|zugangscode|\bpin|\bpuk)["']?(?: ist| lautet| is)?[ \t]{0,3}[:=])",
        Anchor::secret_name, 0, true},
    Pattern{R"((?:password|passwort|kennwort|passphrase)["']?(?: ist| lautet| is)(?: now| jetzt| nun| ab sofort)? ["'])",
            Anchor::secret_name, 0, true},

    Pattern{R"(\biban\b|bankverbindung|kontonummer|account number)", Anchor::word, of(Word::iban), true},
    Pattern{
        R"(steuer-?\s?(?:id(?:entifikations)?(?:\b|nummer|-?nr)|-id)|identifikationsnummer|\bid-?nr\b|\bidnr\b|\btin\b|tax[ -]?(?:payer )?id)",
        Anchor::word, of(Word::tax_id), true},
    Pattern{R"(steuer-?\s?(?:nummer|nr\b)|\bst\.?-?\s?nr\b|tax (?:number|no\b|ref)|\bstnr\b)", Anchor::word, of(Word::tax_number), true},
    Pattern{
        R"(sozialversicherung|rentenversicherung|\bsv-?\s?(?:nummer|nr)|\brv-?\s?(?:nummer|nr)|\brvnr|\bsvnr|versicherungsnummer|versicherungsnr|versicherungs-nr|social (?:security|insurance)|pension insurance|insurance n)",
        Anchor::word, of(Word::social_insurance), true},
    Pattern{
        R"(krankenversicher|krankenkasse|\bkvnr|\bkv-?nr|versichertennummer|versicherten-?nr|gesundheitskarte|health insur|insured person|insurance n)",
        Anchor::word, of(Word::health_insurance), true},
    Pattern{R"(ausweis|\bperso\b|identity card|\bid[ -]card|\bid (?:document|number|no\b)|id-nummer|dokumentennummer|document n)",
            Anchor::word, of(Word::id_card), true},
    Pattern{R"(reisepass|\bpass(?:-?\s?nummer|-?\s?nr\b|port)|reisepa\xc3\x9f)", Anchor::word, of(Word::passport), true},
    Pattern{R"(\bust\.?-?\s?id|umsatzsteuer|\bvat\b|\buid\b|\bmwst|btw|\btva\b|partita iva)", Anchor::word, of(Word::vat), true},
    Pattern{
        R"(kennzeichen|\bkfz\b|nummernschild|\bplates?\b|registration (?:number|no)|licen[cs]e plate|fahrzeug|dienstwagen|leihwagen|mietwagen|firmenwagen|\bpkw\b|\blkw\b|parkplatz|car park|\bvehicle|\bcar\b|\bauto\b|\bwagen\b|transporter|\bvan\b|\btruck\b|halter)",
        Anchor::word, of(Word::plate), true},
    Pattern{
        R"(kreditkarte|kartennummer|credit card|debit card|card number|\bcard\b|\bkarte\b|\bvisa\b|mastercard|\bamex\b|american express|\bpan\b)",
        Anchor::word, of(Word::card), true},
    Pattern{
        R"(telefon|\btel\b|\bphone\b|\bmobile?\b|\bmobil|handy|\bfax\b|telefax|rufnummer|durchwahl|hotline|\bcall\b|anruf|erreich|\bmob\.|\bfon\b|\bcell\b|whatsapp|signal|\bring\b|\bdial\b)",
        Anchor::word, of(Word::phone), true},
    Pattern{
        R"(\bgeb\.|geboren|geburtsdatum|geburtstag|\bgeb-datum|geb\.-datum|\bgebdat|\bborn\b|date of birth|birth ?date|\bd\.?o\.?b\b|birthday|jahrgang|\*\s?\d)",
        Anchor::word, of(Word::birth), true},
    Pattern{R"(\bip\b|ip-?\s?adress|ip address|\bhost\b|\bserver\b|\bclient\b|\bgateway\b|\bdns\b|\bvpn\b)", Anchor::word, of(Word::ip),
            true},
    Pattern{R"(anschrift|adresse|wohnhaft|wohnt|address|\blives? at|\bresid|lieferung an|deliver to|ship to)", Anchor::word,
            of(Word::address), true},
    Pattern{
        R"(bestell|auftrag|rechnungs?-?\s?n|rechnungsnummer|lieferschein|\border\b|\bpo\b|invoice n|tracking|sendung|paket|parcel|shipment|artikel|\bsku\b|serien|serial|\bimei\b|seriennummer|teile-?\s?n|part n|vorgang|ticket|aktenzeichen|\baz\b|kundennummer|kunden-?nr|customer n|referen|\bref\b|inventar|asset|charge|\bbatch\b|\blot\b|\bean\b|\bgtin\b|isbn|vertrags-?n|contract n|quoting|verwendungszweck|zähler|meter n|mat\.|material|projekt-?n|personal-?n|staff n|fall-?n|case n|build|commit|hash|messwert|reading)",
        Anchor::word, of(Word::other_number), true},
    Pattern{
        R"(version|\bv\d|\brelease|firmware|browser|chrome|firefox|messwert|\bbuild\b|kapitel|abschnitt|section|chapter|\boid\b|\brev\b|clause|ziffer)",
        Anchor::word, of(Word::version), true},
};

}  // namespace

std::span<const Pattern> patterns() { return all; }

}  // namespace hanse::privacy
