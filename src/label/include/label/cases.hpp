// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "label/decide.hpp"

namespace hanse::label {

// Tables of expected decisions as text, which an auditor or administrator reads and extends without C++:
//
//   # what this table is about
//   label letter  owner=acme readers=acme place=EU …; integrity=own
//   place cloud   receivers=bolt place=EU …
//
//   letter -> cloud for answer: permit after pseudonymise
//   letter -> cloud for quality, learning own-adapter, acting, on 2027-03-01: deny acme purpose
//
// Labels and places may be defined in the file; the others are those of the world given.
struct CaseWorld {
    const Vocabulary& words;
    std::map<std::string, Label, std::less<>> labels = {};
    std::map<std::string, Clearance, std::less<>> places = {};
    std::int64_t now = 0;  // where a line has no date
    // How it is decided, where more than the label counts (the rules of a policy); judge() if empty.
    std::function<Verdict(const Label&, const Clearance&, const Use&)> judge = {};
};

struct CaseFailure {
    std::size_t line;
    std::string expected;
    std::string decided;
};
struct CaseReport {
    std::size_t decisions = 0;
    std::vector<CaseFailure> failures = {};
};

// `invalid` with the line for anything that cannot be read; a table without a single decision is refused too.
base::Result<CaseReport> run_cases(std::string_view text, std::string_view file, CaseWorld world);

// "permit", "permit after branch+pseudonymise", "deny acme place", "deny label".
std::string text(const Verdict& verdict, const Vocabulary& words);

// "answer", "answer, learning federation, acting, on 2027-03-01"; `now` where there is no date.
base::Result<Use> read_use(std::string_view text, const Vocabulary& words, std::int64_t now);

}  // namespace hanse::label
