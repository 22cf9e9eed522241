// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hanse::engine {

// Turns the bytes of tokens into text that may be handed on: whole characters only, and nothing that could
// still turn out to be the beginning of a stop string. Pure; one per answer.
class TextAssembly {
public:
    explicit TextAssembly(std::vector<std::string> stop);

    // What may go out now is appended to `out`. After stopped() nothing comes any more.
    void feed(std::string_view bytes, std::string& out);
    // The rest at the end of the answer; a character that never became whole comes as U+FFFD.
    void finish(std::string& out);
    const std::optional<std::string>& stopped() const { return stopped_; }

private:
    std::vector<std::string> stop_;
    std::size_t longest_ = 0;
    std::string held_;
    std::optional<std::string> stopped_;
};

}  // namespace hanse::engine
