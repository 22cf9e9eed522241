// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "context.hpp"

namespace hanse::cli {

struct FederationOptions {
    std::string name = {};    // of the federation, the newcomer, or the member that it is about
    std::string code = {};    // join
    std::string file = {};    // certify
    std::string member = {};  // this house as a member; empty: the policy's house
    std::string title = {};
    std::string country = {};
    std::string control = {};
    std::vector<std::string> addresses = {};
    std::string node = "n1";
    std::string profile = "default";
    int days = 365;
    int minutes = 60;
    bool receipts_demanded = false;
    bool yes = false;
};
Exit federation_create(const Context& context, const FederationOptions& options);
Exit federation_invite(const Context& context, const FederationOptions& options);
Exit federation_join(const Context& context, const FederationOptions& options);
Exit federation_members(const Context& context, const FederationOptions& options);
Exit federation_status(const Context& context, const FederationOptions& options);
// "suspend", "restore", "revoke" or "leave".
Exit federation_change(const Context& context, const FederationOptions& options, std::string_view step);
Exit federation_update(const Context& context, const FederationOptions& options);
Exit federation_approve(const Context& context, const FederationOptions& options);
Exit federation_certify(const Context& context, const FederationOptions& options);

// What the help says of these commands and their options.
enum class FederationWord {
    all, create, invite, join, members, status, suspend, restore, revoke, leave, update, approve, certify,
    federation, newcomer, code, member_name, request,
    member, title, country, control, address, node, profile, days, minutes, receipts_demanded, yes,
};
std::string federation_text(FederationWord word, base::Language language);

}  // namespace hanse::cli
