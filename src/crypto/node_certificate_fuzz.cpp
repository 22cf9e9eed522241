// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "crypto/node_certificate.hpp"

// Nothing that was not signed is accepted, whatever it looks like.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto nobody = [](std::string_view) -> const crypto::Identity* { return nullptr; };
    if (crypto::check_node_certificate(base::bytes_of(text), nobody, {})) std::abort();
    if (crypto::check_node_certificate_pem(text, nobody, {})) std::abort();
    if (const auto asked = crypto::read_node_request(text); asked && asked->keys().size() != 2) std::abort();
    return 0;
}
