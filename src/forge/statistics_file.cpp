// SPDX-License-Identifier: Apache-2.0
#include "forge/statistics_file.hpp"

#include <charconv>
#include <format>

#include "forge/tensor_file.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {
namespace {

using base::ErrorKind;
using base::fail;

constexpr std::string_view kind = "hanse statistics 1";
constexpr std::uint64_t width_max = 1U << 16;
constexpr std::uint64_t layers_max = 4096;

}  // namespace

base::Result<void> write_statistics(const std::filesystem::path& path, const StatisticsFile& file) {
    const auto& statistics = file.statistics;
    TensorPlan plan;
    plan.metadata.set("kind", std::string(kind));
    plan.metadata.set("expert", file.expert);
    plan.metadata.set("trunk", file.trunk_digest);
    plan.metadata.set("tokens", std::to_string(statistics.tokens));
    plan.tensors = {{"products", TensorType::i64, {statistics.layers, Statistics::triangle(statistics.width)}},
                    {"sums", TensorType::i64, {statistics.layers, statistics.width}}};
    auto writer = TensorWriter::create(path, std::move(plan));
    if (!writer) return std::unexpected(writer.error());
    if (auto wrote = writer->write(0, 0, std::as_bytes(std::span(statistics.products))); !wrote) return wrote;
    if (auto wrote = writer->write(1, 0, std::as_bytes(std::span(statistics.sums))); !wrote) return wrote;
    for (const std::size_t tensor : {0, 1})
        if (auto done = writer->complete(tensor); !done) return done;
    return writer->finish();
}

base::Result<StatisticsFile> read_statistics(const std::filesystem::path& path) {
    auto file = TensorFile::open(path);
    if (!file) return std::unexpected(file.error());
    const auto wrong = [&](std::string_view field, std::string_view what) {
        return fail(ErrorKind::corrupt, std::format("{}, {}: {}", path.string(), field, what), "invalid_statistics", std::string(field));
    };
    if (file->metadata().text("kind") != kind) return wrong("kind", "this is no file of statistics");
    const auto products = file->find("products"), sums = file->find("sums");
    if (!products || !sums) return wrong("tensors", "products or sums are missing");
    const auto& product = file->tensor(*products);
    const auto& sum = file->tensor(*sums);
    if (sum.type != TensorType::i64 || sum.shape.size() != 2 || sum.shape[0] > layers_max || sum.shape[1] > width_max)
        return wrong("sums", "it is no matrix of whole numbers within reason");
    if (product.type != TensorType::i64 || product.shape != std::vector{sum.shape[0], std::uint64_t{Statistics::triangle(sum.shape[1])}})
        return wrong("products", "its shape does not fit that of the sums");
    StatisticsFile result{file->metadata().text("expert"), file->metadata().text("trunk"),
                          Statistics(static_cast<std::uint32_t>(sum.shape[0]), static_cast<std::uint32_t>(sum.shape[1]))};
    const auto tokens = file->metadata().text("tokens");
    const auto [end, error] = std::from_chars(tokens.data(), tokens.data() + tokens.size(), result.statistics.tokens);
    if (error != std::errc() || end != tokens.data() + tokens.size()) return wrong("tokens", "it is no number");
    if (auto read = file->read(*products, 0, std::as_writable_bytes(std::span(result.statistics.products))); !read)
        return std::unexpected(read.error());
    if (auto read = file->read(*sums, 0, std::as_writable_bytes(std::span(result.statistics.sums))); !read)
        return std::unexpected(read.error());
    return result;
}

}  // namespace hanse::forge
