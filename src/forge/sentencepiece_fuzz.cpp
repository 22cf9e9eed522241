// SPDX-License-Identifier: Apache-2.0
#include "sentencepiece.hpp"

#include <cstddef>
#include <cstdint>

// What is read can be written, and is read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::forge;
    const auto model = parse_sentencepiece(std::as_bytes(std::span(data, size)));
    if (!model) return 0;
    const std::string written = write_sentencepiece(*model);
    const auto again = parse_sentencepiece(std::as_bytes(std::span(written)));
    if (!again || again->pieces.size() != model->pieces.size() || again->kind != model->kind ||
        again->add_dummy_prefix != model->add_dummy_prefix)
        __builtin_trap();
    for (std::size_t i = 0; i < model->pieces.size(); ++i)
        if (again->pieces[i].text != model->pieces[i].text || again->pieces[i].type != model->pieces[i].type) __builtin_trap();
    return 0;
}
