// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "journal/journal.hpp"
#include "journal/witness_dialogue.hpp"
#include "net/client.hpp"

namespace hanse::node {

// Asks the witnesses of the journal's policy to co-sign what the journal shows: the network around
// journal/witness_dialogue.hpp. In rounds: all are asked about the same checkpoint, since only that can gather as many
// signatures as the policy wants. A witness that is slow or out of reach holds up neither answers nor the others; it is asked
// again later, less and less often up to once a minute.
//
// Whether a witness signs goes on record when it changes: witness_signed, witness_refused, and witness_accused where it says
// that the log contradicts itself. run() belongs to one thread; standing() is for any.
class WitnessRounds : public std::enable_shared_from_this<WitnessRounds> {
public:
    struct Parts {
        journal::Journal& journal;
        base::Clock& clock;
        base::Log& log;
        std::function<void(std::string_view kind, journal::CanonicalObject fields)> record;  // must not wait
        std::chrono::milliseconds every{2'000};
        std::chrono::milliseconds answer_timeout{10'000};
        net::ClientOptions client = {};
    };
    // Keys with the same address are one witness; those without one are not asked. `invalid` for an address that is none.
    static base::Result<std::shared_ptr<WitnessRounds>> create(Parts parts);

    boost::asio::awaitable<void> run();
    struct Standing {
        std::string witness;  // its key's name
        bool signs = false;
    };
    std::vector<Standing> standing() const;
    // Waits until the journal has answered what was asked of it; before what run() ran on goes.
    void settle();

private:
    // The checkpoint that is being co-signed, with what was gathered.
    struct Round {
        journal::Note note;
    };
    struct Asked {
        std::string name;
        net::Url url;
        std::shared_ptr<net::Client> client;
        journal::WitnessDialogue dialogue;
        bool busy = false;
        bool known = false;  // whether it signs: it was asked once
        bool signs = false;
        bool accuses = false;  // says that the log contradicts itself
        unsigned failures = 0;
        base::Instant not_before = {};
        std::string signed_text = {};  // of the checkpoint that it signed last
        std::string trouble = {};      // what was logged last
    };
    struct Answer {
        unsigned status = 0;
        std::string content_type;
        std::string body;
    };
    explicit WitnessRounds(Parts parts) : parts_(std::move(parts)) {}
    boost::asio::awaitable<void> ask(std::shared_ptr<WitnessRounds> self, std::size_t index, std::shared_ptr<Round> round);
    boost::asio::awaitable<journal::WitnessDialogue::Heard> hear(Asked& asked, const journal::Note& note);
    boost::asio::awaitable<base::Result<Answer>> post(Asked& asked, std::string body);
    void tell(Asked& asked, const journal::WitnessDialogue::Heard& heard);

    Parts parts_;
    std::shared_ptr<Round> round_;
    mutable std::mutex mutex_;  // known, signs
    std::vector<std::unique_ptr<Asked>> asked_;
};

}  // namespace hanse::node
