// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "federation/qkd.hpp"
#include "net/client.hpp"

namespace hanse::federation {

// --- ETSI GS QKD 014 V1.1.1 (2019-02), the REST interface of key management entities (KME) ------------------------

struct QkdStatus {  // section 6.1
    std::string source_kme, target_kme, master_sae, slave_sae;
    std::uint32_t key_size = 0;
    std::uint32_t stored_key_count = 0, max_key_count = 0, max_key_per_request = 0;
    std::uint32_t max_key_size = 0, min_key_size = 0, max_sae_id_count = 0;
};
// Section 6.3 and 6.5; `corrupt` for what is not as the standard says.
base::Result<QkdStatus> read_qkd_status(std::string_view json);
base::Result<std::vector<QkdKey>> read_qkd_keys(std::string_view json);
// The sentence of an error body (section 6.6), made fit for a log; empty if it has none.
std::string read_qkd_error(std::string_view json);

enum class QkdMethod : std::uint8_t { post, get };  // the standard has both for each request of keys

// The application that asks a KME is a secure application entity (SAE). It proves which one by its certificate.
class QkdClient {
public:
    struct Options {
        std::string url;          // of the KME, https
        std::string ca_file;      // whom the KME's certificate is of
        std::string certificate;  // PEM files of this SAE
        std::string key;
        QkdMethod method = QkdMethod::post;
        std::chrono::milliseconds timeout{3'000};
        const base::Clock* clock = nullptr;  // must be there
    };
    static base::Result<std::unique_ptr<QkdClient>> open(Options options);

    // Section 5.1 to 5.3. A number of 0 asks without saying, which means one key of the KME's usual size. `denied` for 401,
    // `invalid` for 400, `unavailable` for 503 and whatever else a KME says.
    boost::asio::awaitable<base::Result<QkdStatus>> status(std::string slave_sae);
    boost::asio::awaitable<base::Result<std::vector<QkdKey>>> keys(std::string slave_sae, std::uint32_t number = 0,
                                                                   std::uint32_t size_bits = 0,
                                                                   std::vector<std::string> additional_slaves = {});
    boost::asio::awaitable<base::Result<std::vector<QkdKey>>> keys_with_ids(std::string master_sae, std::vector<std::string> ids);

private:
    QkdClient(Options options, std::string base, std::shared_ptr<net::Client> client)
        : options_(std::move(options)),
          base_(std::move(base)),
          client_(std::move(client)) {}
    boost::asio::awaitable<base::Result<std::string>> ask(net::Method method, std::string target, std::string body);
    Options options_;
    std::string base_;
    std::shared_ptr<net::Client> client_;
};

// Keys of one KME for the partners whose SAE are known, one 256-bit key for each connection.
std::unique_ptr<QkdSource> qkd_source(std::unique_ptr<QkdClient> client, std::vector<std::pair<std::string, std::string>> sae_by_member);

}  // namespace hanse::federation
