// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include "label/vocabulary.hpp"

namespace hanse::label {
namespace {

// The chain of the model: house < country < EU < EEA < adequate < world. The EEA stands between, since the
// GDPR is law in all of it.
constexpr const char* eu = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";
constexpr const char* eea = "IS LI NO";
// GDPR art. 45. Only decisions for a whole country: those for a part (Canada: commercial organisations; United
// States: organisations certified under the Data Privacy Framework) are left to a policy that has checked the receiver.
constexpr const char* adequate_dated = "2025-07-01";
constexpr const char* adequate = "AD AR CH FO GB GG IL IM JE JP KR NZ UY";
constexpr const char* others =
    "AE AF AG AI AL AM AO AQ AS AU AW AZ BA BB BD BF BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CI CK CL CM CN CO CR CU CV DJ DM DO DZ "
    "EC EG ER ET FJ FK FM GA GD GE GH GI GL GM GN GQ GT GU GW GY HK HN HT ID IN IQ IR JM JO KE KG KH KI KM KN KP KW KY KZ LA LB LC LK LR "
    "LS LY MA MC MD ME MG MH MK ML MM MN MO MR MS MU MV MW MX MY MZ NA NC NE NG NI NP NR OM PA PE PF PG PH PK PR PS PW PY QA RS RU RW SA "
    "SB SC SD SG SH SL SM SN SO SR SS ST SV SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UZ VA VC VE VG VI VN VU WS XK YE ZA "
    "ZM ZW";

void add(VocabularySource& source, const char* codes, const char* parent) {
    std::istringstream words(codes);
    for (std::string code; words >> code;) source.regions.push_back({code, parent});
}

}  // namespace

VocabularySource builtin_words() {
    VocabularySource source;
    source.version = 1;
    source.dated = adequate_dated;
    source.regions = {{"adequate", "world"}, {"EEA", "adequate"}, {"EU", "EEA"}};
    add(source, eu, "EU");
    add(source, eea, "EEA");
    add(source, adequate, "adequate");
    add(source, others, "world");
    source.handling = {"VS-NfD", "professional-secrecy", "export-control", "NDA"};
    source.contents = {"personal", "pseudonymous", "special-category", "trade-secret", "credentials", "copyrighted"};
    source.purposes = {"answer", "support", "quality", "research", "evaluate", "bill"};
    return source;
}

}  // namespace hanse::label
