// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "json.hpp"

namespace hanse::api {

// Where in a body we are; written out only when something is wrong there: "messages[2].content".
struct JsonPath {
    const JsonPath* up = nullptr;
    std::string_view field = {};
    std::int64_t index = -1;  // an item instead of a field
    std::string text() const;
};

// What is wrong with a body. The first finding counts; reading goes on, so that readers stay straight.
class Complaint {
public:
    void say(const JsonPath& path, std::string_view what, std::string_view code = "invalid_value");
    void say(base::Error error);
    bool any() const { return error_.has_value(); }
    const base::Error& error() const { return *error_; }

private:
    std::optional<base::Error> error_;
};

// The fields of one JSON object, read with their types. An absent field and null are the same: nothing. A
// field that is there twice is an error where it is read, since two readers could take different ones.
// `path` and `complaint` must outlive it.
class Fields {
public:
    Fields(JsonValue object, const JsonPath& path, Complaint& complaint);

    std::optional<JsonValue> any(std::string_view name);
    std::optional<JsonValue> of_kind(std::string_view name, JsonKind kind);
    std::optional<std::string> string(std::string_view name);
    std::string required_string(std::string_view name);
    std::optional<double> number(std::string_view name, double least, double most);
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
    std::optional<bool> boolean(std::string_view name);

    JsonPath at(std::string_view name) const { return {&path_, name}; }
    const JsonPath& path() const { return path_; }
    Complaint& complaint() { return complaint_; }

private:
    std::optional<JsonValue> object_;
    const JsonPath& path_;
    Complaint& complaint_;
};

}  // namespace hanse::api
