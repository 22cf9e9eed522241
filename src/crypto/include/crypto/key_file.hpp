// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/sealing.hpp"
#include "crypto/secret.hpp"
#include "crypto/signature.hpp"
#include "crypto/token.hpp"

namespace hanse::crypto {

// The keys that one party signs with for one purpose, in the order in which its public keys are told.
struct KeySet {
    std::string purpose;  // "identity", "log", "witness"
    std::string name;     // whose they are; a key name as signed notes have it
    std::vector<SigningKey> keys;
};

// A key file is text:
//
//   hanse-key v1
//   purpose log
//   name example.org/journal
//   public ed25519 <base64>
//   public ml-dsa-44 <base64>
//   token 1 pkcs11:token=hanse;object=log   if the secret of public key 1 lies in a token (crypto/token.hpp)
//   protection none               or: argon2id <KiB> <passes> <lanes> <base64 of the salt>
//   secret <base64>               the 32-byte seeds in the order of the public keys, without those in a token; under argon2id sealed
//                                 (crypto/sealing.hpp), bound to all lines before this one
//
// At most 16 KiB and eight keys. Public keys stand in the clear so that a node can say who it is while it is
// locked; they are checked against the seeds when these are opened.
struct KeyFile {
    std::string purpose;
    std::string name;
    std::vector<PublicKey> public_keys;
    std::map<std::size_t, std::string> tokens;  // URIs by the index of the key
    struct Protection {
        PassphraseCost cost;
        PassphraseSalt salt;
    };
    std::optional<Protection> protection;  // none: the seeds stand in the clear
    Secret secret;
    std::string bound;  // the lines before the secret

    // `corrupt` with the line's number if it is not such a file.
    static base::Result<KeyFile> parse(std::string_view text);
    // `denied` if the passphrase is wrong or missing, `corrupt` if seeds and public keys do not belong together.
    // `denied` with the code "token_needed" if a key lies in a token and there is no access to one; what else can go
    // wrong with it, key_in_token() says.
    base::Result<KeySet> unlock(const Secret& passphrase, const TokenAccess* access = nullptr) const;
};

// Whether a name can stand in a signed note: not empty, no space, control character or plus sign, UTF-8.
bool is_key_name(std::string_view name);

// Fresh keys as the text of a file; an empty passphrase leaves the seeds in the clear. `invalid` for a name
// that a signed note could not carry.
base::Result<Secret> new_key_file(std::string_view purpose, std::string_view name, std::span<const Algorithm> algorithms,
                                  const Secret& passphrase, base::Random& random, const PassphraseCost& cost = {});
// Of a profile whose first key was made in a token, at `uri`; the others are made here.
base::Result<Secret> new_key_file_with_token(std::string_view purpose, std::string_view name, const SigningKey& in_token,
                                             std::string_view uri, std::span<const Algorithm> others, const Secret& passphrase,
                                             base::Random& random, const PassphraseCost& cost = {});
// The same seeds under another passphrase.
base::Result<Secret> reprotect(const KeyFile& file, const Secret& passphrase_before, const Secret& passphrase_after, base::Random& random,
                               const PassphraseCost& cost = {});

// Reads a key file that belongs to this user (or root) and that nobody else may read or write; `denied` with the
// reason otherwise, `not_found` if there is none.
base::Result<KeyFile> read_key_file(const std::filesystem::path& path);
// Makes it with mode 0600, durable when this returns. Never replaces a file: `invalid` if one is there.
base::Result<void> write_key_file(const std::filesystem::path& path, const Secret& text);

}  // namespace hanse::crypto
