// SPDX-License-Identifier: Apache-2.0
#include "task/evidence.hpp"

#include <future>
#include <gtest/gtest.h>

#include "base/sim_disk.hpp"
#include "crypto/key_file.hpp"
#include "journal/receipt.hpp"
#include "task/rules.hpp"
#include "task/scribe.hpp"

namespace hanse::task {
namespace {

TEST(PassingDigest, is_the_digest_of_the_whole_however_it_is_cut) {
    base::SeededRandom random(1);
    const std::string whole(1'000, 'x');
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{999}, whole.size()}) {
        PassingDigest digest(random);
        digest.saw(std::string_view(whole).substr(0, cut));
        digest.saw(std::string_view(whole).substr(cut));
        const auto salted = digest.finish();
        EXPECT_TRUE(salted.fits(whole)) << cut;
        EXPECT_FALSE(salted.fits(whole + "x")) << cut;
    }
}

struct Written : testing::Test {
    base::SimDisk disk;
    base::SystemRandom random;
    base::ManualClock clock;

    std::unique_ptr<journal::Journal> open() {
        base::SeededRandom seed(5);
        const auto text = crypto::new_key_file(journal::LogKeys::purpose, "node.example/journal", journal::LogKeys::algorithms, {}, seed);
        const auto bytes = text->reveal();
        auto keys = journal::LogKeys::from_keys(*crypto::KeyFile::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()})->unlock({}));
        return std::move(*journal::Journal::open({.disk = disk, .random = random, .clock = clock, .log = base::silent_log(), .keys = std::move(*keys), .folder = "/node/journal"}));
    }
    static std::shared_ptr<Evidence> some(Scribe& scribe) {
        auto evidence = std::make_shared<Evidence>();
        evidence->id = scribe.new_id();
        evidence->input = "What is the harbour called?";
        evidence->outputs = {"Travemünde"};
        evidence->output_form = "text";
        evidence->outcome = "finished";
        evidence->model = "small";
        return evidence;
    }
    static base::Result<void> wait(Scribe& scribe, const std::shared_ptr<Evidence>& evidence) {
        std::promise<base::Result<void>> written;
        scribe.answer(evidence, [&](base::Result<void> result) { written.set_value(std::move(result)); });
        return written.get_future().get();
    }
};

TEST_F(Written, evidence_comes_back_as_a_receipt_whose_digests_fit) {
    const auto journal = open();
    Scribe scribe({.journal = *journal, .clock = clock, .random = random, .profile = "default"});
    const auto evidence = some(scribe);
    ASSERT_TRUE(wait(scribe, evidence));
    std::promise<base::Result<Recorder::Found>> found;
    scribe.receipt(evidence->id, [&](base::Result<Recorder::Found> result) { found.set_value(std::move(result)); });
    const auto receipt = found.get_future().get();
    ASSERT_TRUE(receipt) << receipt.error().message;
    EXPECT_TRUE(receipt->record.contains(R"("outcome":"finished")"));
    EXPECT_TRUE(receipt->record.contains(R"("profile":"default")"));
    EXPECT_FALSE(receipt->record.contains("Travem"));
    const auto checked = journal::read_receipt(receipt->receipt, journal->keys().verifiers());
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->signers.size(), 2U);
}

TEST_F(Written, a_partners_task_and_a_partners_answer_are_named_on_record) {
    const auto journal = open();
    Scribe scribe({.journal = *journal, .clock = clock, .random = random, .profile = "default"});
    const auto record_of = [&](const std::shared_ptr<Evidence>& evidence) {
        EXPECT_TRUE(wait(scribe, evidence));
        std::promise<std::string> found;
        scribe.receipt(evidence->id, [&](base::Result<Recorder::Found> result) { found.set_value(result.value().record); });
        return found.get_future().get();
    };
    const auto asked = some(scribe);
    asked->asked_by = "bolt";
    asked->asked_as = "0011";
    EXPECT_TRUE(record_of(asked).contains(R"("remote":{"from":"bolt","key":"0011"})"));
    const auto proven = some(scribe);
    proven->partner = {.member = "bolt", .receipt = "hr_1"};
    EXPECT_TRUE(record_of(proven).contains(R"("partner":{"member":"bolt","receipt":"hr_1","verified":"yes"})"));
    const auto unproven = some(scribe);
    unproven->partner = {.member = "bolt", .unverified = "bolt gave no receipt"};
    EXPECT_TRUE(record_of(unproven).contains(R"("partner":{"member":"bolt","reason":"bolt gave no receipt","verified":"no"})"));
}

TEST_F(Written, a_full_disk_comes_back_as_an_error_and_then_nothing_is_taken) {
    const auto journal = open();
    Scribe scribe({.journal = *journal, .clock = clock, .random = random});
    disk.limit(1);
    EXPECT_FALSE(wait(scribe, some(scribe)));
    EXPECT_EQ(scribe.ready().error().code, "journal_stopped");
}

TEST_F(Written, an_erased_record_has_no_receipt_and_the_erasure_is_on_record) {
    const auto journal = open();
    Scribe scribe({.journal = *journal, .clock = clock, .random = random});
    const auto evidence = some(scribe);
    ASSERT_TRUE(wait(scribe, evidence));
    const auto erase = [&](const journal::RecordId& id) {
        std::promise<base::Result<std::uint64_t>> erased;
        journal->erase(id, {}, [&](base::Result<std::uint64_t> index) { erased.set_value(std::move(index)); });
        return erased.get_future().get();
    };
    EXPECT_EQ(erase(evidence->id).value(), 1U);
    EXPECT_EQ(erase(evidence->id).error().code, "erased_before");
    EXPECT_EQ(erase(scribe.new_id()).error().kind, base::ErrorKind::not_found);
    std::promise<base::Result<Recorder::Found>> found;
    scribe.receipt(evidence->id, [&](base::Result<Recorder::Found> result) { found.set_value(std::move(result)); });
    EXPECT_EQ(found.get_future().get().error().kind, base::ErrorKind::not_found);
}

}  // namespace
}  // namespace hanse::task
