// SPDX-License-Identifier: Apache-2.0
#include "catalog/hub.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <format>
#include <optional>

#include "part_file.hpp"

namespace hanse::catalog {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t listing_max = 16U << 20;
constexpr unsigned redirects_max = 5;

std::string origin_of(const net::Url& url) { return std::format("{}://{}:{}", url.secure ? "https" : "http", url.host, url.port); }

std::string escaped(std::string_view text, bool keep_slash) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
        if (plain) out += c;
        else out += std::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string gigabytes(std::uint64_t bytes) { return std::format("{:.2f} GB", static_cast<double>(bytes) / 1e9); }

// Retry-After in seconds; a date in it is not worth reading.
std::optional<std::chrono::milliseconds> retry_after(const net::Headers& headers) {
    const std::string_view text = headers.get("Retry-After");
    unsigned seconds = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc{}) return {};
    return std::chrono::seconds{std::min(seconds, 3600U)};
}

base::Error refusal(unsigned status, const net::Headers& headers, const Reference& reference, bool has_token) {
    const std::string repository = reference.owner + "/" + reference.repository;
    if (status == 401 || status == 403)
        return {base::ErrorKind::denied,
                has_token ? std::format("{} cannot be read with this HF_TOKEN: it may be gated (accept its terms on its page at the hub) or not exist", repository)
                          : std::format("{} does not exist or asks for a token: accept its terms on its page at the hub, and set HF_TOKEN", repository),
                "hub_denied", {}, {}};
    if (status == 404) return {base::ErrorKind::not_found, std::format("the hub has no {}", reference.text()), "hub_not_found", {}, {}};
    if (status == 429) return {base::ErrorKind::overloaded, "the hub asks us to slow down; try again later", "hub_busy", {}, retry_after(headers)};
    return {base::ErrorKind::unavailable, std::format("the hub answered with status {}", status), "hub_unavailable", {}, {}};
}

// A status that another try may change.
bool passes(unsigned status) { return status == 408 || status == 429 || status >= 500; }

}  // namespace

struct Hub::Answer {
    std::unique_ptr<net::ClientStream> stream;
    std::string linked_hash;  // X-Linked-Etag of the first answer, if it is a SHA-256
};

struct Hub::Download {
    const Reference& reference;
    std::string url;
    HubFile file;
    PartFile part;
    std::function<void(std::uint64_t, bool)> progress = {};
    std::optional<std::chrono::milliseconds> asked_to_wait = {};
    base::Error last = {};
};

Hub::Hub(Store& store, HubOptions options, base::Clock& clock) : store_(store), options_(std::move(options)), clock_(clock) {
    while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
}

Hub::~Hub() = default;

base::Result<std::shared_ptr<net::Client>> Hub::client(const net::Url& url) {
    auto& known = clients_[origin_of(url)];
    if (known) return known;
    net::ClientOptions options;
    options.connect_timeout = std::chrono::seconds{15};
    options.head_timeout = options_.idle_timeout;
    options.idle_timeout = options_.idle_timeout;
    options.ca_file = options_.ca_file;
    auto opened = net::Client::open(url, options);
    if (!opened) return std::unexpected(opened.error());
    known = std::move(*opened);
    return known;
}

boost::asio::awaitable<void> Hub::wait(std::chrono::milliseconds span) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, span);
    co_await timer.async_wait(boost::asio::use_awaitable);
}

// One GET, through redirects. The token never leaves the endpoint's origin, and https never becomes http.
boost::asio::awaitable<base::Result<Hub::Answer>> Hub::get(std::string address, std::uint64_t from, bool follow) {
    const auto home = net::Url::parse(options_.endpoint);
    if (!home) co_return base::fail(base::ErrorKind::invalid, "HF_ENDPOINT is not an address: " + home.error().message);
    Answer answer;
    for (unsigned hops = 0; hops <= redirects_max; ++hops) {
        auto url = net::Url::parse(address);
        if (!url) co_return base::fail(base::ErrorKind::corrupt, "the hub leads to something that is no address");
        auto to = client(*url);
        if (!to) co_return std::unexpected(to.error());
        net::ClientRequest request;
        request.target = url->path + (url->query.empty() ? "" : "?" + url->query);
        request.headers.add("User-Agent", "hanse");
        request.headers.add("Accept-Encoding", "identity");
        if (from > 0) request.headers.add("Range", std::format("bytes={}-", from));
        if (!options_.token.empty() && origin_of(*url) == origin_of(*home)) request.headers.add("Authorization", "Bearer " + options_.token);
        auto stream = co_await (*to)->send(std::move(request), base::Deadline::never());
        if (!stream) co_return std::unexpected(stream.error());
        const net::Headers& headers = (*stream)->headers();
        if (hops == 0) {
            std::string_view tag = headers.get("X-Linked-Etag");
            if (tag.size() == 66 && tag.starts_with('"')) tag = tag.substr(1, 64);
            if (tag.size() == 64) answer.linked_hash = tag;
        }
        const unsigned status = (*stream)->status();
        const bool redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
        if (!redirect || !follow) {
            answer.stream = std::move(*stream);
            co_return answer;
        }
        const std::string location(headers.get("Location"));
        const bool absolute = location.starts_with("http://") || location.starts_with("https://");
        if (location.empty() || (!absolute && !location.starts_with('/'))) co_return base::fail(base::ErrorKind::corrupt, "the hub redirects to nowhere");
        if (url->secure && location.starts_with("http://")) co_return base::fail(base::ErrorKind::denied, "the hub redirects from https to http, which is not followed");
        address = absolute ? location : origin_of(*url) + location;
    }
    co_return base::fail(base::ErrorKind::corrupt, "the hub redirects in circles");
}

boost::asio::awaitable<base::Result<HubListing>> Hub::look(Reference reference) {
    const std::string url = std::format("{}/api/models/{}/{}/revision/{}?blobs=true", options_.endpoint, reference.owner, reference.repository, escaped(reference.revision, false));
    std::chrono::milliseconds pause = options_.pause;
    for (unsigned attempt = 1;; ++attempt) {
        auto answer = co_await get(url, 0, true);
        base::Error error;
        if (answer) {
            const unsigned status = answer->stream->status();
            if (status == 200) {
                auto body = co_await answer->stream->read_all(listing_max);
                if (body) co_return HubListing::parse(*body);
                error = body.error();
            } else {
                error = refusal(status, answer->stream->headers(), reference, !options_.token.empty());
                if (!passes(status)) co_return std::unexpected(error);
            }
        } else {
            error = answer.error();
            if (error.kind != base::ErrorKind::unavailable && error.kind != base::ErrorKind::deadline) co_return std::unexpected(error);
        }
        if (attempt >= options_.attempts) co_return std::unexpected(error);
        const auto asked = error.retry_after.value_or(std::chrono::milliseconds{0});
        if (asked > std::chrono::minutes{2}) co_return std::unexpected(error);
        co_await wait(std::max(asked, pause));
        pause = std::min<std::chrono::milliseconds>(pause * 2, std::chrono::seconds{30});
    }
}

// One connection's worth. True if the file is complete; false if another try may help, with the reason in `last`.
boost::asio::awaitable<base::Result<bool>> Hub::fetch_some(Download& download) {
    const std::uint64_t from = download.part.size();
    download.asked_to_wait.reset();
    auto answer = co_await get(download.url, from, true);
    if (!answer) {
        download.last = answer.error();
        const bool again = download.last.kind == base::ErrorKind::unavailable || download.last.kind == base::ErrorKind::deadline;
        if (!again) co_return std::unexpected(download.last);
        co_return false;
    }
    if (download.file.sha256.empty()) download.file.sha256 = answer->linked_hash;
    if (download.file.sha256.empty()) co_return base::fail(base::ErrorKind::corrupt, std::format("the hub states no SHA-256 for {}, so it cannot be checked", download.file.path));
    const unsigned status = answer->stream->status();
    if (status == 416) {  // what we have is not a beginning of what it has
        auto reset = download.part.reset();
        if (!reset) co_return std::unexpected(reset.error());
        download.last = {base::ErrorKind::corrupt, "the hub's file changed under way", {}, {}, {}};
        co_return false;
    }
    if (status != 200 && status != 206) {
        download.last = refusal(status, answer->stream->headers(), download.reference, !options_.token.empty());
        if (!passes(status)) co_return std::unexpected(download.last);
        download.asked_to_wait = download.last.retry_after;
        co_return false;
    }
    const std::string_view range = answer->stream->headers().get("Content-Range");
    if (from > 0 && (status == 200 || !range.starts_with(std::format("bytes {}-", from)))) {
        auto reset = download.part.reset();  // it begins at the beginning again
        if (!reset) co_return std::unexpected(reset.error());
        if (status == 206) {
            download.last = {base::ErrorKind::corrupt, "the hub answered with another range", {}, {}, {}};
            co_return false;
        }
    }
    while (true) {
        auto piece = co_await answer->stream->read();
        if (!piece) {
            download.last = piece.error();
            co_return false;
        }
        if (piece->empty()) break;
        if (download.part.size() + piece->size() > download.file.size) co_return base::fail(base::ErrorKind::corrupt, std::format("{} is longer than the hub said", download.file.path));
        auto written = download.part.append(*piece);
        if (!written) co_return std::unexpected(written.error());
        download.progress(download.part.size(), false);
    }
    download.last = {base::ErrorKind::unavailable, std::format("{} ended early", download.file.path), {}, {}, {}};
    co_return download.part.size() == download.file.size;
}

boost::asio::awaitable<base::Result<void>> Hub::fetch(Download& download) {
    unsigned attempts = 0;
    std::chrono::milliseconds pause = options_.pause;
    while (download.part.size() < download.file.size) {
        const std::uint64_t before = download.part.size();
        auto complete = co_await fetch_some(download);
        if (!complete) co_return std::unexpected(complete.error());
        if (*complete) break;
        if (download.part.size() > before) {
            attempts = 0;
            pause = options_.pause;
        }
        if (++attempts >= options_.attempts) co_return std::unexpected(download.last);
        if (download.asked_to_wait.value_or(std::chrono::milliseconds{0}) > std::chrono::minutes{2}) co_return std::unexpected(download.last);
        download.progress(download.part.size(), true);
        co_await wait(std::max(pause, download.asked_to_wait.value_or(std::chrono::milliseconds{0})));
        pause = std::min<std::chrono::milliseconds>(pause * 2, std::chrono::seconds{30});
    }
    co_return base::Result<void>{};
}

boost::asio::awaitable<base::Result<Manifest>> Hub::pull(Reference reference, std::string name, std::function<void(const PullProgress&)> progress) {
    auto listing = co_await look(reference);
    if (!listing) co_return std::unexpected(listing.error());
    auto files = choose_files(*listing, reference.file);
    if (!files) co_return std::unexpected(files.error());
    if (name.empty()) name = model_name_from(files->front().path);
    auto held = store_.hold(name);
    if (!held) co_return std::unexpected(held.error());

    Reference exact = reference;
    exact.file = files->front().path;
    Manifest manifest{.name = name, .source = exact.text(), .revision = listing->commit, .licence = listing->licence, .added_at = {}, .description = {}, .files = {}};
    if (const auto present = store_.find(name)) {
        const auto same = std::ranges::equal(present->files, *files, {}, &ManifestFile::sha256, &HubFile::sha256);
        if (same) co_return *present;
        co_return base::fail(base::ErrorKind::invalid, std::format("model {} is here already and is another ({}); remove it first, or give another name", name, present->source), "model_exists");
    }

    const fs::path folder = store_.folder(name);
    std::uint64_t total = 0;
    std::uint64_t present = 0;
    std::vector<Download> downloads;
    for (HubFile& file : *files) {
        total += file.size;
        auto part = PartFile::open(folder / fs::path(file.path).filename(), {.commit = listing->commit, .sha256 = file.sha256, .size = file.size});
        if (!part) co_return std::unexpected(part.error());
        present += part->size();
        std::string url = std::format("{}/{}/{}/resolve/{}/{}", options_.endpoint, reference.owner, reference.repository, listing->commit, escaped(file.path, true));
        downloads.push_back(Download{.reference = reference, .url = std::move(url), .file = file, .part = std::move(*part)});
    }
    std::error_code error;
    const fs::space_info space = fs::space(folder, error);
    if (!error && space.available < total - std::min(total, present) + options_.disk_reserve)
        co_return base::fail(base::ErrorKind::unavailable,
                             std::format("{} needs {} more, but only {} are free in {}", name, gigabytes(total - present), gigabytes(space.available), folder.string()), "disk_full");

    const std::uint64_t resumed = present;
    std::uint64_t before = 0;
    for (Download& download : downloads) {
        const std::uint64_t base = before;
        download.progress = [&, base](std::uint64_t done, bool retrying) {
            if (progress) progress({.file = download.file.path, .done = base + done, .total = total, .resumed = resumed, .retrying = retrying});
        };
        download.progress(download.part.size(), false);
        auto fetched = co_await fetch(download);
        if (!fetched) co_return std::unexpected(fetched.error());
        const std::string hash = download.part.hash();
        if (hash != download.file.sha256) {
            download.part.discard();
            co_return base::fail(base::ErrorKind::corrupt, std::format("{} does not have the SHA-256 that the hub states; it was deleted, so try again", download.file.path), "hash_mismatch");
        }
        auto named = download.part.finish([this](const fs::path& path) { return store_.check(path); });
        if (!named) co_return std::unexpected(named.error());
        manifest.files.push_back({named->filename().string(), download.file.size, hash});
        before += download.file.size;
    }
    manifest.added_at = std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::seconds>(clock_.wall()));
    auto written = store_.write(manifest);
    if (!written) co_return std::unexpected(written.error());
    co_return manifest;
}

}  // namespace hanse::catalog
