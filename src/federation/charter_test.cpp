// SPDX-License-Identifier: Apache-2.0
#include "federation/charter_chain.hpp"

#include <gtest/gtest.h>

#include "sample.hpp"

namespace hanse::federation {
namespace {

using News = CharterChain::News;
using sample::document;
using sample::next;

struct CharterTest : testing::Test {
    CharterChain chain = sample::chain();
    Charter change() const { return next(chain.current()); }
    News take(Charter charter, std::initializer_list<std::string> signers) {
        return chain.take(document(std::move(charter), signers), sample::now).news;
    }
    static void remove(Charter& charter, const std::string& name) {
        charter.former.push_back({name, charter.member(name)->identity().fingerprint()});
        std::erase_if(charter.members, [&](const auto& member) { return member.name == name; });
        std::erase(charter.amenders, name);
        for (auto& group : charter.groups) std::erase_if(group.members, [&](const auto& reader) { return reader.starts_with(name); });
        for (auto& handling : charter.handling) std::erase(handling.granters, name);
    }
};

TEST_F(CharterTest, has_one_text_that_is_read_back) {
    const auto& charter = chain.current();
    const auto again = CharterDocument::parse(charter.whole());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->digest(), charter.digest());
    EXPECT_EQ(again->signatures(), charter.signatures());
    EXPECT_EQ(again->charter().member("bolt")->control, "EU");
    EXPECT_EQ(charter.fingerprint().size(), 49u);
}

TEST_F(CharterTest, reads_the_sample_of_every_version) {
    const auto sample = CharterDocument::parse(sample::written_sample("charter.txt", chain.current().whole()));
    ASSERT_TRUE(sample) << sample.error().message;
    EXPECT_TRUE(CharterChain::open({*sample}, verify_with_keys()));
    EXPECT_EQ(sample->charter().member("bolt")->control, "EU");
}

TEST_F(CharterTest, refuses_another_way_to_write_the_same) {
    const std::string whole = chain.current().whole();
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string text = whole;
        text.replace(text.find(from), from.size(), to);
        return CharterDocument::parse(text);
    };
    EXPECT_FALSE(with("version 1\n", "version 01\n"));
    EXPECT_FALSE(with("amend 2 acme bolt", "amend 2 bolt acme"));
    EXPECT_FALSE(with("purpose answer\n", "purpose  answer\n"));
    EXPECT_FALSE(with("group board", "team board"));
    EXPECT_FALSE(with("\nsignature ", "\n\nsignature "));
    EXPECT_FALSE(CharterDocument::parse(whole + "x"));
    EXPECT_FALSE(CharterDocument::parse(""));
}

TEST_F(CharterTest, becomes_the_vocabulary_of_labels) {
    const auto& words = *chain.current().words();
    EXPECT_TRUE(words.member("clinic"));
    EXPECT_TRUE(words.place("house:acme/works")->inside(*words.place("EU")));
    EXPECT_FALSE(words.place("house:clinic")->inside(*words.place("EU")));
    EXPECT_TRUE(words.readers("board")->has(label::bit(*words.principal("bolt"))));
    EXPECT_TRUE(words.handling("NDA:bolt"));
    EXPECT_TRUE(words.purpose("answer"));
}

TEST_F(CharterTest, takes_a_quorum_of_more_than_half) {
    auto charter = sample::charter();
    charter.quorum = 1;
    EXPECT_FALSE(CharterDocument::of(charter));
    charter.quorum = 4;
    EXPECT_FALSE(CharterDocument::of(charter));
}

TEST_F(CharterTest, begins_only_with_the_signature_of_every_member) {
    EXPECT_FALSE(CharterChain::open({document(sample::charter(), {"acme", "bolt"})}, verify_with_keys()));
    auto forged = document(sample::charter(), {"acme", "bolt"});
    forged.sign("clinic", sample::sign_as("acme"));
    EXPECT_FALSE(CharterChain::open({forged}, verify_with_keys()));
}

TEST_F(CharterTest, grows_by_a_quorum) {
    auto charter = change();
    charter.purposes.push_back("safety");
    EXPECT_EQ(take(charter, {"acme"}), News::refused);
    EXPECT_EQ(take(charter, {"acme", "clinic"}), News::accepted);
    EXPECT_EQ(take(charter, {"acme", "clinic"}), News::known);
    EXPECT_EQ(chain.charter().version, 2u);
}

TEST_F(CharterTest, counts_nobody_twice_and_no_stranger) {
    auto charter = change();
    charter.purposes.push_back("safety");
    auto twice = document(charter, {"acme"});
    twice.sign("acme",
               [](std::string_view context, std::span<const std::byte> message) { return sample::key_of("acme").sign(context, message); });
    twice.sign("drone", sample::sign_as("drone"));
    EXPECT_EQ(twice.signatures().size(), 3u);
    EXPECT_EQ(chain.take(twice, sample::now).news, News::refused);
}

TEST_F(CharterTest, can_demand_receipts_and_says_nothing_where_it_does_not) {
    auto charter = sample::charter();
    EXPECT_FALSE(charter.text().contains("receipts"));
    charter.receipts_demanded = true;
    const auto demanding = CharterDocument::of(charter);
    ASSERT_TRUE(demanding);
    const auto read = CharterDocument::parse(demanding->whole());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->charter().receipts_demanded);
    std::string twice = demanding->whole();
    twice.insert(twice.find("receipts demanded"), "receipts demanded\n");
    EXPECT_FALSE(CharterDocument::parse(twice));
}

TEST_F(CharterTest, has_few_signatures_of_one_member) {
    auto document = chain.current();
    for (int i = 0; i < 6; ++i)
        document.sign("acme", [](std::string_view context, std::span<const std::byte> message) {
            return sample::key_of("acme").sign(context, message);
        });
    EXPECT_FALSE(CharterDocument::parse(document.whole()));
    auto gathered = chain.current();
    gathered.gather(document);
    EXPECT_TRUE(CharterDocument::parse(gathered.whole()));
}

TEST_F(CharterTest, asks_a_newcomer_too) {
    auto charter = change();
    charter.members.push_back(sample::member("drone", "US", "US"));
    EXPECT_EQ(take(charter, {"acme", "bolt", "clinic"}), News::refused);
    EXPECT_EQ(take(charter, {"acme", "bolt", "drone"}), News::accepted);
}

TEST_F(CharterTest, lets_a_member_alone_speak_for_itself) {
    auto charter = change();
    charter.members[2].control = "EU";
    EXPECT_EQ(take(charter, {"acme", "bolt"}), News::refused);
    EXPECT_EQ(take(charter, {"acme", "clinic"}), News::accepted);
}

TEST_F(CharterTest, suspends_and_removes_without_the_one_concerned) {
    auto charter = change();
    charter.members[2].standing = Standing::suspended;
    charter.amenders = {"acme", "bolt"};
    ASSERT_EQ(take(charter, {"acme", "bolt"}), News::accepted);
    EXPECT_FALSE(chain.charter().active("clinic"));
    charter = change();
    std::erase_if(charter.members, [](const auto& member) { return member.name == "clinic"; });
    EXPECT_EQ(take(charter, {"acme", "bolt"}), News::refused) << "it must stand among the former members";
    charter = change();
    remove(charter, "clinic");
    EXPECT_EQ(take(charter, {"acme", "bolt"}), News::accepted);
}

TEST_F(CharterTest, gives_a_former_name_to_nobody_else) {
    auto charter = change();
    remove(charter, "clinic");
    ASSERT_EQ(take(charter, {"acme", "bolt"}), News::accepted);
    auto impostor = change();
    impostor.former.clear();
    impostor.members.push_back(sample::member("clinic", "CH", "CH"));
    impostor.members.back().keys = sample::key_of("clinic", 1).identity().keys();
    impostor.quorum = 2;
    auto by_quorum = document(impostor, {"acme"});
    by_quorum.sign("clinic", sample::sign_as("clinic", 1));
    EXPECT_EQ(chain.take(by_quorum, sample::now).news, News::refused);
    auto left_out = change();
    left_out.former.clear();
    EXPECT_EQ(take(left_out, {"acme", "bolt"}), News::refused);
    auto itself = change();
    itself.former.clear();
    itself.members.push_back(sample::member("clinic", "CH", "CH"));
    EXPECT_EQ(take(itself, {"acme", "bolt", "clinic"}), News::accepted);
}

TEST_F(CharterTest, changes_keys_by_the_old_and_the_new_ones) {
    auto charter = change();
    charter.members[1].keys = sample::key_of("bolt", 1).identity().keys();
    auto proposal = document(charter, {"acme", "clinic"});
    proposal.sign("bolt", sample::sign_as("bolt", 1));
    EXPECT_EQ(chain.take(proposal, sample::now).news, News::refused);
    proposal.sign("bolt", sample::sign_as("bolt"));
    EXPECT_EQ(chain.take(proposal, sample::now).news, News::accepted);
}

TEST_F(CharterTest, loosens_only_by_the_word_of_those_whose_terms_it_loosens) {
    auto grown = change();
    grown.groups[0].members = {"acme/anna", "bolt", "clinic"};
    EXPECT_EQ(take(grown, {"acme", "bolt"}), News::refused);
    auto moved = change();
    std::ranges::find(moved.regions, "US", &label::VocabularySource::Region::name)->parent = "EU";
    EXPECT_EQ(take(moved, {"acme", "bolt"}), News::refused);
    auto granted = change();
    granted.handling.back().granters = {"acme", "bolt"};
    EXPECT_EQ(take(granted, {"acme", "clinic"}), News::refused);
    EXPECT_EQ(take(granted, {"acme", "bolt"}), News::accepted);
    auto all = change();
    all.groups[0].members = {"acme/anna", "bolt", "clinic"};
    EXPECT_EQ(take(all, {"acme", "bolt", "clinic"}), News::accepted);
    auto shrunk = change();
    shrunk.groups[0].members = {"bolt"};
    EXPECT_EQ(take(shrunk, {"acme", "bolt"}), News::accepted) << "tighter needs a quorum alone";
}

TEST_F(CharterTest, keeps_the_first_of_two_successors_and_says_who_signed_both) {
    auto first = change(), second = change();
    first.purposes.push_back("safety");
    second.purposes.push_back("fun");
    ASSERT_EQ(take(first, {"acme", "bolt"}), News::accepted);
    EXPECT_EQ(take(second, {"clinic"}), News::refused);
    EXPECT_EQ(take(second, {"bolt", "clinic"}), News::fork);
    EXPECT_EQ(take(second, {"bolt", "clinic"}), News::fork);
    ASSERT_EQ(chain.forks().size(), 1u);
    EXPECT_EQ(chain.forks()[0].signed_both, std::vector<std::string>{"bolt"});
    EXPECT_EQ(chain.charter().purposes.back(), "safety");
}

TEST_F(CharterTest, says_that_versions_are_missing) {
    auto second = change();
    second.purposes.push_back("safety");
    const auto signed_second = document(second, {"acme", "bolt"});
    const auto third = document(next(signed_second), {"acme", "bolt"});
    EXPECT_EQ(chain.take(third, sample::now).news, News::gap);
    EXPECT_EQ(chain.take(signed_second, sample::now).news, News::accepted);
    EXPECT_EQ(chain.take(third, sample::now).news, News::accepted);
}

TEST_F(CharterTest, expires_and_bears_clocks_that_are_minutes_apart) {
    EXPECT_TRUE(chain.in_force(sample::now + sample::year + 500));
    EXPECT_FALSE(chain.in_force(sample::now + sample::year + 700));
    auto charter = change();
    charter.issued = sample::now + 500;
    EXPECT_EQ(take(charter, {"acme", "bolt"}), News::accepted);
    charter = change();
    charter.issued = sample::now + 2'000;
    EXPECT_EQ(take(charter, {"acme", "bolt"}), News::refused);
}

TEST(BallotTest, signs_one_successor_for_each_version) {
    Ballot ballot;
    const Digest a = crypto::sha256(base::bytes_of("a")), b = crypto::sha256(base::bytes_of("b"));
    EXPECT_TRUE(ballot.sign(2, a));
    EXPECT_TRUE(ballot.sign(2, a));
    EXPECT_FALSE(ballot.sign(2, b));
    auto again = Ballot::parse(ballot.text());
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->sign(2, b));
    EXPECT_TRUE(again->sign(3, b));
    EXPECT_FALSE(Ballot::parse("2 zz\n"));
    EXPECT_FALSE(Ballot::parse(ballot.text() + "2 " + base::hex(b) + "\n"));
}

}  // namespace
}  // namespace hanse::federation
