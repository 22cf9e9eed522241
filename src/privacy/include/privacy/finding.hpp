// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hanse::privacy {

// What a piece of text is. The words of name() are those of policy files, tables and evidence.
enum class Kind : std::uint8_t {
    iban,
    tax_id,            // German tax identification number of a person
    tax_number,        // of a tax office
    social_insurance,  // German pension insurance number
    health_insurance,  // German health insurance number
    id_card,
    passport,
    vat_id,
    number_plate,
    card,  // credit and debit cards
    phone,
    email,
    ip,
    secret_url,  // a URL that carries a password, key or signature
    birth_date,
    address,
    credential,    // keys, tokens, passwords
    person,        // of the organisation's own directory
    organisation,  // likewise
    project,       // likewise
    name,          // a person whom the directory does not know, by grammar and lists
};
inline constexpr std::size_t kind_count = 21;
std::string_view name(Kind kind);
std::optional<Kind> kind_named(std::string_view word);

// Why it is believed, the strongest first. Where two findings overlap, the stronger one stands.
enum class Ground : std::uint8_t { checked, directory, form, context, grammar };
std::string_view name(Ground ground);

// One place in a text: the bytes [begin, end). `score` is between 0 and 1; what has a score below the recogniser's
// threshold is not reported. `entity` is the same for places that speak of the same thing: the number of the entry for
// directory kinds, a hash of the family name for names, 0 where nothing is known. `tail` is how many bytes at the end
// are inflection ("Brinkmanns": 1), which a pseudonym leaves in place.
struct Finding {
    Kind kind = Kind::iban;
    Ground ground = Ground::form;
    std::uint8_t tail = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    float score = 0;
    std::uint32_t entity = 0;
    friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace hanse::privacy
