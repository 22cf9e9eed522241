// SPDX-License-Identifier: Apache-2.0
#include "journal/witness_policy.hpp"

#include <algorithm>
#include <format>

#include "number.hpp"

namespace hanse::journal {
namespace {

constexpr std::size_t file_max = 256 * 1024;
constexpr std::size_t each_max = 256;
constexpr std::string_view white = " \t";

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        const auto begin = line.find_first_not_of(white);
        if (begin == line.npos) return words;
        line.remove_prefix(begin);
        const auto end = std::min(line.find_first_of(white), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(end);
    }
}

bool is_allowed(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || byte == '\n' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

// Takes the file line by line; what it returns is what is wrong with the line, if anything.
class WitnessPolicy::Reader {
public:
    explicit Reader(WitnessPolicy& made) : made_(made) {}
    bool has_quorum() const { return quorum_; }

    std::optional<std::string> take(std::string_view line) {
        const auto words = words_of(line);
        if (words.empty() || words.front().front() == '#') return std::nullopt;
        if (words.front() == "log") return take_log(words);
        if (words.front() == "witness") return take_witness(words);
        if (words.front() == "group") return take_group(words);
        if (words.front() == "quorum") return take_quorum(words);
        return std::format("\"{}\" is none of log, witness, group and quorum", words.front().substr(0, 40));
    }

private:
    using Words = std::vector<std::string_view>;

    std::optional<std::string> take_log(const Words& words) {
        if (words.size() < 2 || words.size() > 3) return "a log has a key and perhaps a URL";
        auto verifier = NoteVerifier::from_vkey(words[1]);
        if (!verifier) return verifier.error().message;
        if (verifier->type() == NoteType::ed25519_cosignature) return "this key is for cosignatures of Ed25519, not for a log";
        const auto same = [&](const KnownLog& each) { return each.verifier.key() == verifier->key(); };
        if (std::ranges::any_of(made_.logs_, same)) return "this log is there twice";
        if (made_.logs_.size() == each_max) return "there are more than 256 logs";
        made_.logs_.push_back({std::move(*verifier), std::string(words.size() > 2 ? words[2] : "")});
        return std::nullopt;
    }
    std::optional<std::string> take_witness(const Words& words) {
        if (words.size() < 3 || words.size() > 4) return "a witness has a name, a key and perhaps a URL";
        if (auto wrong = new_name(words[1])) return wrong;
        auto verifier = NoteVerifier::from_vkey(words[2]);
        if (!verifier) return verifier.error().message;
        if (verifier->type() == NoteType::ed25519) return "this key is not for cosignatures";
        const auto same = [&](const KnownWitness& each) { return each.verifier.key() == verifier->key(); };
        if (std::ranges::any_of(made_.witnesses_, same)) return "this witness is there twice";
        if (made_.witnesses_.size() == each_max) return "there are more than 256 witnesses";
        made_.members_.push_back({.name = std::string(words[1]), .witness = made_.witnesses_.size()});
        made_.witnesses_.push_back({std::string(words[1]), std::move(*verifier), std::string(words.size() > 3 ? words[3] : "")});
        return std::nullopt;
    }
    std::optional<std::string> take_group(const Words& words) {
        if (words.size() < 4) return "a group has a name, a number and at least one member";
        if (auto wrong = new_name(words[1])) return wrong;
        if (made_.members_.size() - made_.witnesses_.size() == each_max) return "there are more than 256 groups";
        Member group{.name = std::string(words[1])};
        for (const std::string_view name : std::span(words).subspan(3)) {
            const auto found = std::ranges::find(made_.members_, name, &Member::name);
            if (found == made_.members_.end()) return std::format("\"{}\" is not defined above this line", name.substr(0, 40));
            if (std::exchange(found->taken, true)) return std::format("\"{}\" is a member of a group already", name.substr(0, 40));
            group.members.push_back(static_cast<std::size_t>(found - made_.members_.begin()));
        }
        const auto count = words[2] == "all" ? group.members.size() : words[2] == "any" ? 1 : decimal(words[2]).value_or(0);
        if (count == 0 || count > group.members.size())
            return std::format("of {} members at least 1 and at most all are asked for", group.members.size());
        group.threshold = count;
        made_.members_.push_back(std::move(group));
        return std::nullopt;
    }
    std::optional<std::string> take_quorum(const Words& words) {
        if (words.size() != 2) return "quorum is followed by one name";
        if (std::exchange(quorum_, true)) return "there is one quorum only";
        if (words[1] == "none") return std::nullopt;
        const auto found = std::ranges::find(made_.members_, words[1], &Member::name);
        if (found == made_.members_.end()) return std::format("\"{}\" is not defined above this line", words[1].substr(0, 40));
        made_.quorum_ = static_cast<std::size_t>(found - made_.members_.begin());
        return std::nullopt;
    }
    std::optional<std::string> new_name(std::string_view name) const {
        if (name == "none") return "none is no name of a witness or group";
        if (std::ranges::contains(made_.members_, name, &Member::name)) return std::format("\"{}\" is there twice", name.substr(0, 40));
        return std::nullopt;
    }

    WitnessPolicy& made_;
    bool quorum_ = false;
};

base::Result<WitnessPolicy> WitnessPolicy::parse(std::string_view text) {
    const auto refuse = [](int line, std::string_view why) {
        return base::fail(base::ErrorKind::invalid, std::format("line {} of the witness policy: {}", line, why));
    };
    if (text.size() > file_max) return base::fail(base::ErrorKind::invalid, "a witness policy has at most 256 KiB");
    WitnessPolicy made;
    Reader reader(made);
    int number = 1;
    for (; !text.empty(); ++number) {
        const auto end = text.find('\n');
        if (end == text.npos) return refuse(number, "it has no end");
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (!std::ranges::all_of(line, is_allowed)) return refuse(number, "it holds a control character");
        if (const auto wrong = reader.take(line)) return refuse(number, *wrong);
    }
    if (!reader.has_quorum()) return refuse(number, "the quorum is missing");
    return made;
}

std::vector<NoteVerifier> WitnessPolicy::verifiers() const {
    std::vector<NoteVerifier> all;
    for (const KnownLog& log : logs_) all.push_back(log.verifier);
    for (const KnownWitness& witness : witnesses_) all.push_back(witness.verifier);
    return all;
}

base::Result<WitnessPolicy::Verdict> WitnessPolicy::judge(const Note& note, std::span<const NoteVerifier> log_keys) const {
    const auto checkpoint = Checkpoint::parse(note.text);
    if (!checkpoint) return std::unexpected(checkpoint.error());
    std::vector<NoteVerifier> known(log_keys.begin(), log_keys.end());
    for (const KnownLog& log : logs_) known.push_back(log.verifier);
    const auto by_logs = endorsements(note, known);
    if (!by_logs) return std::unexpected(by_logs.error());
    Verdict verdict;
    verdict.log = std::ranges::any_of(*by_logs, [&](const Endorsement& each) { return each.verifier->name() == checkpoint->origin; });

    std::vector<bool> met(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
        const Member& member = members_[i];
        if (member.witness) {
            const auto signed_by = endorsements(note, {&witnesses_[*member.witness].verifier, 1});
            if (!signed_by) return std::unexpected(signed_by.error());
            met[i] = !signed_by->empty();
            (met[i] ? verdict.cosigned : verdict.missing).push_back(member.name);
        } else {
            const auto count = std::ranges::count_if(member.members, [&](std::size_t each) { return met[each]; });
            met[i] = static_cast<std::size_t>(count) >= member.threshold;
        }
    }
    verdict.quorum = !quorum_ || met[*quorum_];
    return verdict;
}

}  // namespace hanse::journal
