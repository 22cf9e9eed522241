// SPDX-License-Identifier: Apache-2.0
#include "chat_template.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

// The first half is a template, the second a message; and the message once more through ChatML with a tool.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::engine;
    static const auto chatml = ChatTemplate::compile({});
    const std::string text(reinterpret_cast<const char*>(data), size / 2);
    const std::string message(reinterpret_cast<const char*>(data) + size / 2, size - size / 2);
    const Conversation conversation{.messages = {{.role = Role::system, .text = message},
                                                 {.role = Role::assistant, .text = "", .tool_calls = {{message, message, message}}},
                                                 {.role = Role::tool, .text = message, .tool_call_id = message}},
                                    .tools = {{message, message, message}},
                                    .template_arguments = {}};
    (void)chatml->render(conversation, {});
    if (const auto own = ChatTemplate::compile({.text = text, .bos = "<s>", .eos = "</s>"})) (void)own->render(conversation, {});
    return 0;
}
