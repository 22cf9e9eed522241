// SPDX-License-Identifier: Apache-2.0
#include "journal/receipt.hpp"

#include <gtest/gtest.h>
#include <future>
#include <thread>

#include "base/sim_disk.hpp"
#include "journal/answer_text.hpp"
#include "journal/check.hpp"
#include "journal/journal.hpp"
#include "sample_log.hpp"

namespace hanse::journal {
namespace {

// Gives `count` of the same: what many threads may draw from.
class SharedRandom final : public base::Random {
public:
    void fill(std::span<std::byte> out) override {
        const std::lock_guard lock(mutex_);
        seeded_.fill(out);
    }

private:
    std::mutex mutex_;
    base::SeededRandom seeded_{9};
};

struct ReceiptTest : testing::Test {
    std::unique_ptr<Journal> open(JournalOptions options = {}) {
        auto journal = Journal::open({disk, random, clock, base::silent_log(), sample_keys(), "/journal", options});
        if (!journal) ADD_FAILURE() << journal.error().message;
        return journal ? std::move(*journal) : nullptr;
    }
    static base::Result<std::uint64_t> recorded(Journal& journal, const RecordId& id, std::string_view kind,
                                                const CanonicalObject& fields = {}) {
        std::promise<base::Result<std::uint64_t>> promise;
        journal.append(id, kind, fields, [&](base::Result<std::uint64_t> index) { promise.set_value(std::move(index)); });
        return promise.get_future().get();
    }
    static base::Result<std::string> receipt(Journal& journal, const RecordId& id) {
        std::promise<base::Result<std::string>> promise;
        journal.receipt(id, [&](base::Result<std::string> text) { promise.set_value(std::move(text)); });
        return promise.get_future().get();
    }

    base::SimDisk disk;
    SharedRandom random;
    base::SystemClock clock;
    std::vector<NoteVerifier> verifiers = sample_keys().verifiers();
};

TEST_F(ReceiptTest, shows_its_record_and_who_signed) {
    auto journal = open();
    const auto id = journal->new_id();
    AnswerRecord answer{.task = "req_1",
                        .model = "smollm2",
                        .label = "stadtwerke:internal",
                        .input = SaltedDigest::of("moin", random),
                        .completion_tokens = 3};
    EXPECT_EQ(*recorded(*journal, id, "answer", answer.fields()), 0U);
    const auto text = receipt(*journal, id);
    ASSERT_TRUE(text) << text.error().message;
    const auto read = read_receipt(*text, verifiers);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->signers.size(), 2U);
    EXPECT_EQ(read->signers[1].algorithm, "ml-dsa-44");
    EXPECT_GT(read->signers[1].time, 1'700'000'000U);
    EXPECT_TRUE(read->record.contains("\"id\":\"" + text_of(id) + "\"")) << read->record;
    EXPECT_TRUE(read->record.contains("\"kind\":\"answer\"")) << read->record;
    EXPECT_TRUE(read_receipt(*text, {})->signers.empty());
    EXPECT_EQ(read_receipt(*text, {})->unknown.size(), 2U);
    EXPECT_TRUE(answer.input->fits("moin"));
    EXPECT_FALSE(answer.input->fits("Moin"));
}

TEST_F(ReceiptTest, finds_every_changed_byte) {
    auto journal = open();
    std::vector<RecordId> ids;
    for (int i = 0; i < 9; ++i) {
        ids.push_back(journal->new_id());
        ASSERT_TRUE(recorded(*journal, ids.back(), "start"));
    }
    const std::string text = *receipt(*journal, ids[4]);
    ASSERT_TRUE(read_receipt(text, verifiers));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        const auto read = read_receipt(changed, verifiers);
        EXPECT_TRUE(!read || read->signers.size() < 2) << i << ": " << text[i];
    }
}

TEST_F(ReceiptTest, of_many_threads_share_their_syncs_and_all_are_there_after_a_restart) {
    std::vector<RecordId> ids(400);
    {
        auto journal = open();
        std::vector<std::jthread> writers;
        for (std::size_t writer = 0; writer < 8; ++writer)
            writers.emplace_back([&, writer] {
                for (std::size_t i = 0; i < 50; ++i) {
                    ids[writer * 50 + i] = journal->new_id();
                    EXPECT_TRUE(recorded(*journal, ids[writer * 50 + i], "start"));
                }
            });
        writers.clear();
        EXPECT_EQ(journal->figures().records, 400U);
        EXPECT_LE(journal->figures().batches, 400U);
    }
    auto journal = open();
    for (const RecordId& id : ids) EXPECT_TRUE(read_receipt(*receipt(*journal, id), verifiers));
    EXPECT_EQ(receipt(*journal, journal->new_id()).error().kind, base::ErrorKind::not_found);
    journal.reset();
    EXPECT_TRUE(check_log(disk, "/journal", verifiers).sound());
}

TEST_F(ReceiptTest, refuses_while_the_disk_fails_and_goes_on_by_itself) {
    auto journal = open();
    ASSERT_TRUE(recorded(*journal, journal->new_id(), "start"));
    disk.limit(0);
    EXPECT_FALSE(recorded(*journal, journal->new_id(), "start"));
    EXPECT_EQ(journal->ready().error().code, "journal_stopped");
    disk.limit(1 << 30);
    while (!journal->ready()) std::this_thread::yield();
    const auto index = recorded(*journal, journal->new_id(), "start");
    ASSERT_TRUE(index);
    EXPECT_EQ(*index, 2U);  // between them is the record of the resumption
}

TEST(Record, is_canonical_json) {
    CanonicalObject inner;
    inner.number("b", 2).text("a", "x");
    CanonicalObject outer;
    outer.text("z", "\"\\\n\x01\xff\xc3\xa9").object("m", inner).texts("a", std::vector<std::string>{"2", "1"});
    EXPECT_EQ(outer.text(), "{\"a\":[\"2\",\"1\"],\"m\":{\"a\":\"x\",\"b\":2},\"z\":\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"}");
    EXPECT_EQ(CanonicalObject{}.text(), "{}");
}

TEST(Record, of_an_answer_is_the_canonical_json_of_its_fields) {
    base::SeededRandom random(1);
    const auto id = new_record_id(sample_time(), random);
    const auto both = [&](const AnswerRecord& answer) {
        const NewRecord made = make_record(id, sample_time(), "node.example", "answer", answer.fields());
        const NewRecord written = make_answer_record(id, sample_time(), "node.example", answer);
        EXPECT_EQ(written.text, made.text);
        EXPECT_EQ(written.id, made.id);
        EXPECT_EQ(written.time_ms, made.time_ms);
    };
    both({});
    both({.model = "\"odd\\ \x01\xff", .output_form = "body"});
    both({.task = "req_1",
          .route = "/v1/chat/completions",
          .caller = "key_1",
          .idempotency = "once",
          .place = "local",
          .model = "M\xc3\xbcller",
          .model_digest = "sha256:00",
          .adapters = {"a", "b"},
          .experts = {"c"},
          .backend = "CPU",
          .label = "public",
          .decision = "permit_after",
          .transformations = {"pseudonymise", "x"},
          .input = SaltedDigest::of("in", random),
          .outputs = {SaltedDigest::of("one", random), SaltedDigest::of("two", random)},
          .output_form = "text",
          .outcome = "finished",
          .began = time_text(sample_time()),
          .kept_until = time_text(sample_time(1'800'000'000)),
          .profile = "default",
          .energy = Energy{12, Energy::How::measured},
          .prompt_tokens = 1,
          .cached_tokens = 2,
          .completion_tokens = 18'446'744'073'709'551'615ULL,
          .took_ms = 4,
          .parents = {"hr_1", "hr_2"},
          .partner = AnswerRecord::Partner{.member = "bolt", .receipt = "hr_1"}});
    both({.partner = AnswerRecord::Partner{.member = "bolt", .unverified = "bolt gave no receipt"}});
}

TEST(Record, tells_the_time_of_any_day) {
    using namespace std::chrono;
    for (const auto time :
         {sys_days(2024y / 2 / 29) + 23h + 59min + 59s + 999ms, sys_days(1970y / 1 / 1) + 0ms, sys_days(1969y / 12 / 31) + 1ms,
          sys_days(2199y / 12 / 31) + 12h + 0ms, sys_days(2026y / 11 / 4) + 7h + 8min + 9s + 10ms})
        EXPECT_EQ(time_text(base::WallTime{} + time.time_since_epoch()), std::format("{:%FT%T}Z", time));
}

TEST(Record, ids_read_back_and_sort_by_their_time) {
    base::SeededRandom random(1);
    const auto id = new_record_id(sample_time(), random);
    EXPECT_EQ(record_id_of(text_of(id)), id);
    EXPECT_LT(text_of(id), text_of(new_record_id(sample_time(1'700'000'001), random)));
    for (const char* bad : {"", "hr_", "hr_00", "xx_00000000000000000000000000000000", "hr_0000000000000000000000000000000G",
                            "hr_0000000000000000000000000000000A"})
        EXPECT_FALSE(record_id_of(bad)) << bad;
    EXPECT_EQ(time_text(sample_time()), "2023-11-14T22:13:20.000Z");
}

}  // namespace
}  // namespace hanse::journal
