// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

// The arithmetic of check digits, on characters without separators. Each returns false for a wrong length or alphabet.
namespace hanse::privacy {

bool iban_holds(std::string_view iban);                    // ISO 13616, ISO 7064 mod 97-10; length by country
std::size_t iban_length(std::string_view country);         // 0: no country of the IBAN registry
bool luhn_holds(std::string_view digits);                  // ISO/IEC 7812-1 annex B
bool mod_11_10_holds(std::string_view digits);             // ISO 7064 mod 11,10
bool tax_id_holds(std::string_view digits);                // § 139b AO: mod 11,10 and the rule of the repeated digit
bool social_insurance_holds(std::string_view characters);  // VKVV § 2, § 4: area, birthday, letter, serial, check digit
bool health_insurance_holds(std::string_view characters);  // § 290 SGB V: letter, eight digits, check digit
bool document_number_holds(std::string_view characters);   // ICAO 9303 part 3, 4.9: weights 7, 3, 1; the last is the check digit
// Country and characters behind it. `known` is false for countries whose check digit is not computed here.
struct VatCheck {
    bool known = false;
    bool holds = false;
};
VatCheck vat_check(std::string_view country, std::string_view rest);

}  // namespace hanse::privacy
