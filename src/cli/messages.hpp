// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <format>
#include <string>
#include <string_view>

#include "base/language.hpp"

namespace hanse::cli {

// Every text that a person reads from the commands, by name. The table in messages.cpp holds each in both
// languages; it does not compile if one is missing or out of order.
enum class Say : std::uint16_t {
    about,
    about_init, about_serve, about_ask, about_chat, about_model, about_model_list, about_model_pull, about_model_add, about_model_show, about_model_remove,
    about_model_verify, about_key, about_key_create, about_key_list, about_key_revoke, about_version, about_completion,
    examples, exit_codes,
    option_help, option_data, option_config, option_lang, option_json, option_version, option_url, option_key, option_ca, option_force, option_address, option_port, option_model,
    option_system, option_stats, option_max_tokens, option_temperature, option_available, option_name, option_licence, option_key_name, option_key_models, option_key_rpm, option_key_tpm,
    option_key_day, option_key_month, option_key_partition, option_man, option_seed,
    argument_question, argument_reference, argument_file, argument_model, argument_key_id, argument_shell,
    config_written, config_kept, init_next, init_folder,
    no_node, no_node_hint, node_unreachable, key_needed, key_not_named,
    listening, listening_models, listening_none, listening_stop, drained, cut_off,
    no_question, no_models, answer_cut, stats_line, stats_memory,
    chat_welcome, chat_help, chat_new, chat_model, chat_models, chat_model_unknown, chat_system, chat_system_now, chat_saved, chat_save_how, chat_unknown, chat_stopped, chat_prompt, chat_bye,
    model_none, model_available_hint, model_header, model_available_header, model_damaged, model_pulling, model_pulled, model_resumed, model_retrying, model_hashing, model_added, model_removed,
    model_present, model_sound, model_interrupted, model_told_node, model_known_unknown,
    show_name, show_source, show_revision, show_licence, show_size, show_files, show_added, show_path, show_languages, show_maker, show_context, show_original, show_fetch,
    key_created, key_once, key_header, key_none, key_revoked, key_all_models, key_revoked_mark,
    usage_hint, unexpected_argument, did_you_mean,
    about_policy, about_policy_check, about_policy_explain, about_policy_prove, about_policy_test, about_policy_diff, about_policy_scan,
    option_profile, option_house, option_country, option_policy_file, option_policy_label, option_policy_to, option_policy_for, option_policy_from, option_policy_never_reaches,
    option_policy_record, argument_policy_file, argument_policy_table, argument_policy_new, argument_policy_text, policy_scan_header, policy_scan_nothing,
    policy_written, policy_missing, policy_sound, policy_kinds, policy_places, policy_unseen, policy_undeclared, policy_kind_unknown, policy_case_failed, policy_cases, policy_no_record,
    policy_difference, policy_differences, profile_unknown, option_key_label, option_key_ceiling, option_key_place,
    about_forge, about_forge_inspect, about_forge_diff, about_forge_merge, about_forge_convert, about_forge_quantise,
    argument_forge_model, argument_forge_other, argument_forge_recipe, argument_forge_convert, option_forge_output, option_forge_seed, option_forge_dry_run, option_forge_no_digests,
    option_forge_sign, option_forge_threads, option_forge_shard, option_forge_type, option_forge_quantise_type,
    forge_inspect_header, forge_inspect_sum, forge_diff_header, forge_diff_metadata, forge_diff_sum, forge_merge_plan, forge_merge_done, forge_convert_plan, forge_convert_done,
    about_policy_signer, about_policy_declassify, about_policy_sign, about_policy_present, option_signer_name, option_signer_key, option_passphrase_file, option_declassify_from,
    option_declassify_to, option_declassify_reason, option_declassify_until, option_declassify_scope, option_declassify_owner, option_declassify_out, option_sign_yes,
    argument_payload, argument_statement, signer_made, declassify_until_wrong, declassify_written, approval_head, approval_payload, approval_field_from, approval_field_to,
    approval_reason, approval_scope, approval_expiry, approval_owner, approval_signed, approval_other_payload, approval_ask, approval_needs_yes, approval_not_given, approval_given,
    approval_signatures, presented, policy_not_carried_out,
    about_forge_statistics, about_forge_recombine, about_forge_withdraw, about_forge_experts, about_forge_score, about_forge_probe,
    about_forge_ngrams, about_forge_lora, about_forge_lora_extract, about_forge_lora_merge, about_forge_lora_stack, about_forge_lora_unstack,
    argument_forge_texts, argument_forge_tuned, argument_forge_action, argument_forge_table, option_forge_expert, option_forge_expert_file,
    option_forge_terms, option_forge_statistics, option_forge_router, option_forge_used, option_forge_penalty, option_forge_temperature,
    option_forge_without, option_forge_adapter, option_forge_search, option_forge_window, option_forge_tokens, option_forge_prefix,
    option_forge_continuation, option_forge_probes, option_forge_rank, option_forge_matrices_only, forge_experts_header, forge_router, forge_dense,
    forge_would_recombine, forge_would_withdraw, forge_statistics_written, forge_no_tokens, forge_score_header, forge_search_header,
    forge_search_found, forge_search_needs_adapters, forge_probed, forge_ngrams_header, forge_ngrams_written, forge_adapter_written,
    forge_adapter_parts, forge_left_over, forge_merged, about_forge_sum, about_forge_lora_core, argument_forge_sum_action, argument_forge_round,
    argument_forge_core, option_forge_member, option_forge_home, option_forge_core, option_forge_threshold, option_forge_round_name, forge_sum_begun,
    forge_sum_written, forge_sum_closed, forge_sum_needs, forge_sum_public, option_forge_merged, option_forge_method, forge_search_models,
    about_identity, about_identity_show, option_identity_keys, identity_none, identity_shown, identity_log, about_receipt, about_receipt_verify,
    argument_receipt, option_vkey, option_trust, option_receipt_input, option_receipt_output, receipt_proven, receipt_signer, receipt_says,
    receipt_answer, receipt_other, receipt_unknown, receipt_nobody, receipt_decision, receipt_transformation, receipt_outcome, receipt_measured,
    receipt_modelled, receipt_parent, receipt_input_fits, receipt_output_fits, receipt_input_differs, receipt_output_differs, receipt_limits,
    receipt_unwitnessed, receipt_no_texts, receipt_unknown_signer, receipt_no_key, about_journal, about_journal_check, about_journal_show,
    about_journal_receipt, about_journal_tail, about_journal_search, about_journal_export, about_journal_erase, option_journal_folder, option_since,
    option_until, option_record_kind, option_caller, option_record_model, option_record_text, option_texts, option_count, option_follow,
    option_article_12, option_system_of, option_reason, argument_record_id, journal_tokens, journal_bad_time, journal_bad_id, journal_no_record,
    journal_was_erased, journal_erased_mark, journal_checking, journal_sound, journal_signed, journal_problem, journal_no_keys, journal_unpublished,
    journal_nothing_found, journal_erased, receipt_unsigned,
    option_identity_witness, option_witness_policy, option_receipt_record, receipt_policy_met, receipt_policy_unmet, receipt_policy_missing,
    receipt_no_witness, receipt_policy_cose, receipt_cose_record, receipt_cose_no_key, about_journal_prune, option_keep, journal_no_retention,
    journal_pruned, journal_pruned_part, journal_witnessed, journal_no_record_left,
    option_identity_changes, argument_key_purpose, about_identity_rotate, option_next_token, about_identity_revoke, option_revoke_yes,
    option_receipt_changes, identity_rotated, identity_fingerprint, identity_revoked, identity_revoke_sure, identity_since, identity_is_revoked,
    identity_in_token,
    count_
};

std::string_view text(Say id, base::Language language);

// The text with its "{}" filled in.
template <typename... Arguments>
std::string say(base::Language language, Say id, const Arguments&... arguments) {
    return std::vformat(text(id, language), std::make_format_args(arguments...));
}

}  // namespace hanse::cli
