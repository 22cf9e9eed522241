// SPDX-License-Identifier: Apache-2.0
#include "label/reasons.hpp"

#include <array>
#include <format>

#include "label/cases.hpp"
#include "term_words.hpp"

namespace hanse::label {
namespace {

// By Term. {0} owner, {1} place, {2} what it has, {3} what is needed.
struct Phrase {
    const char* sentence;
    const char* remedy;
};
constexpr std::array<Phrase, term_count> english{{
    {"the data has no label, and what has none goes nowhere", "give the data a label: by the key, the document it came from, or the header Hanse-Label"},
    {"{1} acts only on data of integrity {3} or better; this is {2}", "let a member sign the data, or act on something trusted instead"},
    {"{0} lets only {3} read this; {1} shows it to {2}", "choose a place that only {3} can see, or ask {0} to name {2} as readers"},
    {"{0} keeps this inside {3}; {1} runs in {2}", "choose a place inside {3}, or ask {0} to declassify"},
    {"{0} wants nobody outside {3} to command the operator; {1} is controlled from {2}", "choose an operator inside {3}, or ask {0} to declassify"},
    {"{0} asks for the release {3}; {1} holds {2} now", "obtain and enter a valid release for {1}, or choose a place that holds it"},
    {"this holds data of {0} for which {1} is not cleared: {3}; it is cleared for {2}", "clear {1} for {3}, or choose a place that is"},
    {"{0} allows this for {3}, not for {2}", "use it for {3} only, or ask {0} to allow {2}"},
    {"{0} lets this be kept at most: {3}; {1} keeps it: {2}", "shorten what {1} keeps, or choose a place that keeps less"},
    {"{0} lets at most this be learned from it: {3}; here it would be: {2}", "switch learning off for {1}, or ask {0} to allow it"},
    {"a rule of the policy forbids it", "change the rule in the policy file"},
}};
constexpr std::array<Phrase, term_count> german{{
    {"die Daten tragen kein Etikett, und was keines trägt, geht nirgendwohin", "den Daten ein Etikett geben: durch den Schlüssel, das Dokument, aus dem sie stammen, oder die Kopfzeile Hanse-Label"},
    {"{1} handelt nur auf Daten der Herkunft {3} oder besser; diese haben {2}", "die Daten von einem Mitglied unterschreiben lassen oder auf Vertrauenswürdiges hin handeln"},
    {"{0} lässt dies nur {3} lesen; bei {1} sähen es {2}", "einen Ort wählen, den nur {3} einsehen, oder {0} bitten, {2} als Leser zu nennen"},
    {"{0} hält dies innerhalb von {3}; {1} läuft in {2}", "einen Ort innerhalb von {3} wählen oder {0} um Freigabe bitten"},
    {"{0} will, dass niemand außerhalb von {3} dem Betreiber befehlen kann; {1} wird aus {2} kontrolliert", "einen Betreiber innerhalb von {3} wählen oder {0} um Freigabe bitten"},
    {"{0} verlangt die Zulassung {3}; {1} hat jetzt {2}", "für {1} eine gültige Zulassung einholen und eintragen oder einen Ort wählen, der sie hat"},
    {"dies enthält Daten von {0}, für die {1} nicht zugelassen ist: {3}; zugelassen ist: {2}", "{1} für {3} zulassen oder einen Ort wählen, der es ist"},
    {"{0} erlaubt dies für {3}, nicht für {2}", "nur für {3} verwenden oder {0} bitten, {2} zu erlauben"},
    {"{0} lässt dies höchstens so lange aufbewahren: {3}; {1} bewahrt auf: {2}", "die Aufbewahrung bei {1} verkürzen oder einen Ort wählen, der weniger aufbewahrt"},
    {"{0} lässt hieraus höchstens so viel lernen: {3}; hier wäre es: {2}", "das Lernen bei {1} abschalten oder {0} bitten, es zu erlauben"},
    {"eine Regel der Richtlinie verbietet es", "die Regel in der Richtliniendatei ändern"},
}};
constexpr std::array<const char*, transformation_count> english_cures{"pseudonymise it first: names out before sending, in again in the answer", "leave this piece out",
                                                                      "let a throw-away branch read it, so that what acts never sees it"};
constexpr std::array<const char*, transformation_count> german_cures{"vorher pseudonymisieren: Namen vor dem Senden heraus, in der Antwort wieder hinein", "dieses Stück weglassen",
                                                                     "es nur von einem Wegwerf-Zweig lesen lassen, damit das Handelnde es nie sieht"};

std::string one_line(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
    return all;
}

template <typename Word, typename Set>
std::string words_of(const Set& set, const Vocabulary& words, Language language) {
    std::vector<std::string> names;
    set.each([&](std::size_t i) { names.emplace_back(words.word(static_cast<Word>(i))); });
    return names.empty() ? (language == Language::english ? "none" : "keine") : one_line(names);
}

struct Pair {
    std::string has;
    std::string needs;
};

Pair values(const Obstacle& obstacle, const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language) {
    const ClearanceTerms& place = clearance.terms();
    if (obstacle.term == Term::integrity) return {std::string(name(label.integrity())), std::string(name(place.acts_on))};
    const Terms* terms = obstacle.owner ? label.terms_of(*obstacle.owner) : nullptr;
    if (terms == nullptr) return {};
    switch (obstacle.term) {
        case Term::readers: return {one_line(words.words(place.receivers)), one_line(words.words(terms->readers))};
        case Term::place: return {words.word(place.place), words.word(terms->place)};
        case Term::control: return {words.word(place.control), words.word(terms->control)};
        case Term::handling: {
            Handling valid;
            for (const Release& release : place.releases)
                if (release.valid_until > use.now) valid.add(bit(release.word));
            return {words_of<HandlingWord>(valid, words, language), words_of<HandlingWord>(terms->handling - valid, words, language)};
        }
        case Term::content: return {words_of<ContentWord>(place.contents, words, language), words_of<ContentWord>(terms->content - place.contents, words, language)};
        case Term::purpose: return {std::string(words.word(use.purpose)), words_of<PurposeWord>(terms->purpose, words, language)};
        case Term::retention: return {name(place.retention), name(terms->retention)};
        case Term::learning: return {std::string(name(std::max(use.learning, place.learning))), std::string(name(terms->learning))};
        case Term::label:
        case Term::integrity:
        case Term::rule: break;
    }
    return {};
}

std::string outcome_line(const Verdict& verdict, const Clearance& clearance, Language language) {
    const bool in_english = language == Language::english;
    switch (verdict.outcome) {
        case Outcome::permit: return (in_english ? "permitted: it may go to " : "erlaubt: es darf zu ") + clearance.name();
        case Outcome::permit_after: {
            std::string steps;
            verdict.after.each([&](std::size_t i) { steps += (steps.empty() ? "" : "; ") + std::string((in_english ? english_cures : german_cures)[i]); });
            return in_english ? std::format("permitted to {} after this: {}", clearance.name(), steps) : std::format("zu {} erlaubt nach diesem: {}", clearance.name(), steps);
        }
        case Outcome::deny: break;
    }
    return in_english ? std::format("denied: it may not go to {}", clearance.name()) : std::format("abgelehnt: es darf nicht zu {}", clearance.name());
}

}  // namespace

std::vector<Reason> reasons(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language) {
    const auto& phrases = language == Language::english ? english : german;
    const auto& cures = language == Language::english ? english_cures : german_cures;
    std::vector<Reason> all;
    for (const Obstacle& obstacle : obstacles(label, clearance, use)) {
        auto [has, needs] = values(obstacle, label, clearance, use, words, language);
        const std::string owner = obstacle.owner ? std::string(words.name(*obstacle.owner)) : "";
        const Phrase& phrase = phrases[static_cast<std::size_t>(obstacle.term)];
        const auto filled = [&](const char* text) { return std::vformat(text, std::make_format_args(owner, clearance.name(), has, needs)); };
        std::string remedy = obstacle.cure ? std::string(cures[bit(*obstacle.cure)]) : filled(phrase.remedy);
        std::string sentence = filled(phrase.sentence);
        all.push_back({obstacle, std::move(has), std::move(needs), std::move(sentence), std::move(remedy)});
    }
    return all;
}

std::string explanation(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language) {
    std::string text = outcome_line(judge(label, clearance, use), clearance, language) + "\n";
    const char* remedy = language == Language::english ? "what would help" : "was helfen würde";
    for (const Reason& reason : reasons(label, clearance, use, words, language))
        text += std::format("- {}: {}\n  {}: {}\n", name(reason.obstacle.term), reason.sentence, remedy, reason.remedy);
    return text;
}

std::string refusal(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language) {
    const Verdict verdict = judge(label, clearance, use);
    std::string line = outcome_line(verdict, clearance, language);
    for (const Reason& reason : reasons(label, clearance, use, words, language))
        if (reason.obstacle == verdict.obstacle && verdict.outcome == Outcome::deny)
            return std::format("{}: {}; {}: {}", line, reason.sentence, language == Language::english ? "what would help" : "was helfen würde", reason.remedy);
    return line;
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') out += '\\';
        if (byte < 0x20) out += std::format("\\u{:04x}", byte);
        else out += c;
    }
    return out + '"';
}

std::string explanation_json(const Label& label, const Clearance& clearance, const Use& use, const Vocabulary& words, Language language) {
    const Verdict verdict = judge(label, clearance, use);
    std::string after, list;
    verdict.after.each([&](std::size_t i) { after += (after.empty() ? "" : ",") + json_text(name(static_cast<Transformation>(i))); });
    for (const Reason& reason : reasons(label, clearance, use, words, language)) {
        const auto& [term, owner, cure] = reason.obstacle;
        list += std::format("{}{{\"owner\":{},\"term\":{},\"has\":{},\"needs\":{},\"cure\":{},\"reason\":{},\"remedy\":{}}}", list.empty() ? "" : ",",
                            owner ? json_text(words.name(*owner)) : "null", json_text(name(term)), json_text(reason.has), json_text(reason.needs),
                            cure ? json_text(name(*cure)) : "null", json_text(reason.sentence), json_text(reason.remedy));
    }
    return std::format("{{\"outcome\":{},\"after\":[{}],\"label\":{},\"place\":{},\"obstacles\":[{}]}}", json_text(name(verdict.outcome)), after,
                       json_text(text(label, words)), json_text(clearance.name()), list);
}

}  // namespace hanse::label
