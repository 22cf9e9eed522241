// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "net/http.hpp"
#include "net/server.hpp"
#include "task/desk.hpp"
#include "task/keys.hpp"

namespace hanse::journal {
class Journal;
}

namespace hanse::api {

struct ServiceOptions {
    std::string version = "0";               // of this build, told by /healthz and system_fingerprint
    bool require_keys = true;                // off: whoever reaches the listener may ask
    bool open_metrics = true;                // /metrics without a key: models and back ends, no counts
    std::vector<std::string> cors_origins = {};  // empty: no CORS headers at all; "*" allows every origin
    std::size_t responses_max = 256;         // stored /v1/responses per key
    std::size_t responses_bytes_max = 64U << 20;  // of all keys together
    std::chrono::seconds responses_age_max{24 * 3600};
    int access_log = -1;                     // descriptor for JSON lines, -1: none; not owned
    bool open_journal = false;               // /journal/ without a key: the size of the log tells how much is asked
    bool background = true;                  // a thread of its own writes the log and keeps the keys' counters
};

// What /metrics tells the house of the journal, of its witnesses, and of what this node co-signs as one.
struct JournalFigures {
    std::uint64_t entries = 0;
    std::uint64_t witnessed = 0;  // how many of them enough witnesses have co-signed
    std::uint64_t pruned = 0;
    struct Asked {
        std::string witness;
        bool signs = false;
    };
    std::vector<Asked> asked = {};
    struct Witness {
        std::uint64_t cosigned = 0;
        std::uint64_t refused = 0;
        std::uint64_t split_views = 0;
    };
    std::optional<Witness> witness = {};
};

// Everything that HTTP clients of a node see: OpenAI's API, health, metrics. Gives `net` its handler and its
// way of saying errors.
//
//   api::Service service({.desk = desk, .keys = *keys, .clock = clock, .random = random, .log = log, .options = …});
//   auto server = net::Server::start({listen, service.handler(), service.on_error(), log});
//
// Must outlive the server that uses its handler; the parts must outlive it. Thread-safe.
class Service {
public:
    struct Parts {
        task::Desk& desk;
        task::KeyRing& keys;
        base::Clock& clock;
        base::Random& random;
        base::Log& log;
        ServiceOptions options = {};
        // The folder of the log whose public part is served at /journal/; without a disk, none is.
        struct JournalFolder {
            base::Disk* disk = nullptr;
            std::filesystem::path folder = {};
            journal::Journal* log = nullptr;  // for receipts in other forms; null: there are none
            std::function<JournalFigures()> figures = {};
        } journal = {};
    };
    explicit Service(Parts parts);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    net::Handler handler();
    std::function<net::Response(const base::Error&)> on_error();
    // Writes out what waits: access log, usage counters. The background thread does so by itself.
    void flush();
    // A new access log after rotation.
    void access_log(int descriptor);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hanse::api
