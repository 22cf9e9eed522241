// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hanse::net {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options, other };
std::string_view name(Method method);

// Header fields in the order they came; names compare without case. Values hold no CR, LF or NUL.
//
// All names and values lie in one string, so that a request's fields cost two allocations and, reused by
// the next request, none. Views from get() and iteration hold until the fields are changed.
class Headers {
    struct Field {
        std::uint32_t at = 0, name_size = 0, value_size = 0;
    };

public:
    using value_type = std::pair<std::string_view, std::string_view>;
    class Iterator {
    public:
        using value_type = Headers::value_type;
        using difference_type = std::ptrdiff_t;
        Iterator() = default;
        value_type operator*() const { return headers_->field(index_); }
        Iterator& operator++() { ++index_; return *this; }
        Iterator operator++(int) { auto before = *this; ++index_; return before; }
        bool operator==(const Iterator&) const = default;

    private:
        friend class Headers;
        Iterator(const Headers* headers, std::size_t index) : headers_(headers), index_(index) {}
        const Headers* headers_ = nullptr;
        std::size_t index_ = 0;
    };

    void add(std::string_view name, std::string_view value);  // ignores fields with CR, LF or NUL, and empty names
    void set(std::string_view name, std::string_view value);
    std::string_view get(std::string_view name) const;  // empty if absent; the first if several
    bool has(std::string_view name) const;
    void remove(std::string_view name);
    void clear();
    auto begin() const { return Iterator(this, 0); }
    auto end() const { return Iterator(this, fields_.size()); }
    std::size_t size() const { return fields_.size(); }

private:
    value_type field(std::size_t index) const {
        const auto& f = fields_[index];
        return {{text_.data() + f.at, f.name_size}, {text_.data() + f.at + f.name_size, f.value_size}};
    }
    const Field* find(std::string_view name) const;
    std::string text_;
    std::vector<Field> fields_;
};

// Whether two field names are the same, without case.
bool same_name(std::string_view a, std::string_view b);
// The words that stand behind a status code, "OK" for 200.
std::string_view reason(unsigned status);

// A request as a value, body read whole (bounded by the listener's limits).
struct Request {
    Method method = Method::get;
    std::string path;    // percent-decoded, "/v1/models"
    std::string query;   // as sent, without '?'
    Headers headers;
    std::string body;
    std::string peer;    // address without port
    bool secure = false;
    std::chrono::steady_clock::time_point arrived = {};  // its first byte
};

struct Response {
    unsigned status = 200;
    Headers headers;
    std::string body;
};

}  // namespace hanse::net
