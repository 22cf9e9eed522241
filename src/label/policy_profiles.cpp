// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <format>
#include <optional>

#include "label/policy.hpp"
#include "label/reasons.hpp"

namespace hanse::label {
namespace {

using namespace std::string_view_literals;

constexpr std::array profiles{"mittelstand"sv, "public-authority"sv, "research-group"sv, "open"sv};

constexpr std::string_view opening = R"(# Who may see what: the policy of this node.
#
# Every piece of data has a label, every place that could see it a clearance, and nothing moves unless the one
# fits the other. What this file does not allow does not happen: a place that is not named here sees public data only.
# A mistake anywhere refuses the whole file, with line and reason, and the policy before it stays in force.
#
#   hanse policy check     reads this file and says what is wrong with it
#   hanse policy explain   says what may go where, why, and what would have to change
#   hanse policy prove     shows that some data can never reach a place, or the way it would take
#
# Regions: "house" and its sites < a country ("DE") < "EU" < "EEA" < "adequate" (GDPR art. 45) < "world".
version = 1
)";

constexpr std::string_view house = R"(
# This organisation: the smallest region that holds all its sites, the sites, and people who are named as readers.
[house]
name = "{house}"
in = "{country}"
sites = []
people = []

# Partners who may be named as readers:
# [[members]]
# name = "bolt"
# in = "FR"
)";

constexpr std::string_view kinds = R"(
# Kinds of data. Always there: public, internal, personal, trade-secret. An own kind starts from one of them, or from
# "partner" or "vs-nfd", and changes what differs:
#   readers   who may see it               place     where it may be processed
#   control   under whose orders           handling  releases that a place must hold
#   content   what is in it                purpose   what it may be used for
#   keep      none, session, days:30, contract       learn  no, own-adapter, federation, any
#   after     what may be done to it instead of a refusal: pseudonymise, drop, branch
)";

constexpr std::string_view local_places = R"(
# Places. Whatever is not said of a place counts against it.
[[places]]
name = "local"          # the models on this machine
sort = "model"
receivers = ["{house}"]
place = "house"
control = "house"
contents = ["personal", "pseudonymous", "special-category", "trade-secret", "copyrighted"]
keep = "none"
learn = "no"
acts_on = "member"

[[places]]
name = "answer"         # what goes back to our own people
sort = "caller"
receivers = ["{house}"]
place = "house"
control = "house"
contents = ["personal", "pseudonymous", "special-category", "trade-secret", "copyrighted"]
keep = "none"
learn = "no"
acts_on = "member"
)";

constexpr std::string_view mittelstand = R"(
standard = "internal"   # what comes in without saying what it is
{house-table}{kinds-help}
[[kinds]]
name = "internal"       # nothing in it to pseudonymise; said here so that it does not forbid that for what comes with it
after = ["pseudonymise"]

[[kinds]]
name = "customers"      # letters, orders, complaints: personal, and fit for an outside model once the names are out
preset = "personal"
purpose = ["answer", "support"]
after = ["pseudonymise", "drop"]

[[kinds]]
name = "personnel"      # stays as it is, in the house
preset = "personal"
place = "house"
control = "house"
{local-places}
[[places]]
name = "eu-cloud"       # a processor in the EU under our orders (GDPR art. 28), which keeps and learns nothing
sort = "backend"
receivers = ["{house}"]
place = "EU"
control = "EU"
contents = ["pseudonymous"]
keep = "none"
learn = "no"

# Rules only ever forbid more, whatever the terms above would allow.
[[rules]]
name = "secrets stay home"
contents = ["trade-secret", "credentials"]
places = ["eu-cloud"]

# What must never become possible; checked whenever this file is read.
[[proofs]]
name = "personnel data stays in the house"
kind = "personnel"
never_reaches = "eu-cloud"

[[proofs]]
name = "trade secrets stay in the house"
kind = "trade-secret"
never_reaches = "eu-cloud"
)";

constexpr std::string_view public_authority = R"(
standard = "case-file"  # what comes in without saying what it is
{house-table}
[[groups]]
name = "cleared-staff"  # who may see VS-NfD: name people here ("{house}/anna" after adding "anna" to the house)
members = ["{house}"]
{kinds-help}
[[kinds]]
name = "case-file"      # citizens' affairs: in the country, in the house's own hands
preset = "personal"
place = "{country}"
control = "{country}"
after = ["drop"]

[[kinds]]
name = "social-data"    # bound by professional secrecy besides
preset = "personal"
place = "house"
control = "house"
handling = ["professional-secrecy"]
content = ["personal", "special-category"]

[[kinds]]
name = "classified"     # Hanse cannot grant a release for VS-NfD; it enforces that one is there
preset = "vs-nfd"
readers = ["cleared-staff"]
{local-places}
[[places]]
name = "state-centre"   # the data centre of the state, a public body in this country
sort = "backend"
receivers = ["{house}"]
place = "{country}"
control = "{country}"
contents = ["personal", "pseudonymous"]
keep = "none"
learn = "no"

[[proofs]]
name = "classified data needs a release that nobody has entered"
kind = "classified"
never_reaches = "state-centre"

[[proofs]]
name = "social data stays in the house"
kind = "social-data"
never_reaches = "state-centre"
)";

constexpr std::string_view research_group = R"(
standard = "draft"      # what comes in without saying what it is
{house-table}{kinds-help}
[[kinds]]
name = "draft"          # unpublished work: in the EU, may teach our own adapters
preset = "internal"
purpose = ["answer", "quality", "research", "evaluate"]
keep = "days:30"
learn = "own-adapter"
after = ["pseudonymise", "drop"]

[[kinds]]
name = "study"          # people took part: pseudonyms only outside, never for learning
preset = "personal"
purpose = ["answer", "research"]
after = ["pseudonymise"]

[[kinds]]
name = "published"
preset = "public"
{local-places}
[[places]]
name = "university"     # the computing centre; keeps nothing beyond a session
sort = "backend"
receivers = ["{house}"]
place = "{country}"
control = "{country}"
contents = ["pseudonymous", "copyrighted"]
keep = "session"
learn = "no"

[[rules]]
name = "no keys in prompts"
contents = ["credentials"]
places = ["university"]

[[proofs]]
name = "no trade secret of a partner leaves"
kind = "trade-secret"
never_reaches = "university"
)";

constexpr std::string_view open = R"(
standard = "public"     # everything is public unless it says otherwise: for demonstrations and open data
{house-table}{kinds-help}{local-places})";

std::string filled(std::string_view text, std::string_view name, std::string_view country) {
    std::string out(text);
    const auto put = [&](std::string_view mark, std::string_view value) {
        for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + value.size())) out.replace(at, mark.size(), value);
    };
    put("{house-table}", house);
    put("{kinds-help}", kinds);
    put("{local-places}", local_places);
    put("{house}", name);
    put("{country}", country);
    return out;
}

constexpr std::string_view without_file = R"(version = 1
standard = "internal"
[house]
name = "{house}"
in = "EU"
{local-places})";

}  // namespace

std::optional<Profile> profile_named(std::string_view word) {
    const auto found = std::ranges::find(profiles, word);
    if (found == profiles.end()) return {};
    return static_cast<Profile>(found - profiles.begin());
}

std::string profile_text(Profile profile, std::string_view name, std::string_view country) {
    constexpr std::array bodies{mittelstand, public_authority, research_group, open};
    return std::string(opening) + filled(bodies[static_cast<std::size_t>(profile)], name, country);
}

std::string policy_without_file(std::span<const std::string> here) {
    std::string text(without_file);
    for (const std::string& name : here)
        text += std::format("\n[[places]]\nname = {}\nsort = \"backend\"\nreceivers = [\"{{house}}\"]\nplace = \"house\"\ncontrol = \"house\"\nkeep = \"none\"\nlearn = \"no\"\n", json_text(name));
    return filled(text, "our-house", "EU");
}

}  // namespace hanse::label
