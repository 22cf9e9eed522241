// SPDX-License-Identifier: Apache-2.0
#include "journal/retention.hpp"

#include <format>
#include <optional>

#include "base/encoding.hpp"
#include "crypto/digest.hpp"
#include "journal/record_store.hpp"
#include "number.hpp"

namespace hanse::journal {
namespace {

std::string checked(std::string text) { return text + std::format("check {}\n", base::hex(crypto::sha256(base::bytes_of(text)))); }

// Takes "<word> <number>\n" off the front.
std::optional<std::uint64_t> take(std::string_view& text, std::string_view word) {
    const auto end = text.find('\n');
    if (!text.starts_with(word) || end == text.npos || end <= word.size()) return std::nullopt;
    const auto value = decimal(text.substr(word.size() + 1, end - word.size() - 1));
    text.remove_prefix(end + 1);
    return value;
}

}  // namespace

base::Result<Retention> Retention::create(std::chrono::days days) {
    if (days < least || days > std::chrono::days(36'525))
        return base::fail(base::ErrorKind::invalid, "records of the journal are kept at least 184 days: six months, as the AI Act asks");
    return Retention(days);
}

std::string Pruned::text() const {
    return checked(std::format("hanse-pruned v1\nminimum {}\ndays {}\n", minimum, retention.days().count()));
}

base::Result<Pruned> Pruned::parse(std::string_view text) {
    constexpr std::string_view first = "hanse-pruned v1\n";
    std::string_view rest = text;
    rest.remove_prefix(std::min(first.size(), rest.size()));
    const auto minimum = take(rest, "minimum");
    const auto days = minimum ? take(rest, "days") : std::nullopt;
    const auto retention = days && *days < 100'000 ? Retention::create(std::chrono::days(*days)) : base::fail(base::ErrorKind::corrupt, {});
    if (retention && *minimum % RecordStore::records_per_file == 0)
        if (Pruned made{*minimum, *retention}; made.text() == text) return made;
    return base::fail(base::ErrorKind::corrupt, "this is not what was pruned of a log, or it is damaged");
}

base::Result<std::optional<Pruned>> read_pruned(base::Disk& disk, const std::filesystem::path& folder) {
    const auto whole = disk.read_whole(folder / "pruned", 4096);
    if (!whole && whole.error().kind == base::ErrorKind::not_found) return std::nullopt;
    if (!whole) return std::unexpected(whole.error());
    auto pruned = Pruned::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
    if (!pruned) return base::fail(base::ErrorKind::corrupt, std::format("{}: {}", (folder / "pruned").string(), pruned.error().message));
    return std::move(*pruned);
}

}  // namespace hanse::journal
