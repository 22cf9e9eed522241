// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

namespace hanse::engine {

// Runs foreign code that can be told neither how long nor how deep it may go. minja, which runs the templates of
// models, has no limits of its own; but whatever it does it allocates. So within run_within() each
// operator new of this thread is counted, and once the budget is spent, or the stack nearly so, the thread ends
// there, its destructors run. Those two need no clock: the same template fails at the same step on every machine.
// The processor's time is the last fence, for what allocates little and searches long.
//
// The program's operator new is replaced for this (work_budget.cpp); outside a budget it costs one test of a
// thread-local variable.
struct WorkBudget {
    std::size_t allocations = 3'000'000;
    std::size_t bytes = std::size_t{256} << 20;  // allocated in sum, freed or not
    std::chrono::milliseconds processor{2000};
    std::size_t stack = std::size_t{64} << 20;  // of the thread that runs it; untouched pages cost nothing
};
enum class WorkEnd : bool { within_budget, budget_spent };

// Runs `work` on a thread with a stack of its own and waits for it. What `work` throws, apart from running out,
// is thrown again here.
WorkEnd run_within(const WorkBudget& budget, const std::function<void()>& work);

}  // namespace hanse::engine
