// SPDX-License-Identifier: Apache-2.0
#include "journal/text_store.hpp"

#include <gtest/gtest.h>

#include "base/sim_disk.hpp"
#include "sample_log.hpp"

namespace hanse::journal {
namespace {

using namespace std::chrono_literals;

struct Texts : testing::Test {
    base::SimDisk disk;
    base::SeededRandom random{3};
    TextStore store{disk, random, "/node", std::chrono::days(30)};
    base::WallTime now = sample_time();
    RecordId id = new_record_id(now, random);
    KeptTexts texts{.input = "What does Ms Kröger earn?", .outputs = {"a lot", ""}};

    std::string everything() {
        std::string all;
        for (const char* part : {"texts", "keys"})
            for (const auto& day : disk.list(std::filesystem::path("/node") / part).value_or({}))
                for (const auto& name : disk.list(std::filesystem::path("/node") / part / day).value_or({})) {
                    const auto bytes = disk.read_whole(std::filesystem::path("/node") / part / day / name, 1 << 20).value();
                    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                }
        return all;
    }
};

TEST_F(Texts, come_back_as_they_were_and_lie_sealed) {
    ASSERT_TRUE(store.keep(id, *store.keeps_until(10, now), texts));
    const auto back = store.read(id);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->input, texts.input);
    EXPECT_EQ(back->outputs, texts.outputs);
    EXPECT_FALSE(everything().contains("Kröger"));
}

TEST_F(Texts, are_kept_no_longer_than_label_and_configuration_allow) {
    EXPECT_FALSE(store.keeps_until(0, now));
    EXPECT_LE(*store.keeps_until(10, now), now + std::chrono::days(10));
    EXPECT_LE(*store.keeps_until(36'500, now), now + std::chrono::days(30));
    EXPECT_FALSE(TextStore(disk, random, "/node", std::chrono::days(0)).keeps_until(10, now));
}

TEST_F(Texts, an_erased_one_opens_no_more_even_where_a_copy_of_it_was_kept) {
    ASSERT_TRUE(store.keep(id, *store.keeps_until(10, now), texts));
    const auto day = disk.list("/node/texts").value().front();
    const auto sealed = std::filesystem::path("/node/texts") / day / text_of(id);
    const auto copy = disk.read_whole(sealed, 1 << 20).value();
    ASSERT_TRUE(store.erase(id).value());
    ASSERT_TRUE(disk.write_whole(sealed, copy));
    EXPECT_EQ(store.read(id).error().kind, base::ErrorKind::not_found);
    EXPECT_FALSE(store.erase(id).value());
}

TEST_F(Texts, one_moved_to_another_record_does_not_open) {
    const auto other = new_record_id(now, random);
    ASSERT_TRUE(store.keep(id, *store.keeps_until(10, now), texts));
    const auto day = disk.list("/node/texts").value().front();
    for (const char* part : {"texts", "keys"}) {
        const auto folder = std::filesystem::path("/node") / part / day;
        ASSERT_TRUE(disk.rename(folder / text_of(id), folder / text_of(other)));
    }
    EXPECT_EQ(store.read(other).error().kind, base::ErrorKind::corrupt);
}

TEST_F(Texts, go_when_their_day_has_come_and_not_before) {
    const auto later = new_record_id(now, random);
    ASSERT_TRUE(store.keep(id, *store.keeps_until(2, now), texts));
    ASSERT_TRUE(store.keep(later, *store.keeps_until(20, now), texts));
    EXPECT_TRUE(store.erase_expired(now).value().empty());
    EXPECT_EQ(store.erase_expired(now + std::chrono::days(2)).value(), std::vector{id});
    EXPECT_FALSE(store.read(id));
    EXPECT_TRUE(store.read(later));
    EXPECT_EQ(disk.list("/node/texts").value().size(), 1U);
}

}  // namespace
}  // namespace hanse::journal
