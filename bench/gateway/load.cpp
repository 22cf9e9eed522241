// SPDX-License-Identifier: Apache-2.0
// The load of script/bench gateway, one thread on epoll. Prints one JSON object.
//
//   gateway_load PORT closed CONNECTIONS SECONDS [KEY]         each connection asks again at once
//   gateway_load PORT open CONNECTIONS SECONDS RATE [KEY]      RATE requests a second, whether answered or not
//   gateway_load PORT stream STREAMS FRAMES [KEY]              so many streams at once, their frames counted
//
// In the open case a request's time begins when it should have been sent: a server that stalls is charged
// for all that had to wait behind the stall (no coordinated omission).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <format>
#include <print>
#include <string>
#include <string_view>
#include <vector>

#include "answer_reader.hpp"

namespace {

using Clock = std::chrono::steady_clock;

enum class Mode { closed, open, stream };

struct Plan {
    std::uint16_t port = 0;
    Mode mode = Mode::closed;
    int connections = 1;
    double seconds = 1;
    double rate = 0;
    int frames = 0;
    std::string key;
};

struct Connection {
    int descriptor = -1;
    bool busy = false;
    Clock::time_point begun;
    gateway::AnswerReader reader;
};

// Nothing personal is in it, and much that recognisers have to look at.
std::string prose(std::size_t size) {
    constexpr std::string_view sentences =
        "Please sum up the meeting of last Tuesday: the supplier wants to move delivery of order 4711-0815 from week 12 to week 14, and "
        "asks whether 350 pieces at 12.80 euros are still wanted. Bitte auch kurz auf Deutsch, in drei Punkten, und mit einer Liste "
        "dessen, "
        "was bis Freitag zu tun ist. The warehouse in hall 3 has room for two pallets; transport takes two days. ";
    std::string text;
    while (text.size() < size) text += sentences;
    text.resize(size);
    return text;
}

std::string request_text(const Plan& plan) {
    const bool stream = plan.mode == Mode::stream;
    const std::string body = std::format(
        R"({{"model":"mock","stream":{},"messages":[{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"{}"}}]}})",
        stream, prose(890));
    const std::string key = plan.key.empty() ? "" : "Authorization: Bearer " + plan.key + "\r\n";
    return std::format(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: gateway_load\r\nAccept: */*\r\n{}"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        plan.port, key, body.size(), body);
}

class Load {
public:
    explicit Load(Plan plan) : plan_(std::move(plan)), request_(request_text(plan_)), poll_(epoll_create1(EPOLL_CLOEXEC)) {
        connections_.resize(static_cast<std::size_t>(plan_.connections));
    }

    bool run() {
        for (std::size_t i = 0; i < connections_.size(); ++i)
            if (!connect(i)) return false;
        // The first tenth warms up and is not counted.
        begin_ = Clock::now();
        counted_ = begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan_.seconds / 10));
        end_ = begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(plan_.seconds));
        if (plan_.mode != Mode::open)
            for (auto& connection : connections_) ask(connection, Clock::now());
        epoll_event events[512];
        while (!finished()) {
            const auto patience = pause();
            const int count = epoll_pwait2(poll_, events, 512, &patience, nullptr);
            for (int i = 0; i < count; ++i) read_from(connections_[events[i].data.u64]);
            if (plan_.mode == Mode::open) send_due();
        }
        report();
        return true;
    }

private:
    bool connect(std::size_t index) {
        auto& connection = connections_[index];
        if (connection.descriptor >= 0) close(connection.descriptor);
        connection.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        connection.reader = {};
        connection.busy = false;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(plan_.port);
        if (::connect(connection.descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            std::perror("gateway_load: cannot connect");
            return false;
        }
        const int on = 1;
        setsockopt(connection.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLET;
        event.data.u64 = index;
        epoll_ctl(poll_, EPOLL_CTL_ADD, connection.descriptor, &event);
        return true;
    }

    timespec pause() const {
        auto until = plan_.mode == Mode::stream ? Clock::now() + std::chrono::seconds(1) : end_;
        if (plan_.mode == Mode::open && !idle_exhausted_) until = std::min(until, due(sent_));
        const auto left = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count());
        return {left / 1'000'000'000, left % 1'000'000'000};
    }

    Clock::time_point due(std::uint64_t number) const {
        return begin_ + std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / plan_.rate));
    }

    bool finished() {
        if (plan_.mode == Mode::stream) return streams_done_ == plan_.connections || Clock::now() > begin_ + std::chrono::seconds(60);
        return Clock::now() >= end_;
    }

    void ask(Connection& connection, Clock::time_point begun) {
        connection.busy = true;
        connection.begun = begun;
        connection.reader.next();
        // 1.2 KiB into an empty socket buffer: it always fits.
        if (send(connection.descriptor, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
            fail(connection);
    }

    void send_due() {
        auto now = Clock::now();
        idle_exhausted_ = false;
        while (due(sent_) <= now) {
            std::size_t tried = 0;
            while (tried < connections_.size() && connections_[turn_].busy) {
                turn_ = (turn_ + 1) % connections_.size();
                ++tried;
            }
            if (tried == connections_.size()) {
                idle_exhausted_ = true;
                return;
            }
            auto& connection = connections_[turn_];
            turn_ = (turn_ + 1) % connections_.size();
            ask(connection, due(sent_++));
            now = Clock::now();
        }
    }

    void fail(Connection& connection) {
        ++errors_;
        if (plan_.mode == Mode::stream) {
            ++streams_done_;
            frames_lost_ += plan_.frames - connection.reader.frames();
            connection.busy = false;
            return;
        }
        if (errors_ > 1000 || !connect(static_cast<std::size_t>(&connection - connections_.data()))) {
            end_ = Clock::now();
            return;
        }
        if (plan_.mode == Mode::closed) ask(connection, Clock::now());
    }

    void read_from(Connection& connection) {
        char bytes[65536];
        while (true) {
            const auto n = recv(connection.descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) {
                if (connection.busy) fail(connection);
                return;
            }
            if (connection.reader.feed({bytes, static_cast<std::size_t>(n)})) answered(connection);
            if (n < static_cast<ssize_t>(sizeof bytes)) return;
        }
    }

    void answered(Connection& connection) {
        const auto now = Clock::now();
        const auto& reader = connection.reader;
        connection.busy = false;
        if (plan_.mode == Mode::stream) {
            ++streams_done_;
            if (reader.status() != 200 || reader.out_of_order() || !reader.done_frame()) ++errors_;
            frames_lost_ += plan_.frames - reader.frames();
            frames_seen_ += reader.frames();
            return;
        }
        if (reader.broken()) return fail(connection);
        if (reader.status() != 200) {
            ++errors_;
            last_status_ = reader.status();
        } else if (now >= counted_ && now < end_) {
            times_.push_back(static_cast<std::uint32_t>(std::min<std::int64_t>(4'000'000'000, (now - connection.begun).count())));
        }
        if (plan_.mode == Mode::closed && now < end_) ask(connection, now);
    }

    double percentile(double share) const {
        if (times_.empty()) return 0;
        const auto rank = static_cast<std::size_t>(share * static_cast<double>(times_.size() - 1) + 0.5);
        return times_[rank] / 1e6;
    }

    void report() {
        std::ranges::sort(times_);
        const double span = std::chrono::duration<double>(end_ - counted_).count();
        std::println(
            R"({{"requests_per_s":{:.1f},"requests":{},"p50_ms":{:.4f},"p90_ms":{:.4f},"p99_ms":{:.4f},"p999_ms":{:.4f},"max_ms":{:.4f},"errors":{},"last_status":{},"frames":{},"frames_lost":{},"seconds":{:.2f}}})",
            static_cast<double>(times_.size()) / span, times_.size(), percentile(0.5), percentile(0.9), percentile(0.99), percentile(0.999),
            percentile(1), errors_, last_status_, frames_seen_, frames_lost_, std::chrono::duration<double>(Clock::now() - begin_).count());
    }

    Plan plan_;
    std::string request_;
    int poll_;
    std::vector<Connection> connections_;
    std::vector<std::uint32_t> times_;  // nanoseconds
    Clock::time_point begin_, counted_, end_;
    std::uint64_t sent_ = 0;
    std::size_t turn_ = 0;
    bool idle_exhausted_ = false;
    int errors_ = 0, last_status_ = 200, streams_done_ = 0, frames_lost_ = 0, frames_seen_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    const std::string_view mode = argc > 2 ? argv[2] : "";
    int at = 5;
    if (argc < 5 || (mode != "closed" && mode != "open" && mode != "stream") || (mode == "open" && argc < 6)) {
        std::fprintf(stderr, "usage: gateway_load PORT closed|open|stream CONNECTIONS SECONDS|FRAMES [RATE] [KEY]\n");
        return 2;
    }
    plan.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    plan.connections = std::max(1, std::atoi(argv[3]));
    if (mode == "stream") {
        plan.mode = Mode::stream;
        plan.frames = std::atoi(argv[4]);
    } else {
        plan.seconds = std::atof(argv[4]);
    }
    if (mode == "open") {
        plan.mode = Mode::open;
        plan.rate = std::max(1.0, std::atof(argv[at++]));
    }
    if (argc > at) plan.key = argv[at];
    // Timers to the microsecond instead of the usual 50: at 15,000 requests a second they are 67 apart.
    prctl(PR_SET_TIMERSLACK, 1000UL);
    // It shares its core with the other side of the measurement; without short turns it would measure how long that one goes on.
    sched_attr turns{};
    turns.size = sizeof turns;
    turns.sched_policy = SCHED_OTHER;
    turns.sched_runtime = 100'000;  // nanoseconds, Linux 6.12 and later
    sched_setattr(0, &turns, 0);
    return Load(std::move(plan)).run() ? 0 : 1;
}
