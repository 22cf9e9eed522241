// SPDX-License-Identifier: Apache-2.0
#include "journal/witness_policy.hpp"

#include <gtest/gtest.h>

#include "sample_log.hpp"
#include "sample_witness.hpp"

namespace hanse::journal {
namespace {

const LogKeys& log_keys() {
    static const LogKeys keys = sample_keys();
    return keys;
}
std::string vkey(std::uint64_t seed, std::string_view name = "w", std::size_t which = 0) {
    return sample_witness_keys(seed, name).verifiers()[which].vkey();
}
std::string log_vkey(std::size_t which = 0) { return log_keys().verifiers()[which].vkey(); }

TEST(WitnessPolicy, reads_the_example_of_the_specification) {
    std::string text = "# an example\n\tlog  " + log_vkey() + "\thttps://log.example/\n\n";
    for (const char* set : {"X", "Y"}) {
        for (int i = 1; i <= 3; ++i)
            text += std::format("witness {}{} {}\n", set, i, vkey(static_cast<std::uint64_t>(i) + (set[0] == 'X' ? 10 : 20)));
        text += std::format("group {0}-witnesses {1} {0}1 {0}2 {0}3\n", set, set[0] == 'X' ? "2" : "any");
    }
    text += "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
    const auto policy = WitnessPolicy::parse(text);
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->logs().size(), 1U);
    EXPECT_EQ(policy->logs()[0].url, "https://log.example/");
    EXPECT_EQ(policy->witnesses().size(), 6U);
    EXPECT_EQ(policy->verifiers().size(), 7U);

    const Checkpoint checkpoint{log_keys().origin(), 5, crypto::sha256({})};
    const auto with = [&](std::initializer_list<std::uint64_t> seeds) {
        Note note = *log_keys().sign(checkpoint, 1);
        for (const auto seed : seeds) note.signatures.push_back(sample_witness_keys(seed, "w").sign(checkpoint, 1)->front());
        return policy->judge(note)->met();
    };
    EXPECT_FALSE(with({}));
    EXPECT_FALSE(with({11, 12}));
    EXPECT_FALSE(with({11, 21, 22, 23}));
    EXPECT_TRUE(with({11, 13, 22}));
    EXPECT_TRUE(with({11, 12, 13, 21, 22, 23}));
}

TEST(WitnessPolicy, wants_the_log_itself_and_no_wrong_signature) {
    const std::array witnesses{sample_witness_keys(1, "a"), sample_witness_keys(2, "b")};
    const auto policy = sample_policy(log_keys().verifiers(), witnesses, 1);
    const Checkpoint checkpoint{log_keys().origin(), 5, crypto::sha256({})};
    Note note{checkpoint.text(), *witnesses[0].sign(checkpoint, 7)};
    EXPECT_TRUE(policy.judge(note)->quorum);
    EXPECT_FALSE(policy.judge(note)->log);
    const auto by_log = log_keys().sign(checkpoint, 7)->signatures;
    note.signatures.push_back(by_log[0]);
    EXPECT_TRUE(policy.judge(note)->met());
    EXPECT_EQ(policy.judge(note)->cosigned, (std::vector<std::string>{"w0-classical", "w0-quantum"}));
    EXPECT_EQ(policy.judge(note)->missing, (std::vector<std::string>{"w1-classical", "w1-quantum"}));
    note.signatures[0].bytes[20] ^= std::byte{1};
    EXPECT_EQ(policy.judge(note).error().kind, base::ErrorKind::denied);
    // A key of a log counts for the log of its own name only.
    Checkpoint other = checkpoint;
    other.origin = "elsewhere.example/log";
    Note elsewhere = *log_keys().sign(other, 7);
    EXPECT_FALSE(policy.judge(elsewhere)->log);
}

TEST(WitnessPolicy, may_need_nobody) {
    const auto policy = WitnessPolicy::parse("quorum none\n");
    ASSERT_TRUE(policy);
    EXPECT_FALSE(policy->wants_witnesses());
    const Note note = *log_keys().sign({log_keys().origin(), 0, empty_root()}, 1);
    EXPECT_FALSE(policy->judge(note)->met());
    EXPECT_TRUE(policy->judge(note, log_keys().verifiers())->met());
}

TEST(WitnessPolicy, holds_more_than_the_32_of_each_that_are_asked_for) {
    std::string text;
    std::string names;
    for (std::uint64_t i = 0; i < 40; ++i) {
        text += std::format("witness w{0} {1}\ngroup g{0} any w{0}\n", i, vkey(100 + i));
        names += std::format(" g{}", i);
    }
    EXPECT_TRUE(WitnessPolicy::parse(text + "group all 40" + names + "\nquorum all\n"));
}

TEST(WitnessPolicy, refuses_with_the_line_what_cannot_be) {
    const std::string witness = "witness w " + vkey(1) + "\n";
    const struct {
        std::string text;
        std::string_view said;
    } cases[] = {
        {"", "line 1"},
        {"quorum none", "line 1"},
        {"quorum none\nquorum none\n", "line 2"},
        {"quorum w\n", "line 1"},
        {"witness none " + vkey(1) + "\nquorum none\n", "line 1"},
        {witness + witness + "quorum none\n", "line 2"},
        {witness + "witness v " + vkey(1, "other") + "\nquorum none\n", "line 2"},  // the same key under another name
        {witness + "group g 0 w\nquorum g\n", "line 2"},
        {witness + "group g 2 w\nquorum g\n", "line 2"},
        {witness + "group g 01 w\nquorum g\n", "line 2"},
        {witness + "group g any\nquorum g\n", "line 2"},
        {witness + "group g any v\nquorum g\n", "line 2"},
        {witness + "group g any w w\nquorum g\n", "line 2"},
        {witness + "group g any w\ngroup h any w\nquorum g\n", "line 3"},
        {witness + "group w any w\nquorum w\n", "line 2"},
        {"log " + vkey(1) + "\nquorum none\n", "line 1"},           // a cosignature key is no log's
        {"witness w " + log_vkey() + "\nquorum none\n", "line 1"},  // and the other way round
        {"log " + log_vkey() + "\nlog " + log_vkey() + "\nquorum none\n", "line 2"},
        {"log x\nquorum none\n", "line 1"},
        {"logs\nquorum none\n", "line 1"},
        {"quorum none\r\n", "line 1"},
        {std::string("quorum none\n\0\n", 14), "line 2"},
    };
    for (const auto& each : cases) {
        const auto policy = WitnessPolicy::parse(each.text);
        ASSERT_FALSE(policy) << each.text;
        EXPECT_TRUE(policy.error().message.contains(each.said)) << policy.error().message << " for " << each.text;
    }
}

}  // namespace
}  // namespace hanse::journal
