// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"
#include "journal/witness.hpp"
#include "journal/witness_policy.hpp"

// What tests of witnesses share.
namespace hanse::journal {

inline WitnessKeys sample_witness_keys(std::uint64_t seed = 21, std::string_view name = "witness.example/w1") {
    base::SeededRandom random(seed);
    const auto text = crypto::new_key_file(WitnessKeys::purpose, name, WitnessKeys::algorithms, {}, random);
    const auto bytes = text->reveal();
    return *WitnessKeys::from_keys(*crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({}));
}

// One log and as many witnesses, of which `k` must sign, each with either of its keys.
inline WitnessPolicy sample_policy(std::span<const NoteVerifier> log, std::span<const WitnessKeys> witnesses, std::size_t k) {
    std::string text;
    for (const NoteVerifier& key : log) text += "log " + key.vkey() + "\n";
    std::string names;
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
        const auto keys = witnesses[i].verifiers();
        text += std::format("witness w{0}-classical {1} https://w{0}.example\nwitness w{0}-quantum {2} https://w{0}.example\n", i,
                            keys[0].vkey(), keys[1].vkey());
        text += std::format("group w{0} any w{0}-classical w{0}-quantum\n", i);
        names += std::format(" w{}", i);
    }
    text += std::format("group enough {}{}\nquorum enough\n", k, names);
    return *WitnessPolicy::parse(text);
}

}  // namespace hanse::journal
