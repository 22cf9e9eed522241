// SPDX-License-Identifier: Apache-2.0
#include "expert_terms.hpp"

namespace hanse::task {
namespace {

using label::Label;

base::Result<Label> label_of(const label::Policy& policy, const std::string& text) {
    if (text.empty()) return Label::bottom();
    return policy.label(text);
}

bool permits(const Label& what, const label::Clearance& where, const label::Use& use) {
    return label::judge(what, where, use).outcome == label::Outcome::permit;
}

}  // namespace

base::Result<ExpertChoice> choose_experts(std::shared_ptr<const Passage> passage, std::span<const engine::ExpertFacts> experts) {
    ExpertChoice choice{{}, passage};
    Label answer = passage->answer_label;
    for (std::uint32_t i = 0; i < experts.size(); ++i) {
        const auto weights = label_of(*passage->policy, experts[i].label);
        const auto floor = label_of(*passage->policy, experts[i].output_floor);
        if (weights && floor && permits(*weights, passage->destination, passage->use) &&
            permits(label::join(answer, *floor), passage->caller, passage->use))
            answer = label::join(answer, *floor);
        else choice.left_out.push_back(i);
    }
    if (!experts.empty() && choice.left_out.size() == experts.size())
        return base::fail(base::ErrorKind::denied, "no expert of this model may work on the request under the terms of their owners",
                          "label_denied");
    if (answer == passage->answer_label) return choice;
    auto raised = std::make_shared<Passage>(*passage);
    raised->answer_text = label::text(answer, passage->policy->words());
    raised->back = label::decide(answer, passage->caller, passage->use);
    raised->answer_label = std::move(answer);
    choice.passage = std::move(raised);
    return choice;
}

}  // namespace hanse::task
