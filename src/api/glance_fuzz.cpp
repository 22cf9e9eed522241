// SPDX-License-Identifier: Apache-2.0
#include "glance.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fields.hpp"
#include "json.hpp"

// The scan and the full reader must agree: on what is JSON, and on which model is meant.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hanse::api;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto seen = glance(text);
    const auto document = JsonDocument::parse(text);
    if (!seen) return 0;
    if (!document) std::abort();
    Complaint complaint;
    const JsonPath top;
    Fields body(document->root(), top, complaint);
    const auto model = body.any("model");
    // The full reader bounds the number of fields, the scan does not.
    if (complaint.any()) return 0;
    if (!model || !model->is(JsonKind::string) || model->string() != seen->model) std::abort();
    const auto renamed = with_model(text, *seen, "another \"name\"");
    const auto again = glance(renamed);
    if (!again || again->model != "another \"name\"" || again->stream != seen->stream) std::abort();
    return 0;
}
