// SPDX-License-Identifier: Apache-2.0
#include "journal/tree.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "journal/tile.hpp"

namespace hanse::journal {
namespace {

// RFC 6962, section 2.1, as it is written there and nothing else.
Hash naive_root(std::span<const Hash> leaves) {
    if (leaves.empty()) return empty_root();
    if (leaves.size() == 1) return leaves[0];
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    return node_hash(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}
std::vector<Hash> naive_path(std::size_t m, std::span<const Hash> leaves) {
    if (leaves.size() <= 1) return {};
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    auto path = m < k ? naive_path(m, leaves.first(k)) : naive_path(m - k, leaves.subspan(k));
    path.push_back(m < k ? naive_root(leaves.subspan(k)) : naive_root(leaves.first(k)));
    return path;
}
std::vector<Hash> naive_subproof(std::size_t m, std::span<const Hash> leaves, bool whole) {
    if (m == leaves.size()) return whole ? std::vector<Hash>{} : std::vector<Hash>{naive_root(leaves)};
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    auto proof = m <= k ? naive_subproof(m, leaves.first(k), whole) : naive_subproof(m - k, leaves.subspan(k), false);
    proof.push_back(m <= k ? naive_root(leaves.subspan(k)) : naive_root(leaves.first(k)));
    return proof;
}

std::vector<Hash> some_leaves(std::size_t count) {
    std::vector<Hash> leaves;
    for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_hash(base::bytes_of(std::to_string(i))));
    return leaves;
}

NodeReader reader_of(std::span<const Hash> leaves) {
    return [leaves](unsigned level, std::uint64_t index) -> base::Result<Hash> {
        const std::size_t count = std::size_t{1} << level;
        return naive_root(leaves.subspan(index * count, count));
    };
}

// The reference tree that Certificate Transparency's implementations share.
TEST(Tree, has_the_roots_of_the_reference_tree) {
    const char* const inputs[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    const char* const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                 "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                 "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                 "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                 "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                 "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    EXPECT_EQ(base::hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Frontier tree;
    for (std::size_t i = 0; i < 8; ++i) {
        tree.append(leaf_hash(*base::from_hex(inputs[i])));
        EXPECT_EQ(base::hex(tree.root()), roots[i]) << i;
    }
}

TEST(Tree, of_every_size_to_1024_has_the_naive_root) {
    const auto leaves = some_leaves(1024);
    Frontier tree;
    for (std::size_t size = 0; size <= leaves.size(); ++size) {
        const auto part = std::span(leaves).first(size);
        const Hash root = naive_root(part);
        ASSERT_EQ(tree.root(), root) << size;
        ASSERT_EQ(*root_at(size, reader_of(part)), root) << size;
        if (size < leaves.size()) tree.append(leaves[size]);
    }
}

TEST(Tree, proves_every_inclusion_to_300) {
    const auto leaves = some_leaves(300);
    for (std::size_t size = 1; size <= leaves.size(); ++size) {
        const auto part = std::span(leaves).first(size);
        const Hash root = naive_root(part);
        for (std::size_t index = 0; index < size; ++index) {
            const auto proof = inclusion_proof(index, size, reader_of(part));
            ASSERT_TRUE(proof);
            // Comparing with the naive path at every eighth size keeps the test in seconds; verifying is always done.
            if (size % 8 == 3) {
                ASSERT_EQ(*proof, naive_path(index, part)) << index << " of " << size;
            }
            ASSERT_TRUE(verifies_inclusion(leaves[index], index, size, *proof, root)) << index << " of " << size;
            ASSERT_FALSE(verifies_inclusion(leaves[(index + 1) % 300], index, size, *proof, root)) << index << " of " << size;
        }
    }
}

TEST(Tree, proves_every_consistency_to_300) {
    const auto leaves = some_leaves(300);
    for (std::size_t size = 0; size <= leaves.size(); ++size) {
        const auto part = std::span(leaves).first(size);
        const Hash root = naive_root(part);
        for (std::size_t before = 0; before <= size; ++before) {
            const Hash old_root = naive_root(part.first(before));
            const auto proof = consistency_proof(before, size, reader_of(part));
            ASSERT_TRUE(proof);
            if (size % 8 == 3 && before > 0) {
                ASSERT_EQ(*proof, naive_subproof(before, part, true)) << before << " to " << size;
            }
            ASSERT_TRUE(verifies_consistency(before, size, *proof, old_root, root)) << before << " to " << size;
            if (before != 0 && before != size) {
                ASSERT_FALSE(verifies_consistency(before, size, *proof, root, root)) << before << " to " << size;
            }
        }
    }
}

TEST(Tree, refuses_proofs_that_were_changed_shortened_lengthened_or_moved) {
    const auto leaves = some_leaves(77);
    const Hash root = naive_root(leaves);
    for (std::size_t index = 0; index < leaves.size(); ++index) {
        const auto proof = *inclusion_proof(index, leaves.size(), reader_of(leaves));
        for (std::size_t i = 0; i < proof.size(); ++i) {
            auto changed = proof;
            changed[i][5] ^= std::byte{4};
            EXPECT_FALSE(verifies_inclusion(leaves[index], index, leaves.size(), changed, root));
        }
        auto longer = proof;
        longer.push_back(root);
        EXPECT_FALSE(verifies_inclusion(leaves[index], index, leaves.size(), longer, root));
        EXPECT_FALSE(verifies_inclusion(leaves[index], index, leaves.size(), std::span(proof).first(proof.size() - 1), root));
        EXPECT_FALSE(verifies_inclusion(leaves[index], (index + 1) % 77, leaves.size(), proof, root));
        EXPECT_FALSE(verifies_inclusion(leaves[index], index, index, proof, root));
    }
    const auto proof = *consistency_proof(30, 77, reader_of(leaves));
    const Hash old_root = naive_root(std::span(leaves).first(30));
    EXPECT_TRUE(verifies_consistency(30, 77, proof, old_root, root));
    EXPECT_FALSE(verifies_consistency(31, 77, proof, old_root, root));
    EXPECT_FALSE(verifies_consistency(30, 77, {}, old_root, root));
    EXPECT_FALSE(verifies_consistency(78, 77, proof, old_root, root));
}

TEST(Tile, paths_are_those_of_the_specification) {
    EXPECT_EQ((TileName{std::uint8_t{0}, 1234067, 256}).path(), "tile/0/x001/x234/067");
    EXPECT_EQ((TileName{{}, 0, 1}).path(), "tile/entries/000.p/1");
    EXPECT_EQ((TileName{std::uint8_t{63}, 1000, 255}).path(), "tile/63/x001/000.p/255");
    for (const TileName name :
         {TileName{std::uint8_t{0}, 1234067, 256}, TileName{{}, 999, 17}, TileName{std::uint8_t{3}, UINT64_MAX / 3, 1}})
        EXPECT_EQ(TileName::parse(name.path()), name);
    for (const char* bad : {"tile/0/", "tile/0/1", "tile/0/0001", "tile/00/001", "tile/64/001", "tile/0/001.p/0", "tile/0/001.p/256",
                            "tile/0/001.p/01", "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/entries", "tile/0/../001",
                            "tiles/0/001", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/+01"})
        EXPECT_FALSE(TileName::parse(bad)) << bad;
}

TEST(Tile, widths_are_those_of_the_example_of_70000_entries) {
    EXPECT_EQ(width_in(70'000, 0, 272), 256U);
    EXPECT_EQ(width_in(70'000, 0, 273), 112U);
    EXPECT_EQ(width_in(70'000, 0, 274), 0U);
    EXPECT_EQ(width_in(70'000, 1, 0), 256U);
    EXPECT_EQ(width_in(70'000, 1, 1), 17U);
    EXPECT_EQ(width_in(70'000, 2, 0), 1U);
    EXPECT_EQ(width_in(256, 1, 0), 1U);
}

TEST(Tile, give_the_same_proofs_as_the_tree) {
    const auto leaves = some_leaves(70'000);
    std::map<std::pair<unsigned, std::uint64_t>, std::vector<Hash>> tiles;
    std::vector<Hash> row = leaves;
    for (unsigned level = 0; !row.empty(); ++level) {
        std::vector<Hash> above;
        for (std::size_t i = 0; i < row.size(); i += tile_width) {
            const auto part = std::span(row).subspan(i, std::min<std::size_t>(tile_width, row.size() - i));
            tiles[{level, i / tile_width}] = {part.begin(), part.end()};
            if (part.size() == tile_width) above.push_back(naive_root(part));
        }
        row = above;
    }
    Frontier tree;
    for (const Hash& leaf : leaves) tree.append(leaf);
    const auto reader = nodes_from_tiles(
        leaves.size(), [&](const TileName& name) -> base::Result<std::vector<Hash>> { return tiles.at({*name.level, name.index}); });
    EXPECT_EQ(*root_at(leaves.size(), reader), tree.root());
    base::SeededRandom random(3);
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t index = random.next() % leaves.size();
        EXPECT_TRUE(verifies_inclusion(leaves[index], index, leaves.size(), *inclusion_proof(index, leaves.size(), reader), tree.root()));
        const auto before = *root_at(index, reader);
        EXPECT_TRUE(verifies_consistency(index, leaves.size(), *consistency_proof(index, leaves.size(), reader), before, tree.root()));
    }
}

TEST(Tile, bundles_read_back_and_break_at_any_cut) {
    base::Bytes bundle;
    for (const char* entry : {"", "moin", "hanse"}) ASSERT_TRUE(append_to_bundle(bundle, base::bytes_of(entry)));
    const auto entries = parse_bundle(bundle, 3);
    ASSERT_TRUE(entries);
    EXPECT_TRUE(std::ranges::equal((*entries)[1], base::bytes_of("moin")));
    EXPECT_FALSE(parse_bundle(bundle, 2));
    EXPECT_FALSE(parse_bundle(bundle, 4));
    for (std::size_t size = 0; size < bundle.size(); ++size) EXPECT_FALSE(parse_bundle(std::span(bundle).first(size), 3)) << size;
    EXPECT_FALSE(append_to_bundle(bundle, base::Bytes(65'536)));
}

}  // namespace
}  // namespace hanse::journal
