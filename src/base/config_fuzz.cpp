// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "base/config.hpp"

using namespace hanse::base;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string name;
    std::uint16_t port = 0;
    bool flag = false;
    std::uint64_t bytes = 0;
    std::chrono::milliseconds span{0};
    std::vector<std::string> list;
    std::vector<std::pair<std::string, std::string>> pairs;
    const auto read = [&](ConfigTable& root) {
        root.table("server", [&](ConfigTable& server) {
            server.text("address", name);
            server.integer("port", port, 0, 65535);
            server.boolean("flag", flag);
            server.texts("list", list);
        });
        root.tables("models", "name", [&](ConfigTable& model) {
            model.text("name", name);
            model.bytes("memory", bytes);
            model.duration("span", span, std::chrono::milliseconds{0}, std::chrono::hours{1});
            model.map("pairs", pairs);
        });
    };
    (void)read_config(text, "fuzz.toml", "HANSE", {}, read);
    (void)parse_bytes(text);
    (void)parse_duration(text);
    return 0;
}
