// SPDX-License-Identifier: Apache-2.0
#include "check_digits.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hanse::privacy {
namespace {

// Numbers that standards and authorities print as their examples.
TEST(CheckDigits, hold_for_the_examples_of_their_standards) {
    EXPECT_TRUE(iban_holds("DE89370400440532013000"));
    EXPECT_TRUE(iban_holds("GB29NWBK60161331926819"));
    EXPECT_TRUE(iban_holds("NO9386011117947"));
    EXPECT_TRUE(iban_holds("MT84MALT011000012345MTLCAST001S"));
    EXPECT_TRUE(tax_id_holds("86095742719"));
    EXPECT_TRUE(tax_id_holds("65929970489"));
    EXPECT_TRUE(social_insurance_holds("15070649C103"));
    EXPECT_TRUE(health_insurance_holds("A123456780"));
    EXPECT_TRUE(document_number_holds("T220001293"));
    EXPECT_TRUE(luhn_holds("378282246310005"));
    EXPECT_TRUE(vat_check("DE", "136695976").holds);
    EXPECT_TRUE(vat_check("AT", "U13585627").holds);
    EXPECT_TRUE(vat_check("BE", "0428759497").holds);
    EXPECT_TRUE(vat_check("FR", "83404833048").holds);
    EXPECT_TRUE(vat_check("IT", "00743110157").holds);
    EXPECT_TRUE(vat_check("NL", "004495445B01").holds);
    EXPECT_TRUE(vat_check("PL", "8567346215").holds);
    EXPECT_TRUE(vat_check("DK", "13585628").holds);
    EXPECT_TRUE(vat_check("LU", "15027442").holds);
}

using Check = bool (*)(std::string_view);
struct Case {
    Check check;
    std::string good;
};

// ISO 7064 promises to catch every single wrong digit; so do weights that have no factor in common with ten or eleven.
TEST(CheckDigits, catch_each_single_wrong_digit) {
    for (const auto& [check, good] :
         {Case{iban_holds, "DE89370400440532013000"}, Case{luhn_holds, "378282246310005"}, Case{mod_11_10_holds, "136695976"}}) {
        for (std::size_t i = 2; i < good.size(); ++i)
            for (char digit = '0'; digit <= '9'; ++digit) {
                std::string wrong = good;
                if (wrong[i] == digit) continue;
                wrong[i] = digit;
                EXPECT_FALSE(check(wrong)) << wrong;
            }
    }
}

TEST(CheckDigits, refuse_other_lengths_and_alphabets) {
    for (const auto& [check, good] :
         {Case{iban_holds, "DE89370400440532013000"}, Case{tax_id_holds, "86095742719"}, Case{social_insurance_holds, "15070649C103"},
          Case{health_insurance_holds, "A123456780"}, Case{document_number_holds, "T220001293"}}) {
        EXPECT_FALSE(check(""));
        EXPECT_FALSE(check(good + "0"));
        EXPECT_FALSE(check(good.substr(1)));
        std::string odd = good;
        odd[good.size() / 2] = '\xc3';
        EXPECT_FALSE(check(odd));
    }
}

TEST(CheckDigits, know_the_rule_of_the_repeated_digit) {
    EXPECT_FALSE(tax_id_holds("12345678903")) << "all ten different";
    EXPECT_FALSE(tax_id_holds("11223456787")) << "two digits repeated";
}

}  // namespace
}  // namespace hanse::privacy
