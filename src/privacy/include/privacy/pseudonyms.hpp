// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "privacy/finding.hpp"

namespace hanse::privacy {

// What was done to the texts of a task, for the journal: kinds and counts, never a text.
struct Evidence {
    std::array<std::uint32_t, kind_count> replaced{};  // places
    std::array<std::uint32_t, kind_count> kept{};      // places that were found and left as they are
    std::uint32_t restored = 0;                        // places in answers
    std::uint32_t distinct = 0;                        // pseudonyms given out
    // "replaced iban 1, person 3; kept email 1; 4 pseudonyms, 2 restored".
    std::string text() const;
};

// The names that stand for others within one task, and the way back.
//
// A pseudonym is KIND_number_tag: PERSON_2_K7QM2XRTB4. The number is the same for all that speaks of one person or thing,
// so that a model can follow; the tag is drawn at random for each distinct text (50 bits), so nobody outside the task can
// guess one, and one from another task, or an invented one, is a text like any other. The same text has the same pseudonym
// throughout the task: a conversation that is sent again with each question is read consistently.
//
// What it stands for lies in locked memory (never swapped, not in core dumps) that is wiped at the end. Belongs to one task
// and one thread at a time; restorers must not outlive it.
class Pseudonyms {
public:
    struct Options {
        // What stands in code, URLs and quotations is left as it is, unless replace says otherwise: a program with another
        // host name is another program. The caller sees what was left and may refuse to send it.
        enum class Verbatim : std::uint8_t { keep, replace } verbatim = Verbatim::keep;
        std::size_t memory_max = 1U << 20U;  // bytes of originals
    };
    // `unavailable` where no memory can be locked (RLIMIT_MEMLOCK): then nothing may leave pseudonymised.
    static base::Result<std::unique_ptr<Pseudonyms>> open(base::Random& random, Options options);
    static base::Result<std::unique_ptr<Pseudonyms>> open(base::Random& random) { return open(random, Options{}); }
    ~Pseudonyms();
    Pseudonyms(const Pseudonyms&) = delete;
    Pseudonyms& operator=(const Pseudonyms&) = delete;

    struct Replaced {
        std::string text;
        std::vector<Finding> kept;  // in the old text
    };
    // `findings` as Recogniser::scan() gives them for this very text. `too_large` beyond memory_max, `unavailable` as above.
    base::Result<Replaced> replace(std::string_view text, std::span<const Finding> findings);

    const Evidence& evidence() const;
    bool empty() const;  // no pseudonym was given out: there is nothing to restore

private:
    friend class Restorer;
    struct State;
    explicit Pseudonyms(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Where the restored text stands.
enum class Within : std::uint8_t {
    text,         // as it is
    json_string,  // inside a JSON string whose escapes are still there, as in the arguments of a tool call
};

// Puts the originals in again, in a text that comes in pieces of any size. It holds back no more than what could become one
// of the task's pseudonyms, at most `held_max` bytes, and gives that out with the next piece or with finish(). Letters'
// case and a backslash before "_" (Markdown) do not matter. What is put in is not read again.
class Restorer {
public:
    static constexpr std::size_t held_max = 40;
    explicit Restorer(Pseudonyms& pseudonyms, Within within = Within::text);

    std::string feed(std::string_view piece);
    std::string finish();
    bool holding() const { return !held_.empty(); }

private:
    std::string drain(bool last);
    Pseudonyms* pseudonyms_;
    Within within_;
    std::string held_;
};

// The parts of a text that pseudonyms leave alone: fenced and inline code, URLs, quoted lines, quotations in quotation marks.
struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};
std::vector<Span> verbatim_parts(std::string_view text);

}  // namespace hanse::privacy
