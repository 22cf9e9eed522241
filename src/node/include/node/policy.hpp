// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "label/policy.hpp"
#include "node/config.hpp"
#include "node/paths.hpp"
#include "privacy/recogniser.hpp"

namespace hanse::node {

// policy.file of the configuration, else policy.toml beside the configuration file.
std::filesystem::path policy_file(const Config& config, const std::filesystem::path& config_file);

// The words of the charter that this house is under: members, groups, purposes, contents, handling. Those built in where it is
// in no federation. What partners' places are cleared for, their signed offers say from day to day; not this.
label::FederationTerms charter_terms(const DataDirectory& data);

// `invalid` with one line for each mistake of the file; `not_found` if it is not there. A file that does not go together with
// the charter's words is read without them, as it was before the house joined, and `apart` says why it does not.
base::Result<std::shared_ptr<const label::Policy>> read_policy(const std::filesystem::path& file, const label::FederationTerms& terms = {},
                                                               std::string* apart = nullptr);

// What a node of this configuration decides with: the file, or where there is none, label::policy_without_file() with
// the upstreams that run on this machine, as far as their addresses show. A file that policy.file names must be there.
base::Result<std::shared_ptr<const label::Policy>> policy_in_force(const Config& config, const std::filesystem::path& file,
                                                                   const label::FederationTerms& terms = {}, std::string* apart = nullptr);

// directory.toml beside the policy: whom and what the house knows by name (docs/privacy.md). Without the file a recogniser
// that knows nobody; `invalid` for a file with a mistake, and whatever Recogniser::create() says.
base::Result<std::shared_ptr<const privacy::Recogniser>> recogniser_beside(const std::filesystem::path& policy_file);

}  // namespace hanse::node
