// SPDX-License-Identifier: Apache-2.0
#include "experiment.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <numeric>

#include "forge/score.hpp"

namespace hanse::recombination {
namespace {

constexpr std::size_t window = 64;
constexpr std::size_t half = window / 2;

std::vector<std::int32_t> windows_of(const std::string& text, std::size_t count) {
    std::vector<std::int32_t> ids;
    const auto stride = (text.size() - window) / count;
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < window; ++j) ids.push_back(static_cast<std::uint8_t>(text[i * stride + j]));
    return ids;
}

// One seed's models and texts, and the rows measured so far.
class Measurement {
public:
    Measurement(const Plan& plan, const std::vector<Domain>& domains, std::uint64_t seed, const Progress& progress)
        : plan_(plan),
          domains_(domains),
          progress_(progress) {
        outcome_.seed = seed;
        for (const auto& domain : domains) tokens_.push_back(windows_of(domain.validation, plan.windows));
    }

    Outcome run() {
        train_all();
        measure_models();
        measure_merges();
        collect();
        measure_mixtures();
        measure_contexts();
        measure_leaving();
        measure_requests();
        measure_extraction();
        return std::move(outcome_);
    }

private:
    forge::Windows windows(std::size_t domain) const { return {tokens_[domain], window}; }

    void train_all() {
        auto report = [this](const std::string& name) {
            return [this, name](std::uint32_t step, double loss) {
                if (step % 500 == 0) progress_(std::format("seed {}: {}, step {}, loss {:.3f}", outcome_.seed, name, step, loss));
            };
        };
        auto course = plan_.public_course;
        course.seed = outcome_.seed * 1000;
        models_.push_back(random_model(plan_.shape, outcome_.seed));
        train(models_.front(), domains_.front().training, Trained::everything, course, report("public"));
        for (std::size_t i = 1; i < domains_.size(); ++i) {
            course = plan_.owner_course;
            course.seed = outcome_.seed * 1000 + i;
            models_.push_back(models_.front());
            train(models_.back(), domains_[i].training, Trained::blocks, course, report(domains_[i].name));
        }
    }

    void measure(std::string name, const forge::LlamaModel& model, bool merge = false, const forge::ForwardHooks& hooks = {}) {
        Row row{std::move(name), {}, merge};
        for (std::size_t i = 0; i < domains_.size(); ++i) row.losses.push_back(forge::text_loss(model, windows(i), half, hooks).nats);
        note(std::move(row));
    }
    void note(Row row) {
        progress_(std::format("seed {}: {:50} {:.3f}", outcome_.seed, row.name, row.average()));
        outcome_.rows.push_back(std::move(row));
    }

    void measure_models() {
        measure("public model", models_.front());
        for (std::size_t i = 1; i < models_.size(); ++i) measure("expert of " + domains_[i].name, models_[i]);
        Row oracle{"oracle: each domain by its own expert", {}, false};
        for (std::size_t i = 0; i < models_.size(); ++i) oracle.losses.push_back(outcome_.rows[i].losses[i]);
        note(std::move(oracle));
    }

    void measure_merges() {
        measure("average of all", average_of(models_), true);
        for (const auto lambda : {0.3F, 0.5F, 1.0F})
            measure(std::format("task arithmetic {}", lambda), task_arithmetic(models_, lambda), true);
        for (const auto lambda : {1.0F, 1.5F}) measure(std::format("TIES density 0.3, λ {}", lambda), ties(models_, 0.3, lambda), true);
    }

    void collect() {
        for (std::size_t i = 0; i < models_.size(); ++i)
            statistics_.push_back(statistics_of(models_[i], domains_[i].training, plan_.statistic_tokens, window));
        for (const auto& one : statistics_) owners_.push_back(&one);
    }

    forge::Router ridge(forge::RowLength length, double temperature = 1.0) const {
        forge::Statistics total(plan_.shape.layers, plan_.shape.width);
        for (const auto& one : statistics_) (void)total.add(one);
        return forge::ridge_router(total, owners_, {.temperature = temperature, .length = length}).value();
    }

    void measure_mixtures() {
        const auto all = static_cast<std::uint32_t>(models_.size());
        const auto means = forge::means_router(owners_).value();
        const auto by_ridge = ridge(forge::RowLength::unit);
        measure("token mixture, means, 1 expert", mixture_of(models_, means, 1));
        measure("token mixture, means, 2 experts", mixture_of(models_, means, 2));
        measure("token mixture, ridge, 1 expert", mixture_of(models_, by_ridge, 1));
        measure("token mixture, ridge, 2 experts", mixture_of(models_, by_ridge, 2));
        measure("token mixture, ridge, all, temperature 1", mixture_of(models_, by_ridge, all));
        measure("token mixture, ridge, all, temperature 0.1", mixture_of(models_, ridge(forge::RowLength::unit, 0.1), all));
    }

    void measure_contexts() {
        const auto all = static_cast<std::uint32_t>(models_.size());
        const auto by_ridge = mixture_of(models_, ridge(forge::RowLength::unit), all);
        for (const auto sharpness : {3.0F, 10.0F, 30.0F})
            measure(std::format("context: mean of the prefix's ridge logits × {}", sharpness), by_ridge, false,
                    {.router_logits = prefix_mean_router(sharpness, all, window)});
        const auto solved = ridge(forge::RowLength::as_solved);
        for (const auto& [keep, weight] : {std::pair{1.0F, 0.1F}, {1.0F, 0.3F}, {1.0F, 1.0F}, {0.95F, 0.3F}})
            measure(std::format("context: ridge evidence, keep {}, weight {}, all", keep, weight), mixture_of(models_, solved, all), false,
                    {.router_logits = evidence_router({keep, weight}, all, window)});
        measure("context: ridge evidence, keep 1, weight 0.3, 1 expert", mixture_of(models_, solved, 1), false,
                {.router_logits = evidence_router({}, all, window)});
    }

    void measure_leaving() {
        // The second of all: the first owner. Its statistics and its block go, the router is made anew.
        forge::Statistics total(plan_.shape.layers, plan_.shape.width);
        std::vector<const forge::Statistics*> rest;
        Models left;
        for (std::size_t i = 0; i < models_.size(); ++i) {
            if (i == 1) continue;
            (void)total.add(statistics_[i]);
            rest.push_back(owners_[i]);
            left.push_back(models_[i]);
        }
        measure(std::format("token mixture, ridge, 1 expert, after {} left", domains_[1].name),
                mixture_of(left, forge::ridge_router(total, rest).value(), 1));
    }

    void measure_requests() {
        auto table = table_of({});
        std::vector<std::string> names;
        for (const auto& domain : domains_) names.push_back(domain.name);
        const auto all = static_cast<std::uint32_t>(models_.size());
        const auto mixed = mixture_of(models_, ridge(forge::RowLength::unit), all);
        Row tokens{"context: 3-gram posterior of the prefix, all", {}, false};
        for (std::size_t i = 0; i < domains_.size(); ++i)
            tokens.losses.push_back(
                forge::text_loss(mixed, windows(i), half, {.router_logits = ngram_router(table, names, windows(i))}).nats);
        note(std::move(tokens));
        Row row{"request: 3-gram table", {}, false};
        std::size_t found = 0;
        for (std::size_t i = 0; i < domains_.size(); ++i) row.losses.push_back(request_loss(table, i, found));
        outcome_.owners_found = static_cast<double>(found) / static_cast<double>(domains_.size() * plan_.windows);
        note(std::move(row));
        (void)table.leave(domains_[1].name);
        Row after{std::format("request: after {} left", domains_[1].name), {}, false};
        for (std::size_t i = 0; i < domains_.size(); ++i) after.losses.push_back(request_loss(table, i, found));
        outcome_.left_ratio = after.losses[1] / outcome_.row("public model").losses[1];
        note(std::move(after));
    }

    // Each window's first half is read by the table, its second half scored by the model of the owner that was found.
    double request_loss(const catalog::NgramTable& table, std::size_t domain, std::size_t& found) const {
        const auto& tokens = tokens_[domain];
        std::vector<std::vector<std::int32_t>> routed(domains_.size());
        for (std::size_t begin = 0; begin < tokens.size(); begin += window) {
            std::string text;
            for (std::size_t i = 0; i < half; ++i) text += static_cast<char>(tokens[begin + i]);
            const auto owner = table.scores(text).front().owner;
            const auto chosen = static_cast<std::size_t>(std::ranges::find(domains_, owner, &Domain::name) - domains_.begin());
            if (chosen == domain) ++found;
            routed[chosen].insert(routed[chosen].end(), tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                                  tokens.begin() + static_cast<std::ptrdiff_t>(begin + window));
        }
        double sum = 0;
        for (std::size_t i = 0; i < routed.size(); ++i)
            if (!routed[i].empty())
                sum += forge::text_loss(models_[i], {routed[i], window}, half).nats * static_cast<double>(routed[i].size());
        return sum / static_cast<double>(tokens.size());
    }

    // Greedy continuations of beginnings of the text, each by the model that the table names.
    double extracted(const catalog::NgramTable& table, const std::string& text) const {
        constexpr std::size_t places = 64, continuation = 16;
        forge::ExtractionProbe probe;
        for (std::size_t i = 0; i < places; ++i) {
            const auto begin = i * ((text.size() - half - continuation) / places);
            const auto owner = table.scores(std::string_view(text).substr(begin, half)).front().owner;
            const auto& model = models_[static_cast<std::size_t>(std::ranges::find(domains_, owner, &Domain::name) - domains_.begin())];
            std::vector<std::int32_t> known, truth;
            for (std::size_t j = 0; j < half + continuation; ++j) (j < half ? known : truth).push_back(static_cast<std::uint8_t>(text[begin + j]));
            for (std::size_t j = 0; j < continuation; ++j) {
                const auto logits = forge::forward(model, {known, known.size()});
                const auto last = std::span(logits).last(model.shape.vocabulary);
                known.push_back(static_cast<std::int32_t>(std::ranges::max_element(last) - last.begin()));
            }
            probe.add(std::span(known).last(continuation), truth);
        }
        return probe.matched();
    }

    void measure_extraction() {
        const auto full = table_of({});
        for (std::size_t i = 1; i < domains_.size(); ++i)
            outcome_.extractions.push_back({domains_[i].name, extracted(full, domains_[i].training), extracted(table_of(domains_[i].name), domains_[i].training)});
    }

    catalog::NgramTable table_of(std::string_view without) const {
        catalog::NgramTable table;
        for (const auto& domain : domains_) {
            if (domain.name == without) continue;
            catalog::NgramCounts counts;
            counts.add(domain.training);
            (void)table.join(domain.name, std::move(counts));
        }
        return table;
    }

    const Plan& plan_;
    const std::vector<Domain>& domains_;
    const Progress& progress_;
    Outcome outcome_;
    std::vector<std::vector<std::int32_t>> tokens_;  // of each domain's windows
    Models models_;
    std::vector<forge::Statistics> statistics_;
    std::vector<const forge::Statistics*> owners_;
};

}  // namespace

double Row::average() const { return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size()); }

const Row& Outcome::row(std::string_view name) const { return *std::ranges::find(rows, name, &Row::name); }

Plan full_plan() {
    Plan plan;
    plan.shape = {.layers = 3, .width = 96, .heads = 4, .heads_kv = 4, .ff = 256, .vocabulary = 256};
    plan.public_course = {.steps = 2000, .windows = 16, .window = window, .rate = 3e-3F};
    plan.owner_course = {.steps = 600, .windows = 16, .window = window, .rate = 2e-3F};
    plan.seeds = {1, 2, 3};
    return plan;
}

Plan small_plan() {
    Plan plan;
    plan.shape = {.layers = 2, .width = 32, .heads = 2, .heads_kv = 2, .ff = 64, .vocabulary = 256};
    plan.public_course = {.steps = 250, .windows = 8, .window = window, .rate = 6e-3F};
    plan.owner_course = {.steps = 150, .windows = 8, .window = window, .rate = 6e-3F};
    plan.windows = 64;
    plan.statistic_tokens = 4096;
    plan.seeds = {1};
    return plan;
}

Outcome run(const Plan& plan, const std::vector<Domain>& domains, std::uint64_t seed, const Progress& progress) {
    return Measurement(plan, domains, seed, progress).run();
}

std::vector<std::string> failures(const Outcome& outcome, double margin) {
    std::vector<std::string> found;
    const auto requests = outcome.row("request: 3-gram table").average();
    const auto oracle = outcome.row("oracle: each domain by its own expert").average();
    if (!(requests <= oracle + margin))
        found.push_back(
            std::format("seed {}: whole requests {:.3f} are not within {} of the oracle's {:.3f}", outcome.seed, requests, margin, oracle));
    for (const auto& row : outcome.rows)
        if (row.merge && !(requests < row.average()))
            found.push_back(std::format("seed {}: whole requests {:.3f} are not better than {} {:.3f}", outcome.seed, requests, row.name,
                                        row.average()));
    return found;
}

std::string table(const std::vector<Domain>& domains, const std::vector<Outcome>& outcomes) {
    std::string text = "| model |";
    for (const auto& domain : domains) text += std::format(" {} |", domain.name);
    text += " average | over the seeds |\n| --- |";
    for (std::size_t i = 0; i <= domains.size(); ++i) text += " ---: |";
    text += " --- |\n";
    for (const auto& first : outcomes.front().rows) {
        std::vector<double> means(domains.size());
        std::vector<double> averages;
        for (const auto& outcome : outcomes) {
            const auto& row = outcome.row(first.name);
            for (std::size_t i = 0; i < means.size(); ++i) means[i] += row.losses[i] / static_cast<double>(outcomes.size());
            averages.push_back(row.average());
        }
        text += std::format("| {} |", first.name);
        for (const auto mean : means) text += std::format(" {:.3f} |", mean);
        const auto [least, most] = std::ranges::minmax(averages);
        text += std::format(" {:.3f} | {:.3f}–{:.3f} |\n",
                            std::accumulate(averages.begin(), averages.end(), 0.0) / static_cast<double>(averages.size()), least, most);
    }
    return text;
}

}  // namespace hanse::recombination
