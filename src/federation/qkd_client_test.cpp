// SPDX-License-Identifier: Apache-2.0
#include "federation/qkd_client.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"

// The texts are the examples of ETSI GS QKD 014 V1.1.1, section 6, made short.
namespace hanse::federation {
namespace {

TEST(QkdKeys, are_read_from_a_container) {
    const auto keys =
        read_qkd_keys(R"({"keys":[{"key_ID":"bc490419-7d60-487f-adc1-4ddcc177c139","key":"wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s="},
        {"key_ID":"0a782fb5-3434-48fe-aa4d-14f41d46cf92","key":"OeGMPxh1+2RpJpNCYixWHFLYRubpOKCw94FcCI7VdJA=","key_extension":{"a":1}}],"key_container_extension":{}})");
    ASSERT_TRUE(keys) << keys.error().message;
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->front().id, "bc490419-7d60-487f-adc1-4ddcc177c139");
    EXPECT_EQ(base::hex(keys->front().key.reveal()).substr(0, 8), "c071d5c5");
    EXPECT_EQ(keys->back().key.reveal().size(), 32U);
}

TEST(QkdKeys, are_refused_in_any_other_form) {
    for (const std::string_view bad : {R"({})", R"({"keys":[]})", R"({"keys":[{"key":"AAAA"}]})",
                                       R"({"keys":[{"key_ID":"bc490419-7d60-487f-adc1-4ddcc177c139","key":"not base64"}]})",
                                       R"({"keys":[{"key_ID":"bc490419-7d60-487f-adc1-4ddcc177c139","key":""}]})",
                                       R"({"keys":[{"key_ID":"../../1","key":"AAAA"}]})", "keys", ""})
        EXPECT_FALSE(read_qkd_keys(bad)) << bad;
}

TEST(QkdStatus, is_read_whole_or_not_at_all) {
    const auto status = read_qkd_status(
        R"({"source_KME_ID":"AAAABBBBCCCCDDDD","target_KME_ID":"EEEEFFFFGGGGHHHH","master_SAE_ID":"IIIIJJJJKKKKLLLL","slave_SAE_ID":"MMMMNNNNOOOOPPPP","key_size":352,
        "stored_key_count":25000,"max_key_count":100000,"max_key_per_request":128,"max_key_size":1024,"min_key_size":64,"max_SAE_ID_count":0})");
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->key_size, 352U);
    EXPECT_EQ(status->slave_sae, "MMMMNNNNOOOOPPPP");
    EXPECT_FALSE(read_qkd_status(R"({"source_KME_ID":"A"})"));
}

TEST(QkdError, says_one_line_without_control_characters) {
    EXPECT_EQ(read_qkd_error(R"({"message":"size shall be a multiple of 8","details":[{"size":7}]})"), "size shall be a multiple of 8");
    EXPECT_EQ(read_qkd_error("{\"message\":\"a\\u001b[31mb\\n\"}"), "a[31mb");
    EXPECT_EQ(read_qkd_error("<html>"), "");
}

}  // namespace
}  // namespace hanse::federation
