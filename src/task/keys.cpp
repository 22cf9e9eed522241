// SPDX-License-Identifier: Apache-2.0
#include "task/keys.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"
#include "keys_file.hpp"

namespace hanse::task {
namespace {

constexpr std::string_view secret_prefix = "hanse_";
constexpr std::size_t secret_size = secret_prefix.size() + 43;  // 32 bytes in base64url

std::int64_t day_of(base::WallTime wall) { return std::chrono::floor<std::chrono::days>(wall).time_since_epoch().count(); }

std::int64_t month_of(base::WallTime wall) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(wall));
    return std::int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1;
}

base::Error limited(std::string message, std::string code, std::chrono::milliseconds wait) {
    base::Error error{base::ErrorKind::overloaded, std::move(message), std::move(code)};
    error.retry_after = wait;
    return error;
}

std::chrono::milliseconds until_tomorrow(base::WallTime wall) {
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::floor<std::chrono::days>(wall) + std::chrono::days{1} - wall);
}

std::chrono::milliseconds until_next_month(base::WallTime wall) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(wall));
    const auto next = std::chrono::sys_days((date.year() / date.month() + std::chrono::months{1}) / std::chrono::day{1});
    return std::chrono::ceil<std::chrono::milliseconds>(next - wall);
}

struct DigestHash {
    // A digest is as good as random already.
    std::size_t operator()(const crypto::Sha256Digest& digest) const {
        std::size_t value = 0;
        std::memcpy(&value, digest.data(), sizeof value);
        return value;
    }
};

struct Table {
    std::unordered_map<crypto::Sha256Digest, std::shared_ptr<Key>, DigestHash> by_digest;
    std::vector<StoredKey> stored;
};

}  // namespace

Key::Key(KeyFacts facts, KeyUsage usage)
    : facts_(std::move(facts)), requests_(facts_.requests_per_minute), tokens_(facts_.tokens_per_minute), usage_(usage) {}

bool Key::may_use(std::string_view model) const { return facts_.models.empty() || std::ranges::contains(facts_.models, model); }

void Key::roll(base::WallTime wall) {
    if (const auto day = day_of(wall); day != usage_.day) {
        usage_.day = day;
        usage_.tokens_day = 0;
    }
    if (const auto month = month_of(wall); month != usage_.month) {
        usage_.month = month;
        usage_.tokens_month = 0;
    }
}

base::Result<void> Key::take(base::Instant now, base::WallTime wall) {
    const std::lock_guard lock(mutex_);
    roll(wall);
    if (facts_.tokens_per_month && usage_.tokens_month >= *facts_.tokens_per_month)
        return std::unexpected(limited("this key's tokens for the month are used up", "insufficient_quota", until_next_month(wall)));
    if (facts_.tokens_per_day && usage_.tokens_day >= *facts_.tokens_per_day)
        return std::unexpected(limited("this key's tokens for the day are used up", "insufficient_quota", until_tomorrow(wall)));
    if (const auto wait = requests_.wait_for(1, now); wait.count() > 0)
        return std::unexpected(limited("this key has sent its requests for the minute", "rate_limit_exceeded", wait));
    if (const auto wait = tokens_.wait_for(1, now); wait.count() > 0)
        return std::unexpected(limited("this key has used its tokens for the minute", "rate_limit_exceeded", wait));
    requests_.charge(1, now);
    ++usage_.requests_total;
    return {};
}

void Key::charge(std::uint64_t tokens, base::Instant now, base::WallTime wall) {
    const std::lock_guard lock(mutex_);
    roll(wall);
    tokens_.charge(static_cast<double>(tokens), now);
    usage_.tokens_day += tokens;
    usage_.tokens_month += tokens;
    usage_.tokens_total += tokens;
}

KeyUsage Key::usage() const {
    const std::lock_guard lock(mutex_);
    return usage_;
}

struct KeyRing::State {
    explicit State(Parts given) : parts(std::move(given)) {}

    Parts parts;
    mutable std::mutex mutex;  // of `table`, held for a copy of a pointer
    std::shared_ptr<const Table> table = std::make_shared<Table>();
    std::mutex changing;  // one change of the files at a time
    std::optional<FileMark> mark;
    std::string usage_written;

    std::shared_ptr<const Table> current() const {
        const std::lock_guard lock(mutex);
        return table;
    }

    // Keys that stay keep what they have used; a key whose facts did not change stays the same object, so
    // that its rate limits go on as well.
    base::Result<void> adopt(std::vector<StoredKey> stored, const std::map<std::string, KeyUsage>& usage) {
        const auto before = current();
        std::map<std::string_view, std::shared_ptr<Key>> old;
        std::map<std::string_view, const StoredKey*> old_stored;
        for (const auto& [digest, key] : before->by_digest) old.emplace(key->facts().id, key);
        for (const auto& key : before->stored) old_stored.emplace(key.id, &key);
        auto fresh = std::make_shared<Table>();
        for (const auto& entry : stored) {
            if (entry.revoked) continue;
            const auto bytes = base::from_hex(entry.sha256);
            crypto::Sha256Digest digest{};
            if (!bytes || bytes->size() != digest.size())
                return base::fail(base::ErrorKind::corrupt, parts.path + ": the hash of key " + entry.id + " is not 64 hexadecimal digits");
            std::ranges::copy(*bytes, digest.begin());
            std::shared_ptr<Key> key;
            if (const auto found = old.find(entry.id); found != old.end()) {
                key = *old_stored.at(entry.id) == entry ? found->second : std::make_shared<Key>(facts_of(entry), found->second->usage());
            } else {
                const auto used = usage.find(entry.id);
                key = std::make_shared<Key>(facts_of(entry), used == usage.end() ? KeyUsage{} : used->second);
            }
            if (!fresh->by_digest.emplace(digest, std::move(key)).second)
                return base::fail(base::ErrorKind::corrupt, parts.path + ": key " + entry.id + " has the hash of another");
        }
        fresh->stored = std::move(stored);
        const std::lock_guard lock(mutex);
        table = std::move(fresh);
        return {};
    }

    base::Result<void> replace(std::vector<StoredKey> stored) {
        auto written = write_keys(parts.path, stored);
        if (!written) return written;
        mark = mark_of(parts.path);
        return adopt(std::move(stored), {});
    }

    // Another process (`hanse key create`) may have changed the file since it was read.
    base::Result<void> refresh() {
        const auto seen = mark_of(parts.path);
        if (seen == mark) return {};
        auto stored = read_keys(parts.path);
        if (!stored) return std::unexpected(stored.error());
        auto adopted = adopt(std::move(*stored), {});
        if (adopted) mark = seen;
        return adopted;
    }
};

KeyRing::KeyRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyRing::~KeyRing() = default;

base::Result<std::unique_ptr<KeyRing>> KeyRing::open(Parts parts) {
    auto state = std::make_unique<State>(std::move(parts));
    state->mark = mark_of(state->parts.path);
    auto stored = read_keys(state->parts.path);
    if (!stored) return std::unexpected(stored.error());
    auto usage = state->parts.usage_path.empty() ? base::Result<std::map<std::string, KeyUsage>>() : read_usage(state->parts.usage_path);
    if (!usage) return std::unexpected(usage.error());
    auto adopted = state->adopt(std::move(*stored), *usage);
    if (!adopted) return std::unexpected(adopted.error());
    return std::unique_ptr<KeyRing>(new KeyRing(std::move(state)));
}

base::Result<std::shared_ptr<Key>> KeyRing::verify(std::string_view secret) const {
    if (secret.size() == secret_size && secret.starts_with(secret_prefix)) {
        const auto digest = crypto::sha256(base::bytes_of(secret));
        const auto table = state_->current();
        const auto found = table->by_digest.find(digest);
        if (found != table->by_digest.end()) return found->second;
    }
    return base::fail(base::ErrorKind::unauthenticated, "this API key is not known here", "invalid_api_key");
}

base::Result<KeyRing::Created> KeyRing::create(KeyFacts facts) {
    if (facts.name.empty()) return base::fail(base::ErrorKind::invalid, "a key needs a name", {}, "name");
    std::array<std::byte, 32> secret{};
    std::array<std::byte, 9> id{};
    state_->parts.random.fill(secret);
    state_->parts.random.fill(id);
    Created created{std::string(secret_prefix) + base::base64url(secret), std::move(facts)};
    created.facts.id = "key_" + base::base64url(id);
    created.facts.created = std::chrono::duration_cast<std::chrono::seconds>(state_->parts.clock.wall().time_since_epoch()).count();
    created.facts.revoked.reset();
    const std::lock_guard changing(state_->changing);
    auto fresh = state_->refresh();
    if (!fresh) return std::unexpected(fresh.error());
    auto stored = state_->current()->stored;
    stored.push_back(stored_of(created.facts, base::hex(crypto::sha256(base::bytes_of(created.secret)))));
    auto replaced = state_->replace(std::move(stored));
    if (!replaced) return std::unexpected(replaced.error());
    return created;
}

base::Result<void> KeyRing::revoke(std::string_view id) {
    const std::lock_guard changing(state_->changing);
    auto fresh = state_->refresh();
    if (!fresh) return fresh;
    auto stored = state_->current()->stored;
    const auto found = std::ranges::find(stored, id, &StoredKey::id);
    if (found == stored.end()) return base::fail(base::ErrorKind::not_found, "there is no key " + std::string(id));
    if (found->revoked) return {};
    found->revoked = std::chrono::duration_cast<std::chrono::seconds>(state_->parts.clock.wall().time_since_epoch()).count();
    return state_->replace(std::move(stored));
}

std::vector<KeyFacts> KeyRing::list() const {
    std::vector<KeyFacts> all;
    for (const auto& entry : state_->current()->stored) all.push_back(facts_of(entry));
    return all;
}

std::optional<KeyUsage> KeyRing::usage(std::string_view id) const {
    for (const auto& [digest, key] : state_->current()->by_digest)
        if (key->facts().id == id) return key->usage();
    return std::nullopt;
}

std::size_t KeyRing::size() const { return state_->current()->by_digest.size(); }

base::Result<bool> KeyRing::reload_if_changed() {
    const std::lock_guard changing(state_->changing);
    const auto seen = mark_of(state_->parts.path);
    if (seen == state_->mark) return false;
    auto fresh = state_->refresh();
    if (!fresh) {
        // Said once: the next change of the file is tried again.
        state_->mark = seen;
        return std::unexpected(fresh.error());
    }
    state_->parts.log.info("keys_reloaded", {{"keys", static_cast<std::int64_t>(size())}});
    return true;
}

base::Result<void> KeyRing::save_usage() {
    if (state_->parts.usage_path.empty()) return {};
    const std::lock_guard changing(state_->changing);
    std::map<std::string, KeyUsage> usage;
    for (const auto& [digest, key] : state_->current()->by_digest) usage.emplace(key->facts().id, key->usage());
    auto text = usage_text(usage);
    if (text == state_->usage_written || (usage.empty() && state_->usage_written.empty())) return {};
    auto written = write_whole(state_->parts.usage_path, text);
    if (written) state_->usage_written = std::move(text);
    return written;
}

}  // namespace hanse::task
