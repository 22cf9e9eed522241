// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.hpp"

#include <array>
#include <charconv>
#include <format>

#include "base/encoding.hpp"

namespace hanse::crypto {
namespace {

constexpr std::string_view first_line = "hanse-key v1";
constexpr std::size_t file_max = 16 * 1024;
constexpr std::size_t keys_max = 8;

// Takes lines off a text and words off a line; a word that is missing is an empty one.
struct Lines {
    std::string_view rest;
    int number = 0;
    std::optional<std::string_view> next() {
        const auto end = rest.find('\n');
        if (end == rest.npos) return std::nullopt;
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        ++number;
        return line;
    }
};

std::string_view word(std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const std::string_view found = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return found;
}

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || std::to_string(value) != text) return std::nullopt;
    return value;
}

std::unexpected<base::Error> wrong(int line, std::string_view what) {
    return base::fail(base::ErrorKind::corrupt, std::format("line {} of the key file: {}", line, what));
}

base::Result<KeyFile::Protection> protection_of(std::string_view text, int line) {
    KeyFile::Protection made{};
    const auto memory = number(word(text));
    const auto passes = number(word(text));
    const auto lanes = number(word(text));
    const auto salt = base::from_base64(word(text));
    if (!memory || !passes || !lanes || !salt || salt->size() != made.salt.size() || !text.empty())
        return wrong(line, "argon2id is followed by memory, passes, lanes and a salt of 16 bytes");
    made.cost = {*memory, *passes, *lanes};
    std::ranges::copy(*salt, made.salt.begin());
    return made;
}

using Tokens = std::map<std::size_t, std::string>;

std::string head(std::string_view purpose, std::string_view name, std::span<const PublicKey> keys, const Tokens& tokens,
                 const std::optional<KeyFile::Protection>& protection) {
    std::string text = std::format("{}\npurpose {}\nname {}\n", first_line, purpose, name);
    for (const PublicKey& key : keys) text += std::format("public {} {}\n", crypto::name(key.algorithm()), base::base64(key.bytes()));
    for (const auto& [index, uri] : tokens) text += std::format("token {} {}\n", index + 1, uri);
    if (!protection) return text + "protection none\n";
    const auto& [memory, passes, lanes] = protection->cost;
    return text + std::format("protection argon2id {} {} {} {}\n", memory, passes, lanes, base::base64(protection->salt));
}

base::Result<Secret> file_text(std::string_view purpose, std::string_view name, std::span<const PublicKey> keys, const Tokens& tokens,
                               const Secret& seeds, const Secret& passphrase, base::Random& random, const PassphraseCost& cost) {
    std::optional<KeyFile::Protection> protection;
    if (!passphrase.empty()) {
        protection.emplace(cost, PassphraseSalt{});
        random.fill(protection->salt);
    }
    const std::string before = head(purpose, name, keys, tokens, protection);
    std::string body;
    if (protection) {
        const auto key = key_from_passphrase(passphrase, protection->salt, protection->cost);
        if (!key) return std::unexpected(key.error());
        body = base::base64(seal(*key, seeds.reveal(), base::bytes_of(before), random));
    } else {
        body = base::base64(seeds.reveal());
    }
    std::string whole = before + "secret " + body + "\n";
    Secret text = Secret::copy_of(whole);
    wipe(std::as_writable_bytes(std::span(body)));
    wipe(std::as_writable_bytes(std::span(whole)));
    return text;
}

base::Result<Secret> seeds_of(const KeyFile& file, const Secret& passphrase) {
    if (!file.protection) return Secret::copy_of(file.secret.reveal());
    if (passphrase.empty()) return base::fail(base::ErrorKind::denied, "the key file is under a passphrase", "passphrase_needed");
    const auto key = key_from_passphrase(passphrase, file.protection->salt, file.protection->cost);
    if (!key) return std::unexpected(key.error());
    auto seeds = open_sealed(*key, file.secret.reveal(), base::bytes_of(file.bound));
    if (!seeds) return base::fail(base::ErrorKind::denied, "the passphrase is wrong, or the key file was changed", "passphrase_wrong");
    return seeds;
}

}  // namespace

bool is_key_name(std::string_view name) {
    if (name.empty() || name.size() > 255 || !base::is_valid_utf8(name)) return false;
    for (const char c : name)
        if (static_cast<unsigned char>(c) <= 0x20 || c == '+' || c == 0x7f) return false;
    // Unicode's other spaces (White_Space, Unicode 17): U+0085, U+00A0, U+1680, U+2000…200A, 2028, 2029, 202F, 205F, 3000.
    for (const std::string_view space :
         {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"})
        if (name.contains(space)) return false;
    for (auto at = name.find("\xe2\x80"); at != name.npos; at = name.find("\xe2\x80", at + 1))
        if (static_cast<unsigned char>(name[at + 2]) <= 0x8a) return false;
    return true;
}

base::Result<KeyFile> KeyFile::parse(std::string_view text) {
    if (text.size() > file_max) return base::fail(base::ErrorKind::corrupt, "a key file has at most 16 KiB");
    Lines lines{text};
    if (lines.next() != first_line) return wrong(1, "it must be \"hanse-key v1\"");
    KeyFile file;
    while (true) {
        const std::string_view before = text.substr(0, text.size() - lines.rest.size());
        const auto line = lines.next();
        if (!line) return wrong(lines.number + 1, "the file ends before its secret");
        std::string_view rest = *line;
        const std::string_view key = word(rest);
        if (key == "purpose" && file.purpose.empty() && !rest.empty() && rest.size() <= 32) {
            file.purpose = rest;
        } else if (key == "name" && file.name.empty() && is_key_name(rest)) {
            file.name = rest;
        } else if (key == "public" && file.public_keys.size() < keys_max) {
            const auto algorithm = algorithm_named(word(rest));
            const auto bytes = base::from_base64(rest);
            if (!algorithm || !bytes) return wrong(lines.number, "an algorithm and a public key are missing, or unknown");
            auto made = PublicKey::from_bytes(*algorithm, *bytes);
            if (!made) return wrong(lines.number, made.error().message);
            file.public_keys.push_back(std::move(*made));
        } else if (key == "token") {
            const auto index = number(word(rest));
            if (!index || *index == 0 || *index > file.public_keys.size() || !rest.starts_with("pkcs11:") || rest.contains("pin-"))
                return wrong(lines.number, "token is followed by the number of a public key and a pkcs11: URI without a PIN");
            if (!file.tokens.emplace(*index - 1, rest).second) return wrong(lines.number, "this key is in a token already");
        } else if (key == "protection" && !file.protection && (rest == "none" || rest.starts_with("argon2id "))) {
            if (rest == "none") continue;
            auto made = protection_of(rest.substr(9), lines.number);
            if (!made) return std::unexpected(made.error());
            file.protection = *made;
        } else if (key == "secret") {
            auto bytes = base::from_base64(rest);
            const std::size_t size =
                (file.public_keys.size() - file.tokens.size()) * SigningKey::seed_size + (file.protection ? sealed_overhead : 0);
            if (!bytes || bytes->size() != size) return wrong(lines.number, "the secret has not the size that the keys need");
            file.secret = Secret::copy_of(*bytes);
            wipe(*bytes);
            file.bound = before;
            break;
        } else {
            return wrong(lines.number, "this line is unknown, twice there, or has a value that cannot be");
        }
    }
    if (!lines.rest.empty()) return wrong(lines.number + 1, "nothing follows the secret");
    // Only one way to write the same file: what was read must be what would be written.
    if (file.purpose.empty() || file.name.empty() || file.public_keys.empty() ||
        file.bound != head(file.purpose, file.name, file.public_keys, file.tokens, file.protection))
        return wrong(1, "lines are missing or stand in another order than purpose, name, public, token, protection, secret");
    return file;
}

base::Result<KeySet> KeyFile::unlock(const Secret& passphrase, const TokenAccess* access) const {
    const auto seeds = seeds_of(*this, passphrase);
    if (!seeds) return std::unexpected(seeds.error());
    KeySet set{purpose, name, {}};
    std::span<const std::byte> rest = seeds->reveal();
    for (std::size_t i = 0; i < public_keys.size(); ++i) {
        const auto token = tokens.find(i);
        if (token != tokens.end() && access == nullptr)
            return base::fail(base::ErrorKind::denied, std::format("key {} lies in a token, and there is no access to one", i + 1),
                              "token_needed");
        auto key = token != tokens.end()
                       ? key_in_token(public_keys[i].algorithm(), token->second, *access)
                       : SigningKey::from_seed(public_keys[i].algorithm(), Secret::copy_of(rest.first(SigningKey::seed_size)));
        if (token == tokens.end()) rest = rest.subspan(SigningKey::seed_size);
        else if (!key) return std::unexpected(key.error());
        if (!key || key->public_key() != public_keys[i])
            return base::fail(base::ErrorKind::corrupt, std::format("the secret of key {} does not belong to its public key", i + 1));
        set.keys.push_back(std::move(*key));
    }
    return set;
}

namespace {

// Fresh keys behind those that are there already.
base::Result<Secret> with_fresh_keys(std::string_view purpose, std::string_view name, std::vector<PublicKey> keys, const Tokens& tokens,
                                     std::span<const Algorithm> algorithms, const Secret& passphrase, base::Random& random,
                                     const PassphraseCost& cost) {
    if (!is_key_name(name))
        return base::fail(base::ErrorKind::invalid, "a key's name has no spaces and no plus sign, and 1 to 255 bytes", {}, "name");
    if (algorithms.size() + keys.size() == 0 || algorithms.size() + keys.size() > keys_max)
        return base::fail(base::ErrorKind::invalid, "a key file has 1 to 8 keys");
    Secret seeds(algorithms.size() * SigningKey::seed_size);
    for (std::size_t i = 0; i < algorithms.size();) {
        const auto seed = seeds.fill().subspan(i * SigningKey::seed_size, SigningKey::seed_size);
        random.fill(seed);
        // One P-256 scalar in 2^32 is out of range; the next draw is not.
        const auto key = SigningKey::from_seed(algorithms[i], Secret::copy_of(seed));
        if (!key) continue;
        keys.push_back(key->public_key());
        ++i;
    }
    return file_text(purpose, name, keys, tokens, seeds, passphrase, random, cost);
}

}  // namespace

base::Result<Secret> new_key_file(std::string_view purpose, std::string_view name, std::span<const Algorithm> algorithms,
                                  const Secret& passphrase, base::Random& random, const PassphraseCost& cost) {
    return with_fresh_keys(purpose, name, {}, {}, algorithms, passphrase, random, cost);
}

base::Result<Secret> new_key_file_with_token(std::string_view purpose, std::string_view name, const SigningKey& in_token,
                                             std::string_view uri, std::span<const Algorithm> others, const Secret& passphrase,
                                             base::Random& random, const PassphraseCost& cost) {
    return with_fresh_keys(purpose, name, {in_token.public_key()}, {{0, std::string(uri)}}, others, passphrase, random, cost);
}

base::Result<Secret> reprotect(const KeyFile& file, const Secret& passphrase_before, const Secret& passphrase_after, base::Random& random,
                               const PassphraseCost& cost) {
    const auto seeds = seeds_of(file, passphrase_before);
    if (!seeds) return std::unexpected(seeds.error());
    return file_text(file.purpose, file.name, file.public_keys, file.tokens, *seeds, passphrase_after, random, cost);
}

}  // namespace hanse::crypto
