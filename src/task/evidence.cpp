// SPDX-License-Identifier: Apache-2.0
#include "task/evidence.hpp"

#include <algorithm>
#include <array>

#include "crypto/digest.hpp"
#include "task/rules.hpp"

namespace hanse::task {

journal::AnswerRecord answer_record(const Evidence& evidence, std::string_view profile, base::Random& random) {
    journal::AnswerRecord record{.task = evidence.task, .route = std::string(evidence.route), .idempotency = evidence.idempotency};
    if (evidence.key) record.caller = evidence.key->facts().id;
    record.model = evidence.model;
    record.model_digest = evidence.model_digest;
    record.adapters = evidence.adapters;
    record.experts = evidence.experts;
    record.backend = evidence.backend;
    if (evidence.passage) {
        record.place = evidence.passage->destination.name();
        record.label = evidence.passage->answer_text;
        record.decision = evidence.transformations.empty() ? "permit" : "permit_after";
    }
    record.transformations = evidence.transformations;
    record.input = journal::SaltedDigest::of(evidence.input, random);
    record.outputs = evidence.digested;
    for (const std::string& output : evidence.outputs) record.outputs.push_back(journal::SaltedDigest::of(output, random));
    record.output_form = evidence.output_form;
    record.outcome = evidence.outcome;
    record.began = journal::time_text(evidence.began);
    record.profile = profile;
    record.energy = evidence.energy;
    record.prompt_tokens = evidence.prompt_tokens;
    record.cached_tokens = evidence.cached_tokens;
    record.completion_tokens = evidence.completion_tokens;
    record.took_ms = evidence.took_ms;
    record.parents = evidence.parents;
    record.partner = evidence.partner;
    return record;
}

struct PassingDigest::State {
    journal::Salt salt{};
    crypto::Sha256 inner = {};
};

namespace {

// The salt fills half a block; the rest of the key is zeros.
std::array<std::byte, 64> pad(const journal::Salt& salt, std::byte with) {
    std::array<std::byte, 64> block{};
    std::ranges::copy(salt, block.begin());
    for (std::byte& each : block) each ^= with;
    return block;
}

}  // namespace

PassingDigest::PassingDigest(base::Random& random) : state_(std::make_unique<State>()) {
    random.fill(state_->salt);
    state_->inner.update(pad(state_->salt, std::byte{0x36}));
}
PassingDigest::~PassingDigest() = default;
PassingDigest::PassingDigest(PassingDigest&&) noexcept = default;
PassingDigest& PassingDigest::operator=(PassingDigest&&) noexcept = default;

void PassingDigest::saw(std::string_view piece) { state_->inner.update(base::bytes_of(piece)); }

journal::SaltedDigest PassingDigest::finish() {
    crypto::Sha256 outer;
    outer.update(pad(state_->salt, std::byte{0x5c}));
    outer.update(state_->inner.finish());
    return {state_->salt, outer.finish()};
}

}  // namespace hanse::task
