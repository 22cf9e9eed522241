// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace hanse::privacy {

// What the pattern engine looks for: not whole numbers or names, but the few bytes by which each betrays itself. A reader
// of our own then reads outwards from there. So the engine stays fast (it reports only where a match ends), and what
// counts is checked in code that can be read and tested.
enum class Anchor : std::uint8_t {
    number,        // ends behind the first digit of a run
    plus,          // "+4", ends behind the digit
    bracket,       // "(0", "(+"
    iban,          // "DE89", ends behind the fourth
    vat,           // country and first character of a VAT number
    document,      // nine characters of an identity document
    health,        // letter and three digits
    at,            // in an e-mail address, ends behind the character after it
    at_word,       // "(at)", "[at]"
    scheme,        // "://"
    ip6,           // ":" of an IPv6 address
    plate,         // ends behind the first digit of a number plate
    street,        // "straße 1", ends behind the digit
    street_front,  // "Am ", "Unter den "
    post_box,      // "Postfach 1"
    token,         // begins with letters that its issuer chose; `detail` is a TokenForm
    secret_name,   // "password:", ends behind the separator
    word,          // a word that changes what stands beside it; `detail` is a Word
};

// Words that support a reading, or speak against one.
enum class Word : std::uint8_t {
    iban,
    tax_id,
    tax_number,
    social_insurance,
    health_insurance,
    id_card,
    passport,
    vat,
    plate,
    card,
    phone,
    birth,
    ip,
    address,
    other_number,  // order, invoice, parcel, serial number …
    version,
};
inline constexpr std::size_t word_count = 16;

// How a token goes on behind its first letters.
enum class TokenForm : std::uint8_t { word20, word30, aws, json_web_token, private_key, sendgrid, bearer };

struct Pattern {
    const char* expression;
    Anchor anchor;
    std::uint8_t detail = 0;
    bool any_case = false;
};
std::span<const Pattern> patterns();

}  // namespace hanse::privacy
