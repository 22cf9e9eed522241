// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access_log.hpp"
#include "api/service.hpp"
#include "choice_text.hpp"
#include "engine/generate.hpp"
#include "errors.hpp"
#include "ids.hpp"
#include "label/labelled.hpp"
#include "metrics.hpp"
#include "router.hpp"
#include "task/task.hpp"

namespace hanse::api {

// One HTTP request inside this room: the exchange, the task it becomes, and what will be written down
// about it. Lives in the handler's coroutine; its functions are how every endpoint answers.
class Call {
public:
    struct Around {
        task::Desk& desk;
        base::Clock& clock;
        base::Random& random;
        Metrics& metrics;
        Ids& ids;
        const ServiceOptions& options;
        const std::string& fingerprint;
        std::int64_t started = 0;  // Unix time
    };
    Call(net::Exchange& exchange, const Around& around) : exchange(exchange), around(around) {}

    net::Exchange& exchange;
    const Around& around;
    task::Task task = {};
    AccessRecord record = {};
    Route route = Route::unknown;
    std::string_view path_id = {};
    std::string label_shown = {};  // of what is answered without a decision of the desk
    base::Instant began{};
    ModelMetrics* model_metrics = nullptr;
    std::vector<ChoiceText> texts = {};                // what the caller gets of an answer from here, by choice
    std::optional<task::PassingDigest> passing = {};   // of what passes through from elsewhere

    base::Instant now() const { return around.clock.now(); }
    std::int64_t unix_time() const;

    boost::asio::awaitable<void> answer(unsigned status, std::string json);
    boost::asio::awaitable<void> refuse(base::Error error);
    // Begins a stream of server-sent events; false if the client is gone.
    boost::asio::awaitable<bool> begin_events();
    // One write; false if the client is gone.
    boost::asio::awaitable<bool> write(std::string_view bytes);
    boost::asio::awaitable<void> end();

    // The stop `journal`: waits until what is known of this answer is on disk; only then may its end be shown, and after an error
    // never. Nothing to wait for where no journal is kept, nothing was done, or it was recorded before.
    boost::asio::awaitable<base::Result<void>> write_down(std::string outcome = "finished");
    // The same where nobody waits any more.
    void write_down_abandoned();

    // A piece of an answer came: first token and gaps.
    void saw_tokens();
    void saw_usage(const engine::Usage& usage);
    void count_tokens(std::uint32_t prompt, std::uint32_t cached, std::uint32_t completion);
    // The client went away or read too slowly.
    void saw_cancel();
    net::Headers common_headers(std::string_view content_type) const;

    // What came back for this caller, with the permit to show it. The one place of this room where plain text is read.
    template <typename T>
    base::Result<T> opened(label::Labelled<T> value) const {
        if (!task.passage || !task.passage->back.permit()) return base::fail(base::ErrorKind::bug, "an answer came without a decision");
        auto open = std::move(value).open(*task.passage->back.permit(), task.passage->caller);
        if (!open) return std::unexpected(open.error());
        return std::move(*open).plaintext(label::PlaintextAccess::at_boundary());
    }
    // ,"hanse_label":"…" for the end of a stream, beside the usage; headers of streams are often lost.
    void append_label(std::string& out) const;

private:
    void gather();
    bool unrecorded() const { return task.evidence && task.passage && !task.evidence->recorded; }
    std::optional<base::Instant> last_tokens_ = {};
};

}  // namespace hanse::api
