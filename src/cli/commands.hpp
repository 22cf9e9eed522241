// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "context.hpp"
#include "journal/record_store.hpp"
#include "label/policy.hpp"

namespace hanse::cli {

// One struct of options and one function per command; app.cpp fills the first and calls the second.

struct InitOptions {
    bool force = false;
    std::string profile = "mittelstand";  // of the policy file
    std::string house = "our-house";      // the organisation's name in it
    std::string country = "DE";
};
Exit init(const Context& context, const InitOptions& options);

struct ServeOptions {
    std::optional<std::string> address = {};
    std::optional<std::uint16_t> port = {};
};
Exit serve(const Context& context, const ServeOptions& options);

// How a command reaches a node.
struct NodeOptions {
    std::string url = {};
    std::string key = {};
    std::string ca_file = {};
};

struct AskOptions {
    NodeOptions node = {};
    std::vector<std::string> question = {};
    std::string model = {};
    std::string system = {};
    std::optional<std::uint32_t> max_tokens = {};
    std::optional<double> temperature = {};
    std::optional<std::int64_t> seed = {};
    bool stats = false;
};
Exit ask(const Context& context, const AskOptions& options);
Exit chat(const Context& context, const AskOptions& options);

struct ModelOptions {
    bool available = false;
    std::string reference = {};  // pull, show, rm, verify
    std::string file = {};       // add
    std::string name = {};
    std::string licence = {};
};
Exit model_list(const Context& context, const ModelOptions& options);
Exit model_pull(const Context& context, const ModelOptions& options);
Exit model_add(const Context& context, const ModelOptions& options);
Exit model_show(const Context& context, const ModelOptions& options);
Exit model_remove(const Context& context, const ModelOptions& options);
Exit model_verify(const Context& context, const ModelOptions& options);

struct KeyOptions {
    std::string name = {};
    std::string id = {};
    std::vector<std::string> models = {};
    std::optional<std::uint64_t> requests_per_minute = {};
    std::optional<std::uint64_t> tokens_per_minute = {};
    std::optional<std::uint64_t> tokens_per_day = {};
    std::optional<std::uint64_t> tokens_per_month = {};
    std::string partition = {};
    std::string label = {};
    std::string ceiling = {};
    std::string place = {};
};
Exit key_create(const Context& context, const KeyOptions& options);
Exit key_list(const Context& context, const KeyOptions& options);
Exit key_revoke(const Context& context, const KeyOptions& options);

struct PolicyOptions {
    std::string policy = {};  // another policy file than the node's
    std::string label = {};   // explain; empty: that of what enters without saying
    std::string kind = {};    // prove
    std::string place = {};   // explain, prove
    std::string use = "answer";
    std::string file = {};    // test: the table; diff: the policy to come; scan: the text
    std::string record = {};  // diff: recorded decisions; empty: the node's
};
// What a declassification is made of, signed with and presented by.
struct DeclassifyOptions {
    std::string policy = {};     // another policy file than the node's
    std::string payload = {};    // file: the body of the request, byte for byte
    std::string statement = {};  // file
    std::string from = {};       // label; empty: that of what enters without saying
    std::string to = {};
    std::string reason = {};
    std::string scope = "once";
    std::string until = {};
    std::string owner = {};  // a member; empty: the house
    std::string key = {};    // file of the signer's key
    std::string name = {};   // the signer's
    std::string passphrase_file = {};
    bool yes = false;
    NodeOptions node = {};
};
Exit policy_signer(const Context& context, const DeclassifyOptions& options);
Exit policy_declassify(const Context& context, const DeclassifyOptions& options);
Exit policy_sign(const Context& context, const DeclassifyOptions& options);
Exit policy_present(const Context& context, const DeclassifyOptions& options);

// The policy of the node, or what it decides with where it has none.
base::Result<std::shared_ptr<const label::Policy>> policy_of_node(const Context& context);
// The file named, else the policy of the node.
base::Result<std::shared_ptr<const label::Policy>> policy_named(const Context& context, const std::string& file);
Exit policy_check(const Context& context, const PolicyOptions& options);
Exit policy_explain(const Context& context, const PolicyOptions& options);
Exit policy_prove(const Context& context, const PolicyOptions& options);
Exit policy_test(const Context& context, const PolicyOptions& options);
Exit policy_diff(const Context& context, const PolicyOptions& options);
Exit policy_scan(const Context& context, const PolicyOptions& options);

struct ForgeOptions {
    std::string file = {};    // the model, or the recipe
    std::string other = {};   // diff
    std::string output = {};
    std::string type = {};    // convert, quantise
    std::string sign = {};
    std::uint64_t seed = 0;
    std::uint64_t shard_bytes = 5'000'000'000;
    unsigned threads = 0;
    bool dry_run = false;
    bool no_digests = false;
};
Exit forge_inspect(const Context& context, const ForgeOptions& options);
Exit forge_diff(const Context& context, const ForgeOptions& options);
Exit forge_merge(const Context& context, const ForgeOptions& options);
Exit forge_convert(const Context& context, const ForgeOptions& options);
Exit forge_quantise(const Context& context, const ForgeOptions& options);

// Recombination, adapters and measurements of the forge.
struct RecombinationOptions {
    std::string model = {};                     // the public model, a mixture, or what is measured
    std::vector<std::string> files = {};        // texts, or further models
    std::vector<std::string> experts = {};      // recombine: NAME=FILE; else names
    std::vector<std::string> terms = {};        // NAME:owner=…, :licence=, :label=, :output-floor=
    std::vector<std::string> statistics = {};   // files of statistics
    std::vector<std::string> adapters = {};     // FILE or FILE=SCALE
    std::vector<std::string> merged = {};       // score --search: FILE or FILE=WEIGHT
    std::string method = "task_arithmetic";     // by which they are merged
    std::string output = {};
    std::string router = "ridge";
    std::string action = {};                    // ngrams: join, leave, score; sum: its steps
    std::string home = {};                      // what a member of a sum keeps to itself
    std::string core = {};                      // file of small matrices (Fed-SB)
    std::string name = {};                      // of a round
    std::uint32_t threshold = 0;                // 0: all members but one, at least two
    std::uint32_t used = 1;
    std::uint32_t rank = 16;
    std::uint32_t window = 256;
    std::uint64_t tokens = 100'000;             // read at most
    std::uint32_t threads = 0;
    double penalty = 0.01;
    double temperature = 1.0;
    std::uint64_t seed = 1;
    std::uint32_t prefix = 32, continuation = 16, probes = 50;
    bool matrices_only = false;
    bool search = false;
    bool dry_run = false;
};
Exit forge_statistics(const Context& context, const RecombinationOptions& options);
Exit forge_recombine(const Context& context, const RecombinationOptions& options);
Exit forge_withdraw(const Context& context, const RecombinationOptions& options);
Exit forge_experts(const Context& context, const RecombinationOptions& options);
Exit forge_score(const Context& context, const RecombinationOptions& options);
Exit forge_probe(const Context& context, const RecombinationOptions& options);
Exit forge_ngrams(const Context& context, const RecombinationOptions& options);
Exit forge_lora_extract(const Context& context, const RecombinationOptions& options);
Exit forge_lora_merge(const Context& context, const RecombinationOptions& options);
Exit forge_lora_stack(const Context& context, const RecombinationOptions& options);
Exit forge_lora_unstack(const Context& context, const RecombinationOptions& options);
Exit forge_lora_core(const Context& context, const RecombinationOptions& options);
Exit forge_sum(const Context& context, const RecombinationOptions& options);

struct ReceiptOptions {
    std::string file = {};                  // "-": standard input
    std::vector<std::string> keys = {};     // as vkey
    std::string trust = {};                 // a file of them
    std::vector<std::string> inputs = {};   // files that are said to be what went in
    std::vector<std::string> outputs = {};  // and what came out
    std::string policy = {};                // file: which witnesses must have co-signed
    std::vector<std::string> changes = {};  // files of statements that keys were replaced
    std::string record = {};                // of a COSE receipt: the self-contained one with the record
};
Exit receipt_verify(const Context& context, const ReceiptOptions& options);

struct JournalOptions {
    std::string folder = {};  // another log than the node's
    std::vector<std::string> keys = {};
    std::string trust = {};
    std::string id = {};      // show, receipt, erase
    bool texts = false;       // show
    std::size_t count = 20;   // tail
    bool follow = false;
    std::string since = {};   // search, export: beginnings of RFC 3339 times
    std::string until = {};
    std::string kind = {};
    std::string caller = {};
    std::string model = {};
    std::string text = {};    // search
    bool article_12 = false;  // export
    std::string system = {};  // of Article 12: a model's name or digest
    std::string reason = {};  // erase
    std::string policy = {};  // check: file of witnesses
    std::string keep = {};    // prune: a duration; empty: as configured
};
Exit journal_check(const Context& context, const JournalOptions& options);
Exit journal_show(const Context& context, const JournalOptions& options);
Exit journal_receipt(const Context& context, const JournalOptions& options);
Exit journal_tail(const Context& context, const JournalOptions& options);
Exit journal_search(const Context& context, const JournalOptions& options);
Exit journal_export(const Context& context, const JournalOptions& options);
Exit journal_erase(const Context& context, const JournalOptions& options);
Exit journal_prune(const Context& context, const JournalOptions& options);
struct RecordLine;
using SelectRecords = std::function<base::Result<void>(const std::function<void(const journal::StoredRecord&, const RecordLine&)>&)>;
Exit journal_article_12(const Context& context, const JournalOptions& options, const SelectRecords& select);

struct IdentityOptions {
    bool keys = false;
    bool witness = false;
    bool changes = false;
    std::string purpose = "identity";  // rotate, revoke: identity, log or witness
    std::string reason = {};
    std::string token = {};            // rotate: URI of the next key in a token
    bool yes = false;
};
Exit identity_show(const Context& context, const IdentityOptions& options);
Exit identity_rotate(const Context& context, const IdentityOptions& options);
Exit identity_revoke(const Context& context, const IdentityOptions& options);

Exit version(const Context& context);

}  // namespace hanse::cli
