// SPDX-License-Identifier: Apache-2.0
#include "catalog/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/known_models.hpp"

namespace hanse::catalog {
namespace {

TEST(Reference, all_parts_are_read) {
    const auto reference = Reference::parse("hf:Org/Repo-GGUF:sub/model-Q4_K_M.gguf@refs/pr/1");
    ASSERT_TRUE(reference) << reference.error().message;
    EXPECT_EQ(reference->owner, "Org");
    EXPECT_EQ(reference->repository, "Repo-GGUF");
    EXPECT_EQ(reference->file, "sub/model-Q4_K_M.gguf");
    EXPECT_EQ(reference->revision, "refs/pr/1");
    EXPECT_EQ(reference->text(), "hf:Org/Repo-GGUF:sub/model-Q4_K_M.gguf@refs/pr/1");
}

TEST(Reference, file_and_revision_may_be_missing) {
    const auto reference = Reference::parse("hf:org/repo");
    ASSERT_TRUE(reference);
    EXPECT_EQ(reference->file, "");
    EXPECT_EQ(reference->revision, "main");
    EXPECT_EQ(reference->text(), "hf:org/repo");
}

TEST(Reference, what_could_leave_its_place_is_refused) {
    for (const char* text : {"", "hf:", "org/repo", "hf:org", "hf:org/", "hf:/repo", "hf:org/repo:", "hf:org/repo:../x.gguf", "hf:org/repo:/x.gguf", "hf:org/repo:a//b.gguf", "hf:org/repo:a/./b.gguf",
                             "hf:org/repo:x.bin", "hf:org/repo@", "hf:org/repo@a/../b", "hf:or g/repo", "hf:org/re?po", "hf:../repo", "hf:org/repo:a%2fb.gguf", "hf:org/repo:a\\b.gguf", "hf:org/repo/x"})
        EXPECT_FALSE(Reference::parse(text)) << text;
}

TEST(Reference, a_refusal_shows_the_form_and_no_control_character) {
    const auto refused = Reference::parse("hf:\x1b[31m");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, base::ErrorKind::invalid);
    EXPECT_THAT(refused.error().message, testing::HasSubstr("hf:OWNER/REPOSITORY:FILE.gguf@REVISION"));
    EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr("\x1b")));
}

TEST(ModelName, is_made_of_a_file_name) {
    EXPECT_EQ(model_name_from("SmolLM2-135M-Instruct-Q4_1.gguf"), "smollm2-135m-instruct-q4_1");
    EXPECT_EQ(model_name_from("dir/My Model.gguf"), "my-model");
    EXPECT_EQ(model_name_from("big-00001-of-00003.gguf"), "big");
    EXPECT_EQ(model_name_from("...gguf"), "model");
    EXPECT_EQ(model_name_from(""), "model");
}

TEST(KnownModels, each_has_a_name_a_licence_and_a_reference_that_can_be_read) {
    for (const KnownModel& model : known_models()) {
        EXPECT_TRUE(is_model_name(model.name)) << model.name;
        EXPECT_TRUE(Reference::parse(model.source)) << model.source;
        EXPECT_FALSE(model.licence.empty()) << model.name;
        EXPECT_FALSE(model.languages.empty()) << model.name;
        EXPECT_GT(model.gigabytes, 0) << model.name;
        EXPECT_EQ(find_known_model(model.name), &model);
    }
    for (const char* name : {"eurollm-1.7b", "eurollm-9b", "eurollm-22b", "salamandra-2b", "salamandra-7b", "teuken-7b", "apertus-8b", "apertus-70b", "smollm2-135m", "smollm2-360m", "smollm2-1.7b"})
        EXPECT_NE(find_known_model(name), nullptr) << name;
    EXPECT_EQ(find_known_model("nothing"), nullptr);
}

}  // namespace
}  // namespace hanse::catalog
