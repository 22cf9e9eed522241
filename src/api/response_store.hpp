// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "engine/conversation.hpp"

namespace hanse::api {

// One answer of /v1/responses as it is kept for GET and for previous_response_id.
struct StoredResponse {
    std::string id;
    std::string json;                        // as it was answered
    std::string input_items;                 // JSON array
    std::vector<engine::Message> messages;   // the whole conversation up to and with the answer, without instructions
    std::string label = {};                  // of all of it, in words, since the policy may change in the meantime
    std::string receipt = {};                // of the answer; empty: no journal is kept
    std::size_t bytes() const;
};

// Finished responses in memory, apart for each key: nobody can name another's. Bounded by count per key, by
// bytes of all together and by age; the oldest go first, and a restart forgets all. Thread-safe.
class ResponseStore {
public:
    struct Limits {
        std::size_t per_key_max;
        std::size_t bytes_max;
        std::chrono::seconds age_max;
    };
    explicit ResponseStore(Limits limits) : limits_(limits) {}

    void put(std::string_view owner, StoredResponse response, base::Instant now);
    std::shared_ptr<const StoredResponse> get(std::string_view owner, std::string_view id, base::Instant now);
    bool remove(std::string_view owner, std::string_view id);
    std::size_t bytes() const;

private:
    struct Entry {
        std::string owner;
        std::shared_ptr<const StoredResponse> response;
        base::Instant when;
    };
    using Order = std::list<Entry>;  // oldest first
    void erase(Order::iterator entry);
    void forget_old(base::Instant now);

    const Limits limits_;
    mutable std::mutex mutex_;
    Order order_;
    std::map<std::string, std::map<std::string, Order::iterator, std::less<>>, std::less<>> by_owner_;
    std::size_t bytes_ = 0;
};

}  // namespace hanse::api
