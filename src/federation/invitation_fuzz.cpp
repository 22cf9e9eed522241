// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "federation/invitation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::federation;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto code = InvitationCode::parse(text); code && code->text() != text) std::abort();
    if (const auto member = read_member(text); member && hanse::federation::text(*member) != text) std::abort();
    return 0;
}
