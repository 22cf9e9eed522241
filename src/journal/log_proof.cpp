// SPDX-License-Identifier: Apache-2.0
#include "journal/log_proof.hpp"

#include <algorithm>
#include <format>

#include "number.hpp"

namespace hanse::journal {
namespace {
constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::size_t hashes_max = 63;
}  // namespace

std::string LogProof::text() const {
    std::string text = std::format("{}\n", first_line);
    if (extra) text += std::format("extra {}\n", base::base64(*extra));
    text += std::format("index {}\n", index);
    for (const Hash& hash : hashes) text += base::base64(hash) + "\n";
    return text + "\n" + checkpoint;
}

base::Result<LogProof> LogProof::parse(std::string_view text) {
    const auto refuse = [](int line, std::string_view what) {
        return base::fail(base::ErrorKind::corrupt, std::format("line {} of the proof {}", line, what));
    };
    if (text.size() > 2 << 20) return base::fail(base::ErrorKind::corrupt, "a proof has at most 2 MiB");
    LogProof made;
    bool indexed = false;
    for (int number = 1;; ++number) {
        const auto end = text.find('\n');
        if (end == text.npos) return refuse(number, "has no end");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (number == 1) {
            if (line != first_line) return refuse(number, "is not c2sp.org/tlog-proof@v1");
        } else if (number == 2 && line.starts_with("extra ")) {
            made.extra = base::from_base64(line.substr(6));
            if (!made.extra) return refuse(number, "has no base64 after extra");
        } else if (!indexed) {
            const auto index = line.starts_with("index ") ? decimal(line.substr(6)) : std::nullopt;
            if (!index) return refuse(number, "gives no index");
            made.index = *index;
            indexed = true;
        } else if (line.empty()) {
            break;
        } else {
            const auto bytes = base::from_base64(line);
            if (!bytes || bytes->size() != sizeof(Hash)) return refuse(number, "is no hash");
            if (made.hashes.size() == hashes_max) return refuse(number, "is one hash too many");
            std::ranges::copy(*bytes, made.hashes.emplace_back().begin());
        }
    }
    made.checkpoint = text;
    return made;
}

}  // namespace hanse::journal
