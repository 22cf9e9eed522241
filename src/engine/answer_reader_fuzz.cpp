// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/answer_reader.hpp"

namespace {

std::string told(std::string_view format, std::string_view text, std::size_t piece) {
    hanse::engine::AnswerReader reader(format, true, false, "seed");
    std::string out;
    std::size_t last = 99;
    const auto tell = [&](const auto& parts) {
        for (const auto& part : parts) {
            if (part.index() != last || part.index() == 2) out += static_cast<char>('0' + part.index());
            last = part.index();
            std::visit([&](const auto& p) { if constexpr (requires { p.text; }) out += p.text; else out += p.name; }, part);
        }
    };
    for (std::size_t at = 0; at < text.size(); at += piece) tell(reader.feed(text.substr(at, piece)));
    tell(reader.finish());
    return out;
}

}  // namespace

// However the text is cut, the same parts come out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static constexpr std::string_view formats[] = {"plain", "hermes think", "llama", "mistral mistral-think", "apertus inner"};
    const auto format = formats[data[0] % 5];
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = told(format, text, text.size() + 1);
    if (told(format, text, 1) != whole || told(format, text, 7) != whole) __builtin_trap();
    return 0;
}
