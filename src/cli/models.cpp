// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <format>
#include <optional>
#include <signal.h>
#include <unistd.h>

#include "catalog/hub.hpp"
#include "catalog/known_models.hpp"
#include "catalog/store.hpp"
#include "commands.hpp"
#include "find_node.hpp"
#include "progress.hpp"
#include "terminal.hpp"

namespace hanse::cli {
namespace {

std::string json_of(const catalog::Manifest& manifest, const catalog::Store& store) {
    std::string files;
    for (const catalog::ManifestFile& file : manifest.files)
        files += std::format("{}{{\"path\":{},\"size\":{},\"sha256\":{}}}", files.empty() ? "" : ",", json_text((store.folder(manifest.name) / file.name).string()), file.size, json_text(file.sha256));
    return std::format("{{\"name\":{},\"source\":{},\"revision\":{},\"licence\":{},\"added_at\":{},\"bytes\":{},\"files\":[{}]}}", json_text(manifest.name), json_text(manifest.source),
                       json_text(manifest.revision), json_text(manifest.licence), json_text(manifest.added_at), manifest.bytes(), files);
}

std::string json_of(const catalog::KnownModel& model) {
    return std::format("{{\"name\":{},\"title\":{},\"maker\":{},\"parameters\":{},\"gigabytes\":{},\"context\":{},\"languages\":{},\"licence\":{},\"source\":{},\"original\":{}}}",
                       json_text(model.name), json_text(model.title), json_text(model.maker), json_text(model.parameters), model.gigabytes, model.context, json_text(model.languages),
                       json_text(model.licence), json_text(model.source), json_text(model.original));
}

// Twenty codes are no reading for a table.
std::string languages_short(std::string_view languages) {
    const auto count = static_cast<std::size_t>(std::ranges::count(languages, ' ')) + 1;
    return count > 3 && languages.size() == count * 3 - 1 ? std::format("{} (en, de, fr, …)", count) : std::string(languages);
}

std::string licence_or_dash(const std::string& licence) { return licence.empty() ? "?" : plain_line(licence); }

Exit list_available(const Context& context) {
    if (context.json) {
        std::string list;
        for (const catalog::KnownModel& model : catalog::known_models()) list += (list.empty() ? "" : ",") + json_of(model);
        put_line("[" + list + "]");
        return Exit::ok;
    }
    std::vector<std::string> rows{context.say(Say::model_available_header)};
    for (const catalog::KnownModel& model : catalog::known_models())
        rows.push_back(std::format("{}\t{:.2f} GB\t{}\t{}\t{}\t{}", model.name, model.gigabytes, model.context, model.licence, languages_short(model.languages), model.maker));
    put(table(rows));
    return Exit::ok;
}

// A running node serves what is in the store: SIGHUP makes it look again.
void tell_node(const Context& context, const node::DataDirectory& data) {
    const auto running = node::running_node(data);
    if (!running || ::kill(static_cast<pid_t>(running->pid), SIGHUP) != 0) return;
    if (!context.json) tell(context.say(Say::model_told_node));
}

class ProgressLine {
public:
    ProgressLine() : progress_(is_terminal(2) ? Progress::Style::bar : Progress::Style::lines, terminal_width()) {}
    ~ProgressLine() { end(); }
    void show(std::string_view what, std::uint64_t done, std::uint64_t total, std::uint64_t resumed = 0) {
        print(progress_.update(std::chrono::steady_clock::now(), what, done, total, resumed));
    }
    void end() { print(progress_.finish()); }

private:
    static void print(std::string_view text) {
        while (text.ends_with('\n')) {  // tell() ends the line itself
            text.remove_suffix(1);
            tell(text);
            return;
        }
        if (!text.empty()) (void)!::write(2, text.data(), text.size());
    }
    Progress progress_;
};

std::optional<base::Result<catalog::Manifest>> run_pull(const Context& context, catalog::Store& store, const catalog::Reference& reference, const std::string& name) {
    base::SystemClock clock;
    catalog::HubOptions options;
    if (const std::string endpoint = context.variable("HF_ENDPOINT"); !endpoint.empty()) options.endpoint = endpoint;
    options.token = context.variable("HF_TOKEN");
    options.ca_file = context.variable("HANSE_CA_FILE");
    catalog::Hub hub(store, options, clock);
    ProgressLine line;
    bool told_retry = false;
    const auto on_progress = [&](const catalog::PullProgress& progress) {
        if (context.json) return;
        if (progress.retrying && !std::exchange(told_retry, true)) {
            line.end();
            tell(context.say(Say::model_retrying));
        }
        if (!progress.retrying) told_retry = false;
        line.show(progress.file, progress.done, progress.total, progress.resumed);
    };
    const InterruptFlag interrupt;
    boost::asio::io_context io(1);
    std::optional<base::Result<catalog::Manifest>> outcome;
    std::exception_ptr thrown;
    boost::asio::co_spawn(io, hub.pull(reference, name, on_progress), [&](std::exception_ptr exception, base::Result<catalog::Manifest> result) {
        thrown = exception;
        outcome = std::move(result);
    });
    while (!outcome && !thrown && !io.stopped() && !interrupt.flag().load()) io.run_for(std::chrono::milliseconds{100});
    if (thrown) std::rethrow_exception(thrown);
    return outcome;
}

}  // namespace

Exit model_list(const Context& context, const ModelOptions& options) {
    if (options.available) return list_available(context);
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const catalog::Store store(data->models());
    std::vector<std::string> damaged;
    const auto manifests = store.list(&damaged);
    if (context.json) {
        std::string list;
        for (const catalog::Manifest& manifest : manifests) list += (list.empty() ? "" : ",") + json_of(manifest, store);
        put_line("[" + list + "]");
        return Exit::ok;
    }
    for (const std::string& name : damaged) tell(context.say(Say::model_damaged, name));
    if (manifests.empty()) {
        put_line(context.say(Say::model_none) + " " + context.say(Say::model_available_hint));
        return Exit::ok;
    }
    std::vector<std::string> rows{context.say(Say::model_header)};
    for (const catalog::Manifest& manifest : manifests)
        rows.push_back(std::format("{}\t{}\t{}\t{}", manifest.name, size_text(manifest.bytes()), licence_or_dash(manifest.licence), plain_line(manifest.source)));
    put(table(rows));
    return Exit::ok;
}

Exit model_pull(const Context& context, const ModelOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const catalog::KnownModel* known = catalog::find_known_model(options.reference);
    if (known == nullptr && !options.reference.starts_with("hf:"))
        return fail(context, {base::ErrorKind::invalid, context.say(Say::model_known_unknown, options.reference), "reference_invalid", {}, {}});
    const auto reference = catalog::Reference::parse(known != nullptr ? known->source : options.reference);
    if (!reference) return fail(context, reference.error());
    std::string name = options.name;
    if (name.empty() && known != nullptr) name = known->name;
    catalog::Store store(data->models());
    if (!context.json) tell(context.say(Say::model_pulling, reference->text()));
    const auto outcome = run_pull(context, store, *reference, name);
    if (!outcome) {
        tell(context.say(Say::model_interrupted));
        return Exit::interrupted;
    }
    if (!*outcome) return fail(context, outcome->error());
    const catalog::Manifest& manifest = **outcome;
    if (context.json) put_line(json_of(manifest, store));
    else put_line(context.say(Say::model_pulled, manifest.name, size_text(manifest.bytes()), licence_or_dash(manifest.licence)));
    tell_node(context, *data);
    return Exit::ok;
}

Exit model_add(const Context& context, const ModelOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    catalog::Store store(data->models());
    ProgressLine line;
    const auto on_progress = [&](std::uint64_t done, std::uint64_t total) { if (!context.json && is_terminal(2)) line.show(context.say(Say::model_hashing), done, total); };
    const auto added = store.add(std::filesystem::absolute(options.file), options.name, options.licence, std::chrono::system_clock::now(), on_progress);
    line.end();
    if (!added) return fail(context, added.error());
    if (context.json) put_line(json_of(*added, store));
    else put_line(context.say(Say::model_added, added->name, size_text(added->bytes())));
    tell_node(context, *data);
    return Exit::ok;
}

Exit model_show(const Context& context, const ModelOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const catalog::Store store(data->models());
    const auto manifest = store.find(options.reference);
    const catalog::KnownModel* known = catalog::find_known_model(options.reference);
    if (!manifest && (known == nullptr || manifest.error().kind != base::ErrorKind::not_found)) return fail(context, manifest.error());
    if (context.json) {
        put_line(manifest ? json_of(*manifest, store) : json_of(*known));
        return Exit::ok;
    }
    std::vector<std::string> rows;
    const auto row = [&](Say label, std::string_view value) {
        if (!value.empty()) rows.push_back(context.say(label) + "\t" + plain_line(value));
    };
    row(Say::show_name, options.reference);
    if (manifest) {
        row(Say::show_source, manifest->source);
        row(Say::show_revision, manifest->revision);
        row(Say::show_licence, licence_or_dash(manifest->licence));
        row(Say::show_size, size_text(manifest->bytes()));
        row(Say::show_added, manifest->added_at);
        for (const catalog::ManifestFile& file : manifest->files) {
            row(Say::show_path, (store.folder(manifest->name) / file.name).string());
            row(Say::show_files, file.sha256);
        }
    } else {
        row(Say::show_maker, known->maker);
        row(Say::show_licence, known->licence);
        row(Say::show_size, std::format("{:.2f} GB", known->gigabytes));
        row(Say::show_context, std::to_string(known->context));
        row(Say::show_languages, known->languages);
        row(Say::show_source, known->source);
        row(Say::show_original, known->original);
    }
    put(table(rows));
    if (!manifest) put_line(context.say(Say::show_fetch, known->name));
    return Exit::ok;
}

Exit model_remove(const Context& context, const ModelOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    catalog::Store store(data->models());
    if (auto removed = store.remove(options.reference); !removed) return fail(context, removed.error());
    if (context.json) put_line(std::format("{{\"removed\":{}}}", json_text(options.reference)));
    else put_line(context.say(Say::model_removed, options.reference));
    tell_node(context, *data);
    return Exit::ok;
}

Exit model_verify(const Context& context, const ModelOptions& options) {
    const auto data = context.data();
    if (!data) return fail(context, data.error());
    const catalog::Store store(data->models());
    ProgressLine line;
    const auto verified = store.verify(options.reference, [&](std::uint64_t done, std::uint64_t total) { if (!context.json && is_terminal(2)) line.show(context.say(Say::model_hashing), done, total); });
    line.end();
    if (!verified) return fail(context, verified.error());
    if (context.json) put_line(std::format("{{\"verified\":{}}}", json_text(options.reference)));
    else put_line(context.say(Say::model_sound, options.reference));
    return Exit::ok;
}

}  // namespace hanse::cli
