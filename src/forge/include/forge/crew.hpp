// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/result.hpp"

namespace hanse::forge {

// Threads that share the pieces of one job after another. The caller works too, so a crew of one has no thread of its own. Made
// once per command; for_each() may be called by one thread at a time and returns when all pieces are done.
class Crew {
public:
    // 0: as many as there are cores; never more than that.
    explicit Crew(unsigned threads = 0);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    unsigned size() const;
    // Calls work(piece, worker) for each piece below `count`, in any order; `worker` is below size(), one thread has it at a time, so
    // it can choose a buffer. After the first error no new piece begins, and that error is returned.
    base::Result<void> for_each(std::size_t count, const std::function<base::Result<void>(std::size_t piece, unsigned worker)>& work);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::forge
