// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "route/choose.hpp"
#include "task/desk.hpp"

namespace hanse::task {

// A plan for one question, with the snapshot that it was made from: the models of this node, of the house's model servers,
// and what partners offer us, as known here and now. Nobody is asked.
struct Planned {
    route::Plan plan;
    std::vector<route::Candidate> candidates;
    std::vector<std::string> names;  // of each candidate at the desk
    // Why nobody is left, for the task's caller: `denied` if only the label stood in the way, which a stranger is told as if
    // there were no such model; `not_found` if there is no such model or skill; else `unavailable`.
    base::Error refusal(std::string_view model, const Task& task) const;
};

// Whether this name is one to be planned, and not simply found.
bool is_planned(std::string_view model);  // "hanse/auto", "hanse/legal"

// For `task.label`, as it is now. Models that the task's key may not use are not there. `text`: the request's own words, if they
// are there, by which those that are permitted are compared (Desk::fit).
Planned plan_for(const Desk& desk, const Task& task, const route::Question& question, base::WallTime now, std::string_view text = {});

}  // namespace hanse::task
