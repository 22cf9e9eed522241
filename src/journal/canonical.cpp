// SPDX-License-Identifier: Apache-2.0
#include "journal/canonical.hpp"

#include <algorithm>
#include <format>

#include "base/encoding.hpp"

namespace hanse::journal {
namespace {

std::string joined(std::span<const std::string> written) {
    std::string all = "[";
    for (const std::string& each : written) {
        if (all.size() > 1) all += ',';
        all += each;
    }
    return all + "]";
}

// Nearly all texts of records: nothing in them to escape or to repair.
bool is_plain(std::string_view value) {
    return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

}  // namespace

// RFC 8785, section 3.2.2.2.
std::string canonical_text(std::string_view value) {
    std::string out;
    out.reserve(value.size() + 2);
    out += '"';
    if (is_plain(value)) {
        out += value;
        out += '"';
        return out;
    }
    for (const char c : base::repaired_utf8(value)) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) out += std::format("\\u{:04x}", static_cast<unsigned char>(c));
                else out += c;
        }
    }
    return out + '"';
}

CanonicalObject& CanonicalObject::text(std::string_view name, std::string_view value) {
    members_[std::string(name)] = canonical_text(value);
    return *this;
}
CanonicalObject& CanonicalObject::number(std::string_view name, std::uint64_t value) {
    members_[std::string(name)] = std::to_string(value);
    return *this;
}
CanonicalObject& CanonicalObject::object(std::string_view name, const CanonicalObject& value) {
    members_[std::string(name)] = value.text();
    return *this;
}
CanonicalObject& CanonicalObject::texts(std::string_view name, std::span<const std::string> values) {
    std::vector<std::string> written;
    for (const std::string& value : values) written.push_back(canonical_text(value));
    members_[std::string(name)] = joined(written);
    return *this;
}
CanonicalObject& CanonicalObject::objects(std::string_view name, std::span<const CanonicalObject> values) {
    std::vector<std::string> written;
    for (const CanonicalObject& value : values) written.push_back(value.text());
    members_[std::string(name)] = joined(written);
    return *this;
}

std::string CanonicalObject::text() const {
    std::size_t size = 2;
    for (const auto& [name, value] : members_) size += name.size() + value.size() + 4;
    std::string all;
    all.reserve(size);
    all += '{';
    for (const auto& [name, value] : members_) {
        if (all.size() > 1) all += ',';
        all += canonical_text(name);
        all += ':';
        all += value;
    }
    return all + "}";
}

}  // namespace hanse::journal
