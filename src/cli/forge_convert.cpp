// SPDX-License-Identifier: Apache-2.0
#include "forge/convert.hpp"

#include <chrono>
#include <format>

#include "commands.hpp"
#include "progress_line.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

Exit run(const Context& context, const ForgeOptions& options, const forge::TensorFile& model,
         const base::Result<forge::Conversion>& conversion) {
    if (!conversion) return fail(context, conversion.error());
    std::error_code error;
    if (std::filesystem::equivalent(options.file, options.output, error))
        return fail(context, {base::ErrorKind::invalid, std::format("{} is both the input and the output", options.output), {}, {}, {}});
    const std::uint64_t bytes = conversion->bytes();
    if (!context.json) tell(context.say(Say::forge_convert_plan, options.output, conversion->plan.tensors.size(), size_text(bytes)));
    const auto begin = std::chrono::steady_clock::now();
    if (!options.dry_run) {
        forge::Crew crew(options.threads);
        ProgressLine line(context.json);
        const auto done = forge::run_conversion(
            *conversion, model, options.output, crew,
            [&](std::uint64_t so_far, std::uint64_t total, std::uint64_t resumed) { line.show(options.output, so_far, total, resumed); });
        if (!done) return fail(context, done.error());
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (context.json)
        put_line(std::format("{{\"output\":{},\"tensors\":{},\"bytes\":{},\"seconds\":{:.3f}}}", json_text(options.output),
                             conversion->plan.tensors.size(), bytes, seconds));
    else if (!options.dry_run)
        put_line(context.say(Say::forge_convert_done, options.output, size_text(bytes), std::format("{:.1f}", seconds)));
    return Exit::ok;
}

}  // namespace

Exit forge_convert(const Context& context, const ForgeOptions& options) {
    const auto model = forge::TensorFile::open(options.file);
    if (!model) return fail(context, model.error());
    std::optional<forge::TensorType> type;
    if (!options.type.empty()) {
        type = forge::tensor_type_named(options.type);
        if (!type || !forge::is_real(*type))
            return fail(context,
                        {base::ErrorKind::invalid, std::format("--type {} is no type of weights", plain_line(options.type)), {}, {}, {}});
    }
    const bool to_gguf = model->format() == forge::TensorFormat::safetensors;
    return run(context, options, *model, to_gguf ? forge::plan_to_gguf(*model, type) : forge::plan_to_folder(*model, type));
}

Exit forge_quantise(const Context& context, const ForgeOptions& options) {
    const auto model = forge::TensorFile::open(options.file);
    if (!model) return fail(context, model.error());
    return run(context, options, *model, forge::plan_quantised(*model, options.type));
}

}  // namespace hanse::cli
