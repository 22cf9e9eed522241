// SPDX-License-Identifier: Apache-2.0
#include "journal/text_store.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <limits>

#include "base/encoding.hpp"
#include "crypto/sealing.hpp"

namespace hanse::journal {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t text_max = 1U << 30;

// Each text with its length before it, in eight bytes.
base::Bytes packed(const KeptTexts& texts) {
    base::Bytes out;
    const auto add = [&](const std::string& text) {
        for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(text.size() >> shift));
        std::ranges::copy(base::bytes_of(text), std::back_inserter(out));
    };
    add(texts.input);
    for (const std::string& output : texts.outputs) add(output);
    return out;
}

base::Result<KeptTexts> unpacked(std::span<const std::byte> bytes) {
    std::vector<std::string> all;
    while (!bytes.empty()) {
        if (bytes.size() < 8) return base::fail(base::ErrorKind::corrupt, "a kept text is cut short");
        std::uint64_t size = 0;
        for (std::size_t i = 0; i < 8; ++i) size = size << 8 | std::to_integer<std::uint64_t>(bytes[i]);
        bytes = bytes.subspan(8);
        if (size > bytes.size()) return base::fail(base::ErrorKind::corrupt, "a kept text is cut short");
        all.emplace_back(reinterpret_cast<const char*>(bytes.data()), size);
        bytes = bytes.subspan(size);
    }
    if (all.empty()) return base::fail(base::ErrorKind::corrupt, "a kept text is cut short");
    KeptTexts texts{.input = std::move(all.front()), .outputs = {}};
    texts.outputs.assign(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
    return texts;
}

std::string day_text(base::WallTime time) { return std::format("{:%F}", std::chrono::floor<std::chrono::days>(time)); }

}  // namespace

TextStore::TextStore(base::Disk& disk, base::Random& random, std::filesystem::path folder, std::chrono::days most)
    : disk_(disk), random_(random), folder_(std::move(folder)), most_(most) {}

std::optional<base::WallTime> TextStore::keeps_until(std::uint32_t days, base::WallTime now) const {
    if (days == 0 || most_.count() <= 0) return std::nullopt;
    const auto allowed = std::min<std::int64_t>(days, most_.count());
    // To the end of a day, so that what goes on one day lies together; never longer than allowed.
    return std::chrono::floor<std::chrono::days>(now + std::chrono::days(allowed));
}

base::Result<void> TextStore::keep(const RecordId& id, base::WallTime until, const KeptTexts& texts) {
    const std::string day = day_text(until);
    const std::string name = text_of(id);
    for (const char* part : {"texts", "keys"})
        if (auto made = disk_.make_folders(folder_ / part / day); !made) return made;
    crypto::Secret key(key_size);
    random_.fill(key.fill());
    if (auto written = disk_.write_whole(folder_ / "keys" / day / name, key.reveal()); !written) return written;
    return disk_.write_whole(folder_ / "texts" / day / name, crypto::seal(key, packed(texts), base::bytes_of(name), random_));
}

base::Result<std::optional<std::string>> TextStore::day_of(const RecordId& id) {
    const auto days = disk_.list(folder_ / "keys");
    if (!days && days.error().kind == base::ErrorKind::not_found) return std::nullopt;
    if (!days) return std::unexpected(days.error());
    for (const std::string& day : *days) {
        const auto file = disk_.open(folder_ / "keys" / day / text_of(id), base::Disk::Open::existing);
        if (file) return day;
        if (file.error().kind != base::ErrorKind::not_found) return std::unexpected(file.error());
    }
    return std::nullopt;
}

base::Result<KeptTexts> TextStore::read(const RecordId& id) {
    const auto day = day_of(id);
    if (!day) return std::unexpected(day.error());
    if (!*day) return base::fail(base::ErrorKind::not_found, "no text is kept for this record");
    const auto bytes = disk_.read_whole(folder_ / "keys" / **day / text_of(id), key_size);
    if (!bytes) return std::unexpected(bytes.error());
    const auto sealed = disk_.read_whole(folder_ / "texts" / **day / text_of(id), text_max);
    if (!sealed) return std::unexpected(sealed.error());
    const auto opened = crypto::open_sealed(crypto::Secret::copy_of(*bytes), *sealed, base::bytes_of(text_of(id)));
    if (!opened) return std::unexpected(opened.error());
    return unpacked(opened->reveal());
}

base::Result<void> TextStore::erase_in(const std::string& day, const std::string& name) {
    const std::filesystem::path key = folder_ / "keys" / day / name;
    auto file = disk_.open(key, base::Disk::Open::existing);
    if (!file && file.error().kind != base::ErrorKind::not_found) return std::unexpected(file.error());
    if (file) {
        constexpr std::array<std::byte, key_size> zeros{};
        if (auto done = (*file)->write(0, zeros); !done) return done;
        if (auto done = (*file)->sync(); !done) return done;
        file->reset();
        if (auto done = disk_.remove(key); !done) return done;
    }
    if (auto done = disk_.remove(folder_ / "texts" / day / name); !done) return done;
    if (auto done = disk_.sync_folder(folder_ / "keys" / day); !done) return done;
    return disk_.sync_folder(folder_ / "texts" / day);
}

base::Result<bool> TextStore::erase(const RecordId& id) {
    const auto day = day_of(id);
    if (!day) return std::unexpected(day.error());
    if (!*day) return false;
    if (auto done = erase_in(**day, text_of(id)); !done) return std::unexpected(done.error());
    return true;
}

base::Result<std::vector<RecordId>> TextStore::erase_expired(base::WallTime now) {
    std::vector<RecordId> gone;
    const auto days = disk_.list(folder_ / "keys");
    if (!days && days.error().kind == base::ErrorKind::not_found) return gone;
    if (!days) return std::unexpected(days.error());
    const std::string today = day_text(now);
    for (const std::string& day : *days) {
        if (day > today) continue;
        const auto names = disk_.list(folder_ / "keys" / day);
        if (!names) return std::unexpected(names.error());
        for (const std::string& name : *names) {
            const auto id = record_id_of(name);
            if (!id) continue;
            if (auto done = erase_in(day, name); !done) return std::unexpected(done.error());
            gone.push_back(*id);
        }
        for (const char* part : {"keys", "texts"})
            if (auto done = disk_.remove(folder_ / part / day); !done) return std::unexpected(done.error());
    }
    return gone;
}

}  // namespace hanse::journal
