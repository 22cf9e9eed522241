// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/language.hpp"
#include "base/random.hpp"
#include "body_texts.hpp"
#include "json.hpp"
#include "privacy/pseudonyms.hpp"
#include "privacy/recogniser.hpp"

namespace hanse::api {

// A request's body under pseudonyms on its way to a back end, and the answer with the names in place on its way back. Lives as
// long as the request, with the table of its pseudonyms; belongs to its coroutine.
class Veil {
public:
    static base::Result<std::unique_ptr<Veil>> open(const privacy::Recogniser& recogniser, base::Random& random, base::Language language);

    // The body with pseudonyms in all its texts, tool arguments included. `denied` with the code "label_denied" where something
    // was found that pseudonyms do not reach: in code, a URL, a quotation, a field's name, a number; or where there is a
    // picture or file that nobody looked into. Nothing may leave then.
    base::Result<std::string> cover(std::string_view body);
    // A whole answer. What is no JSON is taken as text.
    std::string uncover(std::string_view body);

    privacy::Pseudonyms& pseudonyms() { return *pseudonyms_; }

private:
    Veil(const privacy::Recogniser& recogniser, std::unique_ptr<privacy::Pseudonyms> pseudonyms, base::Language language)
        : recogniser_(recogniser),
          pseudonyms_(std::move(pseudonyms)),
          language_(language) {}
    base::Result<std::string> cover(const JsonDocument& document, std::string_view body);
    base::Result<std::string> cover(const BodyText& text);
    base::Error out_of_reach() const;

    const privacy::Recogniser& recogniser_;
    std::unique_ptr<privacy::Pseudonyms> pseudonyms_;
    base::Language language_;
};

}  // namespace hanse::api
