// SPDX-License-Identifier: Apache-2.0
#include "veil.hpp"

#include "body_texts.hpp"
#include "json_write.hpp"

namespace hanse::api {
namespace {

// A text made of another by exchanging parts of it, from front to back.
class Splice {
public:
    explicit Splice(std::string_view from) : from_(from) { out_.reserve(from.size() + from.size() / 8); }
    void exchange(std::string_view part, std::string_view with) {
        const auto begin = static_cast<std::size_t>(part.data() - from_.data());
        out_ += from_.substr(at_, begin - at_);
        append_quoted(out_, with);
        at_ = begin + part.size();
    }
    std::string done() && {
        out_ += from_.substr(at_);
        return std::move(out_);
    }

private:
    std::string_view from_;
    std::string out_;
    std::size_t at_ = 0;
};

std::string restored(privacy::Pseudonyms& pseudonyms, std::string_view text, privacy::Within within) {
    privacy::Restorer restorer(pseudonyms, within);
    std::string out = restorer.feed(text);
    out += restorer.finish();
    return out;
}

}  // namespace

base::Result<std::unique_ptr<Veil>> Veil::open(const privacy::Recogniser& recogniser, base::Random& random, base::Language language) {
    auto pseudonyms = privacy::Pseudonyms::open(random);
    if (!pseudonyms) return std::unexpected(pseudonyms.error());
    return std::unique_ptr<Veil>(new Veil(recogniser, std::move(*pseudonyms), language));
}

base::Error Veil::out_of_reach() const {
    const bool german = language_ == base::Language::german;
    return {base::ErrorKind::denied,
            german ? "dies müsste vor dem Senden pseudonymisiert werden, und etwas davon steht in Code, einer URL, einem Zitat, einem "
                     "Feldnamen, einer Zahl oder einem Bild; was helfen würde: es dort herausnehmen oder ein Modell in diesem Haus fragen"
                   : "this would have to be pseudonymised before it is sent, and some of it stands in code, a URL, a quotation, a field's "
                     "name, a number or a picture; what would help: take it out there, or ask a model in this house",
            "label_denied",
            {},
            {}};
}

base::Result<std::string> Veil::cover(const BodyText& text) {
    const auto findings = scan_text(recogniser_, text);
    if (!findings) return std::unexpected(findings.error());
    const bool changeable = text.sort == BodyText::Sort::text || text.sort == BodyText::Sort::arguments;
    if (!changeable && !findings->empty()) return std::unexpected(out_of_reach());
    auto replaced = pseudonyms_->replace(text.text, *findings);
    if (!replaced) return std::unexpected(replaced.error());
    if (!replaced->kept.empty()) return std::unexpected(out_of_reach());
    return std::move(replaced->text);
}

base::Result<std::string> Veil::cover(const JsonDocument& document, std::string_view body) {
    Splice splice(body);
    auto done = each_text(document, [&](BodyText text) -> base::Result<void> {
        if (text.sort == BodyText::Sort::opaque) return std::unexpected(out_of_reach());
        base::Result<std::string> covered;
        const auto inner = text.sort == BodyText::Sort::arguments ? JsonDocument::parse(text.text)
                                                                  : base::fail(base::ErrorKind::invalid, "not JSON in a string");
        covered = inner ? cover(*inner, text.text) : cover(text);
        if (!covered) return std::unexpected(covered.error());
        if (*covered != text.text) splice.exchange(text.raw, *covered);
        return {};
    });
    if (!done) return std::unexpected(done.error());
    return std::move(splice).done();
}

base::Result<std::string> Veil::cover(std::string_view body) {
    const auto document = JsonDocument::parse(body);
    if (!document) return std::unexpected(document.error());
    return cover(*document, body);
}

std::string Veil::uncover(std::string_view body) {
    if (pseudonyms_->empty()) return std::string(body);
    const auto document = JsonDocument::parse(body);
    if (!document) return restored(*pseudonyms_, body, privacy::Within::text);
    Splice splice(body);
    (void)each_text(*document, [&](const BodyText& text) -> base::Result<void> {
        if (text.sort == BodyText::Sort::number) return {};
        const bool arguments = text.sort == BodyText::Sort::arguments;
        const std::string back = restored(*pseudonyms_, text.text, arguments ? privacy::Within::json_string : privacy::Within::text);
        if (back != text.text) splice.exchange(text.raw, back);
        return {};
    });
    return std::move(splice).done();
}

}  // namespace hanse::api
