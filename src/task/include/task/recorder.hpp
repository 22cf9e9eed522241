// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "journal/record.hpp"
#include "task/evidence.hpp"

namespace hanse::task {

// The journal as `task` needs it: durable before visible. Whoever has something to record hands it over and waits for the
// call back without holding a thread; nothing that the record is about may be seen before. A port, so that tests bring a
// journal that fails, or that is slow (task/fake_recorder.hpp).
//
// Thread-safe. Call backs come once, on a thread of the recorder or of the caller, and must only post elsewhere. Errors: `unavailable` with the
// code "journal_stopped" or `overloaded` when the disk is full, fails or is too slow.
class Recorder {
public:
    using Done = std::function<void(base::Result<void>)>;
    virtual ~Recorder() = default;

    // Whether records are taken; asked before any work is done that must be recorded.
    virtual base::Result<void> ready() const = 0;
    virtual journal::RecordId new_id() = 0;
    virtual void answer(std::shared_ptr<const Evidence> evidence, Done done) = 0;
    // Any other kind of record, see docs/journal.md.
    virtual void event(const journal::RecordId& id, std::string_view kind, journal::CanonicalObject fields, Done done) = 0;

    struct Found {
        std::string record;   // JSON
        std::string receipt;  // self-contained, C2SP tlog-proof
    };
    // `not_found` if there is no such record, or it was erased.
    virtual void receipt(const journal::RecordId& id, std::function<void(base::Result<Found>)> done) = 0;
};

}  // namespace hanse::task
