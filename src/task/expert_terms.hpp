// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "engine/expert.hpp"
#include "task/rules.hpp"

namespace hanse::task {

// Which experts of a mixture may work on a request. An expert's owner says in the model file what label an answer carries at least
// that the expert took part in (output floor), and where its weights may lie (label). It takes part only if the answer may still go
// back to the caller with that floor joined in, and if this place may hold the weights. Words that the policy does not know keep it out.
struct ExpertChoice {
    std::vector<std::uint32_t> left_out;     // numbers, rising
    std::shared_ptr<const Passage> passage;  // with the floors of those that take part in the label of what comes back
};

// Pure. `denied` if there are experts and none may take part. Takes a permitted passage.
base::Result<ExpertChoice> choose_experts(std::shared_ptr<const Passage> passage, std::span<const engine::ExpertFacts> experts);

}  // namespace hanse::task
