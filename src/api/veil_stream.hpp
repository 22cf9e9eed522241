// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "veil.hpp"

namespace hanse::api {

// A stream of server-sent events whose pseudonyms become names again while it passes. A pseudonym may be cut over any number of
// events, so each running text of the answer (the content of a choice, its reasoning, the arguments of a tool call) has a
// restorer of its own. What one still holds when its text ends comes in an event of its own, made like the last one.
//
// Bytes of events that need no change pass as they are. Chat completions, completions and responses; the texts of other
// events are restored one by one. Belongs to one coroutine; the veil must outlive it.
class VeilStream {
public:
    explicit VeilStream(Veil& veil) : veil_(veil) {}
    // What can go on now; pieces may end anywhere.
    std::string feed(std::string_view piece);
    // The rest, when the stream has ended or broken off.
    std::string finish();

private:
    struct Edit {
        std::size_t begin = 0, size = 0;  // of a string in the payload, with quotes
        std::string text;
    };
    struct Channel {
        privacy::Restorer restorer;
        std::string head = {}, event = {}, tail = {};                  // the last event: what stands before its payload, that, and the rest
        std::size_t value = 0;                                         // which of `places` is this text's
        std::vector<std::pair<std::size_t, std::size_t>> places = {};  // of all running texts in the payload
    };
    void event(std::string_view whole, std::string& out);
    void flush(std::string_view prefix, std::string& out);
    static std::vector<std::pair<std::size_t, std::size_t>> places_of(const std::vector<Edit>& edits);
    std::string exchanged(std::string_view json, std::vector<Edit> edits, const JsonDocument& document);

    Veil& veil_;
    std::string waiting_;  // of an event that has not ended
    std::map<std::string, Channel, std::less<>> channels_;
};

}  // namespace hanse::api
