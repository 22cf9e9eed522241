// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "federation/wire/frame.hpp"

// Bytes of a stream, and what is understood of it is the same after it was written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::federation::wire;
    FrameReader reader;
    reader.add(std::as_bytes(std::span(data, size)));
    while (true) {
        const auto frame = reader.next();
        if (!frame || !*frame) return 0;
        const auto message = decode(**frame);
        if (!message || !*message) continue;
        hanse::base::Bytes again;
        encode(**message, (*frame)->stream, again);
        FrameReader second;
        second.add(again);
        const auto copy = second.next();
        if (!copy || !*copy) std::abort();
        const auto decoded = decode(**copy);
        if (!decoded || !*decoded || **decoded != **message || (*copy)->stream != (*frame)->stream) std::abort();
    }
}
