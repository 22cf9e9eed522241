// SPDX-License-Identifier: Apache-2.0
#include "witness_rounds.hpp"

#include <algorithm>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <format>
#include <future>
#include <map>

namespace hanse::node {
namespace asio = boost::asio;

namespace {

constexpr std::size_t answer_max = 256 * 1024;
constexpr std::chrono::seconds wait_most{60};

// What the journal's thread answers, on this coroutine's executor.
template <typename T>
asio::awaitable<T> answered(std::function<void(std::function<void(T)>)> ask) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(
        [ask = std::move(ask)](auto handler) {
            auto kept = std::make_shared<decltype(handler)>(std::move(handler));
            ask([kept](T value) {
                auto executor = asio::get_associated_executor(*kept);
                asio::post(executor, [kept, value = std::move(value)]() mutable { std::move (*kept)(std::move(value)); });
            });
        },
        asio::use_awaitable);
}

}  // namespace

base::Result<std::shared_ptr<WitnessRounds>> WitnessRounds::create(Parts parts) {
    std::map<std::string, std::vector<journal::NoteVerifier>> by_address;
    if (parts.journal.policy())
        for (const auto& witness : parts.journal.policy()->witnesses())
            if (!witness.url.empty()) by_address[witness.url].push_back(witness.verifier);
    std::shared_ptr<WitnessRounds> made(new WitnessRounds(std::move(parts)));
    for (auto& [address, keys] : by_address) {
        auto url = net::Url::parse(address);
        if (!url) return std::unexpected(url.error());
        auto client = net::Client::open(*url, made->parts_.client);
        if (!client) return std::unexpected(client.error());
        const std::string name = keys.front().name();
        made->asked_.push_back(
            std::make_unique<Asked>(name, std::move(*url), std::move(*client), journal::WitnessDialogue(std::move(keys))));
    }
    return made;
}

asio::awaitable<void> WitnessRounds::run() {
    const auto self = shared_from_this();
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    while (true) {
        timer.expires_after(parts_.every);
        co_await timer.async_wait(asio::use_awaitable);
        journal::Note note = parts_.journal.published();
        if (note.signatures.empty()) continue;
        if (!round_ || round_->note.text != note.text) round_ = std::make_shared<Round>(std::move(note));
        for (std::size_t i = 0; i < asked_.size(); ++i) {
            Asked& each = *asked_[i];
            if (each.busy || each.signed_text == round_->note.text || parts_.clock.now() < each.not_before) continue;
            each.busy = true;
            asio::co_spawn(executor, ask(self, i, round_), asio::detached);
        }
    }
}

asio::awaitable<base::Result<WitnessRounds::Answer>> WitnessRounds::post(Asked& asked, std::string body) {
    std::string target = asked.url.path;
    if (!target.ends_with('/')) target += '/';
    net::ClientRequest request{.method = net::Method::post, .target = target + "add-checkpoint", .body = body};
    request.headers.add("content-type", "text/plain; charset=utf-8");
    auto stream = co_await asked.client->send(std::move(request), base::Deadline::after(parts_.clock.now(), parts_.answer_timeout));
    if (!stream) co_return std::unexpected(stream.error());
    Answer answer{(*stream)->status(), std::string((*stream)->headers().get("content-type")), {}};
    auto whole = co_await (*stream)->read_all(answer_max);
    if (!whole) co_return std::unexpected(whole.error());
    answer.body = std::move(*whole);
    co_return answer;
}

asio::awaitable<journal::WitnessDialogue::Heard> WitnessRounds::hear(Asked& asked, const journal::Note& note) {
    const auto checkpoint = journal::Checkpoint::parse(note.text);
    journal::WitnessDialogue::Heard heard;
    if (!checkpoint || !asked.dialogue.wants(*checkpoint)) {
        heard.trouble = "the witness has signed more entries than this journal has";
        co_return heard;
    }
    // Where the witness stands elsewhere than was thought it says so, and is asked once more from there.
    for (int attempt = 0; attempt < 2; ++attempt) {
        auto proof = co_await answered<base::Result<std::vector<journal::Hash>>>([this, &asked, size = checkpoint->size](auto done) {
            parts_.journal.consistency(asked.dialogue.old_size(), size, std::move(done));
        });
        if (!proof) {
            heard.trouble = proof.error().message;
            co_return heard;
        }
        auto answer = co_await post(asked, asked.dialogue.body_for(note, std::move(*proof)));
        if (!answer) {
            heard.trouble = answer.error().message;
            co_return heard;
        }
        heard = asked.dialogue.heard(note, answer->status, answer->content_type, answer->body);
        if (!heard.again) break;
    }
    co_return heard;
}

asio::awaitable<void> WitnessRounds::ask(std::shared_ptr<WitnessRounds> self, std::size_t index, std::shared_ptr<Round> round) {
    Asked& asked = *asked_[index];
    auto heard = co_await hear(asked, round->note);
    if (!heard.cosignatures.empty()) {
        auto& gathered = round->note.signatures;
        gathered.insert(gathered.end(), heard.cosignatures.begin(), heard.cosignatures.end());
        auto kept = co_await answered<base::Result<void>>(
            [this, note = round->note](auto done) { parts_.journal.add_cosignatures(note, std::move(done)); });
        if (kept) asked.signed_text = round->note.text;
        else heard = {.trouble = kept.error().message};
    }
    tell(asked, heard);
    asked.busy = false;
    (void)self;
}

void WitnessRounds::tell(Asked& asked, const journal::WitnessDialogue::Heard& heard) {
    const bool signs = !heard.cosignatures.empty();
    asked.failures = signs ? 0 : std::min(asked.failures + 1, 10U);
    if (!signs) asked.not_before = parts_.clock.now() + std::min<base::Instant::duration>(parts_.every * (1 << asked.failures), wait_most);
    const std::string_view name = asked.name;
    // Once for each new trouble: a witness that is away for a night is two lines.
    const std::string trouble = signs ? std::string() : heard.trouble.empty() ? "the witness did not sign" : heard.trouble;
    const bool news = !asked.known || asked.signs != signs || (heard.accused && !asked.accuses);
    if (news || asked.trouble != trouble) {
        if (signs) parts_.log.info("witness_signs", {{"witness", name}});
        else if (heard.accused) parts_.log.error("witness_accuses", {{"witness", name}, {"reason", std::string_view(trouble)}});
        else parts_.log.warning("witness_refuses", {{"witness", name}, {"reason", std::string_view(trouble)}});
    }
    // On record once for each turn: a record is itself something new to be signed.
    if (news) {
        journal::CanonicalObject fields;
        fields.text("witness", asked.name).text_if_any("reason", trouble);
        parts_.record(signs ? "witness_signed" : heard.accused ? "witness_accused" : "witness_refused", std::move(fields));
    }
    asked.trouble = trouble;
    asked.accuses = heard.accused;
    const std::lock_guard lock(mutex_);
    asked.known = true;
    asked.signs = signs;
}

std::vector<WitnessRounds::Standing> WitnessRounds::standing() const {
    const std::lock_guard lock(mutex_);
    std::vector<Standing> all;
    for (const auto& each : asked_) all.push_back({each->name, each->signs});
    return all;
}

void WitnessRounds::settle() {
    // The journal answers in the order of asking.
    auto promise = std::make_shared<std::promise<void>>();
    auto done = promise->get_future();
    parts_.journal.consistency(0, 0, [promise](const base::Result<std::vector<journal::Hash>>&) { promise->set_value(); });
    done.wait();
}

}  // namespace hanse::node
