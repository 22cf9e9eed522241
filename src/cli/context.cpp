// SPDX-License-Identifier: Apache-2.0
#include "context.hpp"

#include <cerrno>
#include <cstdlib>
#include <format>
#include <unistd.h>

#include "base/encoding.hpp"
#include "node/config.hpp"

namespace hanse::cli {
namespace {

void write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EPIPE) std::_Exit(0);  // as `hanse ask … | head -1` wants it
        if (written < 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

std::string Context::variable(std::string_view name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

base::Result<node::DataDirectory> Context::data() const {
    auto data = node::data_directory(data_option, environment);
    if (!data || !data_option.empty() || !variable("HANSE_DATA").empty()) return data;
    // Only then may the configuration say where; if it is wrong, the command that needs it will tell.
    const auto config = node::load_config(node::config_file(config_option, *data, environment), node::FileMust::may_miss, environment);
    if (config && !config->data_directory.empty()) data->root = config->data_directory;
    return data;
}

void put(std::string_view text) { write_all(1, text); }
void put_line(std::string_view text) { write_all(1, std::string(text) + "\n"); }
void tell(std::string_view text) { write_all(2, std::string(text) + "\n"); }

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : base::repaired_utf8(text)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (byte < 0x20 || byte == 0x7f) out += std::format("\\u{:04x}", byte);
        else out += c;
    }
    return out + "\"";
}

Exit fail(const Context& context, const base::Error& error) {
    if (context.json) put_line(std::format("{{\"error\":{{\"kind\":{},\"code\":{},\"message\":{}}}}}", json_text(base::name(error.kind)), json_text(error.code), json_text(error.message)));
    else tell("hanse: " + error.message);
    return exit_for(error.kind);
}

}  // namespace hanse::cli
