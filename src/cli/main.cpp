// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>

#include "cli/run.hpp"

int main(int argc, char** argv) {
    try {
        return hanse::cli::run(argc, argv);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "hanse: unexpected: %s\n", thrown.what());
        return 1;
    }
}
