// Those who do not pass messages, but make it hard for those who do: a crowd that takes every slot,
// one who removes a name and makes it anew, and some who fill the file system.
#pragma once

#include <memory>
#include <vector>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/torture_consumer.h"

namespace zoo::test {

// Opens a queue, a lock or a memory until no handle fits any more, stays for a moment, and leaves
// in good order or not.
class Crowd {
 public:
  Crowd(Stage& stage, const RoundPlan& plan, ActorPlace place)
      : stage_(stage), plan_(plan), notes_(stage.actors[place.index]), dice_(place.seed) {}

  void run() {
    while (!stage_.stop_all.load()) {
      switch (dice_.below(4)) {
        case 0:
          fill([&] { return Lock::open(plan_.locks[0], {}); });
          break;
        case 1:
          fill([&] { return Memory::open(plan_.memory, OpenMode::open, {}); });
          break;
        default: {
          const QueuePlan& queue = plan_.queues[dice_.below(plan_.queues.size())];
          fill([&] { return Queue::open(queue.name, OpenMode::open, queue.optionsFor(0)); });
        }
      }
      for (uint64_t wait = dice_.below(60); wait > 0 && !stage_.stop_all.load(); --wait) {
        ++notes_.beats;
        usleep(2000);
      }
    }
  }

 private:
  template <typename Open>
  void fill(Open open) {
    std::vector<decltype(open().take())> handles;
    bool full = false;
    while (handles.size() < 2 * kSlots && !full && !stage_.stop_all.load()) {
      ++notes_.beats;
      auto handle = timed(stage_, "open", open);
      if (handle) {
        handles.push_back(handle.take());
      } else if (handle.error().code == ErrorCode::full) {
        full = true;
      } else if (handle.error().code == ErrorCode::notFound) {
        return;  // just being made anew
      } else {
        giveUp(stage_, Finding::refused, "open", handle.error().text);
      }
    }
    if (full) stage_.tally.did(Deed::crowds);
    usleep(static_cast<useconds_t>(dice_.below(20'000)));
    if (dice_.oneIn(3)) dieHere();
    for (const auto& handle : handles) {
      ++notes_.beats;
      if (dice_.oneIn(2))
        handle->close();
      else
        handle->abandon();
    }
  }

  Stage& stage_;
  const RoundPlan& plan_;
  ActorNotes& notes_;
  Dice dice_;
};

// Removes the name of a queue again and again, sees that everybody leaves the old segment, and reads
// what is left in there. Is never killed.
class Mover {
 public:
  Mover(Stage& stage, const QueuePlan& plan, ActorPlace place)
      : stage_(stage),
        plan_(plan),
        place_(place),
        ledger_(stage.ledgers[plan.index]),
        notes_(stage.actors[place.index]),
        dice_(place.seed) {}

  void run() {
    std::unique_ptr<Queue> current = openPatiently(stage_, notes_.beats, plan_, 0);
    for (uint32_t moves = 0; !stage_.stop_mover.load() && moves + 2 < kMostEpochs; ++moves) {
      for (uint64_t wait = dice_.between(5, 60); wait > 0 && !stage_.stop_mover.load(); --wait) {
        ++notes_.beats;
        usleep(2000);
      }
      if (stage_.stop_mover.load()) break;
      nobodyReplaces();
      if (!current->unlinkName()) giveUp(stage_, Finding::refused, "unlink", plan_.name.c_str());
      std::unique_ptr<Queue> next = openPatiently(stage_, notes_.beats, plan_, 0);
      stage_.tally.did(Deed::moves);
      empty(std::move(current));
      current = std::move(next);
    }
    current->abandon();
  }

 private:
  // `create` replaces what nobody uses, and we do.
  void nobodyReplaces() {
    if (openPatiently(stage_, notes_.beats, plan_, 0, OpenMode::create) != nullptr) {
      stage_.tally.report(Finding::refused, "%s: a segment in use was replaced",
                          plan_.name.c_str());
    }
  }

  void empty(std::unique_ptr<Queue> old) {
    const uint32_t epoch = ledger_.epochOf(old->identity());
    const uint64_t patience = monotonicNow() + kPatience;
    while (old->stats().participants.size() > 1) {
      ++notes_.beats;
      if (monotonicNow() > patience) {
        stage_.tally.report(Finding::stuck, "%s: somebody does not leave the old segment",
                            plan_.name.c_str());
        break;
      }
      usleep(1000);
      old->lookAround();
    }
    Consumer consumer(stage_, plan_, place_);
    consumer.useHandle(std::move(old), epoch);
    consumer.drainGroup();
    const QueueStats stats = consumer.queue().stats();
    if (stats.messages != 0 || stats.bytes != 0) {
      stage_.tally.report(Finding::left, "%s: %llu messages, %llu bytes in the old segment",
                          plan_.name.c_str(), static_cast<unsigned long long>(stats.messages),
                          static_cast<unsigned long long>(stats.bytes));
    }
  }

  Stage& stage_;
  const QueuePlan& plan_;
  ActorPlace place_;
  Ledger& ledger_;
  ActorNotes& notes_;
  Dice dice_;
};

// Makes segments until there is no room for another, writes on every page of them, and removes some.
class Hog {
 public:
  Hog(Stage& stage, const RoundPlan& plan, ActorPlace place)
      : stage_(stage), notes_(stage.actors[place.index]), dice_(place.seed) {
    const std::string prefix = plan.memory + "-hog-" + std::to_string(place.index) + "-";
    for (int number = 0; number < 24; ++number) names_.push_back(prefix + std::to_string(number));
    // What the last life left.
    for (const std::string& name : names_) unlink(shmPath(name).c_str());
    held_.resize(names_.size());
  }

  void run() {
    while (!stage_.stop_all.load()) {
      ++notes_.beats;
      const size_t place = dice_.below(names_.size());
      if (held_[place] != nullptr) {
        held_[place]->unlinkName();
        held_[place].reset();
      } else {
        make(place);
      }
      usleep(static_cast<useconds_t>(dice_.below(500)));
    }
    for (const auto& memory : held_) {
      if (memory != nullptr) memory->unlinkName();
    }
  }

 private:
  void make(size_t place) {
    const std::string& name = names_[place];
    MemoryOptions options;
    options.bytes = dice_.between(1, 300'000);
    Result<std::unique_ptr<Memory>> memory =
        timed(stage_, "create", [&] { return Memory::open(name, OpenMode::create, options); });
    if (memory) {
      held_[place] = memory.take();
      std::byte* data = held_[place]->data();
      for (uint64_t at = 0; at < options.bytes; at += 512) data[at] = std::byte{1};
      stage_.tally.did(Deed::segments_made);
      return;
    }
    const Error& error = memory.error();
    stage_.tally.did(Deed::no_space);
    const bool counted = error.needed >= options.bytes && error.free < kMostFree &&
                         std::strstr(error.text, std::to_string(error.needed).c_str()) != nullptr;
    if (error.code != ErrorCode::noSpace || !counted) {
      stage_.tally.report(Finding::space, "a full file system is answered with: %s", error.text);
    }
    if (access(shmPath(name).c_str(), F_OK) == 0) {
      stage_.tally.report(Finding::space, "'%s' is there, though there was no room", name.c_str());
    }
  }

  // More than the whole file system is not free.
  static constexpr uint64_t kMostFree = 1 << 30;

  Stage& stage_;
  ActorNotes& notes_;
  Dice dice_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Memory>> held_;
};

}  // namespace zoo::test
