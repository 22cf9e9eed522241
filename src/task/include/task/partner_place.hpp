// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/language.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "engine/upstream.hpp"
#include "federation/partners.hpp"
#include "label/labelled.hpp"
#include "label/policy.hpp"

namespace hanse::task {

// The third kind of place beside this node's models and model servers of the house: another member of the federation
// with what it offers us. To the desk it is an upstream, named as the member, with its models as "MEMBER/MODEL"; but it
// takes data only with its label and the permit for it, never as plain bytes.
//
// Immutable; a new list of offers is a new place. What it is given must outlive it.
class PartnerPlace final : public engine::Upstream {
public:
    PartnerPlace(federation::Partners& partners, base::Clock& clock, base::Random& random, std::shared_ptr<const federation::FederationView> view, const federation::SignedOffers& offers);

    const engine::UpstreamSpec& spec() const override { return spec_; }
    bool healthy() const override;
    boost::asio::awaitable<void> probe() override { co_return; }
    // `bug`: nothing leaves this way.
    boost::asio::awaitable<base::Result<std::unique_ptr<net::ClientStream>>> post(std::string path, net::Headers headers, std::string_view body, base::Deadline deadline) override;

    struct Ask {
        std::string path;
        std::string model;  // its name there
        label::Labelled<base::Bytes> body;
        label::Permit permit;
        label::Clearance place;
        std::shared_ptr<const label::Policy> policy;
        base::Language language = base::Language::english;  // of a refusal
        base::Deadline deadline = {};
        base::Deadline first_token_deadline = {};
        std::string trace = {};
    };
    // Decides once more, by what the member itself and the charter say of its clearance (believed()); `denied` if that is less
    // than this house's policy holds it for. What broke before its first byte is asked once more under the same key, so that it is neither run nor billed twice.
    boost::asio::awaitable<base::Result<std::unique_ptr<federation::PartnerStream>>> ask(Ask ask);

    const std::vector<federation::Offer>& offers() const { return offers_; }
    const federation::Offer* offer(std::string_view model) const;  // by its name there
    // What the member may be believed to be cleared for with this model, in the words of that policy; the policy's own
    // place of the member's name bounds it further. None where the policy lacks a word of it.
    label::Clearance believed(std::string_view model, const label::Policy& policy) const;
    const std::string& document() const { return document_; }
    std::uint32_t charter_version() const { return charter_version_; }
    std::shared_ptr<const federation::FederationView> view() const { return partners_.view(); }

private:
    federation::Partners& partners_;
    base::Clock& clock_;
    base::Random& random_;
    engine::UpstreamSpec spec_;
    std::string document_;
    std::uint32_t charter_version_;
    std::vector<federation::Offer> offers_;     // those that are for us
    std::vector<std::string> clearances_;       // of each, canonical text in the charter's words
};

// A place for each partner with offers for us; those of `before` that still hold are kept.
std::vector<std::shared_ptr<engine::Upstream>> partner_places(federation::Partners& partners, base::Clock& clock, base::Random& random,
                                                              const std::vector<std::shared_ptr<engine::Upstream>>& before);

}  // namespace hanse::task
