// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"
#include "catalog/hub_listing.hpp"
#include "catalog/reference.hpp"
#include "catalog/store.hpp"
#include "net/client.hpp"

namespace hanse::catalog {

struct HubOptions {
    std::string endpoint = "https://huggingface.co";
    std::string token = {};                       // sent to the endpoint's own origin only
    std::string ca_file = {};                     // empty: the system's
    unsigned attempts = 6;                        // tries in a row that bring no byte
    std::chrono::milliseconds pause{1'000};       // after the first of them; doubles
    std::chrono::milliseconds idle_timeout{30'000};
    std::uint64_t disk_reserve = 64ULL << 20;     // bytes that must stay free
};

struct PullProgress {
    std::string_view file;
    std::uint64_t done = 0;   // bytes of all files, those fetched earlier included
    std::uint64_t total = 0;
    std::uint64_t resumed = 0;  // of these, from an earlier attempt
    bool retrying = false;
};

// Fetches models from a hub that speaks Hugging Face's API, whole or not at all. What arrives goes into
// FILE.part beside FILE.part.json, which says what it is a part of; a later pull of the same content hashes
// that part again and asks for the rest. Only when all bytes are there, the SHA-256 is the hub's and the
// GGUF is sound does the file get its name, and the manifest last. So a cut at any moment, of power or by
// Ctrl-C, costs at most the bytes in flight.
//
// Runs on the awaiting coroutine's executor and blocks it for disk writes; for a command, not for a node
// that serves. Errors: denied (gated, or a wrong token), not_found, corrupt (wrong hash, no GGUF: the part
// is deleted), overloaded (429 after all attempts), unavailable (network or disk space).
class Hub {
public:
    Hub(Store& store, HubOptions options, base::Clock& clock);
    ~Hub();

    boost::asio::awaitable<base::Result<HubListing>> look(Reference reference);
    boost::asio::awaitable<base::Result<Manifest>> pull(Reference reference, std::string name, std::function<void(const PullProgress&)> progress);

private:
    struct Answer;
    struct Download;
    boost::asio::awaitable<base::Result<Answer>> get(std::string url, std::uint64_t from, bool follow);
    boost::asio::awaitable<base::Result<void>> fetch(Download& download);
    boost::asio::awaitable<base::Result<bool>> fetch_some(Download& download);
    boost::asio::awaitable<void> wait(std::chrono::milliseconds span);
    base::Result<std::shared_ptr<net::Client>> client(const net::Url& url);

    Store& store_;
    HubOptions options_;
    base::Clock& clock_;
    std::map<std::string, std::shared_ptr<net::Client>> clients_;  // by origin
};

}  // namespace hanse::catalog
