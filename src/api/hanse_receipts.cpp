// SPDX-License-Identifier: Apache-2.0
#include "hanse_receipts.hpp"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <format>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admission.hpp"
#include "fields.hpp"
#include "journal/tile.hpp"

namespace hanse::api {
namespace {

constexpr std::string_view cose = "application/cose; cose-type=\"cose-sign1\"";  // RFC 9052, section 11.3
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

// In which form a receipt is asked for: as it is, or the place alone, signed with an algorithm.
base::Result<std::optional<crypto::Algorithm>> form_of(const net::Request& request) {
    std::string_view form = request.headers.get("accept").contains("application/cose") ? "cose" : "tlog-proof";
    std::string_view algorithm = "ed25519";
    for (std::string_view rest = request.query; !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
        if (pair.substr(0, equals) == "form") form = value;
        if (pair.substr(0, equals) == "algorithm") algorithm = value;
    }
    if (form == "tlog-proof") return std::nullopt;
    if (form != "cose") return base::fail(base::ErrorKind::invalid, "form must be tlog-proof or cose", "invalid_form", "form");
    const auto known = crypto::algorithm_named(algorithm);
    if (known == crypto::Algorithm::ed25519 || known == crypto::Algorithm::ml_dsa_44) return known;
    return base::fail(base::ErrorKind::invalid, "algorithm must be ed25519 or ml-dsa-44", "invalid_algorithm", "algorithm");
}

// The journal answers on its own thread; this coroutine goes on on its own.
boost::asio::awaitable<base::Result<base::Bytes>> cose_receipt(journal::Journal& log, journal::RecordId id, crypto::Algorithm algorithm) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(base::Result<base::Bytes>)>(
        [&log, id, algorithm](auto handler) {
            auto kept = std::make_shared<decltype(handler)>(std::move(handler));
            log.cose_receipt(id, algorithm, [kept](base::Result<base::Bytes> bytes) {
                auto executor = boost::asio::get_associated_executor(*kept);
                boost::asio::post(executor, [kept, bytes = std::move(bytes)]() mutable { std::move (*kept)(std::move(bytes)); });
            });
        },
        boost::asio::use_awaitable);
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

boost::asio::awaitable<void> serve_receipt(Call& call, journal::Journal* log) {
    const auto id = journal::record_id_of(call.path_id);
    if (auto entered = read_label(call); !entered) {
        co_await call.refuse(std::move(entered.error()));
        co_return;
    }
    if (!id) {
        co_await call.refuse(no_receipt());
        co_return;
    }
    const auto form = form_of(call.exchange.request());
    if (!form) {
        co_await call.refuse(form.error());
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
    if (!*form || log == nullptr) {
        co_await send(call, "text/plain; charset=utf-8", "private, no-cache", std::move(found->receipt));
        co_return;
    }
    auto place = co_await cose_receipt(*log, *id, **form);
    if (!place) {
        co_await call.refuse(std::move(place.error()));
        co_return;
    }
    co_await send(call, cose, "private, no-cache", std::string(reinterpret_cast<const char*>(place->data()), place->size()));
}

boost::asio::awaitable<void> serve_journal(Call& call, Service::Parts::JournalFolder journal) {
    const bool pruned = call.path_id == "pruned";
    const bool checkpoint = pruned || call.path_id == "checkpoint";
    const auto tile = checkpoint ? std::nullopt : journal::TileName::parse(call.path_id);
    auto bytes = base::Result<base::Bytes>(base::fail(base::ErrorKind::not_found, {}));
    // The size of the log tells how much is asked: as with the counts of /metrics, a key with a place of its own is a guest's.
    const bool house = call.task.key ? call.task.key->facts().place.empty() : !call.around.options.require_keys;
    if (!house && !call.around.options.open_journal) journal.disk = nullptr;
    // A name that reads is one of a file of the log: no other path can be built from it. The read is of a few kilobytes.
    if (journal.disk != nullptr && (checkpoint || tile)) bytes = journal.disk->read_whole(journal.folder / (tile ? std::filesystem::path(tile->path()) : std::filesystem::path(pruned ? "pruned" : "checkpoint")), file_max);
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
