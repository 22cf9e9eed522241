# SPDX-License-Identifier: Apache-2.0
# A room is a folder under src/ and a library: public headers in its own include root, sources and tests
# beside them. It may use exactly the rooms that it names here; an unlinked room cannot be included.
#
#   hanse_room(NAME USES room… LIBRARIES target…)          LIBRARIES: seen by this room's sources only
#                   PUBLIC_LIBRARIES target…)              those that its public headers need as well
#
# Files find their part by name: X_test.cpp goes to the test program, X_fuzz.cpp is a fuzz target of its
# own, X_bench.cpp a benchmark, main.cpp is left to whoever makes the program.
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
include(GoogleTest)

function(hanse_room NAME)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${NAME})
  if(NOT IS_DIRECTORY ${dir})
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY HANSE_ROOMS ${NAME})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${dir}/*.cpp)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cpp$|/main\\.cpp$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")

  set(used ${ARG_USES})
  list(TRANSFORM used PREPEND hanse_)
  if(sources)
    add_library(hanse_${NAME} STATIC ${sources})
    target_include_directories(hanse_${NAME} PUBLIC ${dir}/include PRIVATE ${dir})
    target_link_libraries(hanse_${NAME} PUBLIC ${used} ${ARG_PUBLIC_LIBRARIES} PRIVATE hanse_flags ${ARG_LIBRARIES})
  else()
    add_library(hanse_${NAME} INTERFACE)
    target_include_directories(hanse_${NAME} INTERFACE ${dir}/include)
    target_link_libraries(hanse_${NAME} INTERFACE ${used} ${ARG_PUBLIC_LIBRARIES})
  endif()

  if(BUILD_TESTING AND tests)
    add_executable(${NAME}_test ${tests})
    target_include_directories(${NAME}_test PRIVATE ${dir})
    target_link_libraries(${NAME}_test PRIVATE hanse_${NAME} hanse_flags ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${NAME}_test TEST_PREFIX ${NAME}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                         DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300 LABELS ${NAME}
                         ENVIRONMENT OMP_THREAD_LIMIT=1)  # tests run side by side
  endif()
  foreach(source IN LISTS fuzzers)
    cmake_path(GET source STEM stem)
    set(target ${NAME}_${stem})
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE ${dir})
    target_link_libraries(${target} PRIVATE hanse_${NAME} hanse_flags ${ARG_LIBRARIES})
    if(HANSE_FUZZ)
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
      target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/test/fuzz/driver.cpp)
    endif()
    # The seeds lie in test/fuzz/<target>/; both drivers take -runs and -seed.
    if(BUILD_TESTING)
      set(corpus ${PROJECT_SOURCE_DIR}/test/fuzz/${target})
      if(NOT IS_DIRECTORY ${corpus})
        set(corpus "")
      endif()
      add_test(NAME fuzz.${target} COMMAND ${target} -runs=20000 -seed=1 -max_len=4096 -timeout=20 ${corpus})
      set_tests_properties(fuzz.${target} PROPERTIES TIMEOUT 300 LABELS "${NAME};fuzz")
    endif()
  endforeach()
  foreach(source IN LISTS benches)
    cmake_path(GET source STEM stem)
    add_executable(${NAME}_${stem} ${source})
    target_include_directories(${NAME}_${stem} PRIVATE ${dir})
    target_link_libraries(${NAME}_${stem} PRIVATE hanse_${NAME} hanse_flags ${ARG_LIBRARIES} benchmark::benchmark_main)
  endforeach()
endfunction()
