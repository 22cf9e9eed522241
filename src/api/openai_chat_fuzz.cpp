// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "openai_chat.hpp"

// Whatever a client sends is understood or refused with a sentence, never a crash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto ask = hanse::api::read_chat({reinterpret_cast<const char*>(data), size});
    if (!ask && ask.error().message.empty()) std::abort();
    return 0;
}
