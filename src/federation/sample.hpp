// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/random.hpp"
#include "federation/charter_chain.hpp"

// What tests of this room share: members whose keys come from their names, and a federation of them.
namespace hanse::federation::sample {

inline constexpr std::int64_t now = 1'795'521'600;  // 2026-11-24T12:00:00Z
inline constexpr std::int64_t year = 365 * 86'400;

inline const crypto::IdentityKey& key_of(const std::string& member, std::uint64_t generation = 0) {
    static std::map<std::pair<std::string, std::uint64_t>, crypto::IdentityKey> made;
    const auto found = made.find({member, generation});
    if (found != made.end()) return found->second;
    std::uint64_t seed = 77 + generation;
    for (const char c : member) seed = seed * 131 + static_cast<unsigned char>(c);
    base::SeededRandom random(seed);
    crypto::KeySet set{std::string(crypto::IdentityKey::purpose), member, {}};
    for (const auto algorithm : crypto::algorithms_of(crypto::Profile::standard)) {
        crypto::Secret secret(crypto::SigningKey::seed_size);
        random.fill(secret.fill());
        set.keys.push_back(*crypto::SigningKey::from_seed(algorithm, secret));
    }
    return made.emplace(std::pair{member, generation}, *crypto::IdentityKey::from_keys(std::move(set))).first->second;
}

inline Sign sign_as(const std::string& member, std::uint64_t generation = 0) {
    return [&key = key_of(member, generation)](std::string_view context, std::span<const std::byte> message) {
        return key.sign(context, message, crypto::Signing::deterministic);
    };
}

inline CharterMember member(const std::string& name, const std::string& country = "DE", const std::string& control = "DE") {
    return {.name = name,
            .country = country,
            .control = control,
            .house_in = country,
            .title = name + " e. V.",
            .keys = key_of(name).identity().keys(),
            .addresses = {name + ".example:8421"},
            .sites = {"works"},
            .people = {"anna"}};
}

// acme, bolt and clinic; two of the three may amend.
inline Charter charter() {
    Charter made = first_charter("nord", member("acme"), now, now + year);
    made.members.push_back(member("bolt", "FR", "EU"));
    made.members.push_back(member("clinic", "CH", "CH"));
    made.amenders = {"acme", "bolt", "clinic"};
    made.quorum = 2;
    made.groups = {{"board", {"acme/anna", "bolt"}}};
    made.handling.push_back({"NDA:bolt", {"bolt"}});
    return made;
}

inline CharterDocument document(Charter charter, std::initializer_list<std::string> signers) {
    auto made = *CharterDocument::of(std::move(charter));
    for (const auto& name : signers) made.sign(name, sign_as(name));
    return made;
}

inline CharterChain chain() { return *CharterChain::open({document(charter(), {"acme", "bolt", "clinic"})}, verify_with_keys()); }

// What a node of version 1 wrote; every later build reads it. Made once, with HANSE_WRITE_SAMPLES, and never again.
inline std::string written_sample(const std::string& name, std::string_view text) {
    const std::filesystem::path path = "test/federation/samples/v1/" + name;
    if (std::getenv("HANSE_WRITE_SAMPLES") && !std::filesystem::exists(path)) std::ofstream(path, std::ios::binary) << text;
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The next version, before what is to change in it.
inline Charter next(const CharterDocument& before) {
    Charter made = before.charter();
    ++made.version;
    made.previous = before.digest();
    made.issued += 60;
    return made;
}

}  // namespace hanse::federation::sample
