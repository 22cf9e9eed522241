// SPDX-License-Identifier: Apache-2.0
#include "node/orders.hpp"

#include <format>
#include <glaze/glaze.hpp>

#include "base/encoding.hpp"
#include "catalog/files.hpp"
#include "order_file.hpp"
#include "records.hpp"

namespace hanse::node {
namespace fs = std::filesystem;
using base::Result;

namespace {

constexpr std::size_t file_max = 64 << 10;
constexpr auto lenient = glz::opts{.null_terminated = false, .error_on_unknown_keys = false};

fs::path answer_of(fs::path order) { return order.replace_extension(".answer"); }

template <typename T>
Result<T> read(const fs::path& file) {
    const auto text = catalog::read_file_whole(file, file_max);
    if (!text) return std::unexpected(text.error());
    T value;
    if (glz::read<lenient>(value, *text)) return base::fail(base::ErrorKind::corrupt, file.string() + " does not read");
    return value;
}

template <typename T>
Result<void> write(const fs::path& file, const T& value) {
    std::string json;
    if (glz::write_json(value, json)) return base::fail(base::ErrorKind::bug, "an order cannot be written");
    return catalog::write_file_whole(file, json + "\n", 0600);
}

Result<std::uint64_t> ask_node(const OrderParts& parts, const Order& order) {
    std::error_code error;
    fs::create_directories(parts.data.orders(), error);
    if (error) return base::fail(base::ErrorKind::denied, std::format("cannot make {}: {}", parts.data.orders().string(), error.message()));
    const std::uint64_t number = parts.random.next();
    const fs::path file = parts.data.orders() / (base::hex(std::as_bytes(std::span(&number, 1))) + std::string(order_extension));
    if (auto written = write(file, order); !written) return std::unexpected(written.error());
    while (!fs::exists(answer_of(file), error)) {
        if (parts.wait()) continue;
        fs::remove(file, error);
        return base::fail(base::ErrorKind::unavailable, "the node did not answer", "no_answer");
    }
    const auto answer = read<OrderAnswer>(answer_of(file));
    fs::remove(answer_of(file), error);
    if (!answer) return std::unexpected(answer.error());
    if (!answer->error.empty()) return base::fail(static_cast<base::ErrorKind>(answer->kind), answer->error);
    return answer->index;
}

// By the running node, or here where none runs.
Result<std::uint64_t> carry_out(const OrderParts& parts, const Order& order) {
    auto lock = DataLock::take(parts.data);
    if (!lock && lock.error().code == "already_running") return ask_node(parts, order);
    if (!lock) return std::unexpected(lock.error());
    auto records = Records::open({.data = parts.data,
                                  .identity = parts.config.identity,
                                  .journal = parts.config.journal,
                                  .environment = parts.environment,
                                  .clock = parts.clock,
                                  .random = parts.random,
                                  .log = base::silent_log()});
    if (!records) return std::unexpected(records.error());
    return (*records)->carry_out(order);
}

}  // namespace

Result<Order> read_order(const fs::path& file) { return read<Order>(file); }
Result<void> write_answer(const fs::path& order, const OrderAnswer& answer) { return write(answer_of(order), answer); }

Result<std::uint64_t> erase(const OrderParts& parts, const EraseOrder& order) {
    return carry_out(parts, {.what = "erase", .record = order.record, .reason = order.reason});
}

Result<std::uint64_t> prune(const OrderParts& parts, const PruneOrder& order) {
    if (auto allowed = retention_for(parts.config.journal, order.days); !allowed) return std::unexpected(allowed.error());
    return carry_out(parts, {.what = "prune", .days = order.days});
}

}  // namespace hanse::node
