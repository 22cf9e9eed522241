// SPDX-License-Identifier: Apache-2.0
//
// serve_load ADDRESS PORT < PLAN > RESULT: keeps a number of chats going and notes when each frame came.
//
// The plan, from bench/serve.py:
//   worker GROUP [after=GROUP:FRAMES] [until=GROUP]   one chat; starts once each worker of that group has FRAMES
//                                                     frames in its first answer; leaves when that group is through
//   request PATH BYTES                                asked one after the other by the worker above
//   <BYTES bytes of JSON>
// The result is JSON: one object per request, times in microseconds since the start.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "stream_answer.hpp"

namespace hanse::bench {
namespace {

using std::chrono::steady_clock;

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "serve_load: %s\n", why.c_str());
    std::exit(2);
}

struct Asked {
    std::int64_t start = 0;
    std::int64_t end = 0;
    StreamAnswer answer;
    std::string error;  // why there is no whole answer
};

struct Worker {
    std::string group;
    std::string after_group;
    std::size_t after_frames = 0;
    std::string until_group;
    std::vector<std::string> requests;  // as sent
    std::vector<Asked> asked;
    int socket = -1;
    bool fresh = false;  // the connection has carried no answer yet
    bool started = false;
    bool ended = false;
};

class Load {
public:
    Load(sockaddr_in address, std::vector<Worker> workers) : address_(address), workers_(std::move(workers)) {}
    void run();
    void print() const;

private:
    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start_).count();
    }
    bool may_start(const Worker& worker) const;
    bool group_ended(const std::string& group) const;
    void start_and_stop();
    void ask(Worker& worker);
    void send(Worker& worker);
    void again(Worker& worker);
    void read(Worker& worker);
    void close_socket(Worker& worker);
    void next(Worker& worker);

    sockaddr_in address_;
    std::vector<Worker> workers_;
    steady_clock::time_point start_ = steady_clock::now();
    int epoll_ = -1;
};

bool Load::may_start(const Worker& worker) const {
    if (worker.after_group.empty()) return true;
    for (const Worker& other : workers_) {
        if (other.group != worker.after_group || other.ended) continue;
        if (other.asked.empty() || (other.asked.size() == 1 && other.asked[0].answer.frames().size() < worker.after_frames)) return false;
    }
    return true;
}

bool Load::group_ended(const std::string& group) const {
    for (const Worker& worker : workers_) {
        if (worker.group == group && !worker.ended) return false;
    }
    return true;
}

void Load::close_socket(Worker& worker) {
    if (worker.socket >= 0) ::close(worker.socket);
    worker.socket = -1;
}

void Load::ask(Worker& worker) {
    worker.asked.emplace_back();
    worker.asked.back().start = now();
    send(worker);
}

void Load::send(Worker& worker) {
    const std::string& request = worker.requests[worker.asked.size() - 1];
    worker.fresh = worker.socket < 0;
    if (worker.fresh) {
        worker.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;
        ::setsockopt(worker.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (::connect(worker.socket, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0) die(std::string("connect: ") + std::strerror(errno));
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = static_cast<std::uint64_t>(&worker - workers_.data());
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, worker.socket, &event);
    }
    std::size_t sent = 0;
    while (sent < request.size()) {
        const ssize_t size = ::send(worker.socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
        if (size <= 0 && !worker.fresh) return again(worker);
        if (size <= 0) die(std::string("send: ") + std::strerror(errno));
        sent += static_cast<std::size_t>(size);
    }
}

// A server may close a kept connection just as the next request comes (RFC 9112, section 9.5); llama-server
// does at times. The request goes out once more, on its clock.
void Load::again(Worker& worker) {
    close_socket(worker);
    send(worker);
}

void Load::next(Worker& worker) {
    worker.asked.back().end = now();
    const Asked& asked = worker.asked.back();
    if (!asked.error.empty() || !asked.answer.keeps_alive()) close_socket(worker);
    if (worker.asked.size() < worker.requests.size()) {
        ask(worker);
    } else {
        close_socket(worker);
        worker.ended = true;
    }
}

void Load::read(Worker& worker) {
    char bytes[65536];
    const ssize_t size = ::recv(worker.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    Asked& asked = worker.asked.back();
    if (size <= 0 && !worker.fresh && asked.answer.status() == 0) return again(worker);
    if (size <= 0) {
        asked.error = "connection closed";
        return next(worker);
    }
    const auto state = asked.answer.feed({bytes, static_cast<std::size_t>(size)}, now());
    if (state == StreamAnswer::State::running) return;
    if (state == StreamAnswer::State::malformed) asked.error = "malformed answer";
    if (asked.answer.broke_off()) asked.error = "error in the stream";
    next(worker);
}

void Load::start_and_stop() {
    for (Worker& worker : workers_) {
        if (!worker.started && may_start(worker)) {
            worker.started = true;
            ask(worker);
        }
        if (worker.started && !worker.ended && !worker.until_group.empty() && group_ended(worker.until_group)) {
            worker.asked.back().error = "left";
            worker.asked.back().end = now();
            close_socket(worker);
            worker.ended = true;
        }
    }
}

void Load::run() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    const bool coordinated = [&] {
        for (const Worker& worker : workers_) {
            if (!worker.after_group.empty() || !worker.until_group.empty()) return true;
        }
        return false;
    }();
    start_and_stop();
    std::vector<epoll_event> events(workers_.size());
    while (true) {
        std::size_t ended = 0;
        for (const Worker& worker : workers_) ended += worker.ended ? 1 : 0;
        if (ended == workers_.size()) return;
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            Worker& worker = workers_[events[static_cast<std::size_t>(i)].data.u64];
            if (worker.socket >= 0) read(worker);
        }
        if (coordinated) start_and_stop();
    }
}

void Load::print() const {
    std::ostringstream out;
    out << "{\"requests\":[";
    const char* comma = "";
    for (std::size_t index = 0; index < workers_.size(); ++index) {
        for (const Asked& asked : workers_[index].asked) {
            out << comma << "\n{\"group\":\"" << workers_[index].group << "\",\"worker\":" << index << ",\"status\":" << asked.answer.status()
                << ",\"start\":" << asked.start << ",\"end\":" << asked.end << ",\"prompt_tokens\":" << asked.answer.prompt_tokens()
                << ",\"cached_tokens\":" << asked.answer.cached_tokens() << ",\"completion_tokens\":" << asked.answer.completion_tokens()
                << ",\"error\":\"" << asked.error << "\",\"frames\":[";
            const char* between = "";
            for (const std::int64_t frame : asked.answer.frames()) {
                out << between << frame;
                between = ",";
            }
            out << "]}";
            comma = ",";
        }
    }
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto milliseconds = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
    out << "],\n\"client_cpu_ms\":" << milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime) << "}\n";
    std::cout << out.str();
}

std::vector<Worker> read_plan(std::istream& in, const std::string& host) {
    std::vector<Worker> workers;
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "worker") {
            Worker& worker = workers.emplace_back();
            words >> worker.group;
            while (words >> word) {
                if (word.starts_with("until=")) worker.until_group = word.substr(6);
                if (const std::size_t colon = word.find(':'); word.starts_with("after=") && colon != std::string::npos) {
                    worker.after_group = word.substr(6, colon - 6);
                    worker.after_frames = std::strtoul(word.c_str() + colon + 1, nullptr, 10);
                }
            }
        } else if (word == "request" && !workers.empty()) {
            std::string path;
            std::size_t size = 0;
            words >> path >> size;
            std::string body(size, '\0');
            in.read(body.data(), static_cast<std::streamsize>(size));
            in.ignore(1);
            workers.back().requests.push_back("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: " +
                                              std::to_string(size) + "\r\n\r\n" + body);
        } else if (!word.empty()) {
            die("cannot read the plan: " + line);
        }
    }
    for (const Worker& worker : workers) {
        if (worker.requests.empty()) die("a worker without requests");
    }
    return workers;
}

}  // namespace
}  // namespace hanse::bench

int main(int argc, char** argv) {
    using namespace hanse::bench;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (argc != 3 || ::inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) die("usage: serve_load ADDRESS PORT < PLAN");
    address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)));
    Load load(address, read_plan(std::cin, std::string(argv[1]) + ":" + argv[2]));
    load.run();
    load.print();
}
