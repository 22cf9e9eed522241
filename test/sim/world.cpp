// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>
#include <cstdio>
#include <format>

#include "cast.hpp"
#include "node.hpp"

namespace hanse::sim {
namespace {

constexpr Span faults_last{40'000};
constexpr Span everything_lasts{170'000};

}  // namespace

World::World(const Options& options)
    : options_(options),
      chance_(options.seed * 0x9e3779b97f4a7c15ULL + 1),
      faults_(draw_faults(chance_, options.seed)) {
    // The plants are looked for where they can show themselves.
    if (options.plant == Plant::offer_believed || options.plant == Plant::receipt_not_checked ||
        options.plant == Plant::signatures_not_checked)
        faults_.liars = std::max<std::size_t>(faults_.liars, 1);
    if (options.plant == Plant::signed_twice) faults_.charter_changes = faults_.rival_proposals = true;
    if (options.plant != Plant::none) faults_.real_signatures = faults_.real_receipts = false;
    for (std::size_t i = 0; i < faults_.nodes; ++i) {
        // Not the first, so that somebody may always propose.
        nodes_.push_back(std::make_unique<Node>(*this, i, i > 0 && i <= faults_.liars));
        if (faults_.skew_max.count() > 0) nodes_[i]->skew(chance_.between(-faults_.skew_max, faults_.skew_max));
    }
    relied_on_.resize(faults_.nodes);
    // The honest ones are a ring, so that no liar stands between them, with cords across; few know everybody.
    std::vector<std::set<std::size_t>> knows(faults_.nodes);
    const auto join = [&](std::size_t a, std::size_t b) {
        if (a == b) return;
        knows[a].insert(b);
        knows[b].insert(a);
    };
    std::vector<std::size_t> honest;
    for (const auto& node : nodes_)
        if (!node->liar()) honest.push_back(node->index());
    for (std::size_t i = 0; i < honest.size(); ++i) join(honest[i], honest[(i + 1) % honest.size()]);
    const std::size_t cords = faults_.nodes <= 8 ? faults_.nodes * 3 : faults_.nodes;
    for (std::size_t i = 0; i < cords; ++i) join(chance_.below(faults_.nodes), chance_.below(faults_.nodes));
    for (std::size_t i = 0; i < faults_.nodes; ++i) {
        if (knows[i].empty()) join(i, 0);
    }
    for (std::size_t i = 0; i < faults_.nodes; ++i) nodes_[i]->neighbours({knows[i].begin(), knows[i].end()});
}

World::~World() = default;

void World::after(Span delay, std::function<void()> what) { events_.push({now_ + std::max(delay, Span(0)), order_++, std::move(what)}); }

void World::note(std::size_t node, std::string_view what) {
    for (const char c : what) outcome_.transcript = (outcome_.transcript ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    outcome_.transcript =
        (outcome_.transcript ^ static_cast<std::uint64_t>(now_.count() * 64 + static_cast<std::int64_t>(node))) * 0x100000001b3ULL;
    if (options_.verbose)
        std::printf("%8.3f  %s  %.*s\n", static_cast<double>(now_.count()) / 1000.0,
                    node < nodes_.size() ? nodes_[node]->name().c_str() : "---", static_cast<int>(what.size()), what.data());
}

void World::violate(std::string what) {
    if (!outcome_.violation.empty()) return;
    outcome_.violation = std::format("at {} ms: {}", now_.count(), what);
    if (options_.verbose) std::printf("%8.3f  !!!  %s\n", static_cast<double>(now_.count()) / 1000.0, what.c_str());
}

void World::every(Span mean, const std::function<void()>& what) {
    if (mean.count() == 0) return;
    after(chance_.between(mean / 2, mean * 3 / 2), [this, mean, what] {
        if (quiet_) return;
        what();
        every(mean, what);
    });
}

std::uint32_t World::quorum() const {
    const std::size_t amenders = std::min<std::size_t>(7, nodes_.size());
    return static_cast<std::uint32_t>((amenders + std::min(faults_.liars, amenders - 1)) / 2 + 1);
}

const federation::CharterDocument& World::founding() const {
    return first_version(nodes_.size(), quorum(), faults_.real_signatures, faults_.real_receipts);
}

bool World::reaches(std::size_t a, std::size_t b) const { return side_.empty() || side_[a] == side_[b]; }

std::shared_ptr<Link> World::connect(std::size_t from, std::size_t to) {
    if (!reaches(from, to) || !nodes_[to]->up()) return nullptr;
    auto link = std::make_shared<Link>();
    link->id = next_link_++;
    link->ends[0] = from;
    link->ends[1] = to;
    std::erase_if(links_, [](const auto& each) { return each.expired(); });
    links_.push_back(link);
    return link;
}

void World::send(const std::shared_ptr<Link>& link, std::size_t from, base::Bytes bytes) {
    if (!link->open || link->broken || bytes.empty()) return;
    const std::size_t direction = link->ends[0] == from ? 1 : 0;
    const std::size_t to = link->ends[direction];
    if (!reaches(from, to)) return break_link(link, Span(100), Span(20'000));
    if (!quiet_ && chance_.one_in(faults_.chunk_lost)) return break_link(link, Span(0), Span(3'000));
    Span arrival = std::max(now_, link->clogged_until) + chance_.between(faults_.delay_min, quiet_ ? Span(40) : faults_.delay_max);
    arrival = link->last_arrival[direction] = std::max(arrival, link->last_arrival[direction]);
    after(arrival - now_, [this, link, to, bytes = std::move(bytes)] {
        if (link->open && !link->broken) nodes_[to]->received(link->id, bytes);
    });
}

void World::break_link(const std::shared_ptr<Link>& link, Span least, Span most) {
    if (link->broken) return;
    link->broken = true;
    for (const std::size_t end : link->ends)
        after(chance_.between(least, most), [this, link, end] { nodes_[end]->disconnected(link->id); });
}

void World::hang_up(const std::shared_ptr<Link>& link, std::size_t from) {
    if (!link->open || link->broken) return;
    const std::size_t direction = link->ends[0] == from ? 1 : 0;
    const std::size_t to = link->ends[direction];
    if (!reaches(from, to)) return break_link(link, Span(100), Span(20'000));
    const Span arrival = std::max(link->last_arrival[direction], now_ + faults_.delay_min);
    // What was sent before arrives before.
    after(arrival - now_, [this, link, to] {
        link->open = false;
        nodes_[to]->disconnected(link->id);
    });
}

void World::arrange_faults() {
    every(faults_.partition_every, [this] {
        side_.assign(nodes_.size(), false);
        for (std::size_t i = 0; i < side_.size(); ++i) side_[i] = chance_.one_in(2);
        note(nodes_.size(), "partition");
        after(chance_.between(Span(500), Span(20'000)), [this] { side_.clear(); });
    });
    every(faults_.clog_every, [this] {
        if (links_.empty()) return;
        if (const auto link = links_[chance_.below(links_.size())].lock())
            link->clogged_until = now_ + chance_.between(Span(200), Span(8'000));
    });
    every(faults_.crash_every, [this] {
        Node& node = *nodes_[chance_.below(nodes_.size())];
        if (chance_.one_in(2)) node.crash();
        else node.lose_power_soon(1 + chance_.below(30));
    });
    every(faults_.clock_jump_every, [this] {
        Node& node = *nodes_[chance_.below(nodes_.size())];
        const Span jump = chance_.one_in(2) ? Span(3'600'000) : Span(-3'600'000);
        node.skew(jump);
        note(node.index(), "clock jumps");
        after(chance_.between(Span(1'000), Span(10'000)), [&node] { node.skew(Span(0)); });
    });
    for (auto& node : nodes_) {
        Node* each = node.get();
        every(Span(5'000), [each] { each->ask(); });
        every(Span(15'000), [each] { each->offer(); });
        if (each->liar()) every(Span(2'500), [each] { each->lie(); });
    }
    if (faults_.charter_changes) {
        every(Span(15'000), [this] {
            nodes_[0]->propose();
            if (faults_.rival_proposals && nodes_.size() > 5) nodes_[chance_.below(std::min<std::size_t>(7, nodes_.size()))]->propose();
        });
    }
}

Outcome World::run() {
    for (auto& node : nodes_) node->start();
    arrange_faults();
    after(faults_last, [this] { settle_down(); });
    bool checked = false;
    while (!events_.empty() && outcome_.violation.empty()) {
        if (events_.top().at > everything_lasts) break;
        // Moved out, since it may add others.
        Event event = std::move(const_cast<Event&>(events_.top()));
        events_.pop();
        now_ = event.at;
        ++outcome_.events;
        event.what();
        // As soon as everything has come to rest, it is looked at; rest that lasts is all that is asked for.
        if (!checked && quiet_ && now_ > faults_last + Span(110'000)) {
            checked = true;
            check_drained();
            break;
        }
    }
    if (outcome_.violation.empty() && !checked) violate("time ran out before the end");
    if (!outcome_.violation.empty()) return outcome_;
    // The last word is what the disks say, once more without power.
    for (auto& node : nodes_) {
        const auto there = node->records_on_disk();
        for (const auto& id : relied_on_[node->index()])
            if (!there.contains(id)) violate(std::format("{} lost the record {} of an answer that was acknowledged", node->name(), id));
    }
    return outcome_;
}

void World::settle_down() {
    quiet_ = true;
    side_.clear();
    note(nodes_.size(), "faults stop");
    for (auto& node : nodes_) {
        if (faults_.skew_max.count() == 0) node->skew(Span(0));
        if (!node->up()) node->start();
    }
}

void World::check_flow(const federation::TaskKey& key, std::size_t to) {
    const auto found = truths_.find(key);
    if (found == truths_.end() || to == found->second.owner) return;
    const auto& words = *founding().words();
    const label::Use use{.purpose = *words.purpose("answer"), .now = began};
    if (label::judge(found->second.label, true_clearance(to, words), use).outcome != label::Outcome::permit)
        violate(std::format("data of {} went to {}, which its label forbids: {}", nodes_[found->second.owner]->name(), nodes_[to]->name(),
                            label::text(found->second.label, words)));
}

void World::check_run(std::size_t node, const federation::TaskKey& key) {
    ++outcome_.runs;
    if (!runs_.emplace(node, key).second) violate(std::format("{} ran task {} twice", nodes_[node]->name(), federation::text_of(key)));
}

void World::check_charter(std::size_t node) {
    if (nodes_[node]->liar()) return;
    const auto* chain = nodes_[node]->charters();
    if (!chain) return;
    outcome_.charter_versions = std::max(outcome_.charter_versions, chain->versions().size());
    for (const auto& version : chain->versions()) {
        const auto [found, fresh] = charters_.emplace(version.charter().version, version.digest());
        if (!fresh && found->second != version.digest())
            violate(std::format("the charter forks: {} has another version {}", nodes_[node]->name(), version.charter().version));
    }
}

void World::acknowledged(std::size_t near, const std::string& near_record, std::size_t far, const federation::TaskKey& key) {
    ++outcome_.answered;
    if (!nodes_[near]->has_record(near_record))
        return violate(std::format("{} acknowledged an answer without its record", nodes_[near]->name()));
    // A far node that is down is asked when it is back.
    if (nodes_[far]->up() && !nodes_[far]->has_record_of(key))
        return violate(std::format("{} acknowledged an answer of which {} has no record", nodes_[near]->name(), nodes_[far]->name()));
    relied_on_[near].insert(near_record);
    relied_on_[far].insert(federation::text_of(key));
}

void World::check_records(std::size_t node) {
    for (const auto& id : relied_on_[node]) {
        const auto key = federation::task_key_of(id);
        if (key ? !nodes_[node]->has_record_of(*key) : !nodes_[node]->has_record(id))
            return violate(std::format("{} lost the record {} of an answer that was acknowledged", nodes_[node]->name(), id));
    }
}

void World::accused(std::size_t by, std::size_t whom, const std::string& code, const std::string& sentence) {
    note(by, "accuses: " + code);
    if (!nodes_[by]->liar() && !nodes_[whom]->liar())
        violate(std::format("{} accuses {}, who is honest, of {}: {}", nodes_[by]->name(), nodes_[whom]->name(), code, sentence));
}

void World::check_drained() {
    const Node* first = nullptr;
    for (const auto& node : nodes_) {
        if (node->liar()) continue;
        if (!node->up()) return violate(node->name() + " is still down");
        if (const auto left = node->unfinished(); !left.empty())
            return violate(std::format("{} has not come to an end: {}", node->name(), left));
        if (!first) first = node.get();
        if (first->charters()->current().digest() != node->charters()->current().digest())
            return violate(std::format("{} and {} hold different charters long after the faults stopped", first->name(), node->name()));
        for (const auto& other : nodes_) {
            if (!first->charters()->charter().active(other->name()) && node->speaks_with(other->index()))
                return violate(std::format("{} still speaks with {}, which is suspended", node->name(), other->name()));
            if (other->liar()) continue;
            const auto *mine = node->offers()->find(other->name()), *own = other->offers()->find(other->name());
            if (own && (!mine || mine->list.sequence != own->list.sequence))
                return violate(std::format("{} does not know the offers of {}", node->name(), other->name()));
        }
    }
}

}  // namespace hanse::sim
