// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <format>
#include <string>

#include "base/random.hpp"
#include "journal/log.hpp"

// What tests of the log share.
namespace hanse::journal {

inline LogKeys sample_keys(std::uint64_t seed = 11) {
    base::SeededRandom random(seed);
    const auto text = crypto::new_key_file(LogKeys::purpose, "hanse.example/journal", LogKeys::algorithms, {}, random);
    const auto bytes = text->reveal();
    return *LogKeys::from_keys(*crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({}));
}

// The n-th record of a sample: texts of many lengths, ids that say their time.
inline NewRecord sample_record(std::uint64_t n) {
    NewRecord record{.time_ms = 1'700'000'000'000 + n * 10,
                     .text = std::format("{{\"n\":{},\"pad\":\"{}\"}}", n, std::string(n * 37 % 400, 'x'))};
    for (std::size_t i = 0; i < 6; ++i) record.id[i] = static_cast<std::byte>(record.time_ms >> (40 - 8 * i));
    for (std::size_t i = 0; i < 8; ++i) record.id[8 + i] = static_cast<std::byte>(n >> (56 - 8 * i));
    return record;
}
inline std::vector<NewRecord> sample_records(std::uint64_t from, std::uint64_t count) {
    std::vector<NewRecord> records;
    for (std::uint64_t i = 0; i < count; ++i) records.push_back(sample_record(from + i));
    return records;
}

inline base::WallTime sample_time(std::int64_t seconds = 1'700'000'000) { return base::WallTime{} + std::chrono::seconds(seconds); }

}  // namespace hanse::journal
