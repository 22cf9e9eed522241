// SPDX-License-Identifier: Apache-2.0
#include "federation/partners.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <condition_variable>
#include <format>
#include <mutex>
#include <thread>

#include "federation/receipts.hpp"
#include "house.hpp"
#include "link.hpp"
#include "log_files.hpp"
#include "welcome_desk.hpp"

namespace hanse::federation {
namespace asio = boost::asio;
using base::ErrorKind;
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds goodbyes_max{1};

// One other member: the links with its nodes, what is known of its health, and the questions that wait for a link.
struct Peer {
    Peer(asio::io_context& context, std::string name) : member(std::move(name)), wake(context) {}
    std::string member;
    std::vector<std::shared_ptr<Link>> links;
    PeerHealth health;
    std::vector<std::shared_ptr<Pending>> waiting;
    asio::steady_timer wake;
    base::Instant dialled_at{};
    std::string trouble;
    bool gone = false;

    std::shared_ptr<Link> ready() const {
        const auto found = std::ranges::find_if(links, [](const auto& link) { return link->ready(); });
        return found == links.end() ? nullptr : *found;
    }
};

std::optional<std::pair<std::string, std::uint16_t>> host_and_port(std::string_view address) {
    const auto colon = address.rfind(':');
    if (colon == address.npos || colon == 0) return std::nullopt;
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto text = address.substr(colon + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return std::pair(std::string(host), port);
}

// From threads of others to the sessions' thread, for as long as there is one.
struct Inbox {
    explicit Inbox(asio::io_context& to) : context(&to) {}
    std::mutex mutex;
    asio::io_context* context;
    template <typename Work>
    void post(Work work) {
        const std::lock_guard lock(mutex);
        if (context != nullptr) asio::post(*context, std::move(work));
    }
    void close() {
        const std::lock_guard lock(mutex);
        context = nullptr;
    }
};

class Hub final : public Partners, public LinkHost {
public:
    Hub(Parts parts, House house, std::unique_ptr<TaskFile> tasks, TaskLedger ledger)
        : parts_(std::move(parts)),
          house_(std::move(house)),
          tasks_(std::move(tasks)),
          ledger_(std::move(ledger)),
          mirror_(verify_with_keys()),
          shared_{.member = house_.member(),
                  .node = house_.node(),
                  .software = parts_.options.software,
                  .charters = house_.chain(),
                  .offers = mirror_,
                  .logs = logs_,
                  .ledger = ledger_,
                  .admit = [this](const PeerName& from, const wire::Task& task, const Moment&) { return admit(from, task); },
                  .check_receipt = [this](const PeerName& from, const TaskKey& key,
                                          const wire::Done& done) { return check_receipt(from, key, done); },
                  .limits = parts_.options.limits},
          welcome_(house_, parts_.clock, parts_.random, parts_.log, [this] { charter_grew(); }),
          chores_(context_) {
        parts_.random.fill(shared_.instance);
    }

    ~Hub() override {
        drain(std::chrono::milliseconds(0));
        context_.stop();
        if (thread_.joinable()) thread_.join();
        answers_->close();
        receipts_.clear();
        // Coroutines that still wait go with their context, before what they use.
        peers_.clear();
    }

    base::Result<void> open() {
        auto listening = net::PeerListener::open(
            {.executor = context_.get_executor(),
             .address = parts_.options.address,
             .port = parts_.options.port,
             .context = [this] { return house_.context(); },
             .on_peer = [this](auto connection) { asio::co_spawn(context_, greet(std::move(connection)), asio::detached); },
             .log = parts_.log});
        if (!listening) return std::unexpected(listening.error());
        listener_ = std::move(*listening);
        port_ = listener_->port();
        log_files_.recall(logs_, house_.charter());
        look_at_logs();
        // Accepts come on the sessions' thread alone, so what follows is not seen half done.
        offer();
        publish();
        asio::post(context_, [this] { meet_members(); });
        asio::co_spawn(context_, look_around(), asio::detached);
        thread_ = std::thread([this] { run(); });
        return {};
    }

    std::uint16_t port() const override { return port_; }
    std::shared_ptr<const FederationView> view() const override {
        const std::lock_guard lock(mutex_);
        return view_;
    }
    void on_change(std::function<void()> call) override {
        asio::post(context_, [this, call = std::move(call)]() mutable {
            on_change_ = std::move(call);
            on_change_();
        });
    }
    void offers(std::vector<Offer> fresh) override {
        asio::post(context_, [this, fresh = std::move(fresh)]() mutable {
            parts_.offers = std::move(fresh);
            offer();
        });
    }

    asio::awaitable<base::Result<std::unique_ptr<PartnerStream>>> ask(PartnerAsk given) override {
        auto answer = std::make_shared<RemoteAnswer>();
        auto pending = std::make_shared<Pending>(std::move(given), answer);
        asio::post(context_, [this, pending] { begin(pending); });
        std::string got;
        while (true) {
            auto piece = co_await answer->next();
            if (piece && piece->empty())
                piece = base::fail(ErrorKind::unavailable, std::format("{} sent no answer", pending->member), "partner_broken");
            if (!piece) {
                leave(pending, false);
                co_return std::unexpected(piece.error());
            }
            got += *piece;
            consumed(pending, piece->size());
            auto head = read_answer_head(got);
            if (!head) {
                leave(pending, false);
                co_return base::fail(ErrorKind::unavailable, head.error().message, "partner_broken");
            }
            if (!*head) continue;
            std::string rest = got.substr((*head)->size);
            co_return remote_stream(
                answer, std::move(**head), std::move(rest), [this, pending](std::size_t bytes) { consumed(pending, bytes); },
                [this, pending](bool well) { leave(pending, well); },
                view()->charter.charter().receipts_demanded ? pending->member : std::string());
        }
    }

    void drain(std::chrono::milliseconds limit) override {
        if (stopping_.exchange(true)) return;
        const base::Instant end = parts_.clock.now() + limit;
        std::unique_lock lock(mutex_);
        const auto busy = [this] {
            std::size_t count = 0;
            for (const auto& [name, peer] : peers_)
                for (const auto& link : peer->links) count += link->running() + link->asked();
            return count;
        };
        asio::post(context_, [this] { listener_.reset(); });
        // Asked on the sessions' thread every few milliseconds: shutdown is seldom, and nothing else waits for it.
        while (thread_.joinable() && parts_.clock.now() < end) {
            bool idle = false;
            bool told = false;
            lock.unlock();
            asio::post(context_, [&] {
                const bool now_idle = busy() == 0;
                const std::lock_guard inner(mutex_);
                idle = now_idle;
                told = true;
                changed_.notify_all();
            });
            lock.lock();
            changed_.wait(lock, [&] { return told; });
            if (idle) break;
            changed_.wait_for(lock, std::chrono::milliseconds(20));
        }
        lock.unlock();
        if (!thread_.joinable()) return;
        bool told = false;
        asio::post(context_, [&] {
            for (const auto& [name, peer] : peers_) {
                peer->gone = true;
                peer->wake.cancel();
                for (const auto& link : peer->links) link->close("shutdown");
            }
            look_at_logs();
            log_files_.remember(logs_);
            chores_.cancel();
            const std::lock_guard inner(mutex_);
            told = true;
            changed_.notify_all();
        });
        lock.lock();
        changed_.wait(lock, [&] { return told; });
        lock.unlock();
        // The goodbyes leave.
        const base::Instant last = parts_.clock.now() + goodbyes_max;
        while (open_links_ > 0 && parts_.clock.now() < last) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }

    // --- LinkHost
    SessionShared& shared() override { return shared_; }
    base::Clock& clock() override { return parts_.clock; }
    base::Log& log() override { return parts_.log; }
    TaskFile& tasks() override { return *tasks_; }
    const net::Handler& serve() override { return parts_.serve; }
    asio::awaitable<base::Result<std::string>> receipt(std::string record_id) override {
        if (!parts_.receipt) co_return base::fail(ErrorKind::not_found, "this node keeps no journal");
        co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(base::Result<std::string>)>(
            [this, &record_id](auto handler) {
                const auto number = ++receipts_asked_;
                receipts_.emplace(number, std::move(handler));
                parts_.receipt(std::move(record_id), [this, answers = answers_, number](base::Result<std::string> given) {
                    answers->post([this, number, given = std::move(given)]() mutable {
                        auto waiting = receipts_.extract(number);
                        if (!waiting.empty()) std::move(waiting.mapped())(std::move(given));
                    });
                });
            },
            asio::use_awaitable);
    }
    void on_first_part(const std::string& member, std::chrono::milliseconds after) override {
        if (auto* peer = find(member)) peer->health.succeeded(parts_.clock.now(), after);
    }
    void on_ended(const std::string& member, const Ended& ended) override {
        auto* peer = find(member);
        if (peer == nullptr) return;
        const auto now = parts_.clock.now();
        switch (ended.how) {
            case Ended::How::misbehaved: return peer->health.misbehaved(now);
            case Ended::How::broken: return peer->health.failed(now);
            case Ended::How::overloaded: return peer->health.busy(now, ended.retry_after);
            case Ended::How::deadline: return ended.after_first_token ? peer->health.abandoned(now) : peer->health.failed(now);
            case Ended::How::answered: return;
            default: return peer->health.abandoned(now);
        }
    }
    void on_event(Link& link, SessionEvent& event) override {
        const std::string& member = link.peer().member;
        if (const auto* ready = std::get_if<Ready>(&event)) {
            link.clock_ahead = ready->clock_ahead;
            parts_.log.info("partner_connected", {{"member", member},
                                                  {"node", link.peer().node},
                                                  {"address", link.channel().address()},
                                                  {"group", link.channel().group()},
                                                  {"quantum", link.channel().quantum()}});
            if (auto* peer = find(member)) {
                peer->trouble.clear();
                peer->health.connected(parts_.clock.now());
                for (const auto& pending : std::exchange(peer->waiting, {})) begin(pending);
            }
            publish();
        } else if (const auto* news = std::get_if<CharterNews>(&event)) {
            if (news->news == CharterChain::News::accepted) {
                if (auto saved = house_.save_new_versions(); !saved)
                    parts_.log.error("charter_not_saved", {{"error", std::string_view(saved.error().message)}});
                charter_grew();
            } else if (news->news != CharterChain::News::known) {
                parts_.log.warning(
                    "charter_not_taken",
                    {{"member", member}, {"version", static_cast<std::int64_t>(news->version)}, {"why", std::string_view(news->why)}});
            }
        } else if (auto* proposal = std::get_if<Proposal>(&event)) {
            take_proposal(proposal->document, &link);
        } else if (std::holds_alternative<OfferNews>(event)) {
            publish();
        } else if (const auto* log = std::get_if<LogNews>(&event)) {
            log_news(log->member, log->news);
        } else if (const auto* wanted = std::get_if<ConsistencyWanted>(&event)) {
            show_consistency(link, *wanted);
        } else if (const auto* bad = std::get_if<Misbehaved>(&event)) {
            parts_.log.warning("partner_misbehaved",
                               {{"member", member}, {"code", std::string_view(bad->code)}, {"sentence", std::string_view(bad->sentence)}});
            if (auto* peer = find(member)) peer->health.misbehaved(parts_.clock.now());
        } else if (const auto* closed = std::get_if<Closed>(&event)) {
            parts_.log.info("partner_disconnected",
                            {{"member", member}, {"node", link.peer().node}, {"reason", std::string_view(closed->reason)}});
        }
    }

private:
    Peer* find(std::string_view member) {
        const auto found = peers_.find(member);
        return found == peers_.end() ? nullptr : found->second.get();
    }
    void run() {
        while (true) {
            try {
                context_.run();
                return;
            } catch (const std::exception& thrown) {
                parts_.log.error("federation_failed", {{"error", std::string_view(thrown.what())}});
            }
        }
    }
    Moment now() const { return {parts_.clock.now(), parts_.clock.wall()}; }

    // --- Members come and go
    void meet_members() {
        for (const auto& member : house_.charter().members) {
            if (member.name == house_.member() || member.standing != Standing::active || find(member.name) != nullptr) continue;
            auto peer = std::make_shared<Peer>(context_, member.name);
            {
                const std::lock_guard lock(mutex_);
                peers_.emplace(member.name, peer);
            }
            asio::co_spawn(context_, keep(std::move(peer)), asio::detached);
        }
    }
    // Everything that a new version means: sessions of who is no longer a member end, at once.
    void charter_grew() {
        const Charter& charter = house_.charter();
        mirror_.charter_changed(charter);
        std::vector<std::shared_ptr<Peer>> leaving;
        for (const auto& [name, peer] : peers_)
            if (charter.active(name) == nullptr || charter.active(house_.member()) == nullptr) leaving.push_back(peer);
        for (const auto& peer : leaving) {
            const bool suspended = charter.member(peer->member) != nullptr;
            peer->gone = true;
            peer->wake.cancel();
            fail_waiting(*peer, {ErrorKind::not_found, std::format("{} is no longer a partner", peer->member), "partner_refused", {}, {}});
            const auto links = peer->links;
            for (const auto& link : links) link->close(suspended ? "suspended" : "removed");
            parts_.log.warning("partner_removed", {{"member", std::string_view(peer->member)},
                                                   {"sessions", static_cast<std::int64_t>(links.size())},
                                                   {"version", static_cast<std::int64_t>(charter.version)}});
            const std::lock_guard lock(mutex_);
            peers_.erase(peer->member);
        }
        for (const auto& [name, peer] : peers_)
            for (const auto links = peer->links; const auto& link : links)
                if (!link->ended()) link->with([](Session& session, Moment now) { session.charter_changed(now); });
        welcome_.charter_changed();
        meet_members();
        offer();
        publish();
    }
    void take_proposal(const CharterDocument& document, const Link* from) {
        const auto taken = house_.take_proposal(document, now().wall_seconds());
        if (!taken) return parts_.log.warning("proposal_not_taken", {{"error", std::string_view(taken.error().message)}});
        if (taken->grew) charter_grew();
        else if (taken->news)
            for (const auto& [name, peer] : peers_)
                for (const auto links = peer->links; const auto& link : links)
                    if (link.get() != from && link->ready())
                        link->with([&](Session& session, Moment now) { session.propose(*taken->news, now); });
    }

    // --- Offers
    void offer() {
        auto document = house_.sign_offers(parts_.offers, now().wall_seconds());
        if (!document) return parts_.log.warning("offers_not_signed", {{"error", std::string_view(document.error().message)}});
        if (document->empty() || mirror_.take(*document, house_.charter(), now().wall_seconds()) != OfferMirror::News::accepted) return;
        for (const auto& [name, peer] : peers_)
            for (const auto links = peer->links; const auto& link : links)
                if (link->ready()) link->with([](Session& session, Moment now) { session.offers_changed(now); });
        publish();
    }
    Admission admit(const PeerName& from, const wire::Task& task) {
        if (stopping_) return {Admission::Verdict::overloaded, std::chrono::milliseconds(5'000)};
        const bool offered = std::ranges::any_of(parts_.offers, [&](const Offer& offer) {
            return offer.model == task.model && (offer.only.empty() || std::ranges::contains(offer.only, from.member));
        });
        const bool good = offered && !path_of_kind(task.kind).empty() && house_.chain().in_force(now().wall_seconds());
        return {good ? Admission::Verdict::run : Admission::Verdict::not_found, {}};
    }
    // An answer is taken with any receipt, and the near record says what it is worth; what the charter demands, its reader
    // sees to (remote_stream), who knows whether it is an answer at all.
    base::Result<FarReceipt> check_receipt(const PeerName& from, const TaskKey& key, const wire::Done& done) {
        auto checked = check_far_receipt(house_.charter(), from.member, house_.member(), key, done.receipt);
        if (checked) {
            shown_[from.member] = checked->checkpoint;
            return checked;
        }
        if (!done.receipt.empty())
            parts_.log.warning("partner_receipt_unverified",
                               {{"member", from.member}, {"reason", std::string_view(checked.error().message)}});
        return FarReceipt{.unverified = checked.error().message};
    }

    // --- Logs
    void log_news(const std::string& member, LogWatch::News news) {
        if (news == LogWatch::News::forked) return log_forked(member);
        if (news != LogWatch::News::newer) return;
        // What others showed of it, it must explain itself.
        if (auto* const peer = find(member))
            if (const auto link = peer->ready()) link->with([](Session& session, Moment now) { session.question_log(now); });
    }
    void log_forked(const std::string& member) {
        const auto* both = logs_.evidence(member);
        if (both == nullptr) return;
        parts_.log.error("partner_log_forked",
                         {{"member", std::string_view(member)}, {"evidence", house_.home().evidence(member).string()}});
        if (auto kept = log_files_.keep_evidence(member, *both); !kept)
            parts_.log.error("evidence_not_kept",
                             {{"member", std::string_view(member)}, {"error", std::string_view(kept.error().message)}});
        publish();
    }
    void show_consistency(Link& link, const ConsistencyWanted& wanted) {
        if (!parts_.consistency || wanted.from > wanted.to) return;
        parts_.consistency(wanted.from, wanted.to,
                           [answers = answers_, weak = link.weak_from_this(), wanted](base::Result<std::vector<Digest>> proof) {
                               if (!proof) return;
                               answers->post([weak, wanted, proof = std::move(*proof)]() mutable {
                                   const auto still = weak.lock();
                                   if (still && !still->ended())
                                       still->with([&](Session& session, Moment now) {
                                           session.prove_consistency(wanted.from, wanted.to, std::move(proof), now);
                                       });
                               });
                           });
    }
    // What receipts have shown of others' logs counts as well; and our own, for others.
    void look_at_logs() {
        if (parts_.checkpoint) shared_.checkpoint = parts_.checkpoint();
        for (const auto& [member, note] : std::exchange(shown_, {})) log_news(member, logs_.take(member, note, house_.charter()));
    }

    // --- Connections
    asio::awaitable<void> keep(std::shared_ptr<Peer> peer) {
        auto pause = parts_.options.retry_min;
        unsigned failures = 0;
        // Both may dial, and each does at once where a question waits. Otherwise both wait a moment, the one with the later
        // name longer, so that one connection is made and not two.
        bool wait = peer->member < house_.member();
        const auto moment = wait ? std::chrono::milliseconds(700) : std::chrono::milliseconds(100);
        while (!peer->gone && !stopping_) {
            std::erase_if(peer->links, [](const auto& link) { return link->ended(); });
            if (!peer->links.empty()) {
                wait = true;
                peer->wake.expires_at(base::Instant::max());
                co_await peer->wake.async_wait(as_result);
                continue;
            }
            if (std::exchange(wait, false)) {
                const auto until = parts_.clock.now() + moment;
                while (!peer->gone && !stopping_ && peer->links.empty() && peer->waiting.empty() && parts_.clock.now() < until) {
                    peer->wake.expires_at(until);
                    co_await peer->wake.async_wait(as_result);
                }
                continue;
            }
            peer->dialled_at = parts_.clock.now();
            auto channel = co_await dial(*peer);
            if (peer->gone || stopping_) co_return;
            if (channel) {
                pause = parts_.options.retry_min;
                failures = 0;
                add(peer, std::move(*channel), Session::Role::dialed);
                continue;
            }
            ++failures;
            if (peer->trouble != channel.error().message) {
                parts_.log.warning("partner_not_reached",
                                   {{"member", std::string_view(peer->member)}, {"reason", std::string_view(channel.error().message)}});
                peer->trouble = channel.error().message;
                publish();
            }
            // A connection that was lost just now deserves a second try before somebody is told.
            if (failures > 1) {
                for (std::size_t i = 0; i < peer->waiting.size(); ++i) peer->health.failed(parts_.clock.now());
                fail_waiting(*peer,
                             {ErrorKind::unavailable, std::format("{} is not reached", peer->member), "partner_unreachable", {}, {}});
            }
            peer->wake.expires_after(pause);
            co_await peer->wake.async_wait(as_result);
            pause = std::min(pause * 2, parts_.options.retry_max);
        }
    }
    struct Made {
        std::unique_ptr<Channel> channel;
        PeerName name;
    };
    asio::awaitable<base::Result<Made>> dial(Peer& peer) {
        const CharterMember* member = house_.charter().active(peer.member);
        base::Error last{ErrorKind::unavailable, std::format("the charter has no address of {}", peer.member), {}, {}, {}};
        const std::vector<std::string> addresses = member == nullptr ? std::vector<std::string>{} : member->addresses;
        for (const std::string& address : addresses) {
            const auto to = host_and_port(address);
            if (!to) continue;
            const auto limit = base::Deadline::after(parts_.clock.now(), parts_.options.dial_timeout);
            auto connection = co_await net::dial_peer(house_.context(), to->first, to->second, limit);
            if (!connection) {
                last = connection.error();
                continue;
            }
            auto made = co_await open_channel(std::move(*connection), Channel::Side::dialer, peer.member);
            if (made) co_return made;
            last = made.error();
        }
        co_return std::unexpected(last);
    }
    // `expected`: whom we dialled; empty for one that came.
    asio::awaitable<base::Result<Made>> open_channel(std::unique_ptr<net::PeerConnection> connection, Channel::Side side,
                                                     std::string expected) {
        const auto known = house_.check(connection->certificate());
        if (!known) co_return std::unexpected(known.error());
        if ((!expected.empty() && known->member != expected) || known->member == house_.member())
            co_return base::fail(ErrorKind::denied, std::format("{} is {}, not {}", connection->address(), known->member,
                                                                expected.empty() ? "another member" : expected));
        PeerName name{known->member, known->node};
        // Whoever begins and then says nothing is cut.
        auto limit = std::make_shared<asio::steady_timer>(context_, parts_.options.dial_timeout);
        auto* const raw = connection.get();
        auto over = std::make_shared<bool>(false);
        limit->async_wait([raw, over](const boost::system::error_code& error) {
            if (!error && !*over) raw->cut();
        });
        auto channel = co_await Channel::open({.connection = std::move(connection),
                                               .side = side,
                                               .node = house_.node_key(),
                                               .peer = *known,
                                               .qkd = parts_.qkd.get(),
                                               .qkd_demanded = std::ranges::contains(parts_.options.qkd_demanded, known->member),
                                               .random = parts_.random});
        *over = true;
        limit->cancel();
        if (!channel) co_return std::unexpected(channel.error());
        co_return Made{std::move(*channel), std::move(name)};
    }
    asio::awaitable<void> greet(std::unique_ptr<net::PeerConnection> connection) {
        if (!house_.check(connection->certificate())) {
            // A stranger got this far only while an invitation is open.
            co_await welcome_.receive(std::move(connection));
            co_return;
        }
        auto made = co_await open_channel(std::move(connection), Channel::Side::acceptor, {});
        if (!made) {
            parts_.log.warning("peer_refused", {{"reason", std::string_view(made.error().message)}});
            co_return;
        }
        const auto found = peers_.find(made->name.member);
        if (found == peers_.end() || stopping_) co_return;
        add(found->second, std::move(*made), Session::Role::accepted);
    }
    void add(const std::shared_ptr<Peer>& peer, Made made, Session::Role role) {
        auto link = std::make_shared<Link>(*this, context_, std::move(made.channel), std::move(made.name), role);
        peer->links.push_back(link);
        ++open_links_;
        asio::co_spawn(context_, follow(peer, std::move(link)), asio::detached);
        peer->wake.cancel();
    }
    asio::awaitable<void> follow(std::shared_ptr<Peer> peer, std::shared_ptr<Link> link) {
        co_await link->run();
        std::erase(peer->links, link);
        --open_links_;
        if (peer->links.empty()) peer->health.disconnected(parts_.clock.now());
        peer->wake.cancel();
        publish();
    }

    // --- Questions for partners
    void begin(const std::shared_ptr<Pending>& pending) {
        if (pending->called_off) return;
        auto* const peer = find(pending->member);
        if (stopping_ || peer == nullptr)
            return pending->answer->end(
                {ErrorKind::not_found, std::format("{} is no partner of this house now", pending->member), "partner_refused", "model", {}});
        const auto instant = parts_.clock.now();
        if (pending->began == base::Instant{}) {
            pending->began = instant;
            if (!peer->health.ask(instant))
                return pending->answer->end({ErrorKind::unavailable,
                                             std::format("{} has failed repeatedly and is left alone for a while", pending->member),
                                             "partner_unavailable",
                                             {},
                                             std::chrono::milliseconds(2'000)});
        }
        if (const auto link = peer->ready()) {
            if (auto started = link->start(pending); !started) {
                peer->health.abandoned(instant);
                pending->answer->end(started.error());
            }
            return;
        }
        // Dialled at once, unless that failed just now.
        if (peer->links.empty() && !peer->trouble.empty() && instant - peer->dialled_at < parts_.options.retry_min) {
            peer->health.failed(instant);
            return pending->answer->end(
                {ErrorKind::unavailable, std::format("{} is not reached", pending->member), "partner_unreachable", {}, {}});
        }
        peer->waiting.push_back(pending);
        if (peer->links.empty()) peer->wake.cancel();
    }
    static void fail_waiting(Peer& peer, const base::Error& error) {
        for (const auto& pending : std::exchange(peer.waiting, {})) pending->answer->end(error);
    }
    void consumed(const std::shared_ptr<Pending>& pending, std::size_t bytes) {
        asio::post(context_, [pending, bytes] {
            const auto link = pending->link.lock();
            if (link && !link->ended()) link->with([&](Session& session, Moment now) { session.consumed(pending->key, bytes, now); });
        });
    }
    void leave(const std::shared_ptr<Pending>& pending, bool well) {
        asio::post(context_, [this, pending, well] {
            pending->called_off = true;
            const auto link = pending->link.lock();
            if (auto* const peer = find(pending->member)) {
                const bool waited = std::erase(peer->waiting, pending) > 0;
                if (waited) peer->health.abandoned(parts_.clock.now());
            }
            if (!link || link->ended()) return;
            if (well) link->with([&](Session& session, Moment now) { session.settle(pending->key, "", now); });
            else link->with([&](Session& session, Moment now) { session.cancel(pending->key, "caller", now); });
        });
    }

    // --- What commands wrote, and what time brings
    asio::awaitable<void> look_around() {
        base::Instant renewed = parts_.clock.now();
        base::Instant remembered = renewed;
        while (!stopping_) {
            chores_.expires_after(parts_.options.look_every);
            co_await chores_.async_wait(as_result);
            if (stopping_) co_return;
            const auto seconds = now().wall_seconds();
            if (auto grew = house_.look_for_versions(seconds); !grew)
                parts_.log.warning("charter_unreadable", {{"error", std::string_view(grew.error().message)}});
            else if (*grew) charter_grew();
            if (const auto proposal = house_.look_for_proposal()) take_proposal(*proposal, nullptr);
            welcome_.look(seconds);
            ledger_.expire(now().wall_ms());
            look_at_logs();
            if (parts_.clock.now() - remembered > std::chrono::seconds(30)) {
                remembered = parts_.clock.now();
                log_files_.remember(logs_);
            }
            if (parts_.clock.now() - renewed > std::chrono::minutes(10)) {
                renewed = parts_.clock.now();
                offer();
                if (auto good = house_.renew(parts_.clock.wall()); !good)
                    parts_.log.error("certificate_not_renewed", {{"error", std::string_view(good.error().message)}});
            }
            publish();
        }
    }

    void publish() {
        auto fresh = std::make_shared<FederationView>(FederationView{.charter = house_.chain().current(),
                                                                     .federation = house_.chain().federation(),
                                                                     .in_force = house_.chain().in_force(now().wall_seconds()),
                                                                     .member = house_.member(),
                                                                     .offers = {},
                                                                     .partners = {}});
        for (const SignedOffers* offers : mirror_.valid(now().wall_seconds())) fresh->offers.push_back(*offers);
        for (const auto& member : house_.charter().members) {
            if (member.name == house_.member()) continue;
            PartnerStatus status{.member = member.name, .standing = member.standing == Standing::active ? "active" : "suspended"};
            status.log_forked = logs_.evidence(member.name) != nullptr;
            if (auto* const peer = find(member.name)) {
                status.may_ask = peer->health.may_ask(parts_.clock.now());
                status.latency = peer->health.latency();
                status.trouble = peer->trouble;
                if (const auto link = peer->ready()) {
                    status.connected = true;
                    status.node = link->peer().node;
                    status.address = link->channel().address();
                    status.group = link->channel().group();
                    status.quantum = link->channel().quantum();
                    status.clock_ahead = link->clock_ahead;
                    status.tasks = static_cast<std::uint32_t>(link->asked());
                }
            }
            fresh->partners.push_back(std::move(status));
        }
        house_.write_status(*fresh);
        {
            const std::lock_guard lock(mutex_);
            view_ = std::move(fresh);
        }
        if (on_change_) on_change_();
    }

    // In the order of use: what stands below may use what stands above, and goes first.
    Parts parts_;
    House house_;
    std::unique_ptr<TaskFile> tasks_;
    TaskLedger ledger_;
    OfferMirror mirror_;
    LogWatch logs_;
    LogFiles log_files_{house_.home()};
    SessionShared shared_;
    asio::io_context context_{1};
    WelcomeDesk welcome_;
    std::shared_ptr<Inbox> answers_ = std::make_shared<Inbox>(context_);
    std::map<std::uint64_t, asio::any_completion_handler<void(base::Result<std::string>)>> receipts_;  // waiting for the journal
    std::uint64_t receipts_asked_ = 0;
    mutable std::mutex mutex_;  // view_, and peers_ where another thread reads
    std::condition_variable changed_;
    std::shared_ptr<const FederationView> view_;
    std::map<std::string, std::shared_ptr<Peer>, std::less<>> peers_;
    std::map<std::string, std::string, std::less<>> shown_;  // by member, the checkpoint of its last receipt
    asio::steady_timer chores_;
    std::unique_ptr<net::PeerListener> listener_;
    std::function<void()> on_change_;
    std::atomic<std::size_t> open_links_{0};
    std::atomic<bool> stopping_{false};
    std::uint16_t port_ = 0;
    asio::executor_work_guard<asio::io_context::executor_type> wanted_ = asio::make_work_guard(context_);
    std::thread thread_;
};

}  // namespace

const PartnerStatus* FederationView::partner(std::string_view member) const {
    const auto found = std::ranges::find(partners, member, &PartnerStatus::member);
    return found == partners.end() ? nullptr : &*found;
}

base::Result<std::unique_ptr<Partners>> Partners::start(Parts parts) {
    auto house = House::open(parts.home, parts.clock);
    if (!house) return std::unexpected(house.error());
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(parts.clock.wall().time_since_epoch()).count();
    const auto text = read_file(parts.home.tasks());
    if (!text && text.error().kind != ErrorKind::not_found) return std::unexpected(text.error());
    auto ledger = TaskLedger::parse(text.value_or(""), now);
    if (!ledger) return std::unexpected(ledger.error());
    auto file = TaskFile::open(parts.home.tasks(), ledger->text());
    if (!file) return std::unexpected(file.error());
    auto hub = std::make_unique<Hub>(std::move(parts), std::move(*house), std::move(*file), std::move(*ledger));
    if (auto opened = hub->open(); !opened) return std::unexpected(opened.error());
    return hub;
}

}  // namespace hanse::federation
