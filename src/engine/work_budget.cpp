// SPDX-License-Identifier: Apache-2.0
#include "work_budget.hpp"

#include <pthread.h>

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
    std::uintptr_t stack_lowest;  // below this the stack is nearly used up
    bool spent = false;
};
thread_local constinit Account* account = nullptr;

// What the handling of the failure itself may need of the stack.
constexpr std::size_t stack_reserve = std::size_t{1} << 20;

bool charge(std::size_t size) noexcept {
    auto& a = *account;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    if (a.spent || a.allocations == 0 || size > a.bytes || here < a.stack_lowest) {
        a.spent = true;
        return false;
    }
    --a.allocations;
    a.bytes -= size;
    return true;
}

struct Job {
    const WorkBudget& budget;
    const std::function<void()>& work;
    std::exception_ptr error = nullptr;
    bool spent = false;
};

void* run_job(void* argument) noexcept {
    auto& job = *static_cast<Job*>(argument);
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    Account mine{job.budget.allocations, job.budget.bytes, here - job.budget.stack + 2 * stack_reserve};
    account = &mine;
    try {
        job.work();
    } catch (...) {
        job.error = std::current_exception();
    }
    account = nullptr;
    job.spent = mine.spent;
    return nullptr;
}

}  // namespace

WorkEnd run_within(const WorkBudget& budget, const std::function<void()>& work) {
    Job job{budget, work};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    int failed = pthread_attr_setstacksize(&attributes, budget.stack);
    pthread_t thread{};
    if (failed == 0) failed = pthread_create(&thread, &attributes, run_job, &job);
    pthread_attr_destroy(&attributes);
    if (failed != 0) throw std::system_error(failed, std::generic_category(), "a thread for the template");
    pthread_join(thread, nullptr);
    if (job.spent) return WorkEnd::budget_spent;
    if (job.error) std::rethrow_exception(job.error);
    return WorkEnd::within_budget;
}

}  // namespace hanse::engine

// The replaceable allocation functions ([new.delete.single]); the array and nothrow forms call these.
void* operator new(std::size_t size) {
    if (hanse::engine::account != nullptr && !hanse::engine::charge(size)) throw std::bad_alloc();
    while (true) {
        if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
        const auto handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
