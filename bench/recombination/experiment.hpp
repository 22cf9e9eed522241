// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "recombine.hpp"
#include "texts.hpp"
#include "training.hpp"

namespace hanse::recombination {

// From texts to a table of losses, once for each seed: a public model is trained on the public domain, each owner trains its
// feed-forward blocks on its own domain only, and what can be made of them is measured on every domain. Every row scores the
// same bytes: the second half of windows, of which the first half may be used to route.
struct Plan {
    forge::LlamaShape shape;
    Course public_course;
    Course owner_course;
    std::size_t windows = 384;  // measured in each domain
    std::size_t statistic_tokens = 32'768;
    std::vector<std::uint64_t> seeds;
};
Plan full_plan();
Plan small_plan();

struct Row {
    std::string name;
    std::vector<double> losses;  // one a domain, nats a byte
    bool merge = false;          // one model of the public one's size, without a router
    double average() const;
};

struct Outcome {
    std::uint64_t seed = 0;
    std::vector<Row> rows;
    double owners_found = 0;  // share of windows whose owner the n-gram table finds
    double left_ratio = 0;    // the first owner's domain after it left, as a share of the public model's loss there
    // Of each owner's training text, the mean number of bytes that come out verbatim behind 32 given ones: from the mixture that
    // routes whole requests, and from what is left of it without that owner.
    struct Extraction {
        std::string owner;
        double before = 0, after = 0;
    };
    std::vector<Extraction> extractions;
    const Row& row(std::string_view name) const;
};

using Progress = std::function<void(const std::string& line)>;
Outcome run(const Plan& plan, const std::vector<Domain>& domains, std::uint64_t seed, const Progress& progress);

// What must hold of every outcome: whole requests within `margin` of the oracle, and better than every merge. Empty: it does.
std::vector<std::string> failures(const Outcome& outcome, double margin);

// Means over the outcomes as Markdown, with the spread of the average.
std::string table(const std::vector<Domain>& domains, const std::vector<Outcome>& outcomes);

}  // namespace hanse::recombination
