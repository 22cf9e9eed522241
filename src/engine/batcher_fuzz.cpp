// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "batcher_simulation.hpp"

// Each byte is a number that the simulation asks for; a broken promise throws, and ends the run.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::size_t at = 0;
    auto number = [&]() -> std::uint32_t {
        if (at + 1 >= size) return static_cast<std::uint32_t>(at++ * 2654435761U >> 7);
        auto value = static_cast<std::uint32_t>(data[at] | data[at + 1] << 8);
        ++at;
        return value;
    };
    hanse::engine::BatcherSimulation simulation(number);
    for (int events = 0; at + 1 < size && events < 300; ++events) simulation.event();
    return 0;
}
