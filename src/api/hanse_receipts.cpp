// SPDX-License-Identifier: Apache-2.0
#include "hanse_receipts.hpp"

#include <optional>
#include <string>
#include <string_view>

#include "admission.hpp"
#include "fields.hpp"
#include "journal/tile.hpp"

namespace hanse::api {
namespace {

constexpr std::size_t file_max = 32U << 20;

base::Error no_receipt() { return {base::ErrorKind::not_found, "there is no receipt of this name for you", "receipt_not_found", "id", {}}; }

// What stands in a record about who may see it.
struct Reader {
    std::string kind;
    std::string caller;
    std::string label;
};
base::Result<Reader> reader_of(std::string_view record) {
    const auto document = JsonDocument::parse(record);
    if (!document) return std::unexpected(document.error());
    Complaint complaint;
    const JsonPath top;
    Fields fields(document->root(), top, complaint);
    return Reader{fields.string("kind").value_or(""), fields.string("caller").value_or(""), fields.string("label").value_or("")};
}

base::Result<void> may_have(const Call& call, std::string_view record) {
    const auto reader = reader_of(record);
    if (!reader || reader->caller != (call.task.key ? call.task.key->facts().id : std::string())) return std::unexpected(no_receipt());
    // A denial says no more than the refusal did.
    if (reader->kind == "denial") return {};
    const auto label = call.task.rules->policy().label(reader->label);
    if (reader->kind != "answer" || !label || !may_see(call, *label)) return std::unexpected(no_receipt());
    return {};
}

boost::asio::awaitable<void> send(Call& call, std::string_view type, std::string_view caching, std::string body) {
    net::Response response{200, call.common_headers(type), std::move(body)};
    response.headers.add("cache-control", caching);
    call.record.status = 200;
    call.record.bytes_out = response.body.size();
    auto sent = co_await call.exchange.respond(std::move(response));
    if (!sent) call.saw_cancel();
}

}  // namespace

boost::asio::awaitable<void> serve_receipt(Call& call) {
    const auto id = journal::record_id_of(call.path_id);
    if (auto entered = read_label(call); !entered) {
        co_await call.refuse(std::move(entered.error()));
        co_return;
    }
    if (!id) {
        co_await call.refuse(no_receipt());
        co_return;
    }
    auto found = co_await call.around.desk.receipt(*id);
    const bool broken = !found && found.error().kind != base::ErrorKind::not_found;
    if (broken) {
        co_await call.refuse(std::move(found.error()));
        co_return;
    }
    const auto allowed = found ? may_have(call, found->record) : std::unexpected(no_receipt());
    if (!allowed) {
        co_await call.refuse(allowed.error());
        co_return;
    }
    co_await send(call, "text/plain; charset=utf-8", "private, no-cache", std::move(found->receipt));
}

boost::asio::awaitable<void> serve_journal(Call& call, Service::Parts::JournalFolder journal) {
    const bool checkpoint = call.path_id == "checkpoint";
    const auto tile = checkpoint ? std::nullopt : journal::TileName::parse(call.path_id);
    auto bytes = base::Result<base::Bytes>(base::fail(base::ErrorKind::not_found, {}));
    // The size of the log tells how much is asked: as with the counts of /metrics, a key with a place of its own is a guest's.
    const bool house = call.task.key ? call.task.key->facts().place.empty() : !call.around.options.require_keys;
    if (!house && !call.around.options.open_journal) journal.disk = nullptr;
    // A name that reads is one of a file of the log: no other path can be built from it. The read is of a few kilobytes.
    if (journal.disk != nullptr && (checkpoint || tile)) bytes = journal.disk->read_whole(journal.folder / (checkpoint ? "checkpoint" : tile->path()), file_max);
    if (!bytes) {
        const bool absent = bytes.error().kind == base::ErrorKind::not_found;
        co_await call.refuse(absent ? base::Error{base::ErrorKind::not_found, "the journal has no such file", "unknown_url", {}, {}}
                                    : base::Error{base::ErrorKind::unavailable, "the journal cannot be read", "journal_unreadable", {}, {}});
        co_return;
    }
    std::string body(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    const std::string_view reach = call.around.options.open_journal ? "public" : "private";
    // A tile never changes, whole or in part; the checkpoint does with each record.
    const std::string caching = checkpoint ? std::string("no-cache") : std::string(reach) + ", max-age=31536000, immutable";
    co_await send(call, checkpoint ? "text/plain; charset=utf-8" : "application/octet-stream", caching, std::move(body));
}

}  // namespace hanse::api
