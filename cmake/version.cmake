# SPDX-License-Identifier: Apache-2.0
# Run at build time: writes the version's source file, only if it changed, so that nothing is built for nothing.
#   cmake -DSOURCE=… -DOUT=… -DVERSION=… -P version.cmake
execute_process(COMMAND git -c safe.directory=* -C ${SOURCE} describe --always --dirty=+ --abbrev=12 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(text "// Written by cmake/version.cmake.
#include \"node/version.hpp\"
namespace hanse::node {
std::string_view version() { return \"${VERSION}\"; }
std::string_view commit() { return \"${commit}\"; }
}  // namespace hanse::node
")
set(before "")
if(EXISTS ${OUT})
  file(READ ${OUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
