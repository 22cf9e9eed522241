// SPDX-License-Identifier: Apache-2.0
#include "journal/cose_receipt.hpp"

#include <gtest/gtest.h>

#include "base/sim_disk.hpp"
#include "cbor.hpp"
#include "sample_log.hpp"

namespace hanse::journal {
namespace {

constexpr crypto::Algorithm both[] = {crypto::Algorithm::ed25519, crypto::Algorithm::ml_dsa_44};

struct CoseReceiptTest : testing::Test {
    void SetUp() override {
        log = *Log::open({disk, random, keys, "/journal"}, sample_time());
        ASSERT_TRUE(log->append(sample_records(0, 300)));
        ASSERT_TRUE(log->publish(sample_time()));
    }
    base::Bytes receipt(std::uint64_t index, crypto::Algorithm algorithm) { return *cose_receipt(*log->prove(index, {}), keys, algorithm); }
    LogEntry entry(std::uint64_t index) { return log_entry(log->read(index)->commitment); }

    base::SimDisk disk;
    base::SeededRandom random{5};
    LogKeys keys = sample_keys();
    std::vector<NoteVerifier> verifiers = keys.verifiers();
    std::unique_ptr<Log> log;
};

TEST_F(CoseReceiptTest, proves_each_entry_and_no_other) {
    for (const auto algorithm : both)
        for (const std::uint64_t index : {0, 1, 255, 256, 298, 299}) {
            const auto bytes = receipt(index, algorithm);
            const auto read = read_cose_receipt(bytes, entry(index), verifiers);
            ASSERT_TRUE(read) << read.error().message;
            EXPECT_EQ(read->origin, keys.origin());
            EXPECT_EQ(read->algorithm, algorithm);
            EXPECT_EQ(read->index, index);
            EXPECT_EQ(read->size, 300U);
            EXPECT_EQ(read->root, log->published().root);
            EXPECT_FALSE(read_cose_receipt(bytes, entry((index + 1) % 300), verifiers));
            EXPECT_EQ(read_cose_receipt(bytes, entry(index), sample_keys(12).verifiers()).error().kind, base::ErrorKind::not_found);
        }
}

TEST_F(CoseReceiptTest, finds_every_changed_byte_and_every_cut) {
    for (const auto algorithm : both) {
        auto bytes = receipt(77, algorithm);
        const auto leaf = entry(77);
        for (std::size_t at = 0; at < bytes.size(); ++at)
            for (const unsigned bit : {0U, 5U}) {
                bytes[at] ^= static_cast<std::byte>(1U << bit);
                const auto read = read_cose_receipt(bytes, leaf, verifiers);
                EXPECT_FALSE(read) << at << " bit " << bit;
                EXPECT_TRUE(read || read.error().message.contains("COSE receipt"));
                bytes[at] ^= static_cast<std::byte>(1U << bit);
            }
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(read_cose_receipt(std::span(bytes).first(size), leaf, verifiers)) << size;
        bytes.push_back(std::byte{0});
        EXPECT_FALSE(read_cose_receipt(bytes, leaf, verifiers));
    }
}

TEST(Cbor, writes_the_examples_of_the_standard_and_reads_only_the_shortest_form) {
    // RFC 8949, appendix A.
    const struct {
        std::int64_t value;
        const char* hex;
    } numbers[] = {{0, "00"},
                   {23, "17"},
                   {24, "1818"},
                   {255, "18ff"},
                   {256, "190100"},
                   {1000, "1903e8"},
                   {1'000'000, "1a000f4240"},
                   {1'000'000'000'000, "1b000000e8d4a51000"},
                   {-1, "20"},
                   {-10, "29"},
                   {-100, "3863"},
                   {-1000, "3903e7"}};
    for (const auto& [value, hex] : numbers) {
        EXPECT_EQ(base::hex(CborWriter().integer(value).made()), hex);
        const auto bytes = *base::from_hex(hex);
        EXPECT_EQ(CborReader(bytes).integer(), value);
    }
    EXPECT_EQ(base::hex(CborWriter().text("\u00fc").bytes(base::bytes_of("\x01")).head(Cbor::simple, cbor_null).made()), "62c3bc4101f6");
    for (const char* longer : {"1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "1c", "1f", "", "18"}) {
        const auto bytes = *base::from_hex(longer);
        EXPECT_FALSE(CborReader(bytes).integer()) << longer;
    }
    for (const char* bad : {"62c3", "61ff", "5f", "420a"}) {
        const auto bytes = *base::from_hex(bad);
        EXPECT_FALSE(CborReader(bytes).text()) << bad;
    }
}

}  // namespace
}  // namespace hanse::journal
