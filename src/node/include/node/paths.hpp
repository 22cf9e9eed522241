// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/config.hpp"
#include "base/result.hpp"

namespace hanse::node {

// Where everything of a node lies, from one folder.
//
//   hanse.toml   configuration (unless named otherwise)     models/   the store
//   keys.json    API keys, hashed                           node.json what runs here now
//   usage.json   what the keys have used                    lock      held by the running node
//   declassified.tsv declassifications for one answer that have been used
//   decisions.tsv what was decided of late, for hanse policy diff (labels and places, never content)
//   identity.key what the node signs with as itself          log.key   and with as its journal
//   witness.key  and with as a witness of other logs         witnessed/ what it co-signed of them (journal/witness.hpp)
//   key-changes/ what says that keys were replaced or are not to be believed any more (node/key_changes.hpp)
//   journal/     the log (journal/log.hpp)                   kept/     texts of tasks, where they are kept (journal/text_store.hpp)
//   told.json    what the journal says of configuration, policy and keys, to see what changed
//   digests.json SHA-256 of model files by inode, size and time      orders/ what commands ask of the running node
struct DataDirectory {
    std::filesystem::path root;
    std::filesystem::path config() const { return root / "hanse.toml"; }
    std::filesystem::path models() const { return root / "models"; }
    std::filesystem::path keys() const { return root / "keys.json"; }
    std::filesystem::path usage() const { return root / "usage.json"; }
    std::filesystem::path node() const { return root / "node.json"; }
    std::filesystem::path lock() const { return root / "lock"; }
    std::filesystem::path decisions() const { return root / "decisions.tsv"; }
    std::filesystem::path declassified() const { return root / "declassified.tsv"; }
    std::filesystem::path identity_key() const { return root / "identity.key"; }
    std::filesystem::path log_key() const { return root / "log.key"; }
    std::filesystem::path witness_key() const { return root / "witness.key"; }
    std::filesystem::path key_changes() const { return root / "key-changes"; }
    std::filesystem::path witnessed() const { return root / "witnessed"; }
    std::filesystem::path journal() const { return root / "journal"; }
    std::filesystem::path kept() const { return root / "kept"; }
    std::filesystem::path told() const { return root / "told.json"; }
    std::filesystem::path digests() const { return root / "digests.json"; }
    std::filesystem::path orders() const { return root / "orders"; }
    std::filesystem::path history() const { return root / "chat_history"; }
};

// `named` (--data), else HANSE_DATA, else $XDG_DATA_HOME/hanse, else ~/.local/share/hanse. `invalid` if none is set.
base::Result<DataDirectory> data_directory(const std::string& named, const base::Environment& environment);
// `named` (--config), else HANSE_CONFIG, else hanse.toml in the data directory.
std::filesystem::path config_file(const std::string& named, const DataDirectory& data, const base::Environment& environment);

// What a running node tells the commands on the same machine.
struct RunningNode {
    std::int64_t pid = 0;
    std::string url;  // "http://127.0.0.1:8420"
    std::string version;
    std::string started_at;
    bool keys_required = false;
};

// Held by the node for as long as it runs, so that two never share a data directory; freed by the kernel
// however the process ends.
class DataLock {
public:
    // `overloaded` if another node runs there; makes the folder (0700) if it is missing.
    static base::Result<DataLock> take(const DataDirectory& data);
    DataLock(DataLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    DataLock& operator=(DataLock&&) = delete;
    ~DataLock();

private:
    explicit DataLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

base::Result<void> announce(const DataDirectory& data, const RunningNode& node);
void withdraw(const DataDirectory& data);
// Nothing if no node runs there: a file left by a node that was killed does not count.
std::optional<RunningNode> running_node(const DataDirectory& data);

}  // namespace hanse::node
