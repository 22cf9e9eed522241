// SPDX-License-Identifier: Apache-2.0
#include "cast.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <format>
#include <map>
#include <tuple>

namespace hanse::sim {
namespace {

using federation::CharterDocument;

crypto::KeySet keys(std::string_view purpose, const std::string& name, std::span<const crypto::Algorithm> algorithms,
                    base::Random& random) {
    crypto::KeySet set{std::string(purpose), name, {}};
    for (const auto algorithm : algorithms) {
        crypto::Secret secret(crypto::SigningKey::seed_size);
        random.fill(secret.fill());
        set.keys.push_back(*crypto::SigningKey::from_seed(algorithm, secret));
    }
    return set;
}

// Not to be broken by the liars here, who have no other keys than their own; quick over long texts.
federation::Digest quick(const federation::Digest& secret, std::string_view context, std::span<const std::byte> message) {
    std::array<std::uint64_t, 4> lanes{};
    std::memcpy(lanes.data(), secret.data(), secret.size());
    const auto mix = [&](std::span<const std::byte> bytes) {
        std::size_t at = 0;
        for (; at + 8 <= bytes.size(); at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + at, 8);
            auto& lane = lanes[at / 8 % lanes.size()];
            lane = std::rotl(lane ^ word, 29) * 0x9e3779b97f4a7c15ULL;
        }
        for (; at < bytes.size(); ++at) lanes[0] = (lanes[0] ^ std::to_integer<std::uint64_t>(bytes[at])) * 0x100000001b3ULL;
        lanes[1] ^= bytes.size();
    };
    mix(base::bytes_of(context));
    mix(message);
    federation::Digest code;
    std::memcpy(code.data(), lanes.data(), code.size());
    return crypto::sha256(code);
}

}  // namespace

std::size_t index_of(std::string_view name) {
    return name.size() == 3 ? static_cast<std::size_t>((name[1] - '0') * 10 + (name[2] - '0')) : cast_max;
}

const std::vector<Actor>& cast() {
    static const std::vector<Actor> made = [] {
        std::vector<Actor> all;
        base::SeededRandom random(2026);
        for (std::size_t i = 0; i < cast_max; ++i) {
            const std::string name = std::format("m{:02}", i);
            auto identity = *crypto::IdentityKey::from_keys(
                keys(crypto::IdentityKey::purpose, name, crypto::algorithms_of(crypto::Profile::standard), random));
            auto log =
                *journal::LogKeys::from_keys(keys(journal::LogKeys::purpose, name + ".example/log", journal::LogKeys::algorithms, random));
            Actor actor{name, std::move(identity), std::move(log), {}};
            random.fill(actor.secret);
            all.push_back(std::move(actor));
        }
        return all;
    }();
    return made;
}

Facts facts_of(std::size_t index) {
    static constexpr std::array<std::pair<const char*, const char*>, 5> places{
        {{"DE", "DE"}, {"FR", "EU"}, {"DE", "EU"}, {"CH", "CH"}, {"DE", "world"}}};
    const auto& [country, control] = places[index % places.size()];
    return {country, control, index % 3 != 1};
}

federation::Sign sign_of(std::size_t index, bool real) {
    const Actor& actor = cast()[index];
    if (real)
        return [&actor](std::string_view context, std::span<const std::byte> message) {
            return actor.key.sign(context, message, crypto::Signing::deterministic);
        };
    return [&actor](std::string_view context, std::span<const std::byte> message) {
        const auto code = quick(actor.secret, context, message);
        const auto algorithms = crypto::algorithms_of(crypto::Profile::standard);
        return crypto::HybridSignature{
            {{{algorithms[0], base::Bytes(code.begin(), code.end())}, {algorithms[1], base::Bytes(code.begin(), code.end())}}}};
    };
}

federation::Verify verify_of(bool real) {
    if (real) return federation::verify_with_keys();
    return [](const crypto::Identity& signer, std::string_view context, std::span<const std::byte> message,
              const crypto::HybridSignature& signature) {
        const std::size_t index = index_of(signer.name());
        if (index >= cast_max || !(cast()[index].key.identity().keys()[0] == signer.keys()[0])) return false;
        return std::ranges::equal(quick(cast()[index].secret, context, message), signature.parts[0].bytes);
    };
}

const CharterDocument& first_version(std::size_t nodes, std::uint32_t quorum, bool real, bool log_keys) {
    static std::map<std::tuple<std::size_t, std::uint32_t, bool, bool>, CharterDocument> made;
    const std::tuple key{nodes, quorum, real, log_keys};
    if (const auto found = made.find(key); found != made.end()) return found->second;
    federation::Charter charter;
    for (std::size_t i = 0; i < nodes; ++i) {
        const Actor& actor = cast()[i];
        const Facts facts = facts_of(i);
        federation::CharterMember member{.name = actor.name,
                                         .country = facts.country,
                                         .control = facts.control,
                                         .house_in = facts.country,
                                         .keys = actor.key.identity().keys()};
        if (log_keys)
            for (const auto& verifier : actor.log_keys.verifiers()) member.log_keys.push_back(verifier.vkey());
        if (i == 0) charter = federation::first_charter("sim", std::move(member), began - 86'400, began + 365 * 86'400);
        else charter.members.push_back(std::move(member));
        if (i > 0 && i < 7) charter.amenders.push_back(actor.name);
    }
    charter.quorum = quorum;
    // Few regions are enough here, and each text is shorter.
    std::erase_if(charter.regions,
                  [](const auto& region) { return region.parent == "world" && region.name.size() == 2 && region.name != "US"; });
    auto document = *CharterDocument::of(std::move(charter));
    for (std::size_t i = 0; i < nodes; ++i) document.sign(cast()[i].name, sign_of(i, real));
    return made.emplace(key, std::move(document)).first->second;
}

base::Result<CharterDocument> read_charter(std::string_view whole) {
    static std::map<std::string, CharterDocument, std::less<>> read;
    auto document = CharterDocument::parse(whole, [](std::string_view text) -> const CharterDocument* {
        const auto found = read.find(text);
        return found == read.end() ? nullptr : &found->second;
    });
    if (document && read.size() < 4'096) read.try_emplace(document->text(), *document);
    return document;
}

std::string quick_receipt(std::size_t index, std::string_view record_id, std::string_view record) {
    const std::string said = std::format("{}\n{}\n", record_id, record);
    return said + base::hex(quick(cast()[index].secret, "receipt", base::bytes_of(said)));
}

base::Result<federation::FarReceipt> check_quick_receipt(std::size_t index, std::string_view sender, const federation::TaskKey& key,
                                                         std::string_view receipt) {
    const auto end = receipt.rfind('\n');
    const auto middle = receipt.find('\n');
    const auto wrong = [] { return base::fail(base::ErrorKind::corrupt, "it is no receipt of this task"); };
    if (end == receipt.npos || middle == end) return wrong();
    if (base::hex(quick(cast()[index].secret, "receipt", base::bytes_of(receipt.substr(0, end + 1)))) != receipt.substr(end + 1))
        return wrong();
    const std::string_view record = receipt.substr(middle + 1, end - middle - 1);
    if (!record.contains(std::format("\"remote\":{{\"from\":\"{}\",\"key\":\"{}\"}}", sender, federation::text_of(key)))) return wrong();
    return federation::FarReceipt{std::string(receipt.substr(0, middle)), std::string(record)};
}

}  // namespace hanse::sim
