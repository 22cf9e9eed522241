// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "label/bits.hpp"

// The values that the terms of a label are made of. Words of a federation (members, places, purposes, …) are
// numbers here; a Vocabulary gives each number its word, and only the word is ever written down or sent.
namespace hanse::label {

// A member of the federation, or a person of one. Numbers count only with the vocabulary that gave them.
enum class Principal : std::uint16_t {};
// Two that every vocabulary has: anyone outside the federation, and a member who is not there yet. Thus the
// reader sets "all" and "federation" are plain sets, and a newcomer never reads what was sent to a list of names.
inline constexpr Principal stranger{0};
inline constexpr Principal newcomer{1};

using Readers = Bits<8>;  // 512 principals
using Handling = Bits<2>;
using Contents = Bits<1>;
using Purposes = Bits<1>;

enum class HandlingWord : std::uint8_t {};
enum class ContentWord : std::uint8_t {};
enum class PurposeWord : std::uint8_t {};

constexpr std::size_t bit(Principal word) { return static_cast<std::size_t>(word); }
constexpr std::size_t bit(HandlingWord word) { return static_cast<std::size_t>(word); }
constexpr std::size_t bit(ContentWord word) { return static_cast<std::size_t>(word); }
constexpr std::size_t bit(PurposeWord word) { return static_cast<std::size_t>(word); }

// Contents that transformations and declassification know by name; each vocabulary begins with them.
inline constexpr ContentWord personal{0};
inline constexpr ContentWord pseudonymous{1};
inline constexpr ContentWord special_category{2};
inline constexpr ContentWord trade_secret{3};
inline constexpr ContentWord credentials{4};
inline constexpr ContentWord copyrighted{5};

// How long a receiver keeps what it got: none < session < days:n < contract.
class Retention {
public:
    static constexpr std::uint32_t days_max = 36'500;
    static constexpr Retention none() { return Retention{0}; }
    static constexpr Retention session() { return Retention{1}; }
    // 1 to days_max.
    static constexpr Retention days(std::uint32_t count) { return Retention{1 + count}; }
    static constexpr Retention contract() { return Retention{~std::uint32_t{0}}; }

    constexpr std::optional<std::uint32_t> day_count() const {
        if (rank_ < 2 || *this == contract()) return {};
        return rank_ - 1;
    }
    friend constexpr auto operator<=>(Retention, Retention) = default;

private:
    explicit constexpr Retention(std::uint32_t rank) : rank_(rank) {}
    std::uint32_t rank_;
};

enum class Learning : std::uint8_t { no, own_adapter, federation, any };
// Where data comes from, the least trusted first.
enum class Integrity : std::uint8_t { outside, member, own };

// What an owner may accept instead of a refusal.
enum class Transformation : std::uint8_t {
    pseudonymise,  // names out before sending, in again in the answer
    drop,          // leave this piece out
    branch,        // only a throw-away branch reads it, what acts never sees it
};
inline constexpr std::size_t transformation_count = 3;
using Transformations = Bits<1>;
constexpr std::size_t bit(Transformation word) { return static_cast<std::size_t>(word); }
inline constexpr Transformations every_transformation = Transformations::of(0) | Transformations::of(1) | Transformations::of(2);

// The terms in the order in which refusals name them. `label` stands for data without one, `integrity` for
// an action on what is not trusted enough, `rule` for a rule of the policy file.
enum class Term : std::uint8_t { label, integrity, readers, place, control, handling, content, purpose, retention, learning, rule };
inline constexpr std::size_t term_count = 11;

std::string_view name(Learning value);
std::string_view name(Integrity value);
std::string_view name(Transformation value);
std::string_view name(Term value);
std::string name(Retention value);

std::optional<Learning> learning_named(std::string_view word);
std::optional<Integrity> integrity_named(std::string_view word);
std::optional<Transformation> transformation_named(std::string_view word);
std::optional<Retention> retention_named(std::string_view word);

}  // namespace hanse::label
