// SPDX-License-Identifier: Apache-2.0
// Writes random decisions with all that went into them as text, for script/second-opinion:
//   label_decisions COUNT SEED
// First the vocabulary; then blocks of labels (L), clearances (C) and uses (U), and for each label one line (D) with
// the decisions of every clearance and every use, separated by "|".
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "label/cases.hpp"
#include "sample.hpp"

using namespace hanse::label;

namespace {

constexpr std::size_t labels_a_block = 100, places_a_block = 100, uses_a_block = 10;

void write_vocabulary(const Vocabulary& words) {
    std::cout << "now " << sample::Drawing::now << "\n";
    for (const auto& region : words.source().regions) std::cout << "place " << region.name << " " << region.parent << "\n";
    for (const auto& member : words.source().members) {
        std::cout << "member " << member.name;
        for (const auto& person : member.people) std::cout << " " << member.name << "/" << person;
        std::cout << "\nplace house:" << member.name << " " << member.house_in << "\n";
        for (const auto& site : member.sites) {
            const std::string whole = "house:" + member.name + "/" + site;
            std::cout << "place " << whole << " " << whole.substr(0, whole.rfind('/')) << "\n";
        }
    }
}

}  // namespace

int main(int count, char** arguments) {
    std::ios::sync_with_stdio(false);
    if (count != 3) {
        std::cerr << "usage: label_decisions COUNT SEED\n";
        return 2;
    }
    const std::uint64_t wanted = std::strtoull(arguments[1], nullptr, 10);
    const auto words = sample::federation();
    sample::Drawing draw(std::strtoull(arguments[2], nullptr, 10), words);
    write_vocabulary(*words);
    for (std::uint64_t done = 0; done < wanted; done += labels_a_block * places_a_block * uses_a_block) {
        std::vector<Label> labels;
        std::vector<Clearance> places;
        std::vector<Use> uses;
        while (labels.size() < labels_a_block) labels.push_back(draw.label());
        while (places.size() < places_a_block) places.push_back(draw.clearance("place"));
        while (uses.size() < uses_a_block) uses.push_back(draw.use());
        for (const Label& label : labels) std::cout << "L " << text(label, *words) << "\n";
        for (const Clearance& place : places) std::cout << "C " << text(place, *words) << "\n";
        for (const Use& use : uses)
            std::cout << "U " << words->word(use.purpose) << " " << name(use.learning) << " " << (use.effect == Effect::acts ? "acts" : "none") << "\n";
        for (const Label& label : labels) {
            std::string line = "D ";
            for (const Clearance& place : places)
                for (const Use& use : uses) {
                    line += text(judge(label, place, use), *words);
                    line += '|';
                }
            line.back() = '\n';
            std::cout << line;
        }
    }
    return std::cout.good() ? 0 : 1;
}
