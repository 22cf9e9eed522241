// SPDX-License-Identifier: Apache-2.0
#include "forge/sum_round.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <format>
#include <optional>

#include "catalog/files.hpp"
#include "crypto/digest.hpp"
#include "crypto/key_derivation.hpp"
#include "crypto/sealing.hpp"
#include "forge/tensor_file.hpp"
#include "forge/tensor_writer.hpp"

namespace hanse::forge {
namespace fs = std::filesystem;
namespace {

using base::ErrorKind;
using base::fail;
using base::Result;

constexpr std::size_t text_max = 1U << 20U;
constexpr std::string_view masked_kind = "hanse masked 1";

// Becomes a file's name.
bool is_member_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

// A text of lines "KEY VALUE".
class Lines {
public:
    Lines(std::string_view text, std::string_view what) : text_(text), what_(what) {}
    bool next() {
        if (at_ >= text_.size()) return false;
        const auto end = std::min(text_.find('\n', at_), text_.size());
        const auto line = text_.substr(at_, end - at_);
        at_ = end + 1;
        ++number_;
        const auto blank = line.find(' ');
        key = line.substr(0, blank);
        value = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
        return true;
    }
    std::unexpected<base::Error> wrong(std::string_view what) const {
        return fail(ErrorKind::corrupt, std::format("{}, line {}: {}", what_, number_, what), "invalid_sum");
    }
    std::string_view key, value;

private:
    std::string_view text_, what_;
    std::size_t at_ = 0, number_ = 0;
};

std::optional<std::array<std::byte, 32>> secret_of(std::string_view digits) {
    const auto bytes = base::from_hex(digits);
    if (!bytes || bytes->size() != 32) return {};
    std::array<std::byte, 32> secret;
    std::ranges::copy(*bytes, secret.begin());
    return secret;
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) out.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// All that a member draws in a round, from one seed: HMAC-SHA-256 in counter mode (NIST SP 800-108).
class SeedStream final : public base::Random {
public:
    explicit SeedStream(const SumSecret& seed) : seed_(seed) {}
    ~SeedStream() override { crypto::wipe(seed_); }
    void fill(std::span<std::byte> out) override {
        while (!out.empty()) {
            const auto block = crypto::hmac_sha256(seed_, base::bytes_of(std::format("hanse secure sum, draw {}", counter_++)));
            const auto some = std::min(out.size(), block.size());
            std::ranges::copy(std::span(block).first(some), out.begin());
            out = out.subspan(some);
        }
    }

private:
    SumSecret seed_;
    std::uint64_t counter_ = 0;
};

fs::path shares_file(const fs::path& round, std::string_view member) { return round / std::format("{}.shares", member); }
fs::path masked_file(const fs::path& round, std::string_view member) { return round / std::format("{}.masked.safetensors", member); }
fs::path reveal_file(const fs::path& round, std::string_view member) { return round / std::format("{}.reveal", member); }

std::string digest_of(std::span<const std::byte> bytes) { return base::hex(crypto::sha256(bytes)); }

// What a member keeps of a round at home.
struct SumState {
    SumSecret seed = {};
    std::string masked;    // digest of what was masked
    std::string revealed;  // digest of the list that it was revealed for
};

fs::path state_file(const SumPlace& place, const SumPlan& plan) {
    return place.home / std::format("{}-{}.state", place.member, digest_of(base::bytes_of(plan.text)).substr(0, 16));
}

Result<SumState> read_state(const SumPlace& place, const SumPlan& plan) {
    const auto file = state_file(place, plan).string();
    const auto text = catalog::read_file_whole(file, text_max);
    if (!text) {
        if (text.error().kind != ErrorKind::not_found) return std::unexpected(text.error());
        return fail(ErrorKind::not_found, std::format("{} has given no shares in this round yet, or its home is another", place.member));
    }
    SumState state;
    bool seeded = false;
    for (Lines lines(*text, file); lines.next();) {
        if (lines.key == "masked") state.masked = lines.value;
        else if (lines.key == "revealed") state.revealed = lines.value;
        else if (const auto seed = lines.key == "seed" ? secret_of(lines.value) : std::nullopt) state.seed = *seed, seeded = true;
        else return lines.wrong("it is neither seed, masked nor revealed");
    }
    if (!seeded) return fail(ErrorKind::corrupt, std::format("{} holds no seed", file), "invalid_sum");
    return state;
}

Result<void> write_state(const SumPlace& place, const SumPlan& plan, const SumState& state) {
    std::string text = std::format("seed {}\n", base::hex(state.seed));
    if (!state.masked.empty()) text += std::format("masked {}\n", state.masked);
    if (!state.revealed.empty()) text += std::format("revealed {}\n", state.revealed);
    return catalog::write_file_whole(state_file(place, plan), text, 0600);
}

Result<std::vector<SumSecret>> pairs_of(const SumPlace& place, const SumPlan& plan) {
    std::vector<SumSecret> pairs(plan.members.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (plan.members[i] == place.member) continue;
        const auto file = place.home / std::format("{}.pair", plan.members[i]);
        const auto text = catalog::read_file_whole(file, 256);
        if (!text) return std::unexpected(text.error());
        const auto secret = secret_of(std::string_view(*text).substr(0, std::min(text->size(), text->find('\n'))));
        if (!secret) return fail(ErrorKind::corrupt, std::format("{} holds no 64 hexadecimal digits", file.string()), "invalid_sum");
        pairs[i] = *secret;
    }
    return pairs;
}

crypto::Secret sealing_key(const SumSecret& pair, const SumPlan& plan) {
    return crypto::hkdf_sha384(crypto::Secret::copy_of(pair), base::bytes_of(plan.text), "hanse secure sum, share", 32);
}

base::Bytes bound_to(std::string_view from, std::string_view to) {
    const auto text = std::format("{} to {}", from, to);
    const auto bytes = base::bytes_of(text);
    return {bytes.begin(), bytes.end()};
}

struct Own {
    SumPlan plan;
    std::uint32_t number = 0;
    std::vector<SumSecret> pairs;
};

Result<Own> own_of(const SumPlace& place) {
    auto plan = read_sum(place.round);
    if (!plan) return std::unexpected(plan.error());
    const auto number = plan->number(place.member);
    if (!number) return std::unexpected(number.error());
    auto pairs = pairs_of(place, *plan);
    if (!pairs) return std::unexpected(pairs.error());
    return Own{std::move(*plan), *number, std::move(*pairs)};
}

// The member as it was when it gave its shares, with the shares of all others.
Result<SumMember> member_of(const SumPlace& place, const Own& own, const SumState& state) {
    SeedStream stream(state.seed);
    auto member = SumMember::create(own.plan.round(), own.number, own.pairs, stream);
    if (!member) return member;
    for (std::uint32_t other = 0; other < own.plan.members.size(); ++other) {
        const auto& from = own.plan.members[other];
        if (other == own.number) continue;
        const auto file = shares_file(place.round, from);
        const auto text = catalog::read_file_whole(file, text_max);
        if (!text) return std::unexpected(text.error());
        std::optional<crypto::Secret> share;
        for (Lines lines(*text, file.string()); lines.next();) {
            if (lines.key != place.member) continue;
            const auto sealed = base::from_base64(lines.value);
            if (!sealed || share) return lines.wrong("it is no share, or a second one");
            auto opened = crypto::open_sealed(sealing_key(own.pairs[other], own.plan), *sealed, bound_to(from, place.member));
            if (!opened || opened->reveal().size() != 32)
                return lines.wrong("the share does not open: the two have different pair secrets, or it was changed");
            share = std::move(*opened);
        }
        if (!share) return fail(ErrorKind::corrupt, std::format("{} holds no share for {}", file.string(), place.member), "invalid_sum");
        SumShare given{other, {}};
        std::ranges::copy(share->reveal(), given.value.begin());
        if (auto taken = member->take(given); !taken) return std::unexpected(taken.error());
    }
    return member;
}

Result<std::vector<std::uint32_t>> sent_in(const fs::path& round, const SumPlan& plan) {
    const auto file = (round / "sent.txt").string();
    const auto text = catalog::read_file_whole(file, text_max);
    if (!text) return std::unexpected(text.error());
    std::vector<std::uint32_t> sent;
    for (Lines lines(*text, file); lines.next();) {
        const auto number = plan.number(lines.key);
        if (!number || (!sent.empty() && sent.back() >= *number)) return lines.wrong("it is no member, or not in the members' order");
        sent.push_back(*number);
    }
    return sent;
}

}  // namespace

SumRound SumPlan::round() const {
    const auto bytes = base::bytes_of(text);
    return {static_cast<std::uint32_t>(members.size()), threshold, {bytes.begin(), bytes.end()}};
}

Result<std::uint32_t> SumPlan::number(std::string_view member) const {
    const auto place = std::ranges::find(members, member);
    if (place == members.end()) return fail(ErrorKind::not_found, std::format("the round has no member {}", member));
    return static_cast<std::uint32_t>(place - members.begin());
}

Result<SumPlan> SumPlan::parse(std::string_view text) {
    SumPlan plan;
    plan.text = text;
    bool numbered = false;
    Lines lines(text, "round.txt");
    if (!lines.next() || lines.key != "hanse-sum" || lines.value != "1") return lines.wrong("this is no round of a sum");
    while (lines.next()) {
        if (lines.key == "name" && plan.name.empty()) plan.name = lines.value;
        else if (lines.key == "number" && !numbered) numbered = secret_of(lines.value).has_value();
        else if (lines.key == "threshold" && plan.threshold == 0) {
            const auto [end, error] = std::from_chars(lines.value.data(), lines.value.data() + lines.value.size(), plan.threshold);
            if (error != std::errc() || end != lines.value.data() + lines.value.size()) return lines.wrong("the threshold is no number");
        } else if (lines.key == "member" && is_member_name(lines.value) && !std::ranges::contains(plan.members, lines.value)) {
            plan.members.emplace_back(lines.value);
        } else return lines.wrong("it is not known, given twice, or no sound name of a member");
    }
    if (!numbered) return lines.wrong("the round has no number");
    if (plan.members.size() < 2 || plan.members.size() > 255) return lines.wrong("a sum has 2 to 255 members");
    if (plan.threshold < 2 || plan.threshold > plan.members.size()) return lines.wrong("the threshold is not between 2 and the members");
    return plan;
}

Result<SumPlan> begin_sum(const fs::path& round, std::string_view name, std::vector<std::string> members, std::uint32_t threshold,
                          base::Random& random) {
    SumSecret number;
    random.fill(number);
    std::string text = std::format("hanse-sum 1\nname {}\nnumber {}\nthreshold {}\n", name, base::hex(number), threshold);
    for (const auto& member : members) text += std::format("member {}\n", member);
    auto plan = SumPlan::parse(text);
    if (!plan) return fail(ErrorKind::invalid, plan.error().message);
    std::error_code error;
    fs::create_directories(round, error);
    if (fs::exists(round / "round.txt", error)) return fail(ErrorKind::invalid, std::format("{} holds a round already", round.string()));
    if (auto wrote = catalog::write_file_whole(round / "round.txt", text); !wrote) return std::unexpected(wrote.error());
    return plan;
}

Result<SumPlan> read_sum(const fs::path& round) {
    const auto text = catalog::read_file_whole(round / "round.txt", text_max);
    if (!text) return std::unexpected(text.error());
    return SumPlan::parse(*text);
}

Result<void> make_pair(const fs::path& file, base::Random& random) {
    std::error_code error;
    if (fs::exists(file, error)) return fail(ErrorKind::invalid, std::format("{} is there already", file.string()));
    SumSecret secret;
    random.fill(secret);
    auto wrote = catalog::write_file_whole(file, base::hex(secret) + "\n", 0600);
    crypto::wipe(secret);
    return wrote;
}

Result<void> share_sum(const SumPlace& place, base::Random& random) {
    const auto own = own_of(place);
    if (!own) return std::unexpected(own.error());
    auto state = read_state(place, own->plan);
    if (!state) {
        if (state.error().kind != ErrorKind::not_found) return std::unexpected(state.error());
        state = SumState{};
        random.fill(state->seed);
        if (auto wrote = write_state(place, own->plan, *state); !wrote) return wrote;
    }
    SeedStream stream(state->seed);
    const auto member = SumMember::create(own->plan.round(), own->number, own->pairs, stream);
    if (!member) return std::unexpected(member.error());
    std::string text;
    for (std::uint32_t other = 0; other < own->plan.members.size(); ++other) {
        if (other == own->number) continue;
        const auto& to = own->plan.members[other];
        const auto sealed =
            crypto::seal(sealing_key(own->pairs[other], own->plan), member->shares()[other].value, bound_to(place.member, to), random);
        text += std::format("{} {}\n", to, base::base64(sealed));
    }
    return catalog::write_file_whole(shares_file(place.round, place.member), text);
}

Result<void> mask_sum(const SumPlace& place, const SumVector& vector) {
    const auto own = own_of(place);
    if (!own) return std::unexpected(own.error());
    auto state = read_state(place, own->plan);
    if (!state) return std::unexpected(state.error());
    auto input = vector.layout + digest_of(std::as_bytes(std::span(vector.numbers)));
    input = digest_of(base::bytes_of(input));
    if (!state->masked.empty() && state->masked != input)
        return fail(ErrorKind::denied,
                    std::format("{} has masked other numbers in this round: two under one mask would uncover both", place.member));
    auto member = member_of(place, *own, *state);
    if (!member) return std::unexpected(member.error());
    state->masked = std::move(input);
    if (auto wrote = write_state(place, own->plan, *state); !wrote) return wrote;
    const auto masked = member->masked(vector.numbers);
    if (!masked) return std::unexpected(masked.error());
    TensorPlan file;
    file.metadata.set("kind", std::string(masked_kind));
    file.metadata.set("member", place.member);
    file.metadata.set("round", digest_of(base::bytes_of(own->plan.text)));
    file.metadata.set("layout", vector.layout);
    file.tensors = {{"masked", TensorType::i64, {masked->size()}}};
    auto writer = TensorWriter::create(masked_file(place.round, place.member), std::move(file));
    if (!writer) return std::unexpected(writer.error());
    if (auto wrote = writer->write(0, 0, std::as_bytes(std::span(*masked))); !wrote) return wrote;
    if (auto done = writer->complete(0); !done) return done;
    return writer->finish();
}

Result<std::vector<std::string>> close_sum(const fs::path& round) {
    const auto plan = read_sum(round);
    if (!plan) return std::unexpected(plan.error());
    std::error_code error;
    if (!fs::exists(round / "sent.txt", error)) {
        std::string text;
        std::size_t count = 0;
        for (const auto& member : plan->members)
            if (fs::exists(masked_file(round, member), error)) text += member + "\n", ++count;
        if (count < plan->threshold)
            return fail(ErrorKind::invalid, std::format("{} members have sent, {} are needed", count, plan->threshold));
        if (auto wrote = catalog::write_file_whole(round / "sent.txt", text); !wrote) return std::unexpected(wrote.error());
    }
    const auto sent = sent_in(round, *plan);
    if (!sent) return std::unexpected(sent.error());
    std::vector<std::string> names;
    for (const auto number : *sent) names.push_back(plan->members[number]);
    return names;
}

Result<void> reveal_sum(const SumPlace& place) {
    const auto own = own_of(place);
    if (!own) return std::unexpected(own.error());
    auto state = read_state(place, own->plan);
    if (!state) return std::unexpected(state.error());
    const auto sent = sent_in(place.round, own->plan);
    if (!sent) return std::unexpected(sent.error());
    const auto list = digest_of(std::as_bytes(std::span(*sent)));
    if (!state->revealed.empty() && state->revealed != list)
        return fail(ErrorKind::denied, std::format("{} has revealed this round for another list of who sent", place.member));
    auto member = member_of(place, *own, *state);
    if (!member) return std::unexpected(member.error());
    const auto reveal = member->reveal(*sent);
    if (!reveal) return std::unexpected(reveal.error());
    state->revealed = list;
    if (auto wrote = write_state(place, own->plan, *state); !wrote) return wrote;
    std::string text = "sent";
    for (const auto number : *sent) text += " " + own->plan.members[number];
    text += '\n';
    for (const auto& [of, share] : reveal->shares) text += std::format("share {} {}\n", own->plan.members[of], base::hex(share));
    for (const auto& [of, pair] : reveal->pairs) text += std::format("pair {} {}\n", own->plan.members[of], base::hex(pair));
    return catalog::write_file_whole(reveal_file(place.round, place.member), text);
}

Result<SumReveal> parse_reveal(const SumPlan& plan, std::string_view member, std::string_view text, std::vector<std::uint32_t>& sent) {
    const auto own = plan.number(member);
    if (!own) return std::unexpected(own.error());
    SumReveal reveal;
    reveal.from = *own;
    const auto file = std::format("{}.reveal", member);
    Lines lines(text, file);
    if (!lines.next() || lines.key != "sent") return lines.wrong("the list of who sent comes first");
    for (const auto word : words(lines.value)) {
        const auto number = plan.number(word);
        if (!number || (!sent.empty() && sent.back() >= *number)) return lines.wrong("it names no member, or not in the members' order");
        sent.push_back(*number);
    }
    while (lines.next()) {
        const auto parts = words(lines.value);
        const auto of = parts.size() == 2 ? plan.number(parts[0]) : Result<std::uint32_t>(std::unexpected(base::Error{}));
        const auto value = of ? secret_of(parts[1]) : std::nullopt;
        const bool fresh = value && !reveal.shares.contains(*of) && !reveal.pairs.contains(*of);
        if (!fresh || (lines.key != "share" && lines.key != "pair"))
            return lines.wrong("it is no share and no pair of a member, or a second one");
        if (lines.key == "share") reveal.shares[*of] = *value;
        else reveal.pairs[*of] = *value;
    }
    return reveal;
}

Result<SumVector> finish_sum(const fs::path& round) {
    const auto plan = read_sum(round);
    if (!plan) return std::unexpected(plan.error());
    const auto sent = sent_in(round, *plan);
    if (!sent) return std::unexpected(sent.error());
    SumVector out;
    std::optional<SumCollector> collector;
    for (const auto number : *sent) {
        const auto path = masked_file(round, plan->members[number]);
        const auto file = TensorFile::open(path);
        if (!file) return std::unexpected(file.error());
        const auto tensor = file->find("masked");
        const auto& facts = file->metadata();
        if (!tensor || file->tensor(*tensor).type != TensorType::i64 || facts.text("kind") != masked_kind ||
            facts.text("member") != plan->members[number] || facts.text("round") != digest_of(base::bytes_of(plan->text)))
            return fail(ErrorKind::corrupt, std::format("{} is not of this member and round", path.string()), "invalid_sum");
        if (!collector) {
            out.layout = facts.text("layout");
            auto made = SumCollector::create(plan->round(), file->tensor(*tensor).elements());
            if (!made) return std::unexpected(made.error());
            collector = std::move(*made);
        } else if (facts.text("layout") != out.layout) {
            return fail(ErrorKind::invalid,
                        std::format("{} is of something else than the members' before it: {}", path.string(), facts.text("layout")));
        }
        std::vector<std::uint64_t> masked(file->tensor(*tensor).elements());
        if (auto read = file->read(*tensor, 0, std::as_writable_bytes(std::span(masked))); !read) return std::unexpected(read.error());
        if (auto added = collector->add(number, masked); !added) return std::unexpected(added.error());
    }
    if (!collector) return fail(ErrorKind::invalid, "nobody has sent");
    std::vector<SumReveal> reveals;
    for (const auto& member : plan->members) {
        const auto text = catalog::read_file_whole(reveal_file(round, member), text_max);
        if (!text && text.error().kind == ErrorKind::not_found) continue;
        if (!text) return std::unexpected(text.error());
        std::vector<std::uint32_t> list;
        auto reveal = parse_reveal(*plan, member, *text, list);
        if (!reveal) return std::unexpected(reveal.error());
        if (list != *sent) return fail(ErrorKind::invalid, std::format("{} has revealed for another list of who sent", member));
        reveals.push_back(std::move(*reveal));
    }
    auto sum = collector->finish(reveals);
    if (!sum) return std::unexpected(sum.error());
    out.numbers = std::move(*sum);
    return out;
}

}  // namespace hanse::forge
