// SPDX-License-Identifier: Apache-2.0
#include "federation/qkd_client.hpp"

#include <algorithm>
#include <format>
#include <glaze/glaze.hpp>
#include <optional>

#include "base/encoding.hpp"
#include "net/mutual_client.hpp"

namespace hanse::federation {

using base::ErrorKind;
namespace asio = boost::asio;

// The names of fields are the standard's own (section 6).
struct QkdStatusBody {
    std::string source_KME_ID, target_KME_ID, master_SAE_ID, slave_SAE_ID;
    std::uint32_t key_size = 0, stored_key_count = 0, max_key_count = 0, max_key_per_request = 0, max_key_size = 0, min_key_size = 0,
                  max_SAE_ID_count = 0;
};
struct QkdKeyBody {
    std::string key_ID, key;
};
struct QkdContainerBody {
    std::vector<QkdKeyBody> keys;
};
struct QkdErrorBody {
    std::string message;
};
struct QkdKeyRequestBody {  // section 6.2
    std::optional<std::uint32_t> number, size;
    std::optional<std::vector<std::string>> additional_slave_SAE_IDs;
};
struct QkdKeyIdBody {
    std::string key_ID;
};
struct QkdKeyIdsBody {  // section 6.4
    std::vector<QkdKeyIdBody> key_IDs;
};

namespace {

constexpr glz::opts reading{.null_terminated = false, .error_on_unknown_keys = false, .error_on_missing_keys = true};
constexpr std::size_t answer_max = 1U << 20, keys_max = 1024;

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !std::string_view("0123456789abcdefABCDEF").contains(text[i])) return false;
    }
    return true;
}

std::string in_path(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        out += plain ? std::string(1, c) : std::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

base::Error refused(unsigned status, std::string_view body) {
    const std::string said = read_qkd_error(body);
    const std::string text = std::format("the key management entity says {}{}{}", status, said.empty() ? "" : ": ", said);
    if (status == 400) return {ErrorKind::invalid, text, "qkd_bad_request", {}, {}};
    if (status == 401 || status == 403) return {ErrorKind::denied, text, "qkd_unauthorised", {}, {}};
    return {ErrorKind::unavailable, text, "qkd_unavailable", {}, {}};
}

class ClientSource final : public QkdSource {
public:
    ClientSource(std::unique_ptr<QkdClient> client, std::vector<std::pair<std::string, std::string>> sae)
        : client_(std::move(client)),
          sae_(std::move(sae)) {}
    bool reaches(std::string_view member) const override {
        return std::ranges::contains(sae_, member, &std::pair<std::string, std::string>::first);
    }
    asio::awaitable<base::Result<QkdKey>> fresh(std::string member) override {
        auto keys = co_await client_->keys(sae_of(member), 1, 256);
        co_return one(std::move(keys), {});
    }
    asio::awaitable<base::Result<QkdKey>> by_id(std::string member, std::string id) override {
        auto keys = co_await client_->keys_with_ids(sae_of(member), {id});
        co_return one(std::move(keys), id);
    }

private:
    std::string sae_of(const std::string& member) const {
        return std::ranges::find(sae_, member, &std::pair<std::string, std::string>::first)->second;
    }
    static base::Result<QkdKey> one(base::Result<std::vector<QkdKey>> keys, const std::string& id) {
        if (!keys) return std::unexpected(keys.error());
        if (keys->size() != 1 || (!id.empty() && keys->front().id != id) || keys->front().key.reveal().size() < 32)
            return base::fail(ErrorKind::unavailable, "the key management entity gave another key than the one asked for");
        return std::move(keys->front());
    }
    std::unique_ptr<QkdClient> client_;
    std::vector<std::pair<std::string, std::string>> sae_;
};

}  // namespace

base::Result<QkdStatus> read_qkd_status(std::string_view json) {
    QkdStatusBody body;
    if (glz::read<reading>(body, json)) return base::fail(ErrorKind::corrupt, "the status is not as ETSI GS QKD 014 says");
    return QkdStatus{body.source_KME_ID, body.target_KME_ID,    body.master_SAE_ID,   body.slave_SAE_ID,
                     body.key_size,      body.stored_key_count, body.max_key_count,   body.max_key_per_request,
                     body.max_key_size,  body.min_key_size,     body.max_SAE_ID_count};
}

base::Result<std::vector<QkdKey>> read_qkd_keys(std::string_view json) {
    const auto wrong = [] { return base::fail(ErrorKind::corrupt, "the keys are not as ETSI GS QKD 014 says"); };
    QkdContainerBody body;
    if (glz::read<reading>(body, json) || body.keys.empty() || body.keys.size() > keys_max) return wrong();
    std::vector<QkdKey> keys;
    for (auto& each : body.keys) {
        auto bytes = base::from_base64(each.key);
        crypto::wipe(std::as_writable_bytes(std::span(each.key)));
        if (!bytes || bytes->empty() || !is_uuid(each.key_ID)) return wrong();
        keys.push_back({each.key_ID, crypto::Secret::copy_of(std::span<const std::byte>(*bytes))});
        crypto::wipe(*bytes);
    }
    return keys;
}

std::string read_qkd_error(std::string_view json) {
    QkdErrorBody body;
    if (glz::read<reading>(body, json)) return {};
    std::string said;
    for (const char c : body.message.substr(0, 200))
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) said += c;
    return base::repaired_utf8(said);
}

base::Result<std::unique_ptr<QkdClient>> QkdClient::open(Options options) {
    const auto url = net::Url::parse(options.url);
    if (!url) return std::unexpected(url.error());
    std::string base = url->path;
    while (base.ends_with('/')) base.pop_back();
    auto client = net::open_mutual_client(*url,
                                          {.connect_timeout = options.timeout,
                                           .head_timeout = options.timeout,
                                           .idle_timeout = options.timeout,
                                           .idle_connections_max = 2,
                                           .ca_file = options.ca_file,
                                           .allow_insecure = false},
                                          options.certificate, options.key);
    if (!client) return std::unexpected(client.error());
    return std::unique_ptr<QkdClient>(new QkdClient(std::move(options), std::move(base), std::move(*client)));
}

asio::awaitable<base::Result<std::string>> QkdClient::ask(net::Method method, std::string target, std::string body) {
    net::Headers headers;
    headers.add("accept", "application/json");
    if (method == net::Method::post) headers.add("content-type", "application/json");
    const auto limit = base::Deadline::after(options_.clock->now(), options_.timeout);
    auto answer = co_await client_->send({method, base_ + "/api/v1/keys/" + target, headers, body}, limit);
    if (!answer) co_return std::unexpected(answer.error());
    auto text = co_await (*answer)->read_all(answer_max);
    if (!text) co_return std::unexpected(text.error());
    if ((*answer)->status() != 200) co_return std::unexpected(refused((*answer)->status(), *text));
    co_return text;
}

asio::awaitable<base::Result<QkdStatus>> QkdClient::status(std::string slave_sae) {
    auto text = co_await ask(net::Method::get, in_path(slave_sae) + "/status", {});
    if (!text) co_return std::unexpected(text.error());
    co_return read_qkd_status(*text);
}

asio::awaitable<base::Result<std::vector<QkdKey>>> QkdClient::keys(std::string slave_sae, std::uint32_t number, std::uint32_t size_bits,
                                                                   std::vector<std::string> additional_slaves) {
    std::string target = in_path(slave_sae) + "/enc_keys", body;
    // The query has no place for a list of further slaves (section 5.2).
    const bool get = options_.method == QkdMethod::get && additional_slaves.empty();
    if (get) {
        if (number > 0) target += std::format("?number={}", number);
        if (size_bits > 0) target += std::format("{}size={}", number > 0 ? "&" : "?", size_bits);
    } else {
        QkdKeyRequestBody request;
        if (number > 0) request.number = number;
        if (size_bits > 0) request.size = size_bits;
        if (!additional_slaves.empty()) request.additional_slave_SAE_IDs = std::move(additional_slaves);
        body = glz::write_json(request).value_or("{}");
    }
    auto text = co_await ask(get ? net::Method::get : net::Method::post, std::move(target), std::move(body));
    if (!text) co_return std::unexpected(text.error());
    auto keys = read_qkd_keys(*text);
    crypto::wipe(std::as_writable_bytes(std::span(*text)));
    co_return keys;
}

asio::awaitable<base::Result<std::vector<QkdKey>>> QkdClient::keys_with_ids(std::string master_sae, std::vector<std::string> ids) {
    std::string target = in_path(master_sae) + "/dec_keys", body;
    // By GET one key at a time (section 5.3).
    const bool get = options_.method == QkdMethod::get && ids.size() == 1;
    if (get) {
        target += "?key_ID=" + in_path(ids.front());
    } else {
        QkdKeyIdsBody request;
        for (auto& id : ids) request.key_IDs.push_back({std::move(id)});
        body = glz::write_json(request).value_or("{}");
    }
    auto text = co_await ask(get ? net::Method::get : net::Method::post, std::move(target), std::move(body));
    if (!text) co_return std::unexpected(text.error());
    auto keys = read_qkd_keys(*text);
    crypto::wipe(std::as_writable_bytes(std::span(*text)));
    co_return keys;
}

std::unique_ptr<QkdSource> qkd_source(std::unique_ptr<QkdClient> client, std::vector<std::pair<std::string, std::string>> sae_by_member) {
    return std::make_unique<ClientSource>(std::move(client), std::move(sae_by_member));
}

}  // namespace hanse::federation
