// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <hs/hs.h>

#include <format>

namespace hanse::privacy {

// A scratch area for one search, back in the pool when it is over.
class Engine::Lease {
public:
    explicit Lease(const Engine& engine) : engine_(engine), scratch_(engine.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
        if (scratch_ != nullptr) engine_.give(scratch_);
    }
    hs_scratch* get() const { return scratch_; }

private:
    const Engine& engine_;
    hs_scratch* scratch_;
};

base::Result<std::unique_ptr<Engine>> Engine::compile(std::span<const Pattern> patterns) {
    if (hs_valid_platform() != HS_SUCCESS)
        return base::fail(base::ErrorKind::unavailable, "this processor cannot run the pattern engine (SSE4.2 or its like is needed)",
                          "no_pattern_engine");
    auto engine = std::unique_ptr<Engine>(new Engine);
    engine->patterns_.assign(patterns.begin(), patterns.end());
    std::vector<const char*> expressions;
    std::vector<unsigned> flags;
    std::vector<unsigned> ids;
    for (const Pattern& pattern : patterns) {
        expressions.push_back(pattern.expression);
        flags.push_back(HS_FLAG_DOTALL | (pattern.any_case ? HS_FLAG_CASELESS : 0U));
        ids.push_back(static_cast<unsigned>(ids.size()));
    }
    hs_compile_error_t* error = nullptr;
    const auto count = static_cast<unsigned>(expressions.size());
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), count, HS_MODE_BLOCK, nullptr, &engine->database_, &error) !=
        HS_SUCCESS) {
        const std::string what = error != nullptr ? std::format("pattern {}: {}", error->expression, error->message) : "out of memory";
        hs_free_compile_error(error);
        return base::fail(base::ErrorKind::bug, "the patterns do not compile: " + what, "patterns_broken");
    }
    if (hs_alloc_scratch(engine->database_, &engine->prototype_) != HS_SUCCESS)
        return base::fail(base::ErrorKind::unavailable, "no memory for the pattern engine", "no_pattern_engine");
    return engine;
}

Engine::~Engine() {
    for (hs_scratch* scratch : idle_) hs_free_scratch(scratch);
    hs_free_scratch(prototype_);
    hs_free_database(database_);
}

hs_scratch* Engine::take() const {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            hs_scratch* scratch = idle_.back();
            idle_.pop_back();
            return scratch;
        }
    }
    hs_scratch* made = nullptr;
    return hs_clone_scratch(prototype_, &made) == HS_SUCCESS ? made : nullptr;
}

void Engine::give(hs_scratch* scratch) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(scratch);
}

base::Result<void> Engine::search(std::string_view text, std::vector<Hit>& hits) const {
    const Lease lease(*this);
    if (lease.get() == nullptr) return base::fail(base::ErrorKind::unavailable, "no memory for the pattern engine", "no_pattern_engine");
    struct Into {
        const std::vector<Pattern>& patterns;
        std::vector<Hit>& hits;
    } into{patterns_, hits};
    // An exception must not travel through the engine's C code; running out of memory there ends the search.
    const auto on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) noexcept -> int {
        auto& found = *static_cast<Into*>(context);
        const Pattern& pattern = found.patterns[id];
        try {
            found.hits.push_back({static_cast<std::uint32_t>(end), pattern.anchor, pattern.detail});
        } catch (const std::bad_alloc&) {
            return 1;
        }
        return 0;
    };
    if (hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, lease.get(), on_match, &into) != HS_SUCCESS)
        return base::fail(base::ErrorKind::unavailable, "the pattern engine gave up", "no_pattern_engine");
    return {};
}

}  // namespace hanse::privacy
