// SPDX-License-Identifier: Apache-2.0
#include "journal/record_store.hpp"

#include <algorithm>
#include <cstring>
#include <format>

#include "record_frame.hpp"

namespace hanse::journal {
namespace {

// A record is written at most this long after its id was made.
constexpr std::uint64_t id_age_max_ms = 24ULL * 3600 * 1000;

// What erased text is overwritten with: no byte of UTF-8, and not the zero that a file is extended with.
constexpr char wiped = '\xfe';

std::uint64_t time_of(const RecordId& id) {
    std::uint64_t time = 0;
    for (std::size_t i = 0; i < 6; ++i) time = time << 8 | std::to_integer<std::uint64_t>(id[i]);
    return time;
}

StoredRecord stored(const FrameHeader& header, std::string text) {
    return {header.index, header.id, header.time_ms, header.salt, header.commitment, header.erased, std::move(text)};
}

constexpr std::string_view ahead_name = "ahead";
constexpr std::size_t look_step = 64 * 1024;

// The file at the end, and what is made ahead of it. A write over zeros that are on disk changes neither the size of a file
// nor where it lies, so its sync writes nothing else, in about half the time of one that lets the file grow. So while
// one file fills the next is made of zeros, in steps of a few hundred microseconds, under a name of its own that it gives up when
// its turn comes. What remains of the zeros stays behind the last record. Lost, there is nothing lost: then the file grows.
class TailFile final : public base::File {
public:
    TailFile(base::Disk& disk, const std::filesystem::path& folder, std::unique_ptr<base::File> file)
        : disk_(disk),
          ahead_(folder / ahead_name),
          file_(std::move(file)) {}

    base::Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> out) override { return file_->read(offset, out); }
    base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override { return file_->write(offset, bytes); }
    base::Result<std::uint64_t> size() override { return file_->size(); }
    base::Result<void> truncate(std::uint64_t size) override { return file_->truncate(size); }
    base::Result<void> sync() override { return file_->sync(); }

    // A step, if it is due where this file has `count` records in `end` bytes. An error is none.
    void make_ahead(std::uint64_t count, std::uint64_t end) {
        if (count <= from || failed_ || (wanted_ != 0 && made_ >= wanted_)) return;
        // As large as this one will be, and a little more.
        if (wanted_ == 0) wanted_ = std::min(most, (end / count + 1) * RecordStore::records_per_file / 16 * 17);
        const std::uint64_t due = wanted_ * (std::min(count, until) - from) / (until - from);
        // Where the disk gives so many syncs a second and no more, each of these costs a batch: so not after every one.
        if (++batches_ % rest != 0 || made_ >= due) return;
        const base::Bytes zeros(std::min(most_at_once, (due - made_ + step - 1) / step * step));
        const auto file = disk_.open(ahead_, base::Disk::Open::create);
        if (file && (made_ > 0 || (*file)->truncate(0)) && (*file)->write(made_, zeros) && (*file)->sync()) {
            made_ += zeros.size();
            return;
        }
        // What is there of it may be the room that records need.
        (void)disk_.remove(ahead_);
        failed_ = true;
    }
    // The next file begins; its name is durable when its first records are.
    void give_ahead(const std::filesystem::path& next) {
        if (made_ > 0 && !failed_) (void)disk_.rename(ahead_, next);
        forget_ahead();
    }
    void forget_ahead() { made_ = wanted_ = 0; }

private:
    static constexpr std::uint64_t from = RecordStore::records_per_file / 4;
    static constexpr std::uint64_t until = RecordStore::records_per_file * 3 / 4;
    static constexpr std::uint64_t step = 128 << 10;
    static constexpr std::uint64_t most_at_once = 512 << 10;
    static constexpr std::uint64_t most = 32 << 20;
    static constexpr unsigned rest = 8;  // batches

    base::Disk& disk_;
    std::filesystem::path ahead_;
    std::unique_ptr<base::File> file_;
    std::uint64_t made_ = 0;    // bytes of the next file
    std::uint64_t wanted_ = 0;  // 0: not begun
    unsigned batches_ = 0;
    bool failed_ = false;
};

// The header at `offset`; nothing at the end or where it is broken.
base::Result<std::optional<FrameHeader>> header_at(base::File& file, std::uint64_t offset) {
    std::array<std::byte, header_size> bytes{};
    const auto got = file.read(offset, bytes);
    if (!got) return std::unexpected(got.error());
    return FrameHeader::parse(std::span(bytes).first(*got));
}

std::filesystem::path index_of(std::filesystem::path records) { return records += ".index"; }
constexpr std::size_t index_entry = 8 + sizeof(RecordId);
constexpr std::size_t index_size = RecordStore::records_per_file * index_entry + sizeof(Hash);

base::Bytes index_bytes(const auto& places) {
    base::Bytes bytes(places.size() * index_entry);
    std::size_t at = 0;
    for (const auto& [offset, id] : places) {
        std::memcpy(bytes.data() + at, &offset, sizeof offset);
        std::memcpy(bytes.data() + at + sizeof offset, id.data(), id.size());
        at += index_entry;
    }
    const Hash check = crypto::sha256(bytes);
    bytes.insert(bytes.end(), check.begin(), check.end());
    return bytes;
}

template <typename Places>
std::optional<Places> parse_index(std::span<const std::byte> bytes) {
    if (bytes.size() != index_size) return std::nullopt;
    const auto checked = bytes.first(bytes.size() - sizeof(Hash));
    if (!std::ranges::equal(crypto::sha256(checked), bytes.last(sizeof(Hash)))) return std::nullopt;
    Places places(RecordStore::records_per_file);
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::memcpy(&places[i].offset, checked.data() + i * index_entry, 8);
        std::memcpy(places[i].id.data(), checked.data() + i * index_entry + 8, sizeof(RecordId));
    }
    return places;
}

// The text behind a header; nothing if it is cut short, not what the commitment says, or not followed by zeros.
base::Result<std::optional<std::string>> text_at(base::File& file, std::uint64_t offset, FrameHeader& header) {
    std::string text(header.frame_size() - header_size, '\0');
    const auto got = file.read(offset + header_size, std::as_writable_bytes(std::span(text)));
    if (!got) return std::unexpected(got.error());
    if (*got != text.size() || text.find_first_not_of('\0', header.length) != text.npos) return std::nullopt;
    text.resize(header.length);
    // Text that is wiped while its salt is not: an erasure that a power cut stopped half-way.
    if (header.erased || (!text.empty() && text.find_first_not_of(wiped) == text.npos)) {
        if (text.find_first_not_of(wiped) != text.npos) return std::nullopt;
        header.erased = true;
        header.salt = {};
        return std::string();
    }
    if (commitment_of(header.salt, text) != header.commitment) return std::nullopt;
    return text;
}

}  // namespace

LogEntry log_entry(const Hash& commitment) {
    LogEntry entry{std::byte{1}};
    std::ranges::copy(commitment, entry.begin() + 1);
    return entry;
}
Hash commitment_of(const Salt& salt, std::string_view text) { return crypto::hmac_sha256(salt, base::bytes_of(text)); }

RecordStore::RecordStore(base::Disk& disk, base::Random& random, std::filesystem::path folder)
    : disk_(disk),
      random_(random),
      folder_(std::move(folder)) {}
RecordStore::~RecordStore() = default;

std::filesystem::path RecordStore::path_of(std::uint64_t segment) const { return folder_ / std::format("{:010}", segment); }

// The last file stays open for appending; of the others one at a time.
base::Result<base::File*> RecordStore::file_of(std::uint64_t segment, base::Disk::Open how) {
    if (segment == tail_segment_ && tail_) return tail_.get();
    if (how == base::Disk::Open::existing && segment == reading_segment_ && reading_) return reading_.get();
    auto file = disk_.open(path_of(segment), how);
    if (!file) return std::unexpected(file.error());
    if (how == base::Disk::Open::create) file = std::make_unique<TailFile>(disk_, folder_, std::move(*file));
    auto& kept = how == base::Disk::Open::create ? tail_ : reading_;
    (how == base::Disk::Open::create ? tail_segment_ : reading_segment_) = segment;
    kept = std::move(*file);
    return kept.get();
}

// The first `count` headers of a file, one after the other.
base::Result<RecordStore::Places> RecordStore::read_places(std::uint64_t segment, std::uint64_t count) {
    const auto file = file_of(segment, base::Disk::Open::existing);
    if (!file) return std::unexpected(file.error());
    Places places;
    places.reserve(count);
    std::uint64_t offset = 0;
    for (std::uint64_t at = segment * records_per_file; places.size() < count; ++at) {
        const auto header = header_at(**file, offset);
        if (!header) return std::unexpected(header.error());
        if (!*header || (*header)->index != at)
            return base::fail(base::ErrorKind::corrupt,
                              std::format("record {} in {} is damaged at byte {}", at, path_of(segment).string(), offset));
        places.push_back({offset, (*header)->id});
        offset += (*header)->frame_size();
    }
    return places;
}

std::optional<RecordStore::Places> RecordStore::read_index(std::uint64_t segment) {
    const auto bytes = disk_.read_whole(index_of(path_of(segment)), index_size);
    if (!bytes) return std::nullopt;
    return parse_index<Places>(*bytes);
}

// By a file beside it, so that a power cut leaves a whole one or none. Nothing depends on it: an error is no error.
void RecordStore::write_index(std::uint64_t segment, const Places& places) {
    const std::filesystem::path path = index_of(path_of(segment));
    const std::filesystem::path beside = path.string() + ".new";
    {
        const auto file = disk_.open(beside, base::Disk::Open::create);
        if (!file || !(*file)->truncate(0) || !(*file)->write(0, index_bytes(places)) || !(*file)->sync()) return;
    }
    (void)disk_.rename(beside, path);
}

void RecordStore::write_indexes() {
    for (const auto& [segment, places] : std::exchange(filled_, {})) write_index(segment, places);
    if (tail_) static_cast<TailFile&>(*tail_).make_ahead(size_ % records_per_file, end_);
}

base::Result<bool> RecordStore::has_right_index(std::uint64_t segment) {
    const auto bytes = disk_.read_whole(index_of(path_of(segment)), index_size + 1);
    if (!bytes && bytes.error().kind == base::ErrorKind::not_found) return true;
    const auto places = read_places(segment, records_per_file);
    if (!places) return std::unexpected(places.error());
    return bytes && *bytes == index_bytes(*places);
}

base::Result<void> RecordStore::prune(std::uint64_t first) {
    first_ = std::max(first_, first);
    const auto names = disk_.list(folder_);
    if (!names) return std::unexpected(names.error());
    bool any = false;
    for (const std::string& name : *names) {
        if (folder_ / name >= path_of(first_ / records_per_file)) continue;
        any = true;
        if (auto gone = disk_.remove(folder_ / name); !gone) return gone;
    }
    reading_.reset();
    reading_segment_ = read_places_segment_ = UINT64_MAX;
    return any ? disk_.sync_folder(folder_) : base::Result<void>();
}

base::Result<const RecordStore::Places*> RecordStore::places_of(std::uint64_t segment) {
    if (segment == size_ / records_per_file) return &tail_places_;
    if (segment == read_places_segment_) return &read_places_;
    if (auto found = read_index(segment)) {
        read_places_ = std::move(*found);
    } else {
        auto read = read_places(segment, records_per_file);
        if (!read) return std::unexpected(read.error());
        read_places_ = std::move(*read);
        write_index(segment, read_places_);
    }
    read_places_segment_ = segment;
    return &read_places_;
}

// While the store is being opened nothing of its end is known, so the headers are asked.
base::Result<std::uint64_t> RecordStore::offset_of(std::uint64_t index) {
    const std::uint64_t segment = index / records_per_file;
    const std::uint64_t count = index % records_per_file;
    if (index < size_) {
        const auto places = places_of(segment);
        if (!places) return std::unexpected(places.error());
        return (**places)[count].offset;
    }
    if (count == 0) return 0;
    const auto places = read_places(segment, count);
    if (!places) return std::unexpected(places.error());
    const auto file = file_of(segment, base::Disk::Open::existing);
    if (!file) return std::unexpected(file.error());
    const auto last = header_at(**file, places->back().offset);
    if (!last || !*last) return base::fail(base::ErrorKind::corrupt, path_of(segment).string() + " cannot be read twice");
    return places->back().offset + (*last)->frame_size();
}

base::Result<bool> RecordStore::later_batch_follows(std::uint64_t segment, std::uint64_t offset, std::uint64_t index) {
    const auto names = disk_.list(folder_);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names) {
        const std::filesystem::path path = folder_ / name;
        // What is being made ahead has nothing that was acknowledged, and may be gone by now.
        if (path < path_of(segment) || name.contains(".index") || name == ahead_name) continue;
        const auto file = disk_.open(path, base::Disk::Open::existing);
        if (!file) return std::unexpected(file.error());
        const auto size = (*file)->size();
        if (!size) return std::unexpected(size.error());
        base::Bytes bytes(look_step);
        for (std::uint64_t at = path == path_of(segment) ? offset : 0; at < *size; at += look_step) {
            const auto got = (*file)->read(at, bytes);
            if (!got) return std::unexpected(got.error());
            for (std::size_t in = 0; in < *got; in += frame_align) {
                const auto header = FrameHeader::parse(std::span(bytes).subspan(in, std::min(frame_align, *got - in)));
                if (header && header->batch > index) return true;
            }
        }
    }
    return false;
}

// Everything behind this place goes: the rest of the file, and the files after it.
base::Result<void> RecordStore::cut(std::uint64_t segment, std::uint64_t offset) {
    const auto file = file_of(segment, base::Disk::Open::create);
    if (!file) return std::unexpected(file.error());
    if (auto done = (*file)->truncate(offset); !done) return done;
    if (auto done = (*file)->sync(); !done) return done;
    reading_.reset();
    reading_segment_ = UINT64_MAX;
    static_cast<TailFile&>(**file).forget_ahead();
    const auto names = disk_.list(folder_);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names) {
        if (folder_ / name <= path_of(segment)) continue;
        if (auto gone = disk_.remove(folder_ / name); !gone) return gone;
    }
    return disk_.sync_folder(folder_);
}

base::Result<RecordStore::End> RecordStore::scan(std::uint64_t from, const std::function<void(const StoredRecord&)>& each) {
    End at{from, from / records_per_file, 0};
    if (from % records_per_file != 0) {
        const auto found = offset_of(from);
        if (!found) return std::unexpected(found.error());
        at.offset = *found;
    }
    while (true) {
        auto found = sound_at(at);
        if (!found) return std::unexpected(found.error());
        if (!*found) {
            const auto damaged = later_batch_follows(at.segment, at.offset, at.index);
            if (!damaged) return std::unexpected(damaged.error());
            if (!*damaged) return at;
            // Beside a writer the two looks may be of before and after: where a later batch is, this one is whole now.
            found = sound_at(at);
            if (!found) return std::unexpected(found.error());
        }
        if (!*found)
            return base::fail(base::ErrorKind::corrupt, std::format("record {} is damaged: {} at byte {}, and sound records follow it",
                                                                    at.index, path_of(at.segment).string(), at.offset));
        if (each) each((*found)->record);
        at.offset += (*found)->frame_size;
        if (++at.index % records_per_file != 0) continue;
        ++at.segment;
        at.offset = 0;
    }
}

base::Result<std::optional<RecordStore::Found>> RecordStore::sound_at(const End& at) {
    const auto file = file_of(at.segment, base::Disk::Open::existing);
    if (!file && file.error().kind == base::ErrorKind::not_found) return std::nullopt;
    if (!file) return std::unexpected(file.error());
    auto header = header_at(**file, at.offset);
    if (!header) return std::unexpected(header.error());
    if (!*header || (*header)->index != at.index) return std::nullopt;
    auto text = text_at(**file, at.offset, **header);
    if (!text) return std::unexpected(text.error());
    if (!*text) return std::nullopt;
    return Found{stored(**header, std::move(**text)), (*header)->frame_size()};
}

base::Result<void> RecordStore::open(std::uint64_t from, std::uint64_t least, const std::function<void(const StoredRecord&)>& each) {
    if (auto made = disk_.make_folders(folder_.parent_path()); !made) return made;
    if (auto made = disk_.make_folders(folder_); !made) return made;
    tail_.reset();
    reading_.reset();
    tail_segment_ = reading_segment_ = UINT64_MAX;
    const auto end = scan(from, each);
    if (!end && end.error().kind != base::ErrorKind::not_found) return std::unexpected(end.error());
    if (const std::uint64_t there = end ? end->index : from / records_per_file * records_per_file; there < least)
        return base::fail(base::ErrorKind::corrupt, std::format("records are missing or damaged from record {} on: {} should be in {}",
                                                                there, least, folder_.string()));
    size_ = 0;
    if (auto done = cut(end->segment, end->offset); !done) return done;
    read_places_segment_ = UINT64_MAX;
    filled_.clear();
    tail_places_.clear();
    if (end->index % records_per_file != 0) {
        auto places = read_places(end->segment, end->index % records_per_file);
        if (!places) return std::unexpected(places.error());
        tail_places_ = std::move(*places);
    }
    size_ = end->index;
    end_ = end->offset;
    return {};
}

base::Result<std::vector<Hash>> RecordStore::append(std::span<const NewRecord> records) {
    std::vector<Hash> commitments;
    commitments.reserve(records.size());
    const std::uint64_t batch = size_;
    const std::uint64_t first_segment = size_ / records_per_file;
    const std::uint64_t first_end = end_;
    std::uint64_t index = size_;
    std::uint64_t end = end_;
    base::Bytes buffer;
    Places places;  // in the last file that the batch reaches
    std::vector<std::pair<std::uint64_t, Places>> filled;
    std::vector<Salt> salts(records.size());
    random_.fill(std::as_writable_bytes(std::span(salts)));

    // Leaves no trace of a batch for which there was no room; an error while doing so is the worse one.
    const auto undo = [&](base::Error error) -> base::Result<std::vector<Hash>> {
        if (error.code != "disk_full") return std::unexpected(std::move(error));
        if (auto cleared = cut(first_segment, first_end); !cleared) return std::unexpected(cleared.error());
        return std::unexpected(std::move(error));
    };
    const auto flush = [&](std::uint64_t segment) -> base::Result<void> {
        const bool fresh = end == 0;
        if (fresh && tail_) static_cast<TailFile&>(*tail_).give_ahead(path_of(segment));
        const auto file = file_of(segment, base::Disk::Open::create);
        if (!file) return std::unexpected(file.error());
        if (auto written = (*file)->write(end, buffer); !written) return written;
        if (auto synced = (*file)->sync(); !synced) return synced;
        end += buffer.size();
        buffer.clear();
        if (fresh) return disk_.sync_folder(folder_);
        return {};
    };

    for (const NewRecord& record : records) {
        if (record.text.size() > record_max) return base::fail(base::ErrorKind::too_large, "a record of the journal has at most 256 KiB");
        FrameHeader header{.length = static_cast<std::uint32_t>(record.text.size()),
                           .index = index,
                           .batch = batch,
                           .time_ms = record.time_ms,
                           .id = record.id,
                           .salt = salts[commitments.size()]};
        header.commitment = commitment_of(header.salt, record.text);
        commitments.push_back(header.commitment);
        places.push_back({end + buffer.size(), record.id});
        const std::size_t at = buffer.size();
        buffer.resize(at + header.frame_size());
        std::ranges::copy(header.bytes(), buffer.begin() + static_cast<std::ptrdiff_t>(at));
        std::memcpy(buffer.data() + at + header_size, record.text.data(), record.text.size());
        if (++index % records_per_file != 0) continue;
        const std::uint64_t segment = (index - 1) / records_per_file;
        if (auto flushed = flush(segment); !flushed) return undo(flushed.error());
        Places whole = segment == first_segment ? tail_places_ : Places{};
        whole.insert(whole.end(), places.begin(), places.end());
        filled.emplace_back(segment, std::move(whole));
        places.clear();
        end = 0;
    }
    if (!buffer.empty())
        if (auto flushed = flush(index / records_per_file); !flushed) return undo(flushed.error());
    if (index / records_per_file != first_segment) tail_places_.clear();
    filled_.insert(filled_.end(), std::make_move_iterator(filled.begin()), std::make_move_iterator(filled.end()));
    tail_places_.insert(tail_places_.end(), places.begin(), places.end());
    size_ = index;
    end_ = end;
    return commitments;
}

base::Result<StoredRecord> RecordStore::read(std::uint64_t index) {
    if (index >= size_) return base::fail(base::ErrorKind::not_found, std::format("there is no record {}", index));
    if (index < first_) return base::fail(base::ErrorKind::not_found, std::format("record {} was pruned", index), "receipt_pruned");
    const auto offset = offset_of(index);
    if (!offset) return std::unexpected(offset.error());
    auto record = read_at(index, *offset);
    const std::uint64_t segment = index / records_per_file;
    if (record || record.error().kind != base::ErrorKind::corrupt || segment == size_ / records_per_file) return record;
    // The index may be of another time: the headers know better.
    const auto places = read_places(segment, index % records_per_file + 1);
    if (!places || places->back().offset == *offset) return record;
    read_places_segment_ = UINT64_MAX;
    return read_at(index, places->back().offset);
}

base::Result<StoredRecord> RecordStore::read_at(std::uint64_t index, std::uint64_t offset) {
    const auto file = file_of(index / records_per_file, base::Disk::Open::existing);
    if (!file) return std::unexpected(file.error());
    auto header = header_at(**file, offset);
    if (!header) return std::unexpected(header.error());
    std::optional<std::string> text;
    if (*header && (*header)->index == index) {
        auto found = text_at(**file, offset, **header);
        if (!found) return std::unexpected(found.error());
        text = std::move(*found);
    }
    if (!text)
        return base::fail(base::ErrorKind::corrupt,
                          std::format("record {} in {} is damaged at byte {}", index, path_of(index / records_per_file).string(), offset));
    return stored(**header, std::move(*text));
}

base::Result<StoredRecord> RecordStore::find(const RecordId& id) {
    const auto absent = [] { return base::fail(base::ErrorKind::not_found, "there is no such record"); };
    if (size_ <= first_) return absent();
    const auto begins = [&](std::uint64_t segment) -> base::Result<std::uint64_t> {
        const auto file = file_of(segment, base::Disk::Open::existing);
        if (!file) return std::unexpected(file.error());
        const auto header = header_at(**file, 0);
        if (!header) return std::unexpected(header.error());
        if (!*header) return base::fail(base::ErrorKind::corrupt, path_of(segment).string() + " is damaged at byte 0");
        return (*header)->time_ms;
    };
    // The first file whose records may be as young as the id: the one before the first that begins after it.
    const std::uint64_t made = time_of(id);
    std::uint64_t low = first_ / records_per_file;
    std::uint64_t high = (size_ - 1) / records_per_file;
    while (low < high) {
        const std::uint64_t middle = low + (high - low + 1) / 2;
        const auto begin = begins(middle);
        if (!begin) return std::unexpected(begin.error());
        if (*begin < made) low = middle;
        else high = middle - 1;
    }
    for (std::uint64_t segment = low; segment <= (size_ - 1) / records_per_file; ++segment) {
        const auto begin = begins(segment);
        if (!begin) return std::unexpected(begin.error());
        if (*begin > made + id_age_max_ms) break;
        const auto places = places_of(segment);
        if (!places) return std::unexpected(places.error());
        const auto found = std::ranges::find(**places, id, &Place::id);
        if (found != (*places)->end()) return read(segment * records_per_file + static_cast<std::uint64_t>(found - (*places)->begin()));
    }
    return absent();
}

base::Result<void> RecordStore::erase(std::uint64_t index) {
    if (index >= size_ || index < first_) return base::fail(base::ErrorKind::not_found, std::format("there is no record {}", index));
    const auto offset = offset_of(index);
    if (!offset) return std::unexpected(offset.error());
    const auto file = file_of(index / records_per_file, base::Disk::Open::existing);
    if (!file) return std::unexpected(file.error());
    auto header = header_at(**file, *offset);
    if (!header) return std::unexpected(header.error());
    if (!*header) return base::fail(base::ErrorKind::corrupt, std::format("record {} is damaged", index));
    // First the text, then, when that is durable, the salt with the mark: a cut between them leaves wiped text,
    // which reads as erased.
    if (auto done = (*file)->write(*offset + header_size, base::bytes_of(std::string((*header)->length, wiped))); !done) return done;
    if (auto done = (*file)->sync(); !done) return done;
    (*header)->salt = {};
    (*header)->erased = true;
    if (auto done = (*file)->write(*offset, (*header)->bytes()); !done) return done;
    return (*file)->sync();
}

}  // namespace hanse::journal
