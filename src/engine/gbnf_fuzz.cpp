// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "byte_vocabulary.hpp"
#include "grammar.hpp"

// Any text as a grammar: parsed, printed, compiled, and walked some steps by its own bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::engine;
    static const ByteVocabulary bytes;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto source = parse_gbnf(text);
    if (!source) return 0;
    const auto again = parse_gbnf(gbnf(*source));
    if (!again || gbnf(*again) != gbnf(*source)) __builtin_trap();
    ConstraintCompiler compiler(bytes.trie);
    auto matcher = compiler.matcher(GrammarText{std::string(text)});
    if (!matcher) return 0;
    for (std::size_t i = 0; i < 64 && i < size; ++i) {
        if (!matcher->accepts(data[i])) (void)matcher->allowed();
        (void)matcher->accept(data[i]);
        (void)matcher->forced_bytes(16);
    }
    return 0;
}
