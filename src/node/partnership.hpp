// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "engine/upstream.hpp"
#include "federation/partners.hpp"
#include "journal/journal.hpp"
#include "label/policy.hpp"
#include "net/server.hpp"
#include "node/config.hpp"
#include "node/partner_config.hpp"
#include "node/paths.hpp"

namespace hanse::node {

// This node's part in the federation of its house: begins by itself as soon as there is a charter, whether at the start or
// when a command brings one, and tells the desk of the partners' models. What it is given must outlive it.
class Partnership {
public:
    struct Parts {
        DataDirectory data;
        base::Clock& clock;
        base::Random& random;
        base::Log& log;
        net::Handler serve;
        journal::Journal* journal = nullptr;  // null: none is kept
        std::function<void()> places_changed;  // on any thread
        std::string software;
    };
    explicit Partnership(Parts parts) : parts_(std::move(parts)) {}

    // What federation.toml, configuration and policy say from now on; before the first look. `invalid` changes nothing.
    base::Result<void> apply(const std::filesystem::path& config_file, const Config& config, const label::Policy& policy);
    // Once a second: begins if it can and has not. Errors that will not go by themselves come back.
    base::Result<void> look();
    std::vector<std::shared_ptr<engine::Upstream>> places() const;
    std::uint64_t charter_version() const;  // in force; 0 while it has not begun
    void stop(std::chrono::milliseconds limit);

private:
    void changed();
    void compare_log_keys() const;

    Parts parts_;
    PartnerConfig config_;
    std::vector<federation::Offer> offers_;
    std::string said_;  // the last reason for not beginning
    mutable std::mutex mutex_;  // places_
    std::vector<std::shared_ptr<engine::Upstream>> places_;
    std::unique_ptr<federation::Partners> partners_;
};

// The offers, each with the clearance that the policy gives the place of its model.
std::vector<federation::Offer> offers_of(const PartnerConfig& partners, const Config& config, const label::Policy& policy);

}  // namespace hanse::node
