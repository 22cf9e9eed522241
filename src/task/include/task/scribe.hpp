// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/random.hpp"
#include "base/time.hpp"
#include "journal/journal.hpp"
#include "journal/text_store.hpp"
#include "task/recorder.hpp"

namespace hanse::task {

// The recorder of a running node: turns evidence into records (digests, canonical JSON, kept texts) and hands them to the
// journal. Of short texts at once, which takes less than to hand them over; of long ones and kept ones on a thread of its own.
//
// Made by `node`; the journal and the parts must outlive it. The destructor finishes what waits.
class Scribe final : public Recorder {
public:
    struct Parts {
        journal::Journal& journal;
        base::Clock& clock;
        base::Random& random;
        std::string profile = {};             // of the node's keys
        journal::TextStore* texts = nullptr;  // null: no text is kept
    };
    explicit Scribe(Parts parts);
    ~Scribe() override;

    base::Result<void> ready() const override;
    journal::RecordId new_id() override;
    void answer(std::shared_ptr<const Evidence> evidence, Done done) override;
    void event(const journal::RecordId& id, std::string_view kind, journal::CanonicalObject fields, Done done) override;
    void receipt(const journal::RecordId& id, std::function<void(base::Result<Found>)> done) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::task
