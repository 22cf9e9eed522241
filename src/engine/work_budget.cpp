// SPDX-License-Identifier: Apache-2.0
#include "work_budget.hpp"

#include <cxxabi.h>
#include <pthread.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

namespace hanse::engine {
namespace {

struct Account {
    std::size_t allocations;
    std::size_t bytes;
    std::chrono::nanoseconds processor;
    std::uintptr_t stack_lowest = 0;  // below this the stack is nearly used up
    bool spent = false;
};
thread_local constinit Account* account = nullptr;

// What the handling of the failure itself may need of the stack.
constexpr std::size_t stack_reserve = std::size_t{1} << 20;
constexpr std::size_t processor_asked = 64;  // allocations between two looks at the processor's time

std::chrono::nanoseconds processor_time_of_this_thread() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// Ends the thread where the budget ends. An exception would not do: a stream swallows what its buffer throws, and
// the loop that fills it goes on. The end of a thread unwinds all the same, and nobody may keep it.
void charge(std::size_t size) {
    auto& a = *account;
    if (a.spent) return;  // the destructors on the way out
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const bool late = a.allocations % processor_asked == 0 && processor_time_of_this_thread() > a.processor;
    if (late || a.allocations == 0 || size > a.bytes || here < a.stack_lowest) {
        a.spent = true;
        pthread_exit(nullptr);
    }
    --a.allocations;
    a.bytes -= size;
}

struct Job {
    const WorkBudget& budget;
    const std::function<void()>& work;
    Account account;
    std::exception_ptr error = nullptr;
};

void* run_job(void* argument) {
    auto& job = *static_cast<Job*>(argument);
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    job.account.stack_lowest = here - job.budget.stack + 2 * stack_reserve;
    account = &job.account;
    try {
        job.work();
    } catch (const abi::__forced_unwind&) {
        throw;
    } catch (...) {
        job.error = std::current_exception();
    }
    account = nullptr;
    return nullptr;
}

}  // namespace

WorkEnd run_within(const WorkBudget& budget, const std::function<void()>& work) {
    Job job{.budget = budget,
            .work = work,
            .account = {.allocations = budget.allocations, .bytes = budget.bytes, .processor = budget.processor}};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int failed = pthread_attr_setstacksize(&attributes, budget.stack);
    pthread_t thread{};
    if (failed == 0) failed = pthread_create(&thread, &attributes, run_job, &job);
    pthread_attr_destroy(&attributes);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "a thread for the template");
    pthread_join(thread, nullptr);
    if (job.account.spent) return WorkEnd::budget_spent;
    if (job.error) std::rethrow_exception(job.error);
    return WorkEnd::within_budget;
}

}  // namespace hanse::engine

// The replaceable allocation functions ([new.delete.single]); the array and nothrow forms call these.
void* operator new(std::size_t size) {
    if (hanse::engine::account != nullptr) hanse::engine::charge(size);
    while (true) {
        if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
        const auto handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
