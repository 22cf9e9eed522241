// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/hub_listing.hpp"
#include "catalog/reference.hpp"

using namespace hanse::catalog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)parts_of(text);
    if (const auto listing = HubListing::parse(text)) {
        for (const HubFile& file : listing->files)
            if (!is_plain_path(file.path)) std::abort();
        (void)choose_files(*listing, "");
        (void)choose_files(*listing, text.substr(0, 40));
    }
    return 0;
}
