// SPDX-License-Identifier: Apache-2.0
// What owners hand to each other: adapters, statistics, mixtures. Whatever is in a file, reading it ends in a value or an error, and
// what was read can be used.
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "forge/lora.hpp"
#include "forge/mixture.hpp"
#include "forge/statistics_file.hpp"
#include "forge/sum_round.hpp"

namespace {

// The readers want a file with the right ending; one folder for all inputs.
struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "hanse-fuzz-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace forge = hanse::forge;
    static const Folder folder;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.starts_with("hanse-sum ")) {
        // A round, and behind an empty line what a member reveals in it.
        const auto cut = std::min(text.find("\n\n"), text.size());
        std::vector<std::uint32_t> sent;
        if (const auto plan = forge::SumPlan::parse(text.substr(0, cut)))
            (void)forge::parse_reveal(*plan, plan->members.front(), text.substr(std::min(cut + 2, text.size())), sent);
        return 0;
    }
    const bool gguf = size >= 4 && data[0] == 'G';
    const auto path = folder.path / (gguf ? "input.gguf" : "input.safetensors");
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    if (!gguf) {
        if (auto read = forge::read_statistics(path)) {
            auto total = read->statistics;
            if (!total.add(read->statistics)) std::abort();
        }
        return 0;
    }
    if (const auto adapter = forge::read_adapter(path)) {
        for (const auto& part : adapter->parts) (void)forge::unstack_adapter(*adapter, part.name);
        const forge::NamedAdapter again[] = {{"again", &*adapter}};
        (void)forge::stack_adapters(again);
    }
    if (const auto file = forge::TensorFile::open(path)) {
        (void)forge::mixture_facts(*file);
        (void)forge::router_of(*file);
        (void)forge::trunk_digest(*file);
    }
    return 0;
}
