// SPDX-License-Identifier: Apache-2.0
#include "catalog/ngram_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <format>
#include <limits>

namespace hanse::catalog {
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::string_view magic = "hanse-ngrams 1\n";
constexpr std::uint32_t owners_max = 4096;
constexpr std::size_t name_max = 256;
// How many observations the order below is worth. Small values trust rare runs more; results hardly depend on it.
constexpr double trust = 4.0;

std::size_t cell(std::uint8_t first, std::uint8_t second, std::uint8_t third) {
    const auto key = static_cast<std::uint32_t>(first) << 16 | static_cast<std::uint32_t>(second) << 8 | third;
    return key * 0x9E3779B1U >> (32 - std::countr_zero(NgramCounts::cells));
}

void count(std::uint32_t& value, std::uint64_t more) {
    value = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{value} + more, std::numeric_limits<std::uint32_t>::max()));
}

std::unexpected<base::Error> wrong(std::string_view field, std::string_view what) {
    return fail(ErrorKind::corrupt, std::format("n-gram table, {}: {}", field, what), "invalid_ngrams", std::string(field));
}

template <typename T>
void put(base::Bytes& to, T value) {
    static_assert(std::endian::native == std::endian::little);
    const auto bytes = std::as_bytes(std::span(&value, 1));
    to.insert(to.end(), bytes.begin(), bytes.end());
}

void put_varint(base::Bytes& to, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::byte>(value | 0x80));
    to.push_back(static_cast<std::byte>(value));
}

void put_counts(base::Bytes& to, std::span<const std::uint32_t> counts) {
    put(to, static_cast<std::uint32_t>(counts.size() - static_cast<std::size_t>(std::ranges::count(counts, 0U))));
    std::size_t last = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] == 0) continue;
        put_varint(to, i - last);
        put_varint(to, counts[i]);
        last = i;
    }
}

class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : left_(bytes) {}
    std::size_t left() const { return left_.size(); }
    bool take(std::span<const std::byte>& to, std::size_t count) {
        if (count > left_.size()) return false;
        to = left_.first(count);
        left_ = left_.subspan(count);
        return true;
    }
    template <typename T>
    bool read(T& value) {
        std::span<const std::byte> bytes;
        if (!take(bytes, sizeof(T))) return false;
        std::memcpy(&value, bytes.data(), sizeof(T));
        return true;
    }
    // In its shortest form, below 2^32.
    bool varint(std::uint32_t& value) {
        std::uint64_t sum = 0;
        for (unsigned shift = 0; shift < 35; shift += 7) {
            std::uint8_t byte = 0;
            if (!read(byte)) return false;
            sum |= std::uint64_t{byte & 0x7FU} << shift;
            if ((byte & 0x80) != 0) continue;
            if ((byte == 0 && shift > 0) || sum > std::numeric_limits<std::uint32_t>::max()) return false;
            value = static_cast<std::uint32_t>(sum);
            return true;
        }
        return false;
    }

private:
    std::span<const std::byte> left_;
};

Result<void> read_counts(Reader& in, std::vector<std::uint32_t>& counts, std::string_view field) {
    std::uint32_t entries = 0;
    if (!in.read(entries)) return wrong(field, "the table ends within it");
    if (entries > counts.size()) return wrong(field, std::format("{} entries are more than there are places", entries));
    std::uint64_t place = 0;
    for (std::uint32_t i = 0; i < entries; ++i) {
        std::uint32_t step = 0;
        std::uint32_t value = 0;
        if (!in.varint(step) || !in.varint(value)) return wrong(field, "an entry is cut off or not in its shortest form");
        place += step;
        if (i > 0 && step == 0) return wrong(field, "a place is given twice");
        if (place >= counts.size()) return wrong(field, std::format("the place {} is beyond the last", place));
        if (value == 0) return wrong(field, "a count of 0 must be left out");
        counts[place] = value;
    }
    return {};
}

}  // namespace

NgramCounts::NgramCounts() : singles_(256), pairs_(65'536), triples_(cells) {}

void NgramCounts::add(std::string_view text) {
    bytes_ += text.size();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto third = static_cast<std::uint8_t>(text[i]);
        count(singles_[third], 1);
        if (i == 0) continue;
        const auto second = static_cast<std::uint8_t>(text[i - 1]);
        count(pairs_[static_cast<std::size_t>(second) << 8 | third], 1);
        if (i > 1) count(triples_[cell(static_cast<std::uint8_t>(text[i - 2]), second, third)], 1);
    }
}

void NgramCounts::add(const NgramCounts& other) {
    bytes_ += other.bytes_;
    for (std::size_t i = 0; i < singles_.size(); ++i) count(singles_[i], other.singles_[i]);
    for (std::size_t i = 0; i < pairs_.size(); ++i) count(pairs_[i], other.pairs_[i]);
    for (std::size_t i = 0; i < triples_.size(); ++i) count(triples_[i], other.triples_[i]);
}

double NgramCounts::log_likelihood(std::string_view text) const {
    if (text.empty()) return 0;
    double total = 0;
    for (const auto one : singles_) total += one;
    double sum = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto third = static_cast<std::uint8_t>(text[i]);
        double p = (singles_[third] + trust / 256) / (total + trust);
        if (i > 0) {
            const auto second = static_cast<std::uint8_t>(text[i - 1]);
            const auto pair = std::min(pairs_[static_cast<std::size_t>(second) << 8 | third], singles_[second]);
            p = (pair + trust * p) / (singles_[second] + trust);
            if (i > 1) {
                const auto first = static_cast<std::uint8_t>(text[i - 2]);
                const auto before = pairs_[static_cast<std::size_t>(first) << 8 | second];
                // Other runs may share the cell, but there were no more than their beginning.
                p = (std::min(triples_[cell(first, second, third)], before) + trust * p) / (before + trust);
            }
        }
        sum += std::log(p);
    }
    return sum / static_cast<double>(text.size());
}

base::Result<void> NgramTable::join(std::string_view owner, NgramCounts counts) {
    if (owner.empty() || owner.size() > name_max || !base::is_valid_utf8(owner))
        return fail(ErrorKind::invalid, std::format("an owner's name has 1 to {} bytes of UTF-8", name_max));
    const auto place = std::ranges::lower_bound(entries_, owner, {}, [](const Entry& one) { return std::string_view(one.owner); });
    if (place != entries_.end() && place->owner == owner) return fail(ErrorKind::invalid, std::format("{} has joined already", owner));
    if (entries_.size() == owners_max) return fail(ErrorKind::invalid, std::format("a table has at most {} owners", owners_max));
    entries_.insert(place, {std::string(owner), std::move(counts)});
    return {};
}

base::Result<void> NgramTable::leave(std::string_view owner) {
    const auto place = std::ranges::find(entries_, owner, &Entry::owner);
    if (place == entries_.end()) return fail(ErrorKind::not_found, std::format("{} is no owner in this table", owner));
    entries_.erase(place);
    return {};
}

const NgramCounts* NgramTable::find(std::string_view owner) const {
    const auto place = std::ranges::find(entries_, owner, &Entry::owner);
    return place == entries_.end() ? nullptr : &place->counts;
}

std::vector<std::string> NgramTable::owners() const {
    std::vector<std::string> names;
    for (const auto& one : entries_) names.push_back(one.owner);
    return names;
}

std::vector<NgramTable::Score> NgramTable::scores(std::string_view text, std::size_t most) const {
    text = text.substr(0, most);
    std::vector<Score> scores;
    for (const auto& one : entries_) scores.push_back({one.owner, one.counts.log_likelihood(text), 0});
    std::ranges::stable_sort(scores, std::greater(), &Score::log_likelihood);
    double sum = 0;
    for (auto& one : scores)
        sum += one.probability = std::exp((one.log_likelihood - scores.front().log_likelihood) * static_cast<double>(text.size()));
    for (auto& one : scores) one.probability /= sum;
    return scores;
}

base::Bytes NgramTable::to_bytes() const {
    const auto head = base::bytes_of(magic);
    base::Bytes out(head.begin(), head.end());
    put(out, static_cast<std::uint32_t>(entries_.size()));
    for (const auto& [owner, counts] : entries_) {
        put(out, static_cast<std::uint16_t>(owner.size()));
        const auto name = base::bytes_of(owner);
        out.insert(out.end(), name.begin(), name.end());
        put(out, counts.bytes_);
        put_counts(out, counts.singles_);
        put_counts(out, counts.pairs_);
        put_counts(out, counts.triples_);
    }
    return out;
}

base::Result<NgramTable> NgramTable::parse(std::span<const std::byte> bytes) {
    Reader in(bytes);
    std::span<const std::byte> head;
    if (!in.take(head, magic.size()) || !std::ranges::equal(head, base::bytes_of(magic))) return wrong("magic", "this is no n-gram table");
    std::uint32_t owners = 0;
    if (!in.read(owners)) return wrong("owners", "the table ends within it");
    if (owners > owners_max || owners > in.left() / 23) return wrong("owners", std::format("{} are more than the table can hold", owners));
    NgramTable table;
    for (std::uint32_t i = 0; i < owners; ++i) {
        const auto field = std::format("owner {}", i);
        std::uint16_t length = 0;
        std::span<const std::byte> name;
        NgramCounts counts;
        if (!in.read(length) || !in.take(name, length) || !in.read(counts.bytes_)) return wrong(field, "the table ends within it");
        const std::string_view owner(reinterpret_cast<const char*>(name.data()), name.size());
        if (owner.empty() || owner.size() > name_max || !base::is_valid_utf8(owner)) return wrong(field, "the name is unsound");
        if (!table.entries_.empty() && table.entries_.back().owner >= owner) return wrong(field, "the names do not rise");
        for (auto* one : {&counts.singles_, &counts.pairs_, &counts.triples_})
            if (auto done = read_counts(in, *one, field); !done) return std::unexpected(done.error());
        table.entries_.push_back({std::string(owner), std::move(counts)});
    }
    if (in.left() != 0) return wrong("end", std::format("{} bytes follow the last owner", in.left()));
    return table;
}

}  // namespace hanse::catalog
