// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace hanse::journal {

// A JSON object in the one form that is committed to (RFC 8785, JSON Canonicalization Scheme, for objects whose
// numbers are whole and at most 2^53): names sorted, no white space, the shortest escapes. So two programs that
// mean the same record write the same bytes. A value that grows; a name set twice keeps the later value.
class CanonicalObject {
public:
    CanonicalObject& text(std::string_view name, std::string_view value);
    // Left out where there is nothing to say: an absent name means "not known", never "none".
    CanonicalObject& text_if_any(std::string_view name, std::string_view value) { return value.empty() ? *this : text(name, value); }
    CanonicalObject& number(std::string_view name, std::uint64_t value);
    CanonicalObject& object(std::string_view name, const CanonicalObject& value);
    CanonicalObject& texts(std::string_view name, std::span<const std::string> values);
    CanonicalObject& objects(std::string_view name, std::span<const CanonicalObject> values);
    bool empty() const { return members_.empty(); }
    std::string text() const;

private:
    std::map<std::string, std::string, std::less<>> members_;  // by name, already written
};

// A JSON string with its quotes; what is not UTF-8 in it becomes U+FFFD.
std::string canonical_text(std::string_view value);

}  // namespace hanse::journal
