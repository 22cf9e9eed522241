// SPDX-License-Identifier: Apache-2.0
#include "welcome_desk.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <format>


namespace hanse::federation {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

constexpr std::size_t guests_max = 8, bytes_max = 512 * 1024;
constexpr std::chrono::minutes guest_time{15};  // people compare fingerprints
constexpr std::string_view answers[] = {"code", "error", "asks", "yes", "no", "done"};

std::string_view value_of(std::string_view text, std::string_view word) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        if (line.starts_with(word) && line.size() > word.size() && line[word.size()] == ' ') return line.substr(word.size() + 1);
        at = end + 1;
    }
    return {};
}

}  // namespace

asio::awaitable<void> WelcomeDesk::receive(std::unique_ptr<net::PeerConnection> connection) {
    if (invitations_.list(seconds()).empty() || guests_.size() >= guests_max) co_return;
    const auto guest = std::make_shared<Guest>(std::move(connection), Welcoming(invitations_, house_.chain(), verify_with_keys()));
    guests_.push_back(guest);
    asio::steady_timer limit(co_await asio::this_coro::executor, guest_time);
    limit.async_wait([weak = std::weak_ptr(guest)](const boost::system::error_code& error) {
        if (const auto still = weak.lock(); still && !error) still->connection->cut();
    });
    base::Bytes buffer(16 * 1024);
    std::size_t read = 0;
    while (true) {
        const auto count = co_await guest->connection->read(buffer);
        if (!count || *count == 0) break;
        read += *count;
        if (read > bytes_max) break;
        guest->welcoming.received(std::span(buffer).first(*count), seconds());
        carry(guest);
    }
    guest->connection->cut();
    std::erase(guests_, guest);
}

void WelcomeDesk::carry(const std::shared_ptr<Guest>& guest) {
    while (true) {
        JoinEffects effects = guest->welcoming.take();
        if (effects.send.empty() && effects.events.empty() && !effects.close) break;
        guest->out.insert(guest->out.end(), effects.send.begin(), effects.send.end());
        guest->closing = guest->closing || effects.close;
        for (JoinEvent& event : effects.events) handle(guest, event);
    }
    if (guest->writing || (guest->out.empty() && !guest->closing)) return;
    guest->writing = true;
    asio::co_spawn(guest->connection->executor(), write_on(guest), asio::detached);
}

asio::awaitable<void> WelcomeDesk::write_on(std::shared_ptr<Guest> guest) {
    while (!guest->out.empty()) {
        const base::Bytes sending = std::exchange(guest->out, {});
        const auto written = co_await guest->connection->write(sending);
        if (!written) break;
    }
    guest->writing = false;
    if (!guest->closing) co_return;
    // What was written last must be read before the connection goes; the other side ends it.
    asio::steady_timer moment(co_await asio::this_coro::executor, std::chrono::seconds(2));
    co_await moment.async_wait(asio::as_tuple(asio::use_awaitable));
    guest->connection->cut();
}

void WelcomeDesk::handle(const std::shared_ptr<Guest>& guest, JoinEvent& event) {
    if (const auto* asks = std::get_if<NewcomerAsks>(&event)) {
        guest->name = asks->member.name;
        log_.info("newcomer_asks", {{"member", std::string_view(guest->name)}, {"fingerprint", std::string_view(asks->fingerprint)}});
        guest->asked = true;
        if (!confirm_by_person_[guest->name]) return guest->welcoming.agree();
        (void)write_file(file(guest->name, "asks"), std::format("fingerprint {}\nname {}\ntitle {}\n", asks->fingerprint, guest->name, asks->member.title));
    } else if (auto* with = std::get_if<NewcomerSigned>(&event)) {
        CharterDocument document = with->document;
        const auto complain = [&](const base::Error& error) { (void)write_file(file(guest->name, "error"), error.message + "\n"); };
        // Without a root key at hand, or with more signatures to come, it is a proposal for people.
        if (auto made = house_.sign(document); !made) log_.warning("newcomer_not_signed_here", {{"reason", std::string_view(made.error().message)}});
        const auto taken = house_.take_proposal(document, seconds());
        if (!taken) return complain(taken.error());
        if (taken->grew) grew_();
    } else if (const auto* ended = std::get_if<JoinEnded>(&event)) {
        log_.info("newcomer_left", {{"member", std::string_view(guest->name)}, {"reason", std::string_view(ended->reason)}});
    }
}

void WelcomeDesk::charter_changed() {
    for (const auto guests = guests_; const auto& guest : guests) {
        guest->welcoming.charter_changed();
        carry(guest);
        if (house_.charter().member(guest->name) == nullptr) continue;
        (void)write_file(file(guest->name, "done"), house_.chain().current().fingerprint() + "\n");
    }
}

void WelcomeDesk::look(std::int64_t now) {
    std::error_code error;
    std::vector<std::string> wishes;
    for (fs::directory_iterator each(house_.home().invitations(), error), end; !error && each != end; each.increment(error))
        if (each->path().extension() == ".wish") wishes.push_back(each->path().stem().string());
    for (const std::string& name : wishes) {
        const auto wish = read_file(file(name, "wish"));
        fs::remove(file(name, "wish"), error);
        for (const auto kind : answers) fs::remove(file(name, kind), error);
        if (!wish) continue;
        std::int64_t valid = Invitations::valid_default;
        const auto text = value_of(*wish, "valid");
        std::from_chars(text.data(), text.data() + text.size(), valid);
        invitations_.withdraw(name);
        const auto code = invitations_.invite(name, std::string(value_of(*wish, "address")), house_.chain(), house_.member(), now, valid, random_);
        confirm_by_person_[name] = value_of(*wish, "confirm") == "ask";
        if (code) (void)write_file(file(name, "code"), code->text() + "\n");
        else (void)write_file(file(name, "error"), code.error().message + "\n");
        log_.info("invited", {{"member", std::string_view(name)}, {"good", code.has_value()}});
    }
    for (const auto guests = guests_; const auto& guest : guests) {
        if (!guest->asked || guest->name.empty()) continue;
        if (fs::exists(file(guest->name, "yes"), error)) {
            fs::remove(file(guest->name, "yes"), error);
            guest->asked = false;
            guest->welcoming.agree();
            carry(guest);
        } else if (fs::exists(file(guest->name, "no"), error)) {
            fs::remove(file(guest->name, "no"), error);
            guest->asked = false;
            guest->welcoming.refuse();
            carry(guest);
        }
    }
    house_.take_strangers(!invitations_.list(now).empty());
}

}  // namespace hanse::federation
