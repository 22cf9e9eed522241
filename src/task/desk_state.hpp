// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "federation/partners.hpp"
#include "line.hpp"
#include "task/desk.hpp"

namespace hanse::task {

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
// All model names that can be asked for; replaced as a whole by a reload.
using Directory = std::unordered_map<std::string, std::shared_ptr<Ticket::Line>, NameHash, std::equal_to<>>;

// What one request holds while a model of this node works for it.
struct Seat {
    std::shared_ptr<Ticket::Line> line;
    Ticket ticket;
    std::shared_ptr<engine::Model> model;
};

struct Desk::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    std::shared_ptr<const Directory> directory() const {
        const std::lock_guard lock(mutex);
        return lines;
    }
    static Way way(const Task& task, const Ticket::Line& line);
    std::int64_t unix_seconds() const;
    // That the task has begun here, and its record says who works for it.
    base::Result<void> expect(Task& task, std::string_view backend) const;
    void compute(Task& task, const engine::ModelFacts& facts);
    void hand_over(Task& task, std::string_view outcome);
    // The stop `label`: decides where the task's data may go, into task.passage. `denied` if it may not go there, or
    // the answer not back.
    base::Result<void> decide(Task& task, const label::Label& label, const Ticket::Line& line);
    // Admits the task, decides, and gets its model, loading it if need be.
    boost::asio::awaitable<base::Result<Seat>> sit(Task& task, label::Label label);

    Parts parts;
    mutable std::mutex mutex;
    std::shared_ptr<const Directory> lines;
    std::shared_ptr<Rules> rules;
    std::shared_ptr<const route::Fit> fit;
    std::atomic<bool> draining{false};
    mutable std::mutex receipts_mutex;
    std::map<std::string, PartnerReceipts> receipts;
    // Counts it, and puts it on the task's record.
    void note_receipt(const std::string& member, const federation::PartnerStream& stream, Evidence* evidence);
    boost::asio::thread_pool workers{1};  // tokenises long prompts
};

}  // namespace hanse::task
