// SPDX-License-Identifier: Apache-2.0
#include "response_store.hpp"

#include <algorithm>

namespace hanse::api {

std::size_t StoredResponse::bytes() const {
    std::size_t sum = sizeof(*this) + id.size() + json.size() + input_items.size();
    for (const auto& message : messages) {
        sum += sizeof(message) + message.text.size() + message.reasoning.size();
        for (const auto& call : message.tool_calls) sum += sizeof(call) + call.arguments.size();
    }
    return sum;
}

void ResponseStore::erase(Order::iterator entry) {
    bytes_ -= entry->response->bytes();
    const auto owner = by_owner_.find(entry->owner);
    owner->second.erase(entry->response->id);
    if (owner->second.empty()) by_owner_.erase(owner);
    order_.erase(entry);
}

void ResponseStore::forget_old(base::Instant now) {
    while (!order_.empty() && now - order_.front().when > limits_.age_max) erase(order_.begin());
}

void ResponseStore::put(std::string_view owner, StoredResponse response, base::Instant now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    const auto size = response.bytes();
    if (size > limits_.bytes_max || limits_.per_key_max == 0) return;
    while (bytes_ + size > limits_.bytes_max) erase(order_.begin());
    const auto mine = by_owner_.find(owner);
    if (mine != by_owner_.end() && mine->second.size() >= limits_.per_key_max)
        erase(std::ranges::find(order_, owner, &Entry::owner));
    bytes_ += size;
    order_.push_back({std::string(owner), std::make_shared<const StoredResponse>(std::move(response)), now});
    const auto entry = std::prev(order_.end());
    by_owner_[entry->owner].emplace(entry->response->id, entry);
}

std::shared_ptr<const StoredResponse> ResponseStore::get(std::string_view owner, std::string_view id, base::Instant now) {
    const std::lock_guard lock(mutex_);
    forget_old(now);
    const auto mine = by_owner_.find(owner);
    if (mine == by_owner_.end()) return nullptr;
    const auto found = mine->second.find(id);
    return found == mine->second.end() ? nullptr : found->second->response;
}

bool ResponseStore::remove(std::string_view owner, std::string_view id) {
    const std::lock_guard lock(mutex_);
    const auto mine = by_owner_.find(owner);
    if (mine == by_owner_.end()) return false;
    const auto found = mine->second.find(id);
    if (found == mine->second.end()) return false;
    erase(found->second);
    return true;
}

std::size_t ResponseStore::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

}  // namespace hanse::api
