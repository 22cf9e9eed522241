// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>

#include "crypto/identity.hpp"
#include "crypto/key_file.hpp"

// What is accepted is exactly what would be written: a key file has one form only.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::crypto;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto file = KeyFile::parse(text);
    if (file && !text.starts_with(file->bound)) std::abort();
    if (file && !file->protection) {
        const auto keys = file->unlock({});
        if (keys && keys->keys.size() != file->public_keys.size()) std::abort();
    }
    const auto signature = HybridSignature::parse(text);
    if (signature && signature->text() != text) std::abort();
    return 0;
}
