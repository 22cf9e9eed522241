// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hanse::cli {

// The whole program: reads the arguments, runs one command, returns its exit code. Throws only what foreign
// code throws (out of memory, a library's bug); main() catches it.
int run(int argc, char** argv);

}  // namespace hanse::cli
