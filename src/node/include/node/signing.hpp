// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "label/declassify.hpp"
#include "label/policy.hpp"

namespace hanse::node {

// What the commands need of a person's signing key (crypto/identity.hpp, crypto/key_file.hpp): the secret half stays in its
// file. An empty passphrase: the file is not protected by one.

struct SignerKey {
    std::string name;
    std::string fingerprint;  // what the policy's [[signers]] has
    bool fresh = false;       // made just now
};
// The key in this file; a new one (mode 0600) where there is no file.
base::Result<SignerKey> signer_key(const std::filesystem::path& file, std::string_view name, std::string_view passphrase);

// The statement with one more signature. `denied` if the policy does not know the key as that person's, or the person has
// signed already.
base::Result<label::SignedDeclassification> sign(label::SignedDeclassification declassification, const label::Policy& policy,
                                                 std::string_view person, const std::filesystem::path& key_file,
                                                 std::string_view passphrase);

// SHA-256, what a statement has as its payload.
label::PayloadDigest payload_digest(std::string_view payload);

}  // namespace hanse::node
