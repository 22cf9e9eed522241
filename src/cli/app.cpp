// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <array>
#include <csignal>
#include <format>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run.hpp"
#include "command_tree.hpp"
#include "commands.hpp"
#include "federation.hpp"
#include "forge_options.hpp"
#include "node/version.hpp"

namespace hanse::cli {
namespace {

// The language must be known before the parser is built in it.
base::Language language_for(int argc, char** argv, const base::Environment& environment) {
    for (int i = 1; i < argc; ++i) {
        std::string_view word = argv[i];
        if (word == "--") break;
        if (word == "--lang" && i + 1 < argc) word = argv[i + 1];
        else if (word.starts_with("--lang=")) word.remove_prefix(7);
        else continue;
        if (const auto language = base::language_of(word)) return *language;
    }
    return base::language_from(environment);
}

// The parser with the options that it fills, and what to run for the command that was given.
class Parser {
public:
    explicit Parser(Context& context) : context_(context), app_(text(Say::about), "hanse") {
        app_.require_subcommand(0, 1);
        app_.fallthrough();
        app_.get_formatter()->column_width(34);
        app_.get_formatter()->right_column_width(76);
        app_.set_help_flag("-h,--help", text(Say::option_help));
        app_.add_option("--data", context_.data_option, text(Say::option_data))->type_name("DIR");
        app_.add_option("--config", context_.config_option, text(Say::option_config))->type_name("FILE");
        app_.add_option("--lang", language_, text(Say::option_lang))->type_name("LANG")->check(CLI::IsMember({"en", "de"}));
        app_.add_flag("--json", context_.json, text(Say::option_json));
        app_.add_flag("--version", version_, text(Say::option_version));
        app_.add_flag("--help-man", manual_, text(Say::option_man));
        app_.footer(text(Say::exit_codes));
        add_serving();
        add_asking();
        add_models();
        add_keys();
        add_policy();
        add_forge();
        add_journal();
        add_federation();
        command(app_, "version", Say::about_version, "hanse version --json", [this] { return cli::version(context_); });
        command(app_, "manual", Say::option_man, "hanse manual | man -l -", [this] {
            put(manual_page(tree(app_), node::version(), context_.language));
            return Exit::ok;
        });
        CLI::App* completion = command(app_, "completion", Say::about_completion,
                                       "hanse completion bash > /usr/share/bash-completion/completions/hanse\nhanse completion zsh > ~/.zfunc/_hanse\nhanse completion fish > "
                                       "~/.config/fish/completions/hanse.fish",
                                       [this] {
                                           put(completion_script(tree(app_), shell_));
                                           return Exit::ok;
                                       });
        completion->add_option("shell", shell_, text(Say::argument_shell))->type_name("SHELL")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
    }

    Exit run(int argc, char** argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::CallForHelp&) {
            put(app_.help());
            return Exit::ok;
        } catch (const CLI::ParseError& error) {
            return refuse(argc, argv, error);
        }
        if (manual_) {
            put(manual_page(tree(app_), node::version(), context_.language));
            return Exit::ok;
        }
        if (version_) return cli::version(context_);
        if (!chosen_) {
            put(app_.help());
            return Exit::usage;
        }
        return chosen_();
    }

private:
    std::string text(Say id) const { return std::string(cli::text(id, context_.language)); }
    std::string text(FederationWord word) const { return federation_text(word, context_.language); }

    template <typename Word>
    CLI::App* command(CLI::App& parent, const std::string& name, Word about, const std::string& examples, std::function<Exit()> call) {
        CLI::App* made = parent.add_subcommand(name, text(about));
        made->fallthrough();
        if (!examples.empty()) {
            std::string footer = text(Say::examples);
            for (std::string_view rest = examples; !rest.empty();) {
                const std::string_view line = rest.substr(0, rest.find('\n'));
                footer.append("\n  ").append(line);
                rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            }
            made->footer(footer);
        }
        if (call) made->final_callback([this, call = std::move(call)] { chosen_ = call; });
        return made;
    }

    void add_serving() {
        CLI::App* made = command(app_, "init", Say::about_init, "hanse init\nhanse init --profile public-authority --house stadtwerke --country DE\nhanse init --data /srv/hanse --lang de",
                                 [this] { return cli::init(context_, init_); });
        made->add_flag("--force", init_.force, text(Say::option_force));
        made->add_option("--profile", init_.profile, text(Say::option_profile))->type_name("PROFILE");
        made->add_option("--house", init_.house, text(Say::option_house))->type_name("NAME");
        made->add_option("--country", init_.country, text(Say::option_country))->type_name("REGION");
        made = command(app_, "serve", Say::about_serve, "hanse serve\nhanse serve --port 9000\nHANSE_LOGGING_LEVEL=debug hanse serve --data /srv/hanse",
                       [this] { return cli::serve(context_, serve_); });
        made->add_option("--address", serve_.address, text(Say::option_address))->type_name("ADDRESS");
        made->add_option("--port", serve_.port, text(Say::option_port))->type_name("PORT");
    }

    void add_node_options(CLI::App& made) {
        made.add_option("-m,--model", ask_.model, text(Say::option_model))->type_name("NAME");
        made.add_option("-s,--system", ask_.system, text(Say::option_system))->type_name("TEXT");
        made.add_option("--max-tokens", ask_.max_tokens, text(Say::option_max_tokens))->type_name("N")->check(CLI::PositiveNumber);
        made.add_option("--temperature", ask_.temperature, text(Say::option_temperature))->type_name("T")->check(CLI::Range(0.0, 2.0));
        made.add_option("--seed", ask_.seed, text(Say::option_seed))->type_name("N");
        made.add_flag("--stats", ask_.stats, text(Say::option_stats));
        made.add_option("--url", ask_.node.url, text(Say::option_url))->type_name("URL");
        made.add_option("--key", ask_.node.key, text(Say::option_key))->type_name("KEY");
        made.add_option("--ca", ask_.node.ca_file, text(Say::option_ca))->type_name("FILE");
    }

    void add_asking() {
        CLI::App* made = command(app_, "ask", Say::about_ask,
                                 "hanse ask \"What was the Hanseatic League?\"\nhanse ask --stats --model eurollm-9b \"Moin!\"\nhanse ask \"Summarise this letter:\" - < letter.txt\n"
                                 "hanse ask --json \"Name three ports\" | jq -r .answer",
                                 [this] { return cli::ask(context_, ask_); });
        add_node_options(*made);
        made->add_option("question", ask_.question, text(Say::argument_question))->type_name("QUESTION");
        made = command(app_, "chat", Say::about_chat, "hanse chat\nhanse chat --model eurollm-9b --system \"Antworte kurz.\"", [this] { return cli::chat(context_, ask_); });
        add_node_options(*made);
    }

    void add_models() {
        CLI::App* model = app_.add_subcommand("model", text(Say::about_model));
        model->require_subcommand(1);
        model->fallthrough();
        CLI::App* made = command(*model, "list", Say::about_model_list, "hanse model list\nhanse model list --available", [this] { return cli::model_list(context_, model_); });
        made->add_flag("--available", model_.available, text(Say::option_available));
        made = command(*model, "pull", Say::about_model_pull,
                       "hanse model pull eurollm-9b\nhanse model pull hf:bartowski/SmolLM2-360M-Instruct-GGUF\nhanse model pull "
                       "hf:OWNER/REPOSITORY:model-Q4_K_M.gguf@main --name mine\nHF_TOKEN=… hanse model pull hf:OWNER/GATED",
                       [this] { return cli::model_pull(context_, model_); });
        made->add_option("reference", model_.reference, text(Say::argument_reference))->type_name("REFERENCE")->required();
        made->add_option("--name", model_.name, text(Say::option_name))->type_name("NAME");
        made = command(*model, "add", Say::about_model_add, "hanse model add ~/Downloads/model.gguf --name mine --licence Apache-2.0", [this] { return cli::model_add(context_, model_); });
        made->add_option("file", model_.file, text(Say::argument_file))->type_name("FILE")->required();
        made->add_option("--name", model_.name, text(Say::option_name))->type_name("NAME");
        made->add_option("--licence", model_.licence, text(Say::option_licence))->type_name("SPDX");
        const auto named = [&](const char* name, Say about, const char* example, std::function<Exit()> call) {
            command(*model, name, about, example, std::move(call))->add_option("model", model_.reference, text(Say::argument_model))->type_name("MODEL")->required();
        };
        named("show", Say::about_model_show, "hanse model show eurollm-9b", [this] { return cli::model_show(context_, model_); });
        named("rm", Say::about_model_remove, "hanse model rm eurollm-9b", [this] { return cli::model_remove(context_, model_); });
        named("verify", Say::about_model_verify, "hanse model verify eurollm-9b", [this] { return cli::model_verify(context_, model_); });
    }

    void add_keys() {
        CLI::App* key = app_.add_subcommand("key", text(Say::about_key));
        key->require_subcommand(1);
        key->fallthrough();
        CLI::App* made = command(*key, "create", Say::about_key_create,
                                 "hanse key create --name \"Anna's laptop\"\nhanse key create --name chat-bot --only eurollm-9b --requests-per-minute 60 --tokens-per-day 1000000\nhanse key create --name payroll --label personnel",
                                 [this] { return cli::key_create(context_, key_); });
        made->add_option("--name", key_.name, text(Say::option_key_name))->type_name("NAME")->required();
        made->add_option("--only", key_.models, text(Say::option_key_models))->type_name("MODEL");
        made->add_option("--requests-per-minute", key_.requests_per_minute, text(Say::option_key_rpm))->type_name("N");
        made->add_option("--tokens-per-minute", key_.tokens_per_minute, text(Say::option_key_tpm))->type_name("N");
        made->add_option("--tokens-per-day", key_.tokens_per_day, text(Say::option_key_day))->type_name("N");
        made->add_option("--tokens-per-month", key_.tokens_per_month, text(Say::option_key_month))->type_name("N");
        made->add_option("--label", key_.label, text(Say::option_key_label))->type_name("LABEL");
        made->add_option("--ceiling", key_.ceiling, text(Say::option_key_ceiling))->type_name("LABEL");
        made->add_option("--place", key_.place, text(Say::option_key_place))->type_name("PLACE");
        made->add_option("--partition", key_.partition, text(Say::option_key_partition))->type_name("WORD");
        command(*key, "list", Say::about_key_list, "hanse key list", [this] { return cli::key_list(context_, key_); });
        made = command(*key, "revoke", Say::about_key_revoke, "hanse key revoke key_…", [this] { return cli::key_revoke(context_, key_); });
        made->add_option("id", key_.id, text(Say::argument_key_id))->type_name("ID")->required();
    }

    void add_federation() {
        CLI::App* federation = app_.add_subcommand("federation", text(FederationWord::all));
        federation->require_subcommand(1);
        federation->fallthrough();
        const auto about_self = [&](CLI::App& made) {
            made.add_option("--member", federation_.member, text(FederationWord::member))->type_name("NAME");
            made.add_option("--title", federation_.title, text(FederationWord::title))->type_name("TEXT");
            made.add_option("--country", federation_.country, text(FederationWord::country))->type_name("REGION");
            made.add_option("--control", federation_.control, text(FederationWord::control))->type_name("REGION");
            made.add_option("--address", federation_.addresses, text(FederationWord::address))->type_name("HOST:PORT");
            made.add_option("--node", federation_.node, text(FederationWord::node))->type_name("NAME");
            made.add_option("--key-profile", federation_.profile, text(FederationWord::profile))->type_name("PROFILE")->check(CLI::IsMember({"default", "bsi"}));
        };
        const auto yes = [&](CLI::App& made) { made.add_flag("--yes", federation_.yes, text(FederationWord::yes)); };
        CLI::App* made = command(*federation, "create", FederationWord::create, "hanse federation create nord --title \"Acme GmbH\" --address hanse.acme.example:8421\nhanse federation create nord --member acme --country DE --key-profile bsi",
                                 [this] { return cli::federation_create(context_, federation_); });
        made->add_option("name", federation_.name, text(FederationWord::federation))->type_name("NAME")->required();
        made->add_flag("--receipts-demanded", federation_.receipts_demanded, text(FederationWord::receipts_demanded));
        made->add_option("--days", federation_.days, text(FederationWord::days))->type_name("N")->check(CLI::Range(1, 3650));
        about_self(*made);
        made = command(*federation, "invite", FederationWord::invite, "hanse federation invite bolt\nhanse federation invite bolt --minutes 10 --address 192.0.2.7:8421 --yes", [this] { return cli::federation_invite(context_, federation_); });
        made->add_option("name", federation_.name, text(FederationWord::newcomer))->type_name("NAME")->required();
        made->add_option("--address", federation_.addresses, text(FederationWord::address))->type_name("HOST:PORT");
        made->add_option("--minutes", federation_.minutes, text(FederationWord::minutes))->type_name("N")->check(CLI::Range(1, 1440));
        yes(*made);
        made = command(*federation, "join", FederationWord::join, "hanse federation join hanse1.AAAA --title \"Bolt SARL\" --address hanse.bolt.example:8421", [this] { return cli::federation_join(context_, federation_); });
        made->add_option("code", federation_.code, text(FederationWord::code))->type_name("CODE")->required();
        about_self(*made);
        yes(*made);
        command(*federation, "members", FederationWord::members, "hanse federation members --json", [this] { return cli::federation_members(context_, federation_); });
        command(*federation, "status", FederationWord::status, "hanse federation status", [this] { return cli::federation_status(context_, federation_); });
        const auto change = [&](const char* name, FederationWord about, const char* example) {
            CLI::App* step = command(*federation, name, about, example, [this, name] { return cli::federation_change(context_, federation_, name); });
            yes(*step);
            return step;
        };
        const auto of_member = [&](CLI::App* step) { step->add_option("name", federation_.name, text(FederationWord::member_name))->type_name("NAME")->required(); };
        of_member(change("suspend", FederationWord::suspend, "hanse federation suspend bolt"));
        of_member(change("restore", FederationWord::restore, "hanse federation restore bolt"));
        of_member(change("revoke", FederationWord::revoke, "hanse federation revoke bolt --yes"));
        change("leave", FederationWord::leave, "hanse federation leave");
        made = command(*federation, "update", FederationWord::update, "hanse federation update\nhanse federation update --address hanse.acme.example:8421", [this] { return cli::federation_update(context_, federation_); });
        made->add_option("--address", federation_.addresses, text(FederationWord::address))->type_name("HOST:PORT");
        yes(*command(*federation, "approve", FederationWord::approve, "hanse federation approve", [this] { return cli::federation_approve(context_, federation_); }));
        made = command(*federation, "certify", FederationWord::certify, "hanse federation certify node.request > node.pem\nhanse federation certify node.pem", [this] { return cli::federation_certify(context_, federation_); });
        made->add_option("file", federation_.file, text(FederationWord::request))->type_name("FILE")->required();
    }

    void add_policy() {
        CLI::App* policy = app_.add_subcommand("policy", text(Say::about_policy));
        policy->require_subcommand(1);
        policy->fallthrough();
        const auto add = [&](const char* name, Say about, const char* examples, Exit (*call)(const Context&, const PolicyOptions&)) {
            return command(*policy, name, about, examples, [this, call] { return call(context_, policy_); });
        };
        const auto file_option = [&](CLI::App& made) { made.add_option("--policy", policy_.policy, text(Say::option_policy_file))->type_name("FILE"); };
        CLI::App* made = add("check", Say::about_policy_check, "hanse policy check\nhanse policy check new-policy.toml", policy_check);
        made->add_option("file", policy_.policy, text(Say::argument_policy_file))->type_name("FILE");
        made = add("explain", Say::about_policy_explain, "hanse policy explain --label personnel --to eu-cloud\nhanse policy explain --label internal+customers --to local --for quality",
                   policy_explain);
        made->add_option("--label", policy_.label, text(Say::option_policy_label))->type_name("LABEL");
        made->add_option("--to", policy_.place, text(Say::option_policy_to))->type_name("PLACE")->required();
        made->add_option("--for", policy_.use, text(Say::option_policy_for))->type_name("USE");
        file_option(*made);
        made = add("prove", Say::about_policy_prove, "hanse policy prove --from personnel --never-reaches eu-cloud", policy_prove);
        made->add_option("--from", policy_.kind, text(Say::option_policy_from))->type_name("KIND")->required();
        made->add_option("--never-reaches", policy_.place, text(Say::option_policy_never_reaches))->type_name("PLACE")->required();
        file_option(*made);
        made = add("test", Say::about_policy_test, "hanse policy test decisions.case\nhanse policy test decisions.case --policy new-policy.toml", policy_test);
        made->add_option("file", policy_.file, text(Say::argument_policy_table))->type_name("FILE")->required();
        file_option(*made);
        made = add("diff", Say::about_policy_diff, "hanse policy diff new-policy.toml\nhanse policy diff new-policy.toml --record decisions.tsv", policy_diff);
        made->add_option("file", policy_.file, text(Say::argument_policy_new))->type_name("FILE")->required();
        made->add_option("--record", policy_.record, text(Say::option_policy_record))->type_name("FILE");
        file_option(*made);
        add_declassifying(*policy);
        made = add("scan", Say::about_policy_scan, "hanse policy scan letter.txt\nhanse policy scan letter.txt --json", policy_scan);
        made->add_option("file", policy_.file, text(Say::argument_policy_text))->type_name("FILE")->required();
        file_option(*made);
    }

    void add_forge() {
        CLI::App* forge = app_.add_subcommand("forge", text(Say::about_forge));
        forge->require_subcommand(1);
        forge->fallthrough();
        const auto add = [&](const char* name, Say about, const char* examples, Exit (*call)(const Context&, const ForgeOptions&)) {
            CLI::App* made = command(*forge, name, about, examples, [this, call] { return call(context_, forge_); });
            made->add_option("--threads", forge_.threads, text(Say::option_forge_threads))->type_name("N");
            return made;
        };
        CLI::App* made = add("inspect", Say::about_forge_inspect, "hanse forge inspect model.gguf\nhanse forge inspect EuroLLM-1.7B/ --json | jq '.tensors | length'", forge_inspect);
        made->add_option("model", forge_.file, text(Say::argument_forge_model))->type_name("MODEL")->required();
        made = add("diff", Say::about_forge_diff, "hanse forge diff base.gguf tuned.gguf\nhanse forge diff base/ merged/ --json", forge_diff);
        made->add_option("model", forge_.file, text(Say::argument_forge_model))->type_name("MODEL")->required();
        made->add_option("other", forge_.other, text(Say::argument_forge_other))->type_name("OTHER")->required();
        made = add("merge", Say::about_forge_merge, "hanse forge merge recipe.yml --output merged/\nhanse forge merge recipe.yml --output merged.gguf --dry-run\nhanse forge merge recipe.yml --output merged/ --seed 7 --sign member.key", forge_merge);
        made->add_option("recipe", forge_.file, text(Say::argument_forge_recipe))->type_name("RECIPE")->required();
        made->add_option("-o,--output", forge_.output, text(Say::option_forge_output))->type_name("PATH")->required();
        made->add_option("--seed", forge_.seed, text(Say::option_forge_seed))->type_name("N");
        made->add_option("--shard-bytes", forge_.shard_bytes, text(Say::option_forge_shard))->type_name("N")->check(CLI::PositiveNumber);
        made->add_option("--sign", forge_.sign, text(Say::option_forge_sign))->type_name("KEY");
        made->add_flag("--dry-run", forge_.dry_run, text(Say::option_forge_dry_run));
        made->add_flag("--no-digests", forge_.no_digests, text(Say::option_forge_no_digests));
        made = add("convert", Say::about_forge_convert, "hanse forge convert EuroLLM-1.7B/ --output eurollm.gguf\nhanse forge convert SmolLM2-135M/ --output smollm.gguf --type f16\nhanse forge convert eurollm.gguf --output EuroLLM/", forge_convert);
        made->add_option("model", forge_.file, text(Say::argument_forge_convert))->type_name("MODEL")->required();
        made->add_option("-o,--output", forge_.output, text(Say::option_forge_output))->type_name("PATH")->required();
        made->add_option("--type", forge_.type, text(Say::option_forge_type))->type_name("TYPE");
        made->add_flag("--dry-run", forge_.dry_run, text(Say::option_forge_dry_run));
        made = add("quantise", Say::about_forge_quantise, "hanse forge quantise eurollm.gguf --type Q4_K_M --output eurollm-Q4_K_M.gguf", forge_quantise);
        made->add_option("model", forge_.file, text(Say::argument_forge_model))->type_name("MODEL")->required();
        made->add_option("-o,--output", forge_.output, text(Say::option_forge_output))->type_name("PATH")->required();
        made->add_option("--type", forge_.type, text(Say::option_forge_quantise_type))->type_name("TYPE")->required();
        made->add_flag("--dry-run", forge_.dry_run, text(Say::option_forge_dry_run));
        add_recombination(*forge, context_, recombination_, [this](CLI::App& parent, const std::string& name, Say about, const std::string& examples,
                                                                   std::function<Exit()> call) { return command(parent, name, about, examples, std::move(call)); });
    }

    void add_declassifying(CLI::App& policy) {
        const auto add = [&](const char* name, Say about, const char* examples, Exit (*call)(const Context&, const DeclassifyOptions&)) {
            return command(policy, name, about, examples, [this, call] { return call(context_, declassify_); });
        };
        const auto option = [&](CLI::App& made, const char* name, std::string& out, Say about, const char* type) {
            return made.add_option(name, out, text(about))->type_name(type);
        };
        CLI::App* made =
            add("signer", Say::about_policy_signer,
                "hanse policy signer --name anna --key ~/anna.key\nhanse policy signer --name anna --key ~/anna.key >> policy.toml",
                policy_signer);
        option(*made, "--name", declassify_.name, Say::option_signer_name, "NAME")->required();
        option(*made, "--key", declassify_.key, Say::option_signer_key, "FILE")->required();
        option(*made, "--passphrase-file", declassify_.passphrase_file, Say::option_passphrase_file, "FILE");
        made = add("declassify", Say::about_policy_declassify,
                   "hanse policy declassify request.json --from internal+personnel --to internal --reason \"the works council agreed\" "
                   "--until 2026-12-31 --out statement.txt",
                   policy_declassify);
        option(*made, "payload", declassify_.payload, Say::argument_payload, "FILE")->required();
        option(*made, "--from", declassify_.from, Say::option_declassify_from, "LABEL");
        option(*made, "--to", declassify_.to, Say::option_declassify_to, "LABEL")->required();
        option(*made, "--reason", declassify_.reason, Say::option_declassify_reason, "TEXT")->required();
        option(*made, "--until", declassify_.until, Say::option_declassify_until, "DATE")->required();
        option(*made, "--scope", declassify_.scope, Say::option_declassify_scope, "SCOPE")->check(CLI::IsMember({"once", "standing"}));
        option(*made, "--owner", declassify_.owner, Say::option_declassify_owner, "MEMBER");
        option(*made, "--out", declassify_.statement, Say::option_declassify_out, "FILE")->required();
        option(*made, "--policy", declassify_.policy, Say::option_policy_file, "FILE");
        made = add("sign", Say::about_policy_sign, "hanse policy sign statement.txt --payload request.json --as anna --key ~/anna.key",
                   policy_sign);
        option(*made, "statement", declassify_.statement, Say::argument_statement, "FILE")->required();
        option(*made, "--payload", declassify_.payload, Say::argument_payload, "FILE")->required();
        option(*made, "--as", declassify_.name, Say::option_signer_name, "NAME")->required();
        option(*made, "--key", declassify_.key, Say::option_signer_key, "FILE")->required();
        option(*made, "--passphrase-file", declassify_.passphrase_file, Say::option_passphrase_file, "FILE");
        made->add_flag("--yes", declassify_.yes, text(Say::option_sign_yes));
        option(*made, "--policy", declassify_.policy, Say::option_policy_file, "FILE");
        made = add("present", Say::about_policy_present,
                   "hanse policy present statement.txt\nhanse policy present statement.txt --url https://hanse.example.org --key hanse_…",
                   policy_present);
        option(*made, "statement", declassify_.statement, Say::argument_statement, "FILE")->required();
        option(*made, "--url", declassify_.node.url, Say::option_url, "URL");
        option(*made, "--key", declassify_.node.key, Say::option_key, "KEY");
        option(*made, "--ca", declassify_.node.ca_file, Say::option_ca, "FILE");
    }

    void add_journal() {
        CLI::App* identity = app_.add_subcommand("identity", text(Say::about_identity));
        identity->require_subcommand(1);
        identity->fallthrough();
        CLI::App* made = command(*identity, "show", Say::about_identity_show, "hanse identity show\nhanse identity show --keys > our-node.keys\nhanse identity show --witness", [this] { return cli::identity_show(context_, identity_); });
        made->add_flag("--keys", identity_.keys, text(Say::option_identity_keys));
        made->add_flag("--witness", identity_.witness, text(Say::option_identity_witness));
        made->add_flag("--changes", identity_.changes, text(Say::option_identity_changes));
        const auto change = [&](const char* name, Say about, const char* examples, Exit (*call)(const Context&, const IdentityOptions&)) {
            CLI::App* one = command(*identity, name, about, examples, [this, call] { return call(context_, identity_); });
            one->add_option("keys", identity_.purpose, text(Say::argument_key_purpose))->type_name("KEYS")->check(CLI::IsMember({"identity", "log", "witness"}));
            one->add_option("--reason", identity_.reason, text(Say::option_reason))->type_name("TEXT")->required();
            return one;
        };
        made = change("rotate", Say::about_identity_rotate, "hanse identity rotate --reason \"once a year\"\nhanse identity rotate log --reason \"new machine\"", cli::identity_rotate);
        made->add_option("--token", identity_.token, text(Say::option_next_token))->type_name("URI");
        made = change("revoke", Say::about_identity_revoke, "hanse identity revoke --reason \"the laptop was stolen\" --yes", cli::identity_revoke);
        made->add_flag("--yes", identity_.yes, text(Say::option_revoke_yes));

        CLI::App* receipt = app_.add_subcommand("receipt", text(Say::about_receipt));
        receipt->require_subcommand(1);
        receipt->fallthrough();
        made = command(*receipt, "verify", Say::about_receipt_verify,
                       "hanse receipt verify answer.tlog-proof\nhanse receipt verify answer.tlog-proof --trust partner.keys --input request.json --output answer.txt\n"
                       "hanse receipt verify answer.tlog-proof --policy witnesses.policy\nhanse receipt verify answer.cose --record answer.tlog-proof\n"
                       "curl -s http://127.0.0.1:8420/v1/hanse/receipts/hr_… | hanse receipt verify - --json",
                       [this] { return cli::receipt_verify(context_, receipt_); });
        made->add_option("file", receipt_.file, text(Say::argument_receipt))->type_name("FILE")->required();
        made->add_option("--key", receipt_.keys, text(Say::option_vkey))->type_name("VKEY");
        made->add_option("--trust", receipt_.trust, text(Say::option_trust))->type_name("FILE");
        made->add_option("--policy", receipt_.policy, text(Say::option_witness_policy))->type_name("FILE");
        made->add_option("--changes", receipt_.changes, text(Say::option_receipt_changes))->type_name("FILE");
        made->add_option("--record", receipt_.record, text(Say::option_receipt_record))->type_name("FILE");
        made->add_option("--input", receipt_.inputs, text(Say::option_receipt_input))->type_name("FILE");
        made->add_option("--output", receipt_.outputs, text(Say::option_receipt_output))->type_name("FILE");

        CLI::App* journal = app_.add_subcommand("journal", text(Say::about_journal));
        journal->require_subcommand(1);
        journal->fallthrough();
        const auto add = [&](const char* name, Say about, const char* examples, Exit (*call)(const Context&, const JournalOptions&)) {
            CLI::App* one = command(*journal, name, about, examples, [this, call] { return call(context_, journal_); });
            one->add_option("--folder", journal_.folder, text(Say::option_journal_folder))->type_name("DIR");
            return one;
        };
        const auto period = [&](CLI::App& one) {
            one.add_option("--since", journal_.since, text(Say::option_since))->type_name("TIME");
            one.add_option("--until", journal_.until, text(Say::option_until))->type_name("TIME");
        };
        made = add("check", Say::about_journal_check, "hanse journal check\nhanse journal check --folder /backup/journal --trust our-node.keys --policy witnesses.policy", journal_check);
        made->add_option("--key", journal_.keys, text(Say::option_vkey))->type_name("VKEY");
        made->add_option("--trust", journal_.trust, text(Say::option_trust))->type_name("FILE");
        made->add_option("--policy", journal_.policy, text(Say::option_witness_policy))->type_name("FILE");
        made = add("show", Say::about_journal_show, "hanse journal show hr_…\nhanse journal show hr_… --texts", journal_show);
        made->add_option("id", journal_.id, text(Say::argument_record_id))->type_name("ID")->required();
        made->add_flag("--texts", journal_.texts, text(Say::option_texts));
        made = add("receipt", Say::about_journal_receipt, "hanse journal receipt hr_… > answer.tlog-proof", journal_receipt);
        made->add_option("id", journal_.id, text(Say::argument_record_id))->type_name("ID")->required();
        made = add("tail", Say::about_journal_tail, "hanse journal tail\nhanse journal tail -n 100 --follow", journal_tail);
        made->add_option("-n,--count", journal_.count, text(Say::option_count))->type_name("N");
        made->add_flag("-f,--follow", journal_.follow, text(Say::option_follow));
        made = add("search", Say::about_journal_search, "hanse journal search --kind denial --since 2026-11-01\nhanse journal search --caller key_… --model eurollm-9b --json", journal_search);
        period(*made);
        made->add_option("--kind", journal_.kind, text(Say::option_record_kind))->type_name("KIND");
        made->add_option("--caller", journal_.caller, text(Say::option_caller))->type_name("KEY");
        made->add_option("--model", journal_.model, text(Say::option_record_model))->type_name("NAME");
        made->add_option("--text", journal_.text, text(Say::option_record_text))->type_name("TEXT");
        made = add("export", Say::about_journal_export,
                   "hanse journal export > journal.jsonl\nhanse journal export --article-12 --system eurollm-9b --since 2026-06-01 --until 2026-12-01 > events.jsonl", journal_export);
        period(*made);
        made->add_option("--kind", journal_.kind, text(Say::option_record_kind))->type_name("KIND");
        made->add_option("--caller", journal_.caller, text(Say::option_caller))->type_name("KEY");
        made->add_option("--model", journal_.model, text(Say::option_record_model))->type_name("NAME");
        made->add_flag("--article-12", journal_.article_12, text(Say::option_article_12));
        made->add_option("--system", journal_.system, text(Say::option_system_of))->type_name("MODEL");
        made = command(*journal, "prune", Say::about_journal_prune, "hanse journal prune\nhanse journal prune --keep 400d", [this] { return cli::journal_prune(context_, journal_); });
        made->add_option("--keep", journal_.keep, text(Say::option_keep))->type_name("TIME");
        made = command(*journal, "erase", Say::about_journal_erase, "hanse journal erase hr_… --reason \"asked for by the person concerned\"",
                       [this] { return cli::journal_erase(context_, journal_); });
        made->add_option("id", journal_.id, text(Say::argument_record_id))->type_name("ID")->required();
        made->add_option("--reason", journal_.reason, text(Say::option_reason))->type_name("TEXT")->required();
    }

    // Wrong use: one sentence, and where to read on.
    Exit refuse(int argc, char** argv, const CLI::ParseError& error) {
        std::string where = "hanse";
        const CLI::App* at = &app_;
        for (auto inner = at->get_subcommands(); !inner.empty(); inner = at->get_subcommands()) {
            at = inner.front();
            where += " " + at->get_name();
        }
        std::string message = error.what();
        std::vector<std::string> names;
        for (const CLI::App* each : at->get_subcommands([](const CLI::App*) { return true; })) names.push_back(each->get_name());
        if (!names.empty()) {
            // The first word that is no option and no command.
            for (int i = 1; i < argc; ++i) {
                const std::string word = argv[i];
                if (word.starts_with('-') || std::ranges::contains(names, word) || where.contains(" " + word)) continue;
                const std::string_view near = base::nearest_word(word, names);
                if (!near.empty()) message = context_.say(Say::did_you_mean, word, near);
                break;
            }
        }
        std::ranges::replace(message, '\n', ' ');
        tell("hanse: " + message);
        tell(context_.say(Say::usage_hint, where));
        return Exit::usage;
    }

    CommandTree tree(const CLI::App& app) const {
        CommandTree made{.name = app.get_name(), .about = app.get_description()};
        const std::string footer = app.get_footer();
        if (const auto begin = footer.find("\n  "); begin != std::string::npos) made.examples = footer.substr(begin + 1);
        for (const CLI::Option* option : app.get_options()) {
            CommandOption& out = made.options.emplace_back();
            for (const std::string& name : option->get_lnames()) out.names.push_back("--" + name);
            for (const std::string& name : option->get_snames()) out.names.push_back("-" + name);
            if (option->get_items_expected_max() != 0) out.value = option->get_type_name().substr(0, option->get_type_name().find(':'));
            out.about = option->get_description();
        }
        for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) made.commands.push_back(tree(*inner));
        return made;
    }

    Context& context_;
    CLI::App app_;
    std::string language_;
    std::string shell_;
    bool version_ = false;
    bool manual_ = false;
    InitOptions init_;
    ServeOptions serve_;
    AskOptions ask_;
    ModelOptions model_;
    KeyOptions key_;
    FederationOptions federation_;
    PolicyOptions policy_;
    DeclassifyOptions declassify_;
    ForgeOptions forge_;
    RecombinationOptions recombination_;
    IdentityOptions identity_;
    ReceiptOptions receipt_;
    JournalOptions journal_;
    std::function<Exit()> chosen_;
};

}  // namespace

int run(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is told apart by write(2)
    Context context{.environment = base::system_environment()};
    context.language = language_for(argc, argv, context.environment);
    Parser parser(context);
    return static_cast<int>(parser.run(argc, argv));
}

}  // namespace hanse::cli
