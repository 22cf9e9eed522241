// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "task/recorder.hpp"

namespace hanse::task {

// A journal without a disk: keeps the records as JSON in memory, at once; or holds them back until told; or fails. Thread-safe.
class FakeRecorder final : public Recorder {
public:
    struct Kept {
        journal::RecordId id;
        std::string kind;
        std::string text;
    };
    explicit FakeRecorder(base::Clock& clock) : clock_(clock) {}

    // The test's side.
    void hold() { held_ = true; }
    void release() {
        held_ = false;
        while (!waiting_.empty()) {
            auto next = std::move(waiting_.front());
            waiting_.pop_front();
            finish(std::move(next.first), std::move(next.second));
        }
    }
    void stop(std::string why) { trouble_ = base::Error{base::ErrorKind::unavailable, std::move(why), "journal_stopped", {}, {}}; }
    // ready() goes on saying yes: the disk fills while a task is under way.
    void fail_writes() { writes_fail_ = true; }
    void clear() {
        const std::lock_guard lock(mutex_);
        records_.clear();
    }
    void resume() {
        trouble_.reset();
        writes_fail_ = false;
    }
    std::vector<Kept> records() const {
        const std::lock_guard lock(mutex_);
        return records_;
    }

    base::Result<void> ready() const override {
        if (trouble_) return std::unexpected(*trouble_);
        return {};
    }
    journal::RecordId new_id() override {
        const std::lock_guard lock(mutex_);
        return journal::new_record_id(clock_.wall(), random_);
    }
    void answer(std::shared_ptr<const Evidence> evidence, Done done) override {
        std::unique_lock lock(mutex_);
        auto record = answer_record(*evidence, "default", random_);
        lock.unlock();
        take(evidence->id, "answer", record.fields(), std::move(done));
    }
    void event(const journal::RecordId& id, std::string_view kind, journal::CanonicalObject fields, Done done) override {
        take(id, kind, std::move(fields), std::move(done));
    }
    void receipt(const journal::RecordId& id, std::function<void(base::Result<Found>)> done) override {
        for (const Kept& each : records())
            if (each.id == id) return done(Found{each.text, "receipt of " + journal::text_of(id) + "\n"});
        done(base::fail(base::ErrorKind::not_found, "there is no such record"));
    }

private:
    void take(const journal::RecordId& id, std::string_view kind, journal::CanonicalObject fields, Done done) {
        Kept kept{id, std::string(kind), journal::make_record(id, clock_.wall(), "node.example", kind, std::move(fields)).text};
        if (held_) waiting_.emplace_back(std::move(kept), std::move(done));
        else finish(std::move(kept), std::move(done));
    }
    void finish(Kept kept, Done done) {
        if (trouble_ || writes_fail_) {
            if (done) done(trouble_ ? std::unexpected(*trouble_) : base::fail(base::ErrorKind::unavailable, "no room on the disk of the journal", "journal_stopped"));
            return;
        }
        {
            const std::lock_guard lock(mutex_);
            records_.push_back(std::move(kept));
        }
        if (done) done({});
    }

    base::Clock& clock_;
    mutable std::mutex mutex_;
    base::SeededRandom random_{17};
    std::vector<Kept> records_;
    std::deque<std::pair<Kept, Done>> waiting_;
    bool held_ = false;
    bool writes_fail_ = false;
    std::optional<base::Error> trouble_;
};

}  // namespace hanse::task
