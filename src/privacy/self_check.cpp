// SPDX-License-Identifier: Apache-2.0
#include "self_check.hpp"

#include <array>

namespace hanse::privacy {
namespace {

constexpr std::array all{
    Example{"Bitte auf DE89 3704 0044 0532 0130 00 überweisen.", "DE89 3704 0044 0532 0130 00", Kind::iban},
    Example{"Bitte auf DE89 3704 0044 0532 0130 01 überweisen.", "", Kind::iban},
    Example{"Steuer-ID: 86 095 742 719", "86 095 742 719", Kind::tax_id},
    Example{"Steuer-ID: 86 095 742 718", "", Kind::tax_id},
    Example{"Steuernummer 151/815/08156", "151/815/08156", Kind::tax_number},
    Example{"Rentenversicherung: 15 070649 C 103", "15 070649 C 103", Kind::social_insurance},
    Example{"Rentenversicherung: 15 070649 C 104", "", Kind::social_insurance},
    Example{"Versichertennummer A123456780", "A123456780", Kind::health_insurance},
    Example{"Versichertennummer A123456781", "", Kind::health_insurance},
    Example{"Personalausweis T220001293", "T220001293", Kind::id_card},
    Example{"Reisepass C01X00T478", "C01X00T478", Kind::passport},
    Example{"USt-IdNr. DE136695976", "DE136695976", Kind::vat_id},
    Example{"Bauteil DE136695975", "", Kind::vat_id},
    Example{"Das Fahrzeug HB-AB 123 steht im Hof.", "HB-AB 123", Kind::number_plate},
    Example{"Visa 4111 1111 1111 1111", "4111 1111 1111 1111", Kind::card},
    Example{"Visa 4111 1111 1111 1112", "", Kind::card},
    Example{"Telefon: 0421 123456", "0421 123456", Kind::phone},
    Example{"Schreiben Sie an anna@example.org.", "anna@example.org", Kind::email},
    Example{"Der Server 192.0.2.17 antwortet nicht.", "192.0.2.17", Kind::ip},
    Example{"Siehe https://example.org/x?token=ab12cd34ef", "https://example.org/x?token=ab12cd34ef", Kind::secret_url},
    Example{"geboren am 3. Mai 1975", "3. Mai 1975", Kind::birth_date},
    Example{"Er wohnt in der Hauptstraße 12, 28195 Bremen.", "Hauptstraße 12, 28195 Bremen", Kind::address},
    Example{"password: Sommer2024!", "Sommer2024!", Kind::credential},
    Example{"Das hat Brinkmann gesagt.", "Brinkmann", Kind::person},
    Example{"MARTA BRINKMANN unterschreibt.", "MARTA BRINKMANN", Kind::person},
    Example{"Angebot der Nordwerft Brake GmbH", "Nordwerft Brake GmbH", Kind::organisation},
    Example{"Stand von Seepferd?", "Seepferd", Kind::project},
    Example{"Guten Tag Herr Kowalski,", "Kowalski", Kind::name},
    Example{"Der Bericht hat zwölf Seiten und kam am Montag.", "", Kind::name},
};

}  // namespace

std::span<const Example> examples() { return all; }

Directory example_directory() {
    return {.people = {{.given = "Marta", .family = "Brinkmann"}},
            .organisations = {{.name = "Nordwerft Brake GmbH"}},
            .projects = {{.name = "Seepferd"}}};
}

}  // namespace hanse::privacy
