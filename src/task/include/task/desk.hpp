// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/pool.hpp"
#include "engine/upstream.hpp"
#include "label/labelled.hpp"
#include "net/client.hpp"
#include "net/http.hpp"
#include "task/answer.hpp"
#include "task/energy.hpp"
#include "task/recorder.hpp"
#include "task/rules.hpp"
#include "task/task.hpp"

namespace hanse::route {
class Fit;
}

namespace hanse::task {

class Declassifications;

struct DeskOptions {
    std::uint32_t in_flight_max = 512;                // per model, running and waiting together
    std::chrono::milliseconds load_timeout{300'000};  // waiting for a model to be loaded
    std::size_t long_prompt = 16'384;                 // bytes; longer ones are tokenised beside the listener's threads
};

// A place among the requests under way for one model; given back when it goes.
class Ticket {
public:
    struct Line;
    Ticket() = default;
    explicit Ticket(std::shared_ptr<Line> line) : line_(std::move(line)) {}
    Ticket(Ticket&&) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket();

private:
    std::shared_ptr<Line> line_;
};

// An answer of an upstream on its way through. Holds the place in the queue as long as it lives.
class Forward {
public:
    Forward(std::unique_ptr<net::ClientStream> stream, Ticket ticket, label::Label label, std::function<void()> at_end = {})
        : stream_(std::move(stream)),
          ticket_(std::move(ticket)),
          label_(std::move(label)),
          at_end_(std::move(at_end)) {}
    unsigned status() const { return stream_->status(); }
    const net::Headers& headers() const { return stream_->headers(); }
    // A piece, valid until the next call; empty at the end.
    boost::asio::awaitable<base::Result<label::Labelled<std::string_view>>> read();
    boost::asio::awaitable<base::Result<label::Labelled<std::string>>> read_all(std::size_t limit);

private:
    void ended();

    std::unique_ptr<net::ClientStream> stream_;
    Ticket ticket_;
    label::Label label_;
    std::function<void()> at_end_;  // called once, before the end is told: what is known only then goes on record
};

// Where a model is: on this node (upstream is null), or elsewhere under a name of its own. What answers elsewhere is an
// engine::Upstream, whoever implements it: a model server of the house, or a partner's node. If the head of its answer names
// a receipt (Hanse-Receipt), that becomes a parent of the task's own.
struct Place {
    std::shared_ptr<engine::Upstream> upstream = {};
    std::string_view name_there = {};
    std::shared_ptr<Ticket::Line> line = {};  // keeps the views alive
};

struct ModelStatus {
    std::string name;
    std::string upstream = {};  // name of the upstream, empty: this node
    bool loaded = false;
    bool healthy = true;
    std::uint32_t in_flight = 0;
    std::optional<engine::ModelFacts> facts = {};
    std::optional<engine::ModelLoad> load = {};
};

// Where requests come in once they are understood, and the only place that knows the whole way: it says who
// must wait, finds the model (here, loaded on demand, or at an upstream), starts it, and hands back events.
//
// Made by `node`, which keeps the pool alive longer. Thread-safe; each call runs on the executor of the
// coroutine that awaits it. Refusals are immediate: a full line is `overloaded` with retry_after before any
// work is done. Every wait ends when the task's stop source is stopped.
class Desk {
public:
    struct Parts {
        engine::ModelPool& models;
        std::vector<std::shared_ptr<engine::Upstream>> upstreams = {};
        base::Clock& clock;
        base::Log& log;
        TraceSink* traces = nullptr;                                // null: traces go nowhere
        std::shared_ptr<Rules> rules = {};                          // null: those of a node without a policy file
        std::shared_ptr<Declassifications> declassifications = {};  // null: none are taken here
        Recorder* recorder = nullptr;                               // null: no journal is kept
        EnergyLedger* energy = nullptr;                             // null: records say nothing of energy
        DeskOptions options = {};
    };
    explicit Desk(Parts parts);
    ~Desk();
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    // Nothing if no such model; a name that both have is this node's.
    std::optional<Place> find(std::string_view model) const;
    std::vector<ModelStatus> models() const;
    // After the pool's specs or the upstreams changed.
    void reload(std::vector<std::shared_ptr<engine::Upstream>> upstreams);

    // The policy in force, for tasks that come in from now on.
    std::shared_ptr<Rules> rules() const;
    void rules(std::shared_ptr<Rules> fresh);

    // By whose texts whole requests are led to models; null where nobody has said.
    std::shared_ptr<const route::Fit> fit() const;
    void fit(std::shared_ptr<const route::Fit> fresh);

    // What every task begins with, before any work: where a journal is kept, its evidence and the id of its record. Refused
    // (`unavailable`, "journal_stopped") while nothing can be written down.
    base::Result<void> begin(Task& task) const;
    // The stop `journal`: returns when the record of the task is durable, and only then may the end of the answer be shown.
    // After an error it must not. Without a journal, or if it was recorded before, there is nothing to wait for. `outcome`:
    // "finished", or the code of the error.
    boost::asio::awaitable<base::Result<void>> record(Task& task, std::string_view outcome);
    // The same where nobody is left who could wait.
    void record_abandoned(Task& task, std::string_view outcome);
    // Before a refusal by label is shown, and before something leaves changed: `what` was done to it, as "pseudonymise".
    boost::asio::awaitable<base::Result<void>> record_denial(Task& task, const base::Error& denial);
    boost::asio::awaitable<base::Result<void>> record_transformation(Task& task, std::string_view what, std::string_view evidence);
    // Before data is handled under a looser label: by which statements of owners (task.declassified).
    boost::asio::awaitable<base::Result<void>> record_declassified(Task& task);
    // The record of that id and its receipt; `not_found` also where no journal is kept.
    boost::asio::awaitable<base::Result<Recorder::Found>> receipt(journal::RecordId id);
    // What the receipts of partners' answers were worth, by member, since the start.
    struct PartnerReceipts {
        std::uint64_t verified = 0;
        std::uint64_t unverified = 0;
    };
    std::map<std::string, PartnerReceipts> partner_receipts() const;

    // All that is given to a model comes with its label, and opens only to the decision for it; `denied` with the code
    // "label_denied" otherwise. What was decided is then in task.passage, and what comes back has its label.
    boost::asio::awaitable<base::Result<Answer>> generate(Task& task, label::Labelled<GenerateAsk> ask);
    struct Embedding {
        engine::EmbeddingResult result;
        engine::ModelFacts facts;
    };
    // Texts or token ids.
    using EmbedInput = std::variant<std::string, std::vector<engine::TokenId>>;
    boost::asio::awaitable<base::Result<label::Labelled<Embedding>>> embed(Task& task, label::Labelled<std::vector<EmbedInput>> inputs);
    struct RerankAsk {
        std::string query;
        std::vector<std::string> documents;
    };
    boost::asio::awaitable<base::Result<label::Labelled<engine::RerankResult>>> rerank(Task& task, label::Labelled<RerankAsk> ask);
    // `body` must live until this returns.
    boost::asio::awaitable<base::Result<Forward>> forward(Task& task, Place place, std::string path, net::Headers headers,
                                                          label::Labelled<std::string_view> body);

    // What owners have signed so that a request may go by it; null if this node takes none.
    Declassifications* declassifications() const;

    // Work on a text of so many bytes: at once where they are few, and beside the listener's threads where they are many. A
    // task that is called off does not wait for it, so `work` keeps alive by itself what it needs.
    boost::asio::awaitable<base::Result<void>> beside(Task& task, std::size_t bytes, std::function<base::Result<void>()> work,
                                                      std::string what);

    // Whether the task's data may go there once names and numbers in it are pseudonyms, and not before.
    bool wants_pseudonyms(const Task& task, const Place& place) const;

    // Ends a task's story: gives its trace away.
    void finish(Task& task, unsigned status);
    bool tracing() const;

    // From now on refuses everything (`unavailable`); what is under way goes on to its end.
    void drain();
    bool draining() const;
    std::uint32_t in_flight() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
