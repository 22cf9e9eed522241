// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <format>

#include "commands.hpp"
#include "forge/core_file.hpp"
#include "forge/lora.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

using base::ErrorKind;
using base::Result;

// "NAME=FILE" or "NAME=FILE=SCALE" for stacks, "FILE" or "FILE=SCALE" for merges.
struct Named {
    std::string name, file;
    float scale = 1.0F;
};
Named named(std::string text, bool has_name) {
    Named result;
    if (has_name) {
        const auto place = text.find('=');
        result.name = text.substr(0, place);
        text = place == std::string::npos ? std::string() : text.substr(place + 1);
    }
    const auto place = text.rfind('=');
    result.file = text.substr(0, place);
    if (place != std::string::npos) result.scale = std::strtof(text.c_str() + place + 1, nullptr);
    return result;
}

Exit tell_written(const Context& context, const std::string& path, const forge::Adapter& adapter) {
    std::string parts;
    for (const auto& part : adapter.parts) parts += (parts.empty() ? "" : ", ") + part.name;
    if (context.json) {
        put_line(std::format("{{\"file\":{},\"tensors\":{},\"parts\":{}}}", json_text(path), adapter.tensors.size(), json_text(parts)));
    } else {
        put_line(context.say(Say::forge_adapter_written, path, adapter.tensors.size()));
        if (!parts.empty()) put_line(context.say(Say::forge_adapter_parts, plain_line(parts)));
    }
    return Exit::ok;
}

}  // namespace

Exit forge_lora_extract(const Context& context, const RecombinationOptions& options) {
    const auto before = forge::TensorFile::open(options.model);
    if (!before) return fail(context, before.error());
    const auto tuned = forge::TensorFile::open(options.files.front());
    if (!tuned) return fail(context, tuned.error());
    const auto made = forge::extract_adapter(*before, *tuned, {options.rank, options.matrices_only, options.seed});
    if (!made) return fail(context, made.error());
    if (auto wrote = forge::write_adapter(options.output, made->adapter); !wrote) return fail(context, wrote.error());
    if (!context.json)
        put_line(context.say(Say::forge_left_over, std::format("{:.2f}", 100 * made->left_over_most), made->left_over_tensor));
    return tell_written(context, options.output, made->adapter);
}

Exit forge_lora_merge(const Context& context, const RecombinationOptions& options) {
    const auto before = forge::TensorFile::open(options.model);
    if (!before) return fail(context, before.error());
    std::vector<forge::Adapter> adapters;
    std::vector<float> scales;
    for (const auto& one : options.adapters) {
        const auto wanted = named(one, false);
        auto adapter = forge::read_adapter(wanted.file);
        if (!adapter) return fail(context, adapter.error());
        adapters.push_back(std::move(*adapter));
        scales.push_back(wanted.scale);
    }
    std::vector<forge::ScaledAdapter> scaled;
    for (std::size_t i = 0; i < adapters.size(); ++i) scaled.push_back({&adapters[i], scales[i]});
    forge::Crew crew(options.threads);
    if (auto done = forge::merge_adapters(*before, scaled, options.output, crew); !done) return fail(context, done.error());
    if (context.json) put_line(std::format("{{\"file\":{}}}", json_text(options.output)));
    else put_line(context.say(Say::forge_merged, adapters.size(), options.model, options.output));
    return Exit::ok;
}

Exit forge_lora_stack(const Context& context, const RecombinationOptions& options) {
    std::vector<forge::Adapter> adapters;
    std::vector<Named> wanted;
    for (const auto& one : options.adapters) {
        wanted.push_back(named(one, true));
        if (wanted.back().file.empty())
            return fail(context,
                        {ErrorKind::invalid, std::format("--adapter {}: it is written NAME=FILE or NAME=FILE=SCALE", one), {}, {}, {}});
        auto adapter = forge::read_adapter(wanted.back().file);
        if (!adapter) return fail(context, adapter.error());
        adapters.push_back(std::move(*adapter));
    }
    std::vector<forge::NamedAdapter> parts;
    for (std::size_t i = 0; i < adapters.size(); ++i) parts.push_back({wanted[i].name, &adapters[i], wanted[i].scale});
    const auto stack = forge::stack_adapters(parts);
    if (!stack) return fail(context, stack.error());
    if (auto wrote = forge::write_adapter(options.output, *stack); !wrote) return fail(context, wrote.error());
    return tell_written(context, options.output, *stack);
}

Exit forge_lora_unstack(const Context& context, const RecombinationOptions& options) {
    const auto stack = forge::read_adapter(options.model);
    if (!stack) return fail(context, stack.error());
    const auto rest = forge::unstack_adapter(*stack, options.experts.front());
    if (!rest) return fail(context, rest.error());
    if (auto wrote = forge::write_adapter(options.output, *rest); !wrote) return fail(context, wrote.error());
    return tell_written(context, options.output, *rest);
}

Exit forge_lora_core(const Context& context, const RecombinationOptions& options) {
    auto shared = forge::read_adapter(options.model);
    if (!shared) return fail(context, shared.error());
    const auto cores = forge::read_cores(options.core);
    if (!cores) return fail(context, cores.error());
    for (auto& [name, tensor] : shared->tensors) {
        const auto core = std::ranges::find(*cores, name, &forge::Core::name);
        if (core == cores->end() || core->size != tensor.rank)
            return fail(context, {ErrorKind::invalid,
                                  std::format("{} holds no matrix of {} x {} for {}", options.core, tensor.rank, tensor.rank, name),
                                  {},
                                  {},
                                  {}});
        tensor = forge::with_core(tensor, core->values);
    }
    if (auto wrote = forge::write_adapter(options.output, *shared); !wrote) return fail(context, wrote.error());
    return tell_written(context, options.output, *shared);
}

}  // namespace hanse::cli
