// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/store.hpp"
#include "engine/model.hpp"
#include "engine/upstream.hpp"
#include "net/server.hpp"
#include "node/config.hpp"
#include "route/fit.hpp"

namespace hanse::node {

// The configuration in the words of the rooms that it is for. Pure, but for looking into the store.

net::ListenOptions listen_options(const Config& config);
// Entries first, then what else is in the store. `not_found` for a model or file that is not there.
base::Result<std::vector<engine::ModelSpec>> model_specs(const Config& config, const catalog::Store& store);
// The n-gram tables of models and of [route]; null if there are none. `not_found`, `corrupt`, naming the file.
base::Result<std::shared_ptr<const route::Fit>> fit_of(const Config& config);
std::vector<engine::UpstreamSpec> upstream_specs(const Config& config);
// The address that a client on this machine uses.
std::string local_url(const Config& config, std::uint16_t port);
std::string traces_url(const std::string& endpoint);

}  // namespace hanse::node
