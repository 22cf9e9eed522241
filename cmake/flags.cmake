# SPDX-License-Identifier: Apache-2.0
# Flags for our own code. Packages are included as SYSTEM, so our warnings are ours alone.
option(HANSE_FUZZ "Link *_fuzz.cpp with libFuzzer (needs clang)" OFF)
set(HANSE_SANITIZE "" CACHE STRING "Sanitizers, as in address,undefined or thread")

add_library(hanse_flags INTERFACE)
target_compile_options(hanse_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 16 reports false positives inside inlined library code with these.
  target_compile_options(hanse_flags INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow
                                               -Wno-stringop-overread -Wno-restrict -Wno-dangling-reference -Wno-mismatched-new-delete)
endif()
target_compile_definitions(hanse_flags INTERFACE _GLIBCXX_ASSERTIONS BOOST_ASIO_NO_DEPRECATED
                                                 BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_compile_options(hanse_flags INTERFACE -fstack-protector-strong -fstack-clash-protection)
target_link_options(hanse_flags INTERFACE -Wl,-z,relro,-z,now,--as-needed)
if(HANSE_SANITIZE)
  add_compile_options(-fsanitize=${HANSE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HANSE_SANITIZE})
else()
  target_compile_options(hanse_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
if(HANSE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
