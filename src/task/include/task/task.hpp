// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/language.hpp"
#include "base/time.hpp"
#include "engine/generate.hpp"
#include "label/label.hpp"
#include "task/declassified.hpp"
#include "task/evidence.hpp"
#include "task/keys.hpp"
#include "task/rules.hpp"
#include "task/trace.hpp"

namespace hanse::task {

// One request on its way: who asks, what for, until when. Made by `api`, owned by the coroutine that serves
// the request, and gone with it. Only small values of it travel below `task`.
struct Task {
    std::string id;                 // "req_…"
    std::shared_ptr<Key> key = {};  // null: nobody in particular
    std::string model = {};
    std::string partition = {};                   // what may be shared with whom, see GenerateRequest
    std::shared_ptr<Rules> rules = {};            // in force when it came in
    label::Label label = {};                      // of what it has read so far; top until somebody says
    std::shared_ptr<const Passage> passage = {};  // once decided, by the desk
    std::shared_ptr<Evidence> evidence = {};      // where a journal is kept, see Desk::begin()
    std::optional<label::Label> returns_as = {};  // of the answer, where pseudonyms in it become names again
    std::vector<Declassified> declassified = {};  // by these the label is looser than what was read; for the journal, before the effect
    base::Language language = base::Language::english;  // of refusals
    engine::Priority priority = engine::Priority::normal;
    base::Deadline deadline = {};
    base::Deadline first_token_deadline = {};
    std::stop_source stop{std::nostopstate};  // stopped when the client goes away or the node ends
    Trace trace = {};
};

}  // namespace hanse::task
