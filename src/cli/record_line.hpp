// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.hpp"
#include "base/result.hpp"
#include "context.hpp"
#include "journal/record_store.hpp"

namespace hanse::cli {

// A record of the journal as the commands read it (docs/journal.md); what a kind does not have stays empty.
struct RecordLine {
    struct Model {
        std::string name = {};
        std::string digest = {};
        std::string backend = {};
    };
    struct Digest {
        std::string salt = {};
        std::string hmac_sha256 = {};
    };
    struct Tokens {
        std::uint64_t prompt = 0;
        std::uint64_t cached = 0;
        std::uint64_t completion = 0;
    };
    struct Energy {
        std::uint64_t millijoules = 0;
        std::string how = {};
    };
    std::string kind = {};
    std::string id = {};
    std::string time = {};
    std::string node = {};
    std::string task = {};
    std::string route = {};
    std::string caller = {};
    std::string place = {};
    std::string label = {};
    std::string decision = {};
    std::string outcome = {};
    std::string began = {};
    std::string kept_until = {};
    std::string output_form = {};
    std::string reason = {};
    std::string what = {};
    std::string key = {};
    std::string record = {};
    std::string profile = {};
    Model model_of_answer = {};
    std::string model = {};  // of the other kinds
    std::vector<std::string> transformations = {};
    std::vector<std::string> parents = {};
    std::optional<Digest> input = {};
    std::vector<Digest> outputs = {};
    Tokens tokens = {};
    std::optional<Energy> energy = {};
    std::uint64_t took_ms = 0;
};
// `corrupt` if it is no record.
base::Result<RecordLine> read_record_line(std::string_view json);
// Whether a text is the one that a salted digest is of.
bool fits(const RecordLine::Digest& digest, std::string_view text);
// What happened, in one line without time and id.
std::string summary(const Context& context, const RecordLine& line);

// Reads the records of a log in their order, from one on or the first that was not pruned, beside a node that writes. `each` says whether to go on.
base::Result<void> each_record(base::Disk& disk, const std::filesystem::path& journal, std::uint64_t from,
                               const std::function<bool(const journal::StoredRecord&)>& each);

}  // namespace hanse::cli
