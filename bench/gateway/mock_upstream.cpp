// SPDX-License-Identifier: Apache-2.0
// A model server that thinks nothing: the upstream of script/bench gateway. It answers each request at once
// with 1 KiB of JSON, or, if the request holds "stream":true, with 64 numbered frames 20 ms apart. Written on
// epoll by hand, so that what is measured is the gateway and not this.
//
//   gateway_mock [PORT]        prints the port it listens on, ends with its standard input
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <format>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;
constexpr int frames = 64;
constexpr auto interval = std::chrono::milliseconds(20);

struct Connection {
    std::string in, out;
    std::uint64_t serial = 0;
    bool streaming = false;
};

struct Due {
    Clock::time_point when;
    int descriptor;
    std::uint64_t serial;
    int frame;
};

std::string plain_answer() {
    std::string text(700, 'x');
    const std::string body = std::format(
        R"({{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"mock","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":200,"completion_tokens":100,"total_tokens":300}}}})",
        text);
    return std::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

const std::string plain = plain_answer();
constexpr std::string_view stream_head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string frame(int number) {
    const std::string event = std::format(
        "data: "
        "{{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{{\"index\":0,"
        "\"delta\":{{\"content\":\"{}\"}},"
        "\"finish_reason\":null}}]}}\n\n",
        number);
    return std::format("{:x}\r\n{}\r\n", event.size(), event);
}

class Mock {
public:
    explicit Mock(int listener) : listener_(listener), poll_(epoll_create1(EPOLL_CLOEXEC)) {
        watch(listener_);
        watch(STDIN_FILENO);
    }

    void run() {
        epoll_event events[256];
        while (true) {
            const int count = epoll_wait(poll_, events, 256, wait());
            for (int i = 0; i < count; ++i) {
                const int descriptor = events[i].data.fd;
                if (descriptor == STDIN_FILENO) return;
                if (descriptor == listener_) accept_all();
                else if ((events[i].events & EPOLLOUT) != 0 && !flush(descriptor)) drop(descriptor);
                else read_from(descriptor);
            }
            send_due();
        }
    }

private:
    void watch(int descriptor) {
        epoll_event event{};
        event.events = descriptor == listener_ || descriptor == STDIN_FILENO ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP;
        event.data.fd = descriptor;
        epoll_ctl(poll_, EPOLL_CTL_ADD, descriptor, &event);
    }

    int wait() const {
        if (due_.empty()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.front().when - Clock::now()).count();
        return left < 0 ? 0 : static_cast<int>(left);
    }

    void accept_all() {
        const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections_[descriptor] = {.serial = ++serials_};
        watch(descriptor);
    }

    void drop(int descriptor) {
        connections_.erase(descriptor);
        close(descriptor);
    }

    bool flush(int descriptor) {
        auto& connection = connections_[descriptor];
        while (!connection.out.empty()) {
            const auto n = send(descriptor, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
            if (n < 0) return errno == EAGAIN;
            connection.out.erase(0, static_cast<std::size_t>(n));
        }
        return true;
    }

    void read_from(int descriptor) {
        const auto found = connections_.find(descriptor);
        if (found == connections_.end()) return;
        auto& connection = found->second;
        char bytes[65536];
        while (true) {
            const auto n = recv(descriptor, bytes, sizeof bytes, 0);
            if (n > 0) connection.in.append(bytes, static_cast<std::size_t>(n));
            if (n == 0 || (n < 0 && errno != EAGAIN)) return drop(descriptor);
            if (n < static_cast<ssize_t>(sizeof bytes)) break;
        }
        while (answer_one(descriptor, connection)) {}
        if (!flush(descriptor)) drop(descriptor);
    }

    bool answer_one(int descriptor, Connection& connection) {
        const std::string_view in = connection.in;
        const auto head_end = in.find("\r\n\r\n");
        if (head_end == in.npos) return false;
        std::size_t length = 0;
        const auto head = in.substr(0, head_end);
        for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
            constexpr std::string_view name = "content-length:";
            const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
            if (line.size() < name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
            const auto digits = line.substr(line.find_first_of("0123456789"));
            std::from_chars(digits.data(), digits.data() + digits.size(), length);
        }
        if (in.size() < head_end + 4 + length) return false;
        const auto body = in.substr(head_end + 4, length);
        const bool stream = body.contains("\"stream\":true") || body.contains("\"stream\": true");
        connection.in.erase(0, head_end + 4 + length);
        if (stream) {
            connection.out += stream_head;
            due_.push_back({Clock::now(), descriptor, connection.serial, 0});
        } else {
            connection.out += plain;
        }
        return true;
    }

    // All frames are the same time apart, so what is due first stands first.
    void send_due() {
        const auto now = Clock::now();
        while (!due_.empty() && due_.front().when <= now) {
            auto due = due_.front();
            due_.pop_front();
            const auto found = connections_.find(due.descriptor);
            if (found == connections_.end() || found->second.serial != due.serial) continue;
            found->second.out += frame(due.frame);
            if (++due.frame == frames) {
                found->second.out += "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
            } else {
                due_.push_back({now + interval, due.descriptor, due.serial, due.frame});
            }
            if (!flush(due.descriptor)) drop(due.descriptor);
        }
    }

    int listener_;
    int poll_;
    std::uint64_t serials_ = 0;
    std::unordered_map<int, Connection> connections_;
    std::deque<Due> due_;
};

}  // namespace

int main(int argc, char** argv) {
    // It shares its core with the other side of the measurement; without short turns it would measure how long that one goes on.
    sched_attr turns{};
    turns.size = sizeof turns;
    turns.sched_policy = SCHED_OTHER;
    turns.sched_runtime = 100'000;  // nanoseconds, Linux 6.12 and later
    sched_setattr(0, &turns, 0);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(argc > 1 ? static_cast<std::uint16_t>(std::atoi(argv[1])) : 0);
    socklen_t size = sizeof address;
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0) {
        std::perror("gateway_mock: cannot listen");
        return 1;
    }
    getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    Mock(listener).run();
}
