// SPDX-License-Identifier: Apache-2.0
#include "forge_options.hpp"

#include <CLI/CLI.hpp>

namespace hanse::cli {
namespace {

class Registration {
public:
    Registration(const Context& context, RecombinationOptions& options, const AddCommand& add)
        : context_(context),
          options_(options),
          add_(add) {}

    CLI::App* command(CLI::App& parent, const char* name, Say about, const char* examples,
                      Exit (*call)(const Context&, const RecombinationOptions&)) const {
        return add_(parent, name, about, examples,
                    [this_context = &context_, options = &options_, call] { return call(*this_context, *options); });
    }
    std::string text(Say id) const { return std::string(cli::text(id, context_.language)); }

    void mixtures(CLI::App& forge) const {
        CLI::App* made =
            command(forge, "statistics", Say::about_forge_statistics,
                    "hanse forge statistics law.gguf judgements.txt --expert law -o law.statistics.safetensors", forge_statistics);
        model(*made);
        texts(*made);
        made->add_option("--expert", options_.experts, text(Say::option_forge_expert))->type_name("NAME")->required()->expected(1);
        output(*made, true);
        windows(*made);
        made = command(
            forge, "recombine", Say::about_forge_recombine,
            "hanse forge recombine public.gguf --expert law=law.gguf --expert code=code.gguf --statistics public.safetensors "
            "--statistics law.safetensors --statistics code.safetensors -o all.gguf\n"
            "hanse forge recombine public.gguf --expert law=law.gguf --terms law:owner=\"Kanzlei e.V.\" --router random -o both.gguf",
            forge_recombine);
        model(*made);
        made->add_option("--expert", options_.experts, text(Say::option_forge_expert_file))
            ->type_name("NAME=FILE")
            ->allow_extra_args(false);
        made->add_option("--terms", options_.terms, text(Say::option_forge_terms))->type_name("NAME:KEY=VALUE")->allow_extra_args(false);
        statistics(*made);
        made->add_option("--router", options_.router, text(Say::option_forge_router))
            ->type_name("KIND")
            ->check(CLI::IsMember({"ridge", "means", "random", "uniform"}));
        made->add_option("--used", options_.used, text(Say::option_forge_used))->type_name("N")->check(CLI::PositiveNumber);
        made->add_option("--penalty", options_.penalty, text(Say::option_forge_penalty))->type_name("X")->check(CLI::NonNegativeNumber);
        made->add_option("--temperature", options_.temperature, text(Say::option_forge_temperature))
            ->type_name("T")
            ->check(CLI::PositiveNumber);
        made->add_option("--seed", options_.seed, text(Say::option_seed))->type_name("N");
        made->add_flag("--dry-run", options_.dry_run, text(Say::option_forge_dry_run));
        output(*made, true);
        made =
            command(forge, "withdraw", Say::about_forge_withdraw,
                    "hanse forge withdraw all.gguf --expert law --statistics public.safetensors --statistics code.safetensors -o rest.gguf",
                    forge_withdraw);
        model(*made);
        made->add_option("--expert", options_.experts, text(Say::option_forge_expert))->type_name("NAME")->required()->expected(1);
        statistics(*made);
        made->add_flag("--dry-run", options_.dry_run, text(Say::option_forge_dry_run));
        output(*made, true);
        model(*command(forge, "experts", Say::about_forge_experts, "hanse forge experts all.gguf\nhanse forge experts all.gguf --json",
                       forge_experts));
    }

    void measurements(CLI::App& forge) const {
        CLI::App* made = command(forge, "score", Say::about_forge_score,
                                 "hanse forge score all.gguf sample.txt\nhanse forge score all.gguf sample.txt --without law\n"
                                 "hanse forge score base.gguf sample.txt --search --adapter law.gguf --adapter code.gguf\n"
                                 "hanse forge score base.gguf sample.txt --search --merge law.gguf --merge code.gguf -o recipe.yml",
                                 forge_score);
        model(*made);
        texts(*made);
        without(*made);
        made->add_option("--adapter", options_.adapters, text(Say::option_forge_adapter))
            ->type_name("FILE[=SCALE]")
            ->allow_extra_args(false);
        made->add_flag("--search", options_.search, text(Say::option_forge_search));
        made->add_option("--merge", options_.merged, text(Say::option_forge_merged))->type_name("FILE[=WEIGHT]")->allow_extra_args(false);
        made->add_option("--method", options_.method, text(Say::option_forge_method))
            ->type_name("METHOD")
            ->check(CLI::IsMember({"linear", "task_arithmetic", "ties"}));
        output(*made, false);
        windows(*made);
        made = command(forge, "probe", Say::about_forge_probe,
                       "hanse forge probe all.gguf secret.txt\nhanse forge probe all.gguf secret.txt --without law --json", forge_probe);
        model(*made);
        texts(*made);
        without(*made);
        made->add_option("--prefix", options_.prefix, text(Say::option_forge_prefix))->type_name("N")->check(CLI::PositiveNumber);
        made->add_option("--continuation", options_.continuation, text(Say::option_forge_continuation))
            ->type_name("N")
            ->check(CLI::PositiveNumber);
        made->add_option("--probes", options_.probes, text(Say::option_forge_probes))->type_name("N")->check(CLI::PositiveNumber);
        made = command(
            forge, "ngrams", Say::about_forge_ngrams,
            "hanse forge ngrams join owners.ngrams judgements.txt --expert law\nhanse forge ngrams leave owners.ngrams --expert law\n"
            "hanse forge ngrams score owners.ngrams question.txt",
            forge_ngrams);
        made->add_option("action", options_.action, text(Say::argument_forge_action))
            ->type_name("ACTION")
            ->required()
            ->check(CLI::IsMember({"join", "leave", "score"}));
        made->add_option("table", options_.model, text(Say::argument_forge_table))->type_name("TABLE")->required();
        made->add_option("files", options_.files, text(Say::argument_forge_texts))->type_name("TEXT");
        made->add_option("--expert", options_.experts, text(Say::option_forge_expert))->type_name("NAME")->expected(1);
    }

    void sums(CLI::App& forge) const {
        CLI::App* made = command(forge, "sum", Say::about_forge_sum,
                                 "hanse forge sum begin round/ --member law --member code --member public --name \"router, May\"\n"
                                 "hanse forge sum pair home/code.pair          (and carry it to code, as its home/law.pair)\n"
                                 "hanse forge sum share round/ --member law --home home/\n"
                                 "hanse forge sum mask round/ --member law --home home/ --statistics law.safetensors\n"
                                 "hanse forge sum close round/\n"
                                 "hanse forge sum reveal round/ --member law --home home/\n"
                                 "hanse forge sum finish round/ -o total.safetensors",
                                 forge_sum);
        made->add_option("action", options_.action, text(Say::argument_forge_sum_action))
            ->type_name("ACTION")
            ->required()
            ->check(CLI::IsMember({"begin", "pair", "share", "mask", "close", "reveal", "finish"}));
        made->add_option("round", options_.model, text(Say::argument_forge_round))->type_name("ROUND")->required();
        made->add_option("--member", options_.experts, text(Say::option_forge_member))->type_name("NAME")->allow_extra_args(false);
        made->add_option("--home", options_.home, text(Say::option_forge_home))->type_name("FOLDER");
        statistics(*made);
        made->add_option("--core", options_.core, text(Say::option_forge_core))->type_name("FILE");
        made->add_option("--name", options_.name, text(Say::option_forge_round_name))->type_name("TEXT");
        made->add_option("--threshold", options_.threshold, text(Say::option_forge_threshold))->type_name("N")->check(CLI::Range(2U, 255U));
        output(*made, false);
    }

    void adapters(CLI::App& forge) const {
        CLI::App* lora = forge.add_subcommand("lora", text(Say::about_forge_lora));
        lora->require_subcommand(1);
        lora->fallthrough();
        CLI::App* made = command(*lora, "extract", Say::about_forge_lora_extract,
                                 "hanse forge lora extract base.gguf tuned.gguf --rank 16 -o adapter.gguf", forge_lora_extract);
        model(*made);
        made->add_option("tuned", options_.files, text(Say::argument_forge_tuned))->type_name("TUNED")->required()->expected(1);
        made->add_option("--rank", options_.rank, text(Say::option_forge_rank))->type_name("N")->check(CLI::PositiveNumber);
        made->add_flag("--matrices-only", options_.matrices_only, text(Say::option_forge_matrices_only));
        output(*made, true);
        made = command(*lora, "merge", Say::about_forge_lora_merge,
                       "hanse forge lora merge base.gguf --adapter law.gguf --adapter code.gguf=0.5 -o merged.gguf", forge_lora_merge);
        model(*made);
        made->add_option("--adapter", options_.adapters, text(Say::option_forge_adapter))
            ->type_name("FILE[=SCALE]")
            ->required()
            ->allow_extra_args(false);
        output(*made, true);
        made = command(*lora, "stack", Say::about_forge_lora_stack,
                       "hanse forge lora stack --adapter law=law.gguf=0.5 --adapter code=code.gguf=0.5 -o stack.gguf", forge_lora_stack);
        made->add_option("--adapter", options_.adapters, text(Say::option_forge_adapter))
            ->type_name("NAME=FILE[=SCALE]")
            ->required()
            ->allow_extra_args(false);
        output(*made, true);
        made = command(*lora, "core", Say::about_forge_lora_core, "hanse forge lora core shared.gguf mean.safetensors -o adapter.gguf",
                       forge_lora_core);
        model(*made);
        made->add_option("core", options_.core, text(Say::argument_forge_core))->type_name("CORE")->required();
        output(*made, true);
        made = command(*lora, "unstack", Say::about_forge_lora_unstack, "hanse forge lora unstack stack.gguf --expert law -o rest.gguf",
                       forge_lora_unstack);
        model(*made);
        made->add_option("--expert", options_.experts, text(Say::option_forge_expert))->type_name("NAME")->required()->expected(1);
        output(*made, true);
    }

private:
    void model(CLI::App& made) const {
        made.add_option("model", options_.model, text(Say::argument_forge_model))->type_name("MODEL")->required();
    }
    void texts(CLI::App& made) const {
        made.add_option("texts", options_.files, text(Say::argument_forge_texts))->type_name("TEXT")->required();
    }
    void output(CLI::App& made, bool required) const {
        made.add_option("-o,--output", options_.output, text(Say::option_forge_output))->type_name("FILE")->required(required);
        made.add_option("--threads", options_.threads, text(Say::option_forge_threads))->type_name("N");
    }
    void statistics(CLI::App& made) const {
        made.add_option("--statistics", options_.statistics, text(Say::option_forge_statistics))
            ->type_name("FILE")
            ->allow_extra_args(false);
    }
    void without(CLI::App& made) const {
        made.add_option("--without", options_.experts, text(Say::option_forge_without))->type_name("NAME")->allow_extra_args(false);
    }
    void windows(CLI::App& made) const {
        made.add_option("--window", options_.window, text(Say::option_forge_window))->type_name("N")->check(CLI::Range(2U, 65'536U));
        made.add_option("--tokens", options_.tokens, text(Say::option_forge_tokens))->type_name("N")->check(CLI::PositiveNumber);
    }

    const Context& context_;
    RecombinationOptions& options_;
    const AddCommand& add_;
};

}  // namespace

void add_recombination(CLI::App& forge, const Context& context, RecombinationOptions& options, const AddCommand& add) {
    const Registration registration(context, options, add);
    registration.mixtures(forge);
    registration.measurements(forge);
    registration.adapters(forge);
    registration.sums(forge);
}

}  // namespace hanse::cli
