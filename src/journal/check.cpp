// SPDX-License-Identifier: Apache-2.0
#include "journal/check.hpp"

#include <algorithm>
#include <format>

#include "base/random.hpp"
#include "journal/record_store.hpp"
#include "journal/retention.hpp"
#include "journal/tile.hpp"
#include "journal/tile_store.hpp"

namespace hanse::journal {
namespace {

constexpr std::size_t problems_max = 100;
constexpr std::size_t bundle_max = tile_width * (entry_max + 2);

class Checker {
public:
    Checker(base::Disk& disk, const std::filesystem::path& folder, const std::function<void(std::uint64_t, std::uint64_t)>& progress,
            const WitnessPolicy* policy, std::span<const NoteVerifier> former)
        : disk_(disk),
          folder_(folder),
          progress_(progress),
          policy_(policy),
          former_(former) {}

    CheckReport run(std::span<const NoteVerifier> verifiers) {
        // In this order beside a node that writes: the checkpoint is never smaller than what was witnessed or pruned before.
        read_pruned();
        read_witnessed(verifiers);
        read_checkpoint(verifiers);
        if (report_.checkpoint) compare_records(report_.checkpoint->size);
        look_at_seal();
        return std::move(report_);
    }

private:
    void wrong(std::string place, std::string sentence) {
        if (report_.problems.size() < problems_max) report_.problems.push_back({std::move(place), std::move(sentence)});
    }

    void read_checkpoint(std::span<const NoteVerifier> verifiers) {
        const auto whole = disk_.read_whole(folder_ / "checkpoint", 1 << 20);
        if (!whole) return wrong("checkpoint", whole.error().message);
        const auto note = Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
        if (!note) return wrong("checkpoint", note.error().message);
        const auto checkpoint = Checkpoint::parse(note->text);
        if (!checkpoint) return wrong("checkpoint", checkpoint.error().message);
        const auto signed_by = endorsements(*note, verifiers);
        if (!signed_by) wrong("checkpoint", signed_by.error().message);
        for (const NoteVerifier& verifier : verifiers) {
            const bool there =
                signed_by && std::ranges::any_of(*signed_by, [&](const Endorsement& each) { return each.verifier == &verifier; });
            const std::string name = std::format("{} ({})", verifier.name(), crypto::name(algorithm_of(verifier.type())));
            if (there) report_.signed_by.push_back(name);
            else if (signed_by) wrong("checkpoint", "it is not signed by " + name);
            if (checkpoint->origin != verifier.name())
                wrong("checkpoint", std::format("it is of {}, and the keys are of {}", checkpoint->origin, verifier.name()));
        }
        report_.checkpoint = *checkpoint;
        look_at_cosignatures("checkpoint", *note, verifiers);
    }

    // Each signature is one of a known key, and good.
    void look_at_cosignatures(std::string_view file, const Note& note, std::span<const NoteVerifier> verifiers) {
        if (policy_ == nullptr) return;
        std::vector<NoteVerifier> known = policy_->verifiers();
        known.insert(known.end(), verifiers.begin(), verifiers.end());
        if (const auto good = endorsements(note, known); !good) wrong(std::string(file), good.error().message);
        for (std::size_t i = 0; i < note.signatures.size(); ++i)
            if (std::ranges::none_of(known, [&](const NoteVerifier& key) { return key.made(note.signatures[i]); }))
                wrong(std::format("{}, signature {}", file, i + 1), "it is by a key that neither the log nor the policy knows");
    }

    void read_witnessed(std::span<const NoteVerifier> verifiers) {
        const auto whole = disk_.read_whole(folder_ / "witnessed", 1 << 20);
        if (!whole && whole.error().kind == base::ErrorKind::not_found) return;
        if (!whole) return wrong("witnessed", whole.error().message);
        const auto note = Note::parse({reinterpret_cast<const char*>(whole->data()), whole->size()});
        if (!note) return wrong("witnessed", note.error().message);
        const auto checkpoint = Checkpoint::parse(note->text);
        if (!checkpoint) return wrong("witnessed", checkpoint.error().message);
        // Of before the keys were replaced: signed anew with the next checkpoint that witnesses co-sign.
        std::vector<NoteVerifier> of_log(verifiers.begin(), verifiers.end());
        of_log.insert(of_log.end(), former_.begin(), former_.end());
        const auto signed_by = endorsements(*note, of_log);
        if (!signed_by) return wrong("witnessed", signed_by.error().message);
        if (signed_by->empty() && !verifiers.empty()) return wrong("witnessed", "it is not signed by the log");
        look_at_cosignatures("witnessed", *note, of_log);
        witnessed_ = *checkpoint;
        if (policy_ == nullptr) return;
        const auto verdict = policy_->judge(*note, of_log);
        if (verdict && verdict->met()) report_.witnessed = checkpoint->size;
        else if (verdict) wrong("witnessed", "too few witnesses have signed it for the policy");
    }

    void read_pruned() {
        const auto pruned = journal::read_pruned(disk_, folder_);
        if (!pruned) return wrong("pruned", pruned.error().message);
        if (*pruned) report_.pruned = (*pruned)->minimum;
    }

    // A tile of the tree of this size: its own file, or the beginning of one that has filled since.
    base::Result<base::Bytes> tile(const TileName& name) {
        auto bytes = disk_.read_whole(folder_ / name.path(), bundle_max);
        if (bytes || bytes.error().kind != base::ErrorKind::not_found || name.width == tile_width) return bytes;
        TileName full = name;
        full.width = tile_width;
        auto whole = disk_.read_whole(folder_ / full.path(), bundle_max);
        if (!whole) return bytes;
        std::size_t end = name.width * sizeof(Hash);
        if (!name.level) {
            const auto entries = parse_bundle(*whole, tile_width);
            if (!entries) return bytes;
            end = static_cast<std::size_t>((*entries)[name.width].data() - whole->data()) - 2;
        }
        whole->resize(std::min(end, whole->size()));
        return whole;
    }

    static std::string below(const TileName& name, std::size_t hash) {
        if (name.level == 0) return {};
        return " in " + TileName{static_cast<std::uint8_t>(*name.level - 1), name.index * tile_width + hash}.path();
    }

    void compare_tile(const TileName& name, std::span<const Hash> hashes) {
        const auto bytes = tile(name);
        if (!bytes) return wrong(name.path(), bytes.error().message);
        ++report_.tiles;
        if (bytes->size() != hashes.size() * sizeof(Hash))
            return wrong(name.path(), std::format("it has {} bytes instead of {}", bytes->size(), hashes.size() * sizeof(Hash)));
        for (std::size_t i = 0; i < hashes.size(); ++i)
            if (!std::ranges::equal(std::span(*bytes).subspan(i * sizeof(Hash), sizeof(Hash)), hashes[i]))
                wrong(std::format("{}, hash {}", name.path(), i), "it is not the hash of what lies below it" + below(name, i));
        compare_parts(name, *bytes, {});
    }

    void compare_bundle(std::uint64_t index, std::span<const LogEntry> entries) {
        const TileName name{{}, index, static_cast<unsigned>(entries.size())};
        const auto bytes = tile(name);
        if (!bytes) return wrong(name.path(), bytes.error().message);
        ++report_.tiles;
        const auto found = parse_bundle(*bytes, name.width);
        if (!found) return wrong(name.path(), found.error().message);
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (!std::ranges::equal((*found)[i], entries[i]))
                wrong(std::format("{}, entry {}", name.path(), index * tile_width + i),
                      "the record that it stands for has another commitment");
        compare_parts(name, *bytes, *found);
    }

    // Parts of earlier checkpoints are beginnings of what the tile is now.
    void compare_parts(const TileName& name, std::span<const std::byte> whole, std::span<const std::span<const std::byte>> entries) {
        TileName part = name;
        part.width = tile_width;
        const std::filesystem::path parts = folder_ / (part.path() + ".p");
        const auto widths = disk_.list(parts);
        if (!widths) return;
        for (const std::string& width : *widths) {
            const auto parsed = TileName::parse(part.path() + ".p/" + width);
            if (!parsed) {
                wrong(part.path() + ".p/" + width, "this is no width of a tile");
                continue;
            }
            if (parsed->width >= name.width) continue;
            const auto bytes = disk_.read_whole(parts / width, bundle_max);
            if (!bytes) continue;  // gone meanwhile, as parts may
            ++report_.tiles;
            const std::size_t size =
                name.level ? parsed->width * sizeof(Hash) : static_cast<std::size_t>(entries[parsed->width].data() - whole.data()) - 2;
            if (!std::ranges::equal(*bytes, whole.first(size))) wrong(parsed->path(), "it is not the beginning of " + name.path());
        }
    }

    void grow(const Hash& hash, unsigned level, std::uint64_t size) {
        if (level == rows_.size()) rows_.emplace_back();
        auto& row = rows_[level];
        row.push_back(hash);
        if (row.size() < tile_width) return;
        compare_tile({static_cast<std::uint8_t>(level), (size - 1) >> (8 * (level + 1))}, row);
        Frontier above;
        for (const Hash& each : row) above.append(each);
        row.clear();
        grow(above.root(), level + 1, size);
    }

    // The leaves of what is gone, as the tiles have them: whether they are right the tiles above and the root say.
    void take_pruned(Frontier& tree) {
        for (std::uint64_t index = 0; index < report_.pruned / tile_width; ++index) {
            const TileName name{std::uint8_t{0}, index};
            const auto bytes = disk_.read_whole(folder_ / name.path(), bundle_max);
            const auto hashes = bytes ? parse_tile(*bytes, tile_width) : base::Result<std::vector<Hash>>(std::unexpected(bytes.error()));
            if (!hashes) wrong(name.path(), hashes.error().message);
            for (unsigned i = 0; i < tile_width; ++i) {
                note_root(tree);
                tree.append(hashes ? (*hashes)[i] : Hash{});
                grow((hashes ? (*hashes)[i] : Hash{}), 0, tree.size());
            }
        }
    }

    void compare_records(std::uint64_t size) {
        base::SystemRandom unused;
        RecordStore records(disk_, unused, folder_ / "records");
        Frontier tree;
        if (report_.pruned > size) return wrong("pruned", "more was pruned than the checkpoint stands for");
        if (report_.pruned > 0) {
            take_pruned(tree);
            if (disk_.open(folder_ / "records" / std::format("{:010}", report_.pruned / RecordStore::records_per_file - 1),
                           base::Disk::Open::existing))
                wrong("pruned", "records before its minimum are still there");
        }
        note_root(tree);
        std::vector<LogEntry> entries;
        const auto end = records.scan(report_.pruned, [&](const StoredRecord& record) {
            ++report_.records;
            report_.erased += record.erased ? 1 : 0;
            if (tree.size() == size) return;  // younger than the checkpoint: only the record itself can be checked
            entries.push_back(log_entry(record.commitment));
            const Hash leaf = leaf_hash(entries.back());
            tree.append(leaf);
            note_root(tree);
            grow(leaf, 0, tree.size());
            if (entries.size() == tile_width || tree.size() == size) {
                compare_bundle((tree.size() - 1) / tile_width, entries);
                entries.clear();
                if (progress_) progress_(tree.size(), size);
            }
        });
        if (!end) return wrong("records", end.error().message);
        for (std::uint64_t segment = report_.pruned / RecordStore::records_per_file; segment < end->segment; ++segment)
            if (const auto right = records.has_right_index(segment); right && !*right)
                wrong(std::format("records/{:010}.index", segment), "it does not say where the records of its file begin");
        if (tree.size() < size)
            return wrong(std::format("records/{:010}, byte {}", end->segment, end->offset),
                         std::format("record {} is damaged or missing; the checkpoint is of {}", end->index, size));
        for (unsigned level = 0; level < rows_.size(); ++level)
            if (!rows_[level].empty())
                compare_tile({static_cast<std::uint8_t>(level), size >> (8 * (level + 1)), static_cast<unsigned>(rows_[level].size())},
                             rows_[level]);
        if (witnessed_ && witnessed_root_ != witnessed_->root)
            wrong("witnessed, line 3", "the records give another root at its size, or it is larger than the checkpoint");
        if (tree.root() != report_.checkpoint->root)
            wrong("checkpoint, line 3", "the records give another root: one of them was changed after it was signed");
    }

    void note_root(const Frontier& tree) {
        if (witnessed_ && witnessed_->size == tree.size()) witnessed_root_ = tree.root();
    }

    void look_at_seal() {
        const auto bytes = disk_.read_whole(folder_ / "sealed", 64 << 20);
        if (!bytes && bytes.error().kind == base::ErrorKind::not_found) return;
        if (!bytes) return wrong("sealed", bytes.error().message);
        if (!TileStore::is_seal(*bytes)) wrong("sealed", "it is damaged; the node makes it again from the records");
    }

    base::Disk& disk_;
    const std::filesystem::path& folder_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
    const WitnessPolicy* policy_;
    const std::span<const NoteVerifier> former_;
    CheckReport report_;
    std::optional<Checkpoint> witnessed_;
    std::optional<Hash> witnessed_root_;
    std::vector<std::vector<Hash>> rows_;
};

}  // namespace

CheckReport check_log(base::Disk& disk, const std::filesystem::path& folder, std::span<const NoteVerifier> verifiers,
                      const std::function<void(std::uint64_t, std::uint64_t)>& progress, const WitnessPolicy* policy,
                      std::span<const NoteVerifier> former) {
    while (true) {
        CheckReport report = Checker(disk, folder, progress, policy, former).run(verifiers);
        if (report.sound()) return report;
        // What was pruned while it was being read looks damaged.
        const auto pruned = read_pruned(disk, folder);
        if (!pruned || !*pruned || (*pruned)->minimum == report.pruned) return report;
    }
}

}  // namespace hanse::journal
