// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <deque>
#include <format>
#include <functional>
#include <glaze/glaze.hpp>
#include <optional>
#include <thread>

#include "base/random.hpp"
#include "base/time.hpp"
#include "commands.hpp"
#include "journal/check.hpp"
#include "journal/receipt.hpp"
#include "journal/record.hpp"
#include "journal/retention.hpp"
#include "journal/text_store.hpp"
#include "journal/tile.hpp"
#include "node/config.hpp"
#include "node/identity.hpp"
#include "node/orders.hpp"
#include "record_line.hpp"
#include "terminal.hpp"
#include "trust.hpp"

namespace hanse::cli {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 250ms;
constexpr int order_looks = 240;

base::Result<fs::path> folder_of(const Context& context, const JournalOptions& options) {
    if (!options.folder.empty()) return options.folder;
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    return data->journal();
}

std::string json_line(const journal::StoredRecord& record) {
    return record.erased ? std::format("{{\"index\":{},\"id\":{},\"erased\":true}}", record.index, json_text(journal::text_of(record.id)))
                         : std::format("{{\"index\":{},\"record\":{}}}", record.index, record.text);
}

std::string one_line(const Context& context, const journal::StoredRecord& record) {
    const std::string id = journal::text_of(record.id);
    const std::string time = journal::time_text(base::WallTime{} + std::chrono::milliseconds(record.time_ms));
    if (record.erased) return std::format("{}  {}  {}", time, id, context.say(Say::journal_erased_mark));
    const auto line = read_record_line(record.text);
    return std::format("{}  {}  {}", time, id, line ? summary(context, *line) : line.error().message);
}

// Beginnings of RFC 3339 times in UTC, so that they compare as texts do.
base::Result<void> check_time(const Context& context, const std::string& text) {
    const bool fine = text.empty() || (text.size() >= 4 && text.size() <= 24 && text.find_first_not_of("0123456789-:T.Z") == std::string::npos);
    if (fine) return {};
    return base::fail(base::ErrorKind::invalid, context.say(Say::journal_bad_time, text));
}

bool wanted(const JournalOptions& options, const RecordLine& line, std::string_view text) {
    if (!options.since.empty() && line.time < options.since) return false;
    if (!options.until.empty() && line.time >= options.until) return false;
    if (!options.kind.empty() && line.kind != options.kind) return false;
    if (!options.caller.empty() && line.caller != options.caller) return false;
    if (!options.model.empty() && line.model != options.model && line.model_of_answer.name != options.model) return false;
    return options.text.empty() || text.contains(options.text);
}

// Calls `each` for what the options select.
base::Result<void> select(const Context& context, const JournalOptions& options, const std::function<void(const journal::StoredRecord&, const RecordLine&)>& each) {
    for (const std::string& time : {options.since, options.until})
        if (auto fine = check_time(context, time); !fine) return fine;
    const auto folder = folder_of(context, options);
    if (!folder) return std::unexpected(folder.error());
    base::SystemDisk disk;
    base::Result<void> wrong;
    auto read = each_record(disk, *folder, 0, [&](const journal::StoredRecord& record) {
        if (record.erased) return true;
        const auto line = read_record_line(record.text);
        if (!line) wrong = std::unexpected(line.error());
        else if (wanted(options, *line, record.text)) each(record, *line);
        return wrong.has_value();
    });
    return wrong ? read : wrong;
}

// How many entries the last checkpoint is of; 0 where there is none that reads.
std::uint64_t size_of(base::Disk& disk, const fs::path& folder) {
    const auto whole = disk.read_whole(folder / "checkpoint", 1 << 20);
    if (!whole) return 0;
    const auto note = journal::Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
    const auto checkpoint = note ? journal::Checkpoint::parse(note->text) : std::unexpected(note.error());
    return checkpoint ? checkpoint->size : 0;
}

// The record of that id, unless it was erased.
base::Result<journal::StoredRecord> find_kept(base::Disk& disk, const fs::path& folder, const Context& context, const std::string& id) {
    const auto wanted_id = journal::record_id_of(id);
    if (!wanted_id) return base::fail(base::ErrorKind::invalid, context.say(Say::journal_bad_id, id));
    std::optional<journal::StoredRecord> found;
    const auto read = each_record(disk, folder, 0, [&](const journal::StoredRecord& record) {
        if (record.id == *wanted_id) found = record;
        return !found;
    });
    if (!read) return std::unexpected(read.error());
    if (!found) {
        const auto pruned = journal::read_pruned(disk, folder);
        const bool maybe = pruned && *pruned;
        return base::fail(base::ErrorKind::not_found, maybe ? context.say(Say::journal_no_record_left, id, (*pruned)->minimum) : context.say(Say::journal_no_record, id));
    }
    if (found->erased) return base::fail(base::ErrorKind::not_found, context.say(Say::journal_was_erased, id), "receipt_erased");
    return std::move(*found);
}

}  // namespace

Exit journal_check(const Context& context, const JournalOptions& options) {
    const auto folder = folder_of(context, options);
    if (!folder) return fail(context, folder.error());
    const auto keys = trusted_keys(context, options.keys, options.trust);
    if (!keys) return fail(context, keys.error());
    const auto policy = witness_policy(options.policy);
    if (!policy) return fail(context, policy.error());
    base::SystemDisk disk;
    const bool person = is_terminal(2) && !context.json;
    const auto progress = [&](std::uint64_t done, std::uint64_t all) {
        if (person && done % 65'536 == 0) tell(context.say(Say::journal_checking, done, all));
    };
    std::vector<journal::NoteVerifier> former;
    for (const auto& set : keys->former) former.insert(former.end(), set.begin(), set.end());
    const auto report = journal::check_log(disk, *folder, keys->keys, progress, *policy ? &**policy : nullptr, former);
    const std::uint64_t size = report.checkpoint ? report.checkpoint->size : 0;
    if (context.json) {
        std::string problems, signers;
        for (const auto& each : report.problems)
            problems += std::format("{}{{\"place\":{},\"problem\":{}}}", problems.empty() ? "" : ",", json_text(each.place), json_text(each.sentence));
        for (const auto& each : report.signed_by) signers += (signers.empty() ? "" : ",") + json_text(each);
        put_line(std::format("{{\"sound\":{},\"log\":{},\"size\":{},\"records\":{},\"erased\":{},\"pruned\":{},\"witnessed\":{},\"tiles\":{},\"signed_by\":[{}],\"problems\":[{}]}}", report.sound(),
                             json_text(report.checkpoint ? report.checkpoint->origin : ""), size, report.records, report.erased, report.pruned, report.witnessed, report.tiles, signers, problems));
    } else {
        for (const auto& each : report.problems) put_line(context.say(Say::journal_problem, each.place, each.sentence));
        if (report.sound()) put_line(context.say(Say::journal_sound, report.checkpoint->origin, size, report.records, report.erased, report.tiles));
        if (report.sound() && report.pruned > 0) put_line(context.say(Say::journal_pruned_part, report.pruned));
        if (report.sound() && *policy) put_line(context.say(Say::journal_witnessed, report.witnessed, size));
        for (const auto& each : report.signed_by) put_line(context.say(Say::journal_signed, each));
        if (keys->keys.empty()) put_line(context.say(Say::journal_no_keys));
    }
    return report.sound() ? Exit::ok : Exit::failed;
}

Exit journal_show(const Context& context, const JournalOptions& options) {
    const auto folder = folder_of(context, options);
    if (!folder) return fail(context, folder.error());
    base::SystemDisk disk;
    const auto record = find_kept(disk, *folder, context, options.id);
    if (!record) return fail(context, record.error());
    if (!options.texts) {
        put_line(context.json ? json_line(*record) : glz::prettify_json(record->text));
        return Exit::ok;
    }
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    base::SystemRandom random;
    const auto texts = journal::TextStore(disk, random, data->kept(), std::chrono::days(0)).read(record->id);
    if (!texts) return fail(context, texts.error());
    if (context.json) {
        std::string outputs;
        for (const std::string& each : texts->outputs) outputs += (outputs.empty() ? "" : ",") + json_text(each);
        put_line(std::format("{{\"index\":{},\"record\":{},\"input\":{},\"outputs\":[{}]}}", record->index, record->text, json_text(texts->input), outputs));
    } else {
        put_line(plain(texts->input));
        for (const std::string& each : texts->outputs) put_line("\n" + plain(each));
    }
    return Exit::ok;
}

Exit journal_receipt(const Context& context, const JournalOptions& options) {
    const auto folder = folder_of(context, options);
    if (!folder) return fail(context, folder.error());
    base::SystemDisk disk;
    const auto record = find_kept(disk, *folder, context, options.id);
    if (!record) return fail(context, record.error());
    // As the node does it: in the tree that witnesses have seen, where the record lies in that.
    std::string note_text;
    base::Result<journal::Checkpoint> checkpoint = base::fail(base::ErrorKind::not_found, {});
    for (const char* name : {"witnessed", "checkpoint"}) {
        const auto whole = disk.read_whole(*folder / name, 1 << 20);
        if (!whole && whole.error().kind == base::ErrorKind::not_found) continue;
        if (!whole) return fail(context, whole.error());
        note_text.assign(reinterpret_cast<const char*>(whole->data()), whole->size());
        const auto note = journal::Note::parse(note_text);
        checkpoint = note ? journal::Checkpoint::parse(note->text) : std::unexpected(note.error());
        if (!checkpoint) return fail(context, checkpoint.error());
        if (record->index < checkpoint->size) break;
    }
    if (!checkpoint) return fail(context, {base::ErrorKind::unavailable, context.say(Say::journal_unpublished), "unpublished", {}, {}});
    if (record->index >= checkpoint->size) return fail(context, {base::ErrorKind::unavailable, context.say(Say::journal_unpublished), "unpublished", {}, {}});
    const auto fetch = [&](const journal::TileName& name) -> base::Result<std::vector<journal::Hash>> {
        journal::TileName there = name;
        auto bytes = disk.read_whole(*folder / there.path(), 1 << 20);
        if (!bytes && bytes.error().kind == base::ErrorKind::not_found) {
            there.width = journal::tile_width;  // it has filled since
            bytes = disk.read_whole(*folder / there.path(), 1 << 20);
        }
        if (!bytes) return std::unexpected(bytes.error());
        return journal::parse_tile(*bytes, there.width);
    };
    auto hashes = journal::inclusion_proof(record->index, checkpoint->size, journal::nodes_from_tiles(checkpoint->size, fetch));
    if (!hashes) return fail(context, hashes.error());
    put(journal::LogProof{journal::receipt_extra(*record), record->index, std::move(*hashes), note_text}.text());
    return Exit::ok;
}

Exit journal_tail(const Context& context, const JournalOptions& options) {
    const auto folder = folder_of(context, options);
    if (!folder) return fail(context, folder.error());
    base::SystemDisk disk;
    std::deque<journal::StoredRecord> last;
    std::uint64_t next = 0;
    const auto print = [&](const journal::StoredRecord& record) { put_line(context.json ? json_line(record) : one_line(context, record)); };
    // From a file of records that is long enough before the last checkpoint: what comes after it is more.
    constexpr std::uint64_t step = journal::RecordStore::records_per_file;
    const std::uint64_t size = size_of(disk, *folder);
    const std::uint64_t begin = size > options.count ? (size - options.count) / step * step : 0;
    auto read = each_record(disk, *folder, begin, [&](const journal::StoredRecord& record) {
        last.push_back(record);
        if (last.size() > options.count) last.pop_front();
        next = record.index + 1;
        return true;
    });
    if (!read) return fail(context, read.error());
    for (const auto& record : last) print(record);
    while (options.follow) {
        std::this_thread::sleep_for(look_every);
        read = each_record(disk, *folder, next, [&](const journal::StoredRecord& record) {
            print(record);
            next = record.index + 1;
            return true;
        });
        if (!read) return fail(context, read.error());
    }
    return Exit::ok;
}

Exit journal_search(const Context& context, const JournalOptions& options) {
    std::uint64_t found = 0;
    const auto done = select(context, options, [&](const journal::StoredRecord& record, const RecordLine&) {
        ++found;
        put_line(context.json ? json_line(record) : one_line(context, record));
    });
    if (!done) return fail(context, done.error());
    if (found == 0 && !context.json) tell(context.say(Say::journal_nothing_found));
    return found == 0 ? Exit::not_found : Exit::ok;
}

Exit journal_export(const Context& context, const JournalOptions& options) {
    if (!options.article_12) {
        const auto done = select(context, options, [](const journal::StoredRecord& record, const RecordLine&) { put_line(json_line(record)); });
        return done ? Exit::ok : fail(context, done.error());
    }
    return journal_article_12(context, options, [&](const auto& each) { return select(context, options, each); });
}

namespace {

// What is asked of whoever holds the journal: the running node, or this command.
template <typename Order>
base::Result<std::uint64_t> order(const Context& context, base::Result<std::uint64_t> (*carry_out)(const node::OrderParts&, const Order&),
                                  const std::function<base::Result<Order>(const node::Config&)>& make) {
    const auto data = context.data();
    if (!data) return std::unexpected(data.error());
    const fs::path file = node::config_file(context.config_option, *data, context.environment);
    const auto config = node::load_config(file, node::FileMust::may_miss, context.environment);
    if (!config) return std::unexpected(config.error());
    const auto order = make(*config);
    if (!order) return std::unexpected(order.error());
    base::SystemClock clock;
    base::SystemRandom random;
    int looks = 0;
    const auto wait = [&] {
        std::this_thread::sleep_for(look_every);
        return ++looks < order_looks;
    };
    return carry_out({.data = *data, .config = *config, .environment = context.environment, .clock = clock, .random = random, .wait = wait}, *order);
}

}  // namespace

Exit journal_erase(const Context& context, const JournalOptions& options) {
    if (!journal::record_id_of(options.id)) return fail(context, {base::ErrorKind::invalid, context.say(Say::journal_bad_id, options.id), {}, {}, {}});
    const auto index = order<node::EraseOrder>(context, node::erase, [&](const node::Config&) { return node::EraseOrder{.record = options.id, .reason = options.reason}; });
    if (!index) return fail(context, index.error());
    if (context.json) put_line(std::format("{{\"erased\":{},\"recorded_at\":{}}}", json_text(options.id), *index));
    else put_line(context.say(Say::journal_erased, options.id, *index));
    return Exit::ok;
}

Exit journal_prune(const Context& context, const JournalOptions& options) {
    std::uint64_t days = 0;
    const auto first = order<node::PruneOrder>(context, node::prune, [&](const node::Config& config) -> base::Result<node::PruneOrder> {
        base::Result<std::chrono::milliseconds> keep = config.journal.retention;
        if (!options.keep.empty()) keep = base::parse_duration(options.keep);
        if (!keep) return std::unexpected(keep.error());
        days = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::days>(*keep).count());
        if (options.keep.empty() && days == 0) return base::fail(base::ErrorKind::invalid, context.say(Say::journal_no_retention));
        return node::PruneOrder{.days = days};
    });
    if (!first) return fail(context, first.error());
    if (context.json) put_line(std::format("{{\"minimum\":{},\"days\":{}}}", *first, days));
    else put_line(context.say(Say::journal_pruned, days, *first));
    return Exit::ok;
}

}  // namespace hanse::cli
