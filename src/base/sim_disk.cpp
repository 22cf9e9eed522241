// SPDX-License-Identifier: Apache-2.0
#include "base/sim_disk.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace hanse::base {
namespace {

constexpr std::size_t sector = 512;

struct Write {
    std::uint64_t offset;
    Bytes bytes;
};
struct Cut {
    std::uint64_t size;
};
using Change = std::variant<Write, Cut>;

void apply(Bytes& contents, const Write& write) {
    contents.resize(std::max<std::size_t>(contents.size(), write.offset + write.bytes.size()));
    std::ranges::copy(write.bytes, contents.begin() + static_cast<std::ptrdiff_t>(write.offset));
}
void apply(Bytes& contents, const Cut& cut) { contents.resize(cut.size); }

// A write of which each sector arrived or did not.
void apply_torn(Bytes& contents, const Write& write, Random& random) {
    for (std::size_t begin = 0; begin < write.bytes.size();) {
        const std::size_t end = std::min<std::size_t>(write.bytes.size(), begin + sector - (write.offset + begin) % sector);
        if (random.next() % 2 == 0)
            apply(contents, Write{write.offset + begin, Bytes(write.bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                                              write.bytes.begin() + static_cast<std::ptrdiff_t>(end))});
        begin = end;
    }
}

struct Node {
    bool folder = false;
    Bytes contents = {};             // as everybody sees it
    Bytes durable = {};              // as it is after a power cut, at least
    std::vector<Change> since = {};  // and at most with these
    void settle() {
        durable = contents;
        since.clear();
    }
};
using Names = std::map<std::filesystem::path, std::shared_ptr<Node>>;

// A name that appeared, disappeared or moved; `from` is empty unless it moved.
struct Naming {
    std::filesystem::path from;
    std::filesystem::path path;
    std::shared_ptr<Node> node;  // null: gone
    void apply(Names& names) const {
        if (!from.empty()) names.erase(from);
        if (node) names[path] = node;
        else names.erase(path);
    }
};

std::unexpected<Error> dark() { return fail(ErrorKind::unavailable, "the simulated disk has no power", "disk_failed"); }

}  // namespace

struct SimDisk::State {
    // True if the operation may go on in full; the one at which the power goes is begun and not finished.
    enum class Power : std::uint8_t { on, going, off };
    Power begin() {
        if (!on) return Power::off;
        ++operations;
        if (cut_at && operations >= *cut_at) {
            on = false;
            return Power::going;
        }
        return Power::on;
    }
    std::uint64_t used() const {
        std::uint64_t sum = 0;
        for (const auto& [path, node] : names) sum += node->contents.size();
        return sum;
    }
    Result<void> name(Naming change) {
        const Power power = begin();
        if (power == Power::off) return dark();
        change.apply(names);
        namings.push_back(std::move(change));
        if (power == Power::going) return dark();
        return {};
    }
    bool has_parent(const std::filesystem::path& path) const {
        const auto parent = path.parent_path();
        const auto found = names.find(parent);
        return parent == parent.parent_path() || (found != names.end() && found->second->folder);
    }

    mutable std::mutex mutex;
    Names names;
    Names durable_names;
    std::vector<Naming> namings;
    std::uint64_t operations = 0;
    std::optional<std::uint64_t> cut_at;
    bool on = true;
    std::uint64_t generation = 0;
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    bool sync_fails = false;
};

class SimFile final : public File {
public:
    SimFile(std::shared_ptr<SimDisk::State> disk, std::shared_ptr<Node> node)
        : disk_(std::move(disk)),
          node_(std::move(node)),
          generation_(disk_->generation) {}

    Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override {
        const std::lock_guard lock(disk_->mutex);
        if (!usable()) return dark();
        if (offset >= node_->contents.size()) return std::size_t{0};
        const std::size_t count = std::min<std::size_t>(out.size(), node_->contents.size() - offset);
        std::ranges::copy(std::span(node_->contents).subspan(offset, count), out.begin());
        return count;
    }
    Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
        const std::lock_guard lock(disk_->mutex);
        const auto power = usable() ? disk_->begin() : SimDisk::State::Power::off;
        if (power == SimDisk::State::Power::off) return dark();
        const std::uint64_t size = node_->contents.size();
        const std::uint64_t grown = offset + bytes.size() > size ? offset + bytes.size() - size : 0;
        const std::uint64_t used = disk_->used();
        const bool full = used + grown > disk_->limit;
        // As much as there is room for is written, as kernels do it.
        if (full)
            bytes = bytes.first(
                std::min<std::size_t>(bytes.size(), disk_->limit > used && offset <= size ? size - offset + (disk_->limit - used) : 0));
        Write change{offset, Bytes(bytes.begin(), bytes.end())};
        apply(node_->contents, change);
        node_->since.emplace_back(std::move(change));
        if (power == SimDisk::State::Power::going) return dark();
        if (full) return fail(ErrorKind::overloaded, "the simulated disk is full", "disk_full");
        return {};
    }
    Result<std::uint64_t> size() override {
        const std::lock_guard lock(disk_->mutex);
        if (!usable()) return dark();
        return node_->contents.size();
    }
    Result<void> truncate(std::uint64_t size) override {
        const std::lock_guard lock(disk_->mutex);
        const auto power = usable() ? disk_->begin() : SimDisk::State::Power::off;
        if (power == SimDisk::State::Power::off) return dark();
        if (size == node_->contents.size()) return {};
        apply(node_->contents, Cut{size});
        node_->since.emplace_back(Cut{size});
        if (power == SimDisk::State::Power::going) return dark();
        return {};
    }
    Result<void> sync() override {
        const std::lock_guard lock(disk_->mutex);
        const auto power = usable() ? disk_->begin() : SimDisk::State::Power::off;
        if (power != SimDisk::State::Power::on) return dark();
        if (std::exchange(disk_->sync_fails, false)) {
            node_->contents = node_->durable;
            node_->since.clear();
            return fail(ErrorKind::unavailable, "the simulated disk failed to sync", "disk_failed");
        }
        node_->settle();
        return {};
    }

private:
    bool usable() const { return disk_->on && generation_ == disk_->generation; }
    std::shared_ptr<SimDisk::State> disk_;
    std::shared_ptr<Node> node_;
    std::uint64_t generation_;
};

SimDisk::SimDisk() : state_(std::make_shared<State>()) {}
SimDisk::~SimDisk() = default;

Result<std::unique_ptr<File>> SimDisk::open(const std::filesystem::path& path, Open how) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->on) return dark();
    auto found = state_->names.find(path);
    if (found == state_->names.end()) {
        if (how == Open::existing || !state_->has_parent(path)) return fail(ErrorKind::not_found, path.string() + " is not there");
        if (auto named = state_->name({{}, path, std::make_shared<Node>()}); !named) return std::unexpected(named.error());
        found = state_->names.find(path);
    }
    if (found->second->folder) return fail(ErrorKind::unavailable, path.string() + " is a folder");
    return std::make_unique<SimFile>(state_, found->second);
}

Result<void> SimDisk::make_folder(const std::filesystem::path& path) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->on) return dark();
    if (state_->names.contains(path)) return {};
    if (!state_->has_parent(path)) return fail(ErrorKind::not_found, path.parent_path().string() + " is not there");
    return state_->name({{}, path, std::make_shared<Node>(Node{.folder = true})});
}

Result<void> SimDisk::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->on) return dark();
    const auto found = state_->names.find(from);
    if (found == state_->names.end()) return fail(ErrorKind::not_found, from.string() + " is not there");
    return state_->name({from, to, found->second});
}

Result<void> SimDisk::remove(const std::filesystem::path& path) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->on) return dark();
    if (!state_->names.contains(path)) return {};
    for (const auto& [other, node] : state_->names)
        if (other.parent_path() == path) return fail(ErrorKind::unavailable, path.string() + " is not empty");
    return state_->name({{}, path, nullptr});
}

Result<std::vector<std::string>> SimDisk::list(const std::filesystem::path& folder) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->on) return dark();
    if (!state_->names.contains(folder)) return fail(ErrorKind::not_found, folder.string() + " is not there");
    std::vector<std::string> names;
    for (const auto& [path, node] : state_->names)
        if (path.parent_path() == folder) names.push_back(path.filename().string());
    std::ranges::sort(names);
    return names;
}

Result<void> SimDisk::sync_folder(const std::filesystem::path& folder) {
    const std::lock_guard lock(state_->mutex);
    if (state_->begin() != State::Power::on) return dark();
    std::vector<Naming> others;
    for (auto& change : state_->namings) {
        if (change.path.parent_path() == folder) change.apply(state_->durable_names);
        else others.push_back(std::move(change));
    }
    state_->namings = std::move(others);
    return {};
}

Result<void> SimDisk::sync_all(const std::filesystem::path&) {
    const std::lock_guard lock(state_->mutex);
    if (state_->begin() != State::Power::on) return dark();
    for (const auto& [path, node] : state_->names) node->settle();
    state_->durable_names = state_->names;
    state_->namings.clear();
    return {};
}

std::uint64_t SimDisk::operations() const {
    const std::lock_guard lock(state_->mutex);
    return state_->operations;
}
void SimDisk::cut_power_after(std::uint64_t operations) {
    const std::lock_guard lock(state_->mutex);
    state_->cut_at = state_->operations + operations;
}
bool SimDisk::has_power() const {
    const std::lock_guard lock(state_->mutex);
    return state_->on;
}

void SimDisk::restart(Random& random) {
    const std::lock_guard lock(state_->mutex);
    Names names = state_->durable_names;
    for (const Naming& change : state_->namings)
        if (random.next() % 2 == 0) change.apply(names);
    for (const auto& [path, node] : names) {
        for (const Change& change : node->since) {
            const auto fate = random.next() % 3;
            if (fate == 0) continue;
            if (const auto* cut = std::get_if<Cut>(&change)) apply(node->durable, *cut);
            else if (fate == 1) apply(node->durable, std::get<Write>(change));
            else apply_torn(node->durable, std::get<Write>(change), random);
        }
        node->contents = node->durable;
        node->since.clear();
    }
    // What lies in a folder that is not there is not there either.
    const auto homeless = [&](const std::filesystem::path& path) {
        const auto parent = path.parent_path();
        return parent != parent.parent_path() && !names.contains(parent);
    };
    for (bool again = true; again;) again = std::erase_if(names, [&](const auto& each) { return homeless(each.first); }) > 0;
    state_->names = names;
    state_->durable_names = std::move(names);
    state_->namings.clear();
    state_->cut_at.reset();
    state_->on = true;
    ++state_->generation;
}

void SimDisk::limit(std::uint64_t bytes) {
    const std::lock_guard lock(state_->mutex);
    state_->limit = bytes;
}
void SimDisk::fail_next_sync() {
    const std::lock_guard lock(state_->mutex);
    state_->sync_fails = true;
}
void SimDisk::flip(const std::filesystem::path& path, std::uint64_t offset, unsigned bit) {
    const std::lock_guard lock(state_->mutex);
    Node& node = *state_->names.at(path);
    node.contents.at(offset) ^= static_cast<std::byte>(1U << bit);
    node.settle();
}
std::vector<std::filesystem::path> SimDisk::files() const {
    const std::lock_guard lock(state_->mutex);
    std::vector<std::filesystem::path> paths;
    for (const auto& [path, node] : state_->names)
        if (!node->folder) paths.push_back(path);
    return paths;
}

}  // namespace hanse::base
