// SPDX-License-Identifier: Apache-2.0
#include "catalog/known_models.hpp"

#include <algorithm>
#include <array>

namespace hanse::catalog {
namespace {

constexpr std::string_view eu_and_more = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv ar ca gl hi ja ko no ru tr uk zh";
constexpr std::string_view europe_35 = "bg ca cs cy da de el en es et eu fi fr ga gl hr hu it lt lv mt nl nn no oc pl pt ro ru sh sk sl sr sv uk";
constexpr std::string_view eu_24 = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv";

// The repositories are conversions to GGUF by third parties unless the maker publishes one; a file is not
// named, so that a pull takes the Q4_K_M that the repository has now.
constexpr std::array models{
    KnownModel{"eurollm-1.7b", "EuroLLM 1.7B Instruct", "Unbabel, IST Lisbon, Edinburgh and others (EU funded)", "1.7B", 1.05, 4096, eu_and_more, "Apache-2.0",
               "hf:QuantFactory/EuroLLM-1.7B-Instruct-GGUF", "utter-project/EuroLLM-1.7B-Instruct"},
    KnownModel{"eurollm-9b", "EuroLLM 9B Instruct", "Unbabel, IST Lisbon, Edinburgh and others (EU funded)", "9B", 5.6, 4096, eu_and_more, "Apache-2.0",
               "hf:bartowski/EuroLLM-9B-Instruct-GGUF", "utter-project/EuroLLM-9B-Instruct"},
    KnownModel{"eurollm-22b", "EuroLLM 22B Instruct", "IST Lisbon, Edinburgh, Unbabel and others (EU funded)", "22B", 13.7, 32768, eu_and_more, "Apache-2.0",
               "hf:mradermacher/EuroLLM-22B-Instruct-2512-GGUF", "utter-project/EuroLLM-22B-Instruct-2512"},
    KnownModel{"salamandra-2b", "Salamandra 2B Instruct", "Barcelona Supercomputing Center", "2B", 1.51, 8192, europe_35, "Apache-2.0",
               "hf:tensorblock/salamandra-2b-instruct-GGUF", "BSC-LT/salamandra-2b-instruct"},
    KnownModel{"salamandra-7b", "Salamandra 7B Instruct", "Barcelona Supercomputing Center", "7B", 4.85, 8192, europe_35, "Apache-2.0",
               "hf:tensorblock/salamandra-7b-instruct-GGUF", "BSC-LT/salamandra-7b-instruct"},
    KnownModel{"teuken-7b", "Teuken 7B Instruct v0.4", "OpenGPT-X: Fraunhofer, FZ Jülich, TU Dresden, DFKI", "7B", 4.9, 4096, eu_24, "Apache-2.0",
               "hf:QuantFactory/Teuken-7B-instruct-commercial-v0.4-GGUF", "openGPT-X/Teuken-7B-instruct-commercial-v0.4"},
    KnownModel{"apertus-8b", "Apertus 8B Instruct", "Swiss AI: EPFL, ETH Zurich, CSCS", "8B", 5.1, 65536, "1811 languages", "Apache-2.0",
               "hf:mradermacher/Apertus-8B-Instruct-2509-GGUF", "swiss-ai/Apertus-8B-Instruct-2509"},
    KnownModel{"apertus-70b", "Apertus 70B Instruct", "Swiss AI: EPFL, ETH Zurich, CSCS", "70B", 43.0, 65536, "1811 languages", "Apache-2.0",
               "hf:unsloth/Apertus-70B-Instruct-2509-GGUF", "swiss-ai/Apertus-70B-Instruct-2509"},
    KnownModel{"smollm2-135m", "SmolLM2 135M Instruct", "Hugging Face", "135M", 0.105, 8192, "en", "Apache-2.0",
               "hf:bartowski/SmolLM2-135M-Instruct-GGUF", "HuggingFaceTB/SmolLM2-135M-Instruct"},
    KnownModel{"smollm2-360m", "SmolLM2 360M Instruct", "Hugging Face", "360M", 0.27, 8192, "en", "Apache-2.0",
               "hf:bartowski/SmolLM2-360M-Instruct-GGUF", "HuggingFaceTB/SmolLM2-360M-Instruct"},
    KnownModel{"smollm2-1.7b", "SmolLM2 1.7B Instruct", "Hugging Face", "1.7B", 1.06, 8192, "en", "Apache-2.0",
               "hf:HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF", "HuggingFaceTB/SmolLM2-1.7B-Instruct"},
};

}  // namespace

std::span<const KnownModel> known_models() { return models; }

const KnownModel* find_known_model(std::string_view name) {
    const auto found = std::ranges::find(models, name, &KnownModel::name);
    return found == models.end() ? nullptr : &*found;
}

}  // namespace hanse::catalog
