// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.hpp"

namespace hanse::sim {

using Span = std::chrono::milliseconds;

// One core decision replaced by a wrong one, to see that it is noticed. `none` in every run that counts.
enum class Plant : std::uint8_t {
    none,
    label_dropped,                // the sender forgets what the label was
    offer_believed,               // and takes an offer's clearance for true
    receiver_trusts,              // the receiver runs whatever is sent to it
    receipt_not_checked,          // an answer is taken with any receipt
    done_before_durable,          // the receiver says done, and writes afterwards
    acknowledged_before_durable,  // the sender tells its caller, and writes afterwards
    ledger_not_durable,           // a task runs before it is written down that it does
    ledger_forgets,               // what was run is forgotten with its connection
    signed_twice,                 // a member signs whatever is put before it
    signatures_not_checked,       // every signature is good
    end_forgotten,                // a broken connection is not told to the one who waits
};
inline constexpr std::array<std::string_view, 12> plant_names{"none",
                                                              "label_dropped",
                                                              "offer_believed",
                                                              "receiver_trusts",
                                                              "receipt_not_checked",
                                                              "done_before_durable",
                                                              "acknowledged_before_durable",
                                                              "ledger_not_durable",
                                                              "ledger_forgets",
                                                              "signed_twice",
                                                              "signatures_not_checked",
                                                              "end_forgotten"};

struct Options {
    std::uint64_t seed = 1;
    Plant plant = Plant::none;
    bool verbose = false;
};

// Chance from a seed, for everything that happens.
class Chance final : public base::Random {
public:
    explicit Chance(std::uint64_t seed) : random_(seed) {}
    void fill(std::span<std::byte> out) override { random_.fill(out); }
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
    bool one_in(std::size_t chances) { return chances != 0 && below(chances) == 0; }
    Span between(Span least, Span most) { return least + Span(below(static_cast<std::size_t>((most - least).count()) + 1)); }

private:
    base::SeededRandom random_;
};

// The vocabulary of faults. Each federation has some of them, drawn from its seed (as in swarm testing: a fault that is
// always there hides what happens without it). Chances are "one in"; 0 never.
struct Faults {
    Span delay_min{1};
    Span delay_max{40};
    std::size_t chunk_lost = 0;  // a chunk of a connection is lost, doubled or out of order: the record layer ends it
    Span partition_every{0};     // two sides that do not reach each other, for up to 20 s
    Span clog_every{0};          // a connection that stands still for up to 8 s
    Span crash_every{0};         // some node loses power, at any moment of its disk's work
    std::size_t sync_fails = 0;
    Span disk_max{4};  // how long the disk takes
    Span skew_max{0};
    Span clock_jump_every{0};  // a clock goes an hour wrong for a while
    std::size_t liars = 0;
    std::size_t nodes = 5;
    bool charter_changes = false;
    bool rival_proposals = false;
    bool real_signatures = false;  // hybrid signatures instead of quick ones
    bool real_receipts = false;    // C2SP proofs with signed checkpoints instead of quick ones
};

inline Faults draw_faults(Chance& chance, std::uint64_t seed) {
    Faults faults;
    const auto some = [&](std::size_t chances, Span least, Span most) {
        return chance.one_in(chances) ? chance.between(least, most) : Span{0};
    };
    faults.nodes = chance.one_in(40) ? 20 + chance.below(31) : 5 + chance.below(chance.one_in(4) ? 12 : 4);
    faults.delay_max = chance.one_in(4) ? Span(800) : Span(40);
    faults.chunk_lost = chance.one_in(3) ? 20 + chance.below(200) : 0;
    faults.partition_every = some(2, Span(4'000), Span(20'000));
    faults.clog_every = some(2, Span(1'000), Span(8'000));
    faults.crash_every = some(2, Span(2'000), Span(15'000));
    faults.sync_fails = chance.one_in(4) ? 100 : 0;
    faults.disk_max = chance.one_in(3) ? Span(1'500) : Span(4);
    faults.skew_max = chance.one_in(2) ? Span(240'000) : Span(0);
    faults.clock_jump_every = some(5, Span(10'000), Span(40'000));
    faults.liars = chance.one_in(2) ? 1 + chance.below(faults.nodes / 5) : 0;
    faults.charter_changes = chance.one_in(2);
    faults.rival_proposals = chance.one_in(2);
    faults.real_signatures = seed % 500 == 0;
    faults.real_receipts = seed % 100 == 0;
    return faults;
}

}  // namespace hanse::sim
