// SPDX-License-Identifier: Apache-2.0
// A log and a witness by command, for tests that let other programs judge them:
//
//   log_tool make FOLDER COUNT             appends so many records, publishing after each hundred; prints its keys
//   log_tool keys FOLDER                   prints its keys
//   log_tool dump FOLDER INDEX OUT         entry, receipt.tlog-proof, ed25519.cose and ml-dsa-44.cose into OUT
//   log_tool ask FOLDER OLD                prints what a witness is sent
//   log_tool heard FOLDER POLICY URL STATUS TYPE FILE    takes a witness's answer; prints "cosigned N", "again SIZE" or why not
//   log_tool dump-witnessed FOLDER POLICY INDEX OUT      as dump, with cosignatures
//   log_tool receipt POLICY FILE           what a receipt is worth under a policy
//   log_tool witness-keys                  prints the keys of the witness
//   log_tool witness FOLDER VKEY FILE      answers a request as witness: status, type and body, each from a line of its own on
#include <fstream>
#include <iostream>
#include <iterator>

#include "journal/cose_receipt.hpp"
#include "journal/log.hpp"
#include "journal/receipt.hpp"
#include "journal/witness.hpp"
#include "journal/witness_dialogue.hpp"
#include "sample_log.hpp"
#include "sample_witness.hpp"

namespace {

using namespace hanse;

[[noreturn]] void stop(std::string_view why) {
    std::cerr << why << '\n';
    std::exit(1);
}
template <typename T>
T good(base::Result<T> result) {
    if (!result) stop(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}
std::string whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) stop("cannot read " + path);
    return {std::istreambuf_iterator<char>(file), {}};
}
void put(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

struct Opened {
    base::SystemDisk disk;
    base::SystemRandom random;
    journal::LogKeys keys = journal::sample_keys();
    std::optional<journal::WitnessPolicy> policy;
    std::unique_ptr<journal::Log> log;
    void open(const std::string& folder) {
        log =
            good(journal::Log::open({.disk = disk, .random = random, .keys = keys, .folder = folder, .policy = policy ? &*policy : nullptr},
                                    std::chrono::system_clock::now()));
    }
};

void make(Opened& here, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; i += 100) {
        good(here.log->append(journal::sample_records(here.log->size(), std::min<std::uint64_t>(100, count - i))));
        good(here.log->publish(std::chrono::system_clock::now()));
    }
}

void dump(Opened& here, std::uint64_t index, const std::filesystem::path& out) {
    const auto record = good(here.log->read(index));
    put(out / "entry", journal::log_entry(record.commitment));
    put(out / "receipt.tlog-proof", base::bytes_of(good(here.log->prove(index, journal::receipt_extra(record))).text()));
    for (const auto algorithm : journal::LogKeys::algorithms)
        put(out / (std::string(name(algorithm)) + ".cose"),
            good(journal::cose_receipt(good(here.log->prove(index, {})), here.keys, algorithm)));
}

void heard(Opened& here, const std::string& url, unsigned status, const std::string& type, const std::string& body) {
    std::vector<journal::NoteVerifier> keys;
    for (const auto& witness : here.policy->witnesses())
        if (witness.url == url) keys.push_back(witness.verifier);
    journal::WitnessDialogue dialogue(keys);
    const auto answer = dialogue.heard(here.log->published_note(), status, type, body);
    if (answer.again) {
        std::cout << "again " << dialogue.old_size() << '\n';
    } else if (answer.cosignatures.empty()) {
        std::cout << answer.trouble << '\n';
    } else {
        journal::Note note = here.log->published_note();
        note.signatures.insert(note.signatures.end(), answer.cosignatures.begin(), answer.cosignatures.end());
        good(here.log->add_cosignatures(note));
        std::cout << "cosigned " << answer.cosignatures.size() << ", witnessed " << here.log->witnessed_size() << '\n';
    }
}

void receipt(const std::string& policy_text, const std::string& text) {
    const auto policy = good(journal::WitnessPolicy::parse(policy_text));
    const auto read = good(journal::judge_receipt(text, policy));
    std::cout << (read.policy->met() ? "met" : "not met") << '\n';
    for (const auto& signer : read.signers) std::cout << signer.name << ' ' << signer.algorithm << ' ' << signer.time << '\n';
}

void witness(const std::string& folder, const std::string& vkey, const std::string& body) {
    base::SystemDisk disk;
    auto made =
        good(journal::Witness::open({disk, journal::sample_witness_keys(), {good(journal::NoteVerifier::from_vkey(vkey))}, folder}));
    const auto answer = made->add_checkpoint(body, std::chrono::system_clock::now());
    std::cout << answer.status() << '\n' << answer.content_type() << '\n' << answer.body;
}

}  // namespace

int main(int count, char** given) {
    const std::vector<std::string> words(given + 1, given + count);
    const auto is = [&](std::string_view command, std::size_t arguments) {
        return !words.empty() && words[0] == command && words.size() == arguments + 1;
    };
    Opened here;
    if (is("make", 2) || is("keys", 1)) {
        here.open(words[1]);
        if (words[0] == "make") make(here, std::stoull(words[2]));
        for (const auto& key : here.keys.verifiers()) std::cout << key.vkey() << '\n';
    } else if (is("dump", 3)) {
        here.open(words[1]);
        dump(here, std::stoull(words[2]), words[3]);
    } else if (is("ask", 2)) {
        here.open(words[1]);
        const auto proof = good(here.log->prove_consistency(std::stoull(words[2])));
        std::cout << journal::AddCheckpoint{std::stoull(words[2]), proof, here.log->published_note().whole()}.body();
    } else if (is("heard", 6)) {
        here.policy = good(journal::WitnessPolicy::parse(whole(words[2])));
        here.open(words[1]);
        heard(here, words[3], static_cast<unsigned>(std::stoul(words[4])), words[5], whole(words[6]));
    } else if (is("receipt", 2)) {
        receipt(whole(words[1]), whole(words[2]));
    } else if (is("dump-witnessed", 4)) {
        here.policy = good(journal::WitnessPolicy::parse(whole(words[2])));
        here.open(words[1]);
        dump(here, std::stoull(words[3]), words[4]);
    } else if (is("witness-keys", 0)) {
        for (const auto& key : journal::sample_witness_keys().verifiers()) std::cout << key.vkey() << '\n';
    } else if (is("witness", 3)) {
        witness(words[1], words[2], whole(words[3]));
    } else {
        stop("unknown command");
    }
}
