// SPDX-License-Identifier: Apache-2.0
#include "json_document.hpp"

#include <format>

namespace hanse::engine {

base::Result<nlohmann::ordered_json> parse_json(std::string_view text, std::string_view what) {
    using Json = nlohmann::ordered_json;
    constexpr int depth_max = 256;
    bool too_deep = false;
    const auto keep = [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > depth_max;
        return depth <= depth_max;
    };
    auto value = Json::parse(text, keep, false);
    if (too_deep) return base::fail(base::ErrorKind::invalid, std::format("{} is nested deeper than {} levels", what, depth_max));
    if (value.is_discarded()) return base::fail(base::ErrorKind::invalid, std::format("{} is no valid JSON", what));
    return value;
}

}  // namespace hanse::engine
