// SPDX-License-Identifier: Apache-2.0
#include "fields.hpp"

#include <cmath>
#include <format>

namespace hanse::api {
namespace {

// More fields than any request has; keeps hostile bodies linear.
constexpr std::size_t fields_max = 256;

}  // namespace

std::string JsonPath::text() const {
    if (up == nullptr) return std::string(field);
    const std::string before = up->text();
    if (index >= 0) return std::format("{}[{}]", before, index);
    return before.empty() ? std::string(field) : before + "." + std::string(field);
}

void Complaint::say(const JsonPath& path, std::string_view what, std::string_view code) {
    if (error_) return;
    const auto where = path.text();
    const std::string subject = where.empty() ? "the body" : where;
    error_ = base::Error{base::ErrorKind::invalid, subject + " " + std::string(what), std::string(code), where};
}

void Complaint::say(base::Error error) {
    if (!error_) error_ = std::move(error);
}

Fields::Fields(JsonValue object, const JsonPath& path, Complaint& complaint) : path_(path), complaint_(complaint) {
    if (!object.is(JsonKind::object))
        complaint_.say(path_, std::format("must be an object, not {}", name(object.kind())), "invalid_type");
    else if (object.size() > fields_max)
        complaint_.say(path_, std::format("has more than {} fields", fields_max));
    else
        object_ = object;
}

std::optional<JsonValue> Fields::any(std::string_view wanted) {
    if (!object_) return std::nullopt;
    std::optional<JsonValue> found;
    for (auto key = object_->first(); key;) {
        const auto value = key->next();
        const auto raw = key->raw();
        // A name with escapes may still be the one meant: two readers must not differ on it.
        const bool same = raw.substr(1, raw.size() - 2) == wanted || (raw.contains('\\') && key->string() == wanted);
        if (same) {
            if (found) {
                complaint_.say(at(wanted), "is there twice", "duplicate_field");
                return std::nullopt;
            }
            found = value;
        }
        key = value->next();
    }
    if (found && found->is(JsonKind::null)) return std::nullopt;
    return found;
}

std::optional<JsonValue> Fields::of_kind(std::string_view wanted, JsonKind kind) {
    auto value = any(wanted);
    if (!value || value->is(kind)) return value;
    complaint_.say(at(wanted), std::format("must be {}, not {}", name(kind), name(value->kind())), "invalid_type");
    return std::nullopt;
}

std::optional<std::string> Fields::string(std::string_view wanted) {
    const auto value = of_kind(wanted, JsonKind::string);
    return value ? std::optional(value->string()) : std::nullopt;
}

std::string Fields::required_string(std::string_view wanted) {
    auto value = string(wanted);
    if (!value) complaint_.say(at(wanted), "is required and must be a string", "missing_field");
    return std::move(value).value_or(std::string());
}

std::optional<double> Fields::number(std::string_view wanted, double least, double most) {
    const auto value = of_kind(wanted, JsonKind::number);
    if (!value) return std::nullopt;
    const double real = value->number();
    if (real >= least && real <= most) return real;
    complaint_.say(at(wanted), std::format("must be between {} and {}", least, most));
    return std::nullopt;
}

std::optional<std::int64_t> Fields::integer(std::string_view wanted, std::int64_t least, std::int64_t most) {
    const auto value = of_kind(wanted, JsonKind::number);
    if (!value) return std::nullopt;
    const auto whole = value->integer();
    if (!whole)
        complaint_.say(at(wanted), "must be a whole number", "invalid_type");
    else if (*whole < least || *whole > most)
        complaint_.say(at(wanted), std::format("must be between {} and {}", least, most));
    else
        return whole;
    return std::nullopt;
}

std::optional<bool> Fields::boolean(std::string_view wanted) {
    const auto value = of_kind(wanted, JsonKind::boolean);
    return value ? std::optional(value->boolean()) : std::nullopt;
}

}  // namespace hanse::api
