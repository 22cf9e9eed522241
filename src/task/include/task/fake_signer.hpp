// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "crypto/key_file.hpp"
#include "task/declassifications.hpp"

namespace hanse::task {

// For tests: a person with a key of its own, the same for the same seed.
class FakeSigner {
public:
    explicit FakeSigner(std::uint64_t seed) : key_(make(seed)) {}
    std::string fingerprint() const { return key_.identity().fingerprint(); }
    // As a policy names it.
    std::string toml(std::string_view person) const {
        return "[[signers]]\nperson = \"" + std::string(person) + "\"\nfingerprint = \"" + fingerprint() + "\"\n";
    }
    void sign(label::SignedDeclassification& all, std::string_view person, const label::Vocabulary& words) const {
        const std::string line = signature_of(key_, label::signed_bytes(all.statement, words));
        const auto bytes = base::bytes_of(line);
        all.signatures.push_back({words.principal(person).value(), base::Bytes(bytes.begin(), bytes.end())});
    }

private:
    static crypto::IdentityKey make(std::uint64_t seed) {
        base::SeededRandom random(seed);
        const auto text = crypto::new_key_file("identity", "signer", crypto::algorithms_of(crypto::Profile::standard), {}, random).value();
        const std::string file(reinterpret_cast<const char*>(text.reveal().data()), text.reveal().size());
        return crypto::IdentityKey::from_keys(crypto::KeyFile::parse(file).value().unlock({}).value()).value();
    }
    crypto::IdentityKey key_;
};

}  // namespace hanse::task
