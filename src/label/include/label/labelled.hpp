// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include "label/decide.hpp"

namespace hanse::label {

// Says in the code, for whoever searches it, that plain text is read here and leaves through this boundary.
class PlaintextAccess {
public:
    static PlaintextAccess at_boundary() { return PlaintextAccess{}; }

private:
    PlaintextAccess() = default;
};

template <typename T>
class Labelled;

// A value that a permit has opened, on its last step: whoever hands the bytes to the place named by the permit asks
// for plaintext(). It converts to nothing and has no formatter, so that no log line or error text can take it.
template <typename T>
class Opened {
public:
    Opened(Opened&&) noexcept = default;
    Opened& operator=(Opened&&) noexcept = default;
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

    const Permit& permit() const { return permit_; }
    const T& plaintext(PlaintextAccess) const& { return value_; }
    T plaintext(PlaintextAccess) && { return std::move(value_); }

private:
    friend class Labelled<T>;
    Opened(T value, Permit permit) : value_(std::move(value)), permit_(std::move(permit)) {}
    T value_;
    Permit permit_;
};

// A value that travels with its label and shows nothing of itself: prompts, documents, tool results and answers from
// the edge of `api` to the engine and back. The one way out is open(), with the permit for this very label and the
// place at hand. What is made of it by derive() keeps its label; what is made of several has the join.
template <typename T>
class Labelled {
public:
    Labelled(T value, Label label) : value_(std::move(value)), label_(std::move(label)) {}

    const Label& label() const { return label_; }

    // `denied` if the permit was given for another label or another place: a decision is no coin that buys anything.
    base::Result<Opened<T>> open(const Permit& permit, const Clearance& destination) const& {
        if (auto good = check(permit, destination); !good) return std::unexpected(good.error());
        return Opened<T>(value_, permit);
    }
    base::Result<Opened<T>> open(const Permit& permit, const Clearance& destination) && {
        if (auto good = check(permit, destination); !good) return std::unexpected(good.error());
        return Opened<T>(std::move(value_), permit);
    }

    // `make` sees the value and must keep nothing of it but what it returns.
    template <typename Make>
    auto derive(Make make) const -> Labelled<std::invoke_result_t<Make, const T&>> {
        return {make(value_), label_};
    }
    template <typename Other, typename Make>
    auto derive(const Labelled<Other>& other, Make make) const -> Labelled<std::invoke_result_t<Make, const T&, const Other&>> {
        return {make(value_, other.value_), join(label_, other.label_)};
    }
    // What a model answers has its output floor besides.
    Labelled under(const Label& floor) const { return {value_, join(label_, floor)}; }
    // `make` does what the transformation says; the label becomes that of its result.
    template <typename Make>
        requires std::is_same_v<std::invoke_result_t<Make, const T&>, T>
    Labelled transformed(Transformation transformation, Make make) const {
        return {make(value_), after(label_, transformation)};
    }

private:
    template <typename>
    friend class Labelled;
    base::Result<void> check(const Permit& permit, const Clearance& destination) const {
        if (permit.label() == label_ && permit.destination().same_as(destination)) return {};
        return base::fail(base::ErrorKind::denied, "the permit is for another label or another place", "permit_mismatch");
    }
    T value_;
    Label label_;
};

}  // namespace hanse::label
