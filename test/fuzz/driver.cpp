// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target where libFuzzer is not to be had (it comes with clang; Hanse builds with GCC). Same
// command line, same artefacts, but blind: inputs are the corpus and mutations of it, drawn from a seed, so
// that a test run is the same run each time.
//
//   target -runs=20000 -seed=1 -max_len=4096 corpus/      the corpus, then 20000 mutated inputs
//   target crash-3f2a…                                    one input again, to look at a failure
//
// What crashes or hangs leaves its input in crash-<hash> or timeout-<hash>, under -artifact_prefix=.
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*call)());

namespace {

namespace fs = std::filesystem;
using Input = std::vector<std::uint8_t>;

struct Options {
    std::uint64_t runs = 10'000;
    std::uint64_t seed = 1;
    std::size_t length_max = 4096;
    unsigned timeout_seconds = 60;
    std::vector<fs::path> inputs;
};

// What the handlers need, where a handler may read it.
struct Current {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    std::array<char, 512> prefix{};
    std::uint64_t seed = 0;
    std::uint64_t run = 0;
};
Current current;

class SplitMix64 {
public:
    explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(next() % bound); }

private:
    std::uint64_t state_;
};

// Pieces on which parsers of HTTP, JSON, SSE, TOML, GGUF and grammars decide something.
constexpr std::array<std::string_view, 72> tokens{
    "{", "}", "[", "]", "\"", "\\", ",", ":", "null", "true", "false", "-0", "1e999", "-1", "0.1e-400",
    "18446744073709551616", "9223372036854775807", "-9223372036854775808", "4294967296", "NaN", "\\u0000", "\\ud800",
    "\\udfff\\ud800", "\\\"", "\r\n", "\r\n\r\n", "\n\n", "\n", "\r", " ", "\t", "HTTP/1.1", "GET / HTTP/1.1\r\n",
    "Content-Length: ", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n", "Host: a\r\n", "data: ",
    "data: [DONE]\n\n", "event: ", "id:", "\xef\xbb\xbf", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "%00", "%",
    "%2e%2e/", "../", "//", "<tool_call>", "</tool_call>", "<think>", "</think>", "<|im_end|>", "::=", "root ::= ", "{0,65536}",
    "*", "+", "?", "|", "(", ")", "[^\"]", "\"type\":", "\"$ref\":\"#\"", "GGUF", "=", "[[a]]"};

void write_all(int file, const void* from, std::size_t size) {
    const char* next = static_cast<const char*>(from);
    while (size > 0) {
        const ssize_t wrote = ::write(file, next, size);
        if (wrote <= 0) {
            return;
        }
        next += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
}

// The three below run inside signal handlers: no allocation, no stdio.
char* append(char* to, const char* end, std::string_view text) {
    const std::size_t size = std::min(text.size(), static_cast<std::size_t>(end - to));
    std::memcpy(to, text.data(), size);
    return to + size;
}

char* append_number(char* to, char* end, std::uint64_t number, int base) {
    return std::to_chars(to, end, number, base).ptr;
}

void keep_input(std::string_view kind) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (std::size_t i = 0; i < current.size; ++i) {
        hash = (hash ^ current.data[i]) * 0x100000001b3U;
    }
    std::array<char, 1024> path{};
    char* end = path.data() + path.size() - 1;
    char* at = append(path.data(), end, current.prefix.data());
    at = append(at, end, kind);
    at = append(at, end, "-");
    at = append_number(at, end, hash, 16);
    *at = '\0';
    const int file = ::open(path.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file >= 0) {
        write_all(file, current.data, current.size);
        ::close(file);
    }
    std::array<char, 1400> line{};
    end = line.data() + line.size();
    at = append(line.data(), end, "fuzz: ");
    at = append(at, end, kind);
    at = append(at, end, " in run ");
    at = append_number(at, end, current.run, 10);
    at = append(at, end, " of seed ");
    at = append_number(at, end, current.seed, 10);
    at = append(at, end, file >= 0 ? "; the input is in " : "; could not write ");
    at = append(at, end, path.data());
    at = append(at, end, "\n");
    write_all(STDERR_FILENO, line.data(), static_cast<std::size_t>(at - line.data()));
}

void on_crash(int number) {
    keep_input("crash");
    std::signal(number, SIG_DFL);
    ::raise(number);
}

void on_timeout(int) {
    keep_input("timeout");
    ::_exit(70);
}

void on_sanitizer_death() { keep_input("crash"); }

void watch_for_crashes() {
    // A stack of its own, since running out of stack is a finding too.
    static std::array<char, 65536> handler_stack;
    stack_t stack{};
    stack.ss_sp = handler_stack.data();
    stack.ss_size = handler_stack.size();
    ::sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_flags = SA_ONSTACK;
    action.sa_handler = on_timeout;
    ::sigaction(SIGALRM, &action, nullptr);
    if (__sanitizer_set_death_callback != nullptr) {
        __sanitizer_set_death_callback(on_sanitizer_death);
        return;  // the sanitizer's own handlers print the stack
    }
    action.sa_handler = on_crash;
    for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
        ::sigaction(number, &action, nullptr);
    }
}

void run_one(const Input& input, const Options& options) {
    // A copy of exact size, so that a sanitizer sees one byte read too far.
    const auto copy = std::make_unique_for_overwrite<std::uint8_t[]>(input.size());
    std::copy(input.begin(), input.end(), copy.get());
    current.data = copy.get();
    current.size = input.size();
    ::alarm(options.timeout_seconds);
    LLVMFuzzerTestOneInput(copy.get(), input.size());
    ::alarm(0);
    ++current.run;
}

void mutate_once(Input& input, const std::vector<Input>& corpus, SplitMix64& random) {
    const std::size_t at = random.below(input.size() + 1);
    const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t rest = input.size() - at;
    switch (random.below(10)) {
        case 0:
            if (rest > 0) *here ^= static_cast<std::uint8_t>(1U << random.below(8));
            break;
        case 1:
            if (rest > 0) *here = static_cast<std::uint8_t>(random.next());
            break;
        case 2:
            input.insert(here, static_cast<std::uint8_t>(random.next()));
            break;
        case 3:
            input.erase(here, here + static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(rest, 64) + 1)));
            break;
        case 4:
            input.resize(at);
            break;
        case 5:
        case 6: {
            const std::string_view token = tokens[random.below(tokens.size())];
            if (random.below(2) == 0) {
                input.insert(here, token.begin(), token.end());
            } else {
                std::copy_n(token.begin(), std::min(token.size(), rest), here);
            }
            break;
        }
        case 7: {  // repeat a part: nesting and lengths
            const auto part = static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(rest, 32) + 1));
            const Input copy(here, here + part);
            const std::size_t times = 1 + random.below(random.below(8) == 0 ? 256 : 4);
            Input more;
            for (std::size_t i = 0; i < times; ++i) more.insert(more.end(), copy.begin(), copy.end());
            input.insert(here, more.begin(), more.end());
            break;
        }
        case 8: {  // the head of this with the tail of another
            const Input& other = corpus[random.below(corpus.size())];
            input.resize(at);
            input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(random.below(other.size() + 1)), other.end());
            break;
        }
        default: {  // a number of a binary format
            static constexpr std::array<std::uint64_t, 8> numbers{0, 1, 0x7f, 0xff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, ~0ULL};
            const std::uint64_t number = numbers[random.below(numbers.size())];
            std::array<std::uint8_t, 8> bytes{};
            std::memcpy(bytes.data(), &number, bytes.size());
            std::copy_n(bytes.begin(), std::min<std::size_t>(std::size_t{1} << random.below(4), rest), here);
        }
    }
}

Input read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<Input> read_corpus(const Options& options) {
    std::vector<fs::path> files;
    for (const fs::path& path : options.inputs) {
        for (const auto& entry : fs::recursive_directory_iterator(path)) {
            if (entry.is_regular_file()) files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);  // the same order on each file system
    std::vector<Input> corpus(1);  // the empty input is always worth a run
    for (const fs::path& file : files) {
        corpus.push_back(read_file(file));
        corpus.back().resize(std::min(corpus.back().size(), options.length_max));
    }
    return corpus;
}

template <class Number>
bool read_flag(std::string_view argument, std::string_view name, Number& value) {
    if (!argument.starts_with(name)) return false;
    argument.remove_prefix(name.size());
    const auto [end, failure] = std::from_chars(argument.data(), argument.data() + argument.size(), value);
    if (failure != std::errc{} || end != argument.data() + argument.size()) {
        std::fprintf(stderr, "fuzz: no number: %.*s\n", static_cast<int>(argument.size()), argument.data());
        std::exit(2);
    }
    return true;
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        constexpr std::string_view prefix = "-artifact_prefix=";
        if (argument.starts_with(prefix)) {
            const std::string_view value = argument.substr(prefix.size());
            std::copy_n(value.begin(), std::min(value.size(), current.prefix.size() - 1), current.prefix.begin());
        } else if (!argument.starts_with('-')) {
            options.inputs.emplace_back(argument);
        } else if (!read_flag(argument, "-runs=", options.runs) && !read_flag(argument, "-seed=", options.seed) &&
                   !read_flag(argument, "-max_len=", options.length_max)) {
            read_flag(argument, "-timeout=", options.timeout_seconds);  // the other flags of libFuzzer mean nothing here
        }
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    if (LLVMFuzzerInitialize != nullptr) LLVMFuzzerInitialize(&argc, &argv);
    const Options options = read_options(argc, argv);
    current.seed = options.seed;
    watch_for_crashes();

    bool only_files = !options.inputs.empty();
    for (const fs::path& path : options.inputs) {
        if (!fs::exists(path)) {
            std::fprintf(stderr, "fuzz: no such file: %s\n", path.c_str());
            return 2;
        }
        only_files = only_files && fs::is_regular_file(path);
    }
    if (only_files) {
        for (const fs::path& path : options.inputs) run_one(read_file(path), options);
        std::fprintf(stderr, "fuzz: %zu inputs, none failed\n", options.inputs.size());
        return 0;
    }

    const std::vector<Input> corpus = read_corpus(options);
    for (const Input& input : corpus) run_one(input, options);
    SplitMix64 random(options.seed);
    for (std::uint64_t i = 0; i < options.runs; ++i) {
        Input input = corpus[random.below(corpus.size())];
        for (std::size_t changes = 1 + random.below(6); changes > 0; --changes) mutate_once(input, corpus, random);
        input.resize(std::min(input.size(), options.length_max));
        run_one(input, options);
    }
    std::fprintf(stderr, "fuzz: seed %llu, %zu inputs of the corpus and %llu mutations, none failed\n",
                 static_cast<unsigned long long>(options.seed), corpus.size(), static_cast<unsigned long long>(options.runs));
    return 0;
}
