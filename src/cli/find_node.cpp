// SPDX-License-Identifier: Apache-2.0
#include "find_node.hpp"

#include <charconv>
#include <csignal>
#include <format>
#include <signal.h>

#include "catalog/files.hpp"

namespace hanse::cli {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");
struct sigaction before = {};

void on_interrupt(int) { interrupted.store(true); }

// VmRSS of /proc/PID/status, in kB.
std::optional<double> resident_bytes(std::int64_t pid) {
    const auto status = catalog::read_file_whole(std::format("/proc/{}/status", pid), 64 << 10);
    if (!status) return {};
    auto at = status->find("VmRSS:");
    if (at == std::string::npos) return {};
    at = status->find_first_of("0123456789", at);
    double kilobytes = 0;
    if (at == std::string::npos || std::from_chars(status->data() + at, status->data() + status->size(), kilobytes).ec != std::errc{}) return {};
    return kilobytes * 1024;
}

}  // namespace

InterruptFlag::InterruptFlag() {
    interrupted.store(false);
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &before);
}

InterruptFlag::~InterruptFlag() { ::sigaction(SIGINT, &before, nullptr); }
const std::atomic<bool>& InterruptFlag::flag() const { return interrupted; }
void InterruptFlag::clear() { interrupted.store(false); }

std::expected<FoundNode, Exit> find_node(const Context& context, const NodeOptions& options) {
    std::string url = options.url.empty() ? context.variable("HANSE_URL") : options.url;
    std::optional<node::RunningNode> local;
    if (url.empty()) {
        const auto data = context.data();
        if (!data) return std::unexpected(fail(context, data.error()));
        local = node::running_node(*data);
        if (!local) {
            const std::string folder = data->root.string();
            if (context.json) return std::unexpected(fail(context, {base::ErrorKind::unavailable, context.say(Say::no_node, folder), "no_node", {}, {}}));
            tell("hanse: " + context.say(Say::no_node, folder));
            tell(context.say(Say::no_node_hint));
            return std::unexpected(Exit::unavailable);
        }
        url = local->url;
    }
    std::string key = options.key.empty() ? context.variable("HANSE_API_KEY") : options.key;
    auto client = NodeClient::open(url, std::move(key), options.ca_file);
    if (!client) return std::unexpected(fail(context, client.error()));
    return FoundNode{std::move(*client), std::move(url), std::move(local)};
}

Exit fail_at_node(const Context& context, const FoundNode& node, const base::Error& error) {
    base::Error told = error;
    if (error.kind == base::ErrorKind::unavailable && error.code.empty()) told.message = context.say(Say::node_unreachable, node.url, error.message);
    const Exit code = fail(context, told);
    if (error.kind == base::ErrorKind::unauthenticated && !context.json) tell(context.say(Say::key_needed));
    return code;
}

std::expected<std::string, Exit> choose_model(const Context& context, FoundNode& node, const std::string& wanted) {
    if (!wanted.empty()) return wanted;
    const auto models = node.client.models();
    if (!models) return std::unexpected(fail_at_node(context, node, models.error()));
    if (models->empty()) return std::unexpected(fail(context, {base::ErrorKind::not_found, context.say(Say::no_models), "no_model", {}, {}}));
    return models->front();
}

std::optional<double> memory_of(FoundNode& node) {
    if (auto told = node.client.memory_bytes()) return told;
    return node.local ? resident_bytes(node.local->pid) : std::nullopt;
}

}  // namespace hanse::cli
