// SPDX-License-Identifier: Apache-2.0
#include "declassify.hpp"

#include <algorithm>
#include <format>

#include "label/reasons.hpp"
#include "task/declassifications.hpp"

namespace hanse::api {
namespace {

constexpr std::string_view header = "hanse-declassification";
constexpr std::size_t named_max = 8;

base::Error not_taken() { return {base::ErrorKind::denied, "this node takes no declassifications", "declassification_refused", {}, {}}; }

}  // namespace

boost::asio::awaitable<void> serve_declassifications(Call& call) {
    call.task.rules = call.around.desk.rules();
    base::Result<task::Declassified> held = std::unexpected(not_taken());
    base::Result<void> may;
    // Signatures cost something to check: a key's limits count here too.
    if (call.task.key) may = call.task.key->take(call.began, call.record.when);
    auto* book = call.around.desk.declassifications();
    if (!may) held = std::unexpected(may.error());
    else if (book != nullptr) held = book->present(call.exchange.request().body, call.task.rules->policy(), call.unix_time());
    if (!held) {
        co_await call.refuse(std::move(held.error()));
        co_return;
    }
    co_await call.answer(200, std::format(R"({{"object":"hanse.declassification","id":{},"scope":{},"expires":{}}})",
                                          label::json_text(held->id), label::json_text(label::name(held->scope)), held->expiry));
}

base::Result<void> loosen_by_header(Call& call, std::string_view body) {
    std::string_view rest = call.exchange.request().headers.get(header);
    if (rest.empty()) return {};
    const auto* book = call.around.desk.declassifications();
    if (book == nullptr) return std::unexpected(not_taken());
    const label::Policy& policy = call.task.rules->policy();
    const auto payload = task::digest_of(body);
    for (std::size_t count = 0; !rest.empty(); ++count) {
        if (count == named_max)
            return base::fail(base::ErrorKind::invalid, std::format("Hanse-Declassification names more than {}", named_max),
                              "invalid_header", "Hanse-Declassification");
        std::string_view id = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(id.size() + 1, rest.size()));
        while (id.starts_with(' ')) id.remove_prefix(1);
        while (id.ends_with(' ')) id.remove_suffix(1);
        auto loosened = book->loosen(id, payload, call.task.label, policy, call.unix_time());
        if (!loosened) {
            base::Error error = std::move(loosened.error());
            // An outsider learns nothing of how things are labelled here.
            if (call.task.rules->tells_own_people(call.task.key ? std::string_view(call.task.key->facts().place) : ""))
                error.message += std::format("; the request has the label {}", label::text(call.task.label, policy.words()));
            return std::unexpected(std::move(error));
        }
        call.task.label = std::move(loosened->label);
        call.task.declassified.push_back(std::move(loosened->by));
    }
    return {};
}

}  // namespace hanse::api
