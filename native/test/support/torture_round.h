// One round: starts everybody, torments them, ends in good order, and judges.
#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>

#include <memory>
#include <string>
#include <vector>

#include "support/processes.h"
#include "support/torture_producer.h"
#include "support/torture_verdict.h"
#include "support/torture_visitors.h"

namespace zoo::test {

enum class Role { producer, consumer, locker, crowd, hog, mover };

struct Actor {
  Role role;
  uint32_t queue = 0;   // of producers, consumers and the mover
  uint32_t number = 0;  // producer's number, consumer's group
  pid_t pid = -1;
  uint64_t lives = 0;
  uint64_t continue_at_ns = 0;  // 0: it is not stopped
  uint64_t start_at_ns = 0;     // when there is none
  uint64_t beats = 0;
  uint64_t beats_changed_ns = 0;
};

// Mounts a file system of its own over /dev/shm, seen by this process and its children only.
inline bool mountTinyShm(uint64_t bytes) {
  const std::string options = "size=" + std::to_string(bytes) + ",mode=1777";
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", kShmDirectory, "tmpfs", 0, options.c_str()) == 0;
}

class Round {
 public:
  Round(const RoundPlan& plan, Stage& stage, const std::vector<std::string>& steps)
      : plan_(plan), stage_(stage), steps_(steps), dice_(plan.seed) {
    for (const QueuePlan& queue : plan.queues) {
      for (uint32_t number = 0; number < queue.producers; ++number)
        add(Role::producer, queue.index, number);
      for (uint32_t group : queue.consumers) add(Role::consumer, queue.index, group);
      if (queue.moves) add(Role::mover, queue.index, 0);
    }
    for (uint32_t number = 0; number < plan.lockers; ++number) add(Role::locker, 0, number);
    for (uint32_t number = 0; number < plan.crowds; ++number) add(Role::crowd, 0, number);
    for (uint32_t number = 0; number < plan.hogs; ++number) add(Role::hog, 0, number);
  }

  void run() {
    stage_.tally.did(Deed::rounds);
    if (plan_.tiny_bytes > 0) {
      if (!mountTinyShm(plan_.tiny_bytes))
        return stage_.tally.report(Finding::space, "a small /dev/shm cannot be mounted");
      stage_.tally.did(Deed::tiny_rounds);
    }
    const uint64_t free_before = freeBytes();
    prepare();
    const uint64_t start = monotonicNow();
    for (uint32_t index = 0; index < actors_.size(); ++index) spawn(index);
    const auto goesOn = [&] {
      return stage_.tally.allFindings() == 0 &&
             (plan_.kills == 0 || stage_.tally.deeds(Deed::kills) < plan_.kills) &&
             static_cast<double>(monotonicNow() - start) < plan_.seconds * 1e9;
    };
    while (goesOn()) torment();
    stopAll();
    judge();
    if (plan_.tiny_bytes == 0) return;
    for (const std::string& name : leftovers(""))
      if (name[0] != '.') stage_.tally.report(Finding::left, "%s is left", name.c_str());
    if (freeBytes() != free_before) {
      stage_.tally.report(Finding::left, "%llu bytes of the small file system are not free again",
                          static_cast<unsigned long long>(free_before - freeBytes()));
    }
  }

 private:
  void add(Role role, uint32_t queue, uint32_t number) {
    Actor actor;
    actor.role = role;
    actor.queue = queue;
    actor.number = number;
    actors_.push_back(actor);
  }

  static uint64_t freeBytes() {
    struct statvfs space = {};
    statvfs(kShmDirectory, &space);
    return static_cast<uint64_t>(space.f_bfree) * space.f_frsize;
  }

  // The place for notes of this process itself.
  uint32_t ownPlace() const { return static_cast<uint32_t>(actors_.size()); }

  void prepare() {
    MemoryOptions options;
    options.bytes = kMostLocks * Journal::kBytes;
    auto memory = Memory::open(plan_.memory, OpenMode::create, options);
    if (!memory) giveUp(stage_, Finding::refused, "memory", memory.error().text);
    for (uint32_t lock = 0; lock < kMostLocks; ++lock)
      Journal((*memory)->data() + lock * Journal::kBytes).initialise();
    std::atomic<uint64_t>& beats = stage_.actors[ownPlace()].beats;
    for (const QueuePlan& queue : plan_.queues) {
      std::unique_ptr<Queue> opened = openPatiently(stage_, beats, queue, 0);
      steady_.push_back(nullptr);
      if (queue.steady) {
        opened->becomeWriter();
        steady_.back() = std::move(opened);
      } else {
        opened->abandon();  // not closed: nobody ends the queue
      }
    }
  }

  void spawn(uint32_t index) {
    Actor& actor = actors_[index];
    const uint64_t life = ++actor.lives;
    const uint64_t seed = mixed(plan_.seed * 1000 + index) + life;
    actor.start_at_ns = actor.continue_at_ns = 0;
    actor.beats_changed_ns = monotonicNow();
    actor.pid = startChild([&] { live(actor, {index, actor.number, seed}, life); });
  }

  void live(const Actor& actor, ActorPlace place, uint64_t life) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Copies of handles that are not theirs: the descriptions stay the parent's.
    if (actor.role != Role::mover)
      Suicidal::instance().begin(place.seed, stage_, stage_.actors[place.index], steps_);
    const QueuePlan& queue = plan_.queues[actor.queue];
    switch (actor.role) {
      case Role::producer:
        return Producer(stage_, queue, place).run();
      case Role::consumer:
        return Consumer(stage_, queue, place).run();
      case Role::locker:
        return Locker(stage_, plan_, place, life).run();
      case Role::crowd:
        return Crowd(stage_, plan_, place).run();
      case Role::hog:
        return Hog(stage_, plan_, place).run();
      case Role::mover:
        return Mover(stage_, queue, place).run();
    }
  }

  void torment() {
    usleep(static_cast<useconds_t>(dice_.below(plan_.pause_us)));
    const auto index = static_cast<uint32_t>(dice_.below(actors_.size()));
    const uint64_t choice = dice_.below(100);
    if (choice < 60)
      slay(index, 0);
    else if (choice < 85)
      stop(index);
    else if (choice >= 97)
      blackout(choice == 97 ? Role::producer : choice == 98 ? Role::consumer : Role::locker);
    attend();
  }

  void slay(uint32_t index, uint64_t pause_ns) {
    Actor& actor = actors_[index];
    if (actor.role == Role::mover || actor.pid < 0) return;
    if (actor.continue_at_ns != 0) stage_.tally.did(Deed::killed_stopped);
    kill(actor.pid, SIGKILL);
    bury(index, 0);
    actor.start_at_ns = monotonicNow() + pause_ns;
  }

  void stop(uint32_t index) {
    Actor& actor = actors_[index];
    if (actor.pid < 0 || actor.continue_at_ns != 0) return;
    ++stage_.stops;
    ++stage_.stopped;
    kill(actor.pid, SIGSTOP);
    actor.continue_at_ns = monotonicNow() + dice_.between(1, 100) * kMillisecond;
    stage_.tally.did(Deed::stops);
  }
  void goOn(Actor& actor) {
    if (actor.continue_at_ns == 0) return;
    if (actor.pid > 0) kill(actor.pid, SIGCONT);
    actor.continue_at_ns = 0;
    actor.beats_changed_ns = monotonicNow();
    ++stage_.stops;
    --stage_.stopped;
  }

  // All of one kind are dead for a while: of one queue, or the lockers.
  void blackout(Role role) {
    const auto queue = static_cast<uint32_t>(dice_.below(plan_.queues.size()));
    const uint64_t pause = dice_.between(1, 200) * kMillisecond;
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      const Actor& actor = actors_[index];
      if (actor.role == role && (role == Role::locker || actor.queue == queue)) slay(index, pause);
    }
    stage_.tally.did(Deed::blackouts);
  }

  // Starts who is due, lets go on who is due, and looks for those who get nowhere.
  void attend() {
    const uint64_t now = monotonicNow();
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      Actor& actor = actors_[index];
      if (actor.continue_at_ns != 0 && now >= actor.continue_at_ns) goOn(actor);
      if (bury(index, WNOHANG)) {
        if (now >= actor.start_at_ns) spawn(index);
      } else {
        watch(index);
      }
    }
  }

  // Whether it is gone; then what it was at is excused.
  bool bury(uint32_t index, int options) {
    Actor& actor = actors_[index];
    if (actor.pid < 0) return true;
    int status = 0;
    pid_t gone;
    while ((gone = waitpid(actor.pid, &status, options)) < 0 && errno == EINTR) {
    }
    if (gone != actor.pid) return false;
    actor.pid = -1;
    goOn(actor);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (killed) stage_.tally.did(Deed::kills);
    if (!killed && !ended && !(WIFEXITED(status) && WEXITSTATUS(status) == 3)) {
      stage_.tally.report(Finding::crashed, "a process ended with status %#x",
                          static_cast<unsigned>(status));
    }
    if (actor.role == Role::consumer) excuse(index);
    if (actor.role == Role::producer && killed)
      ++stage_.ledgers[plan_.queues[actor.queue].index].producer_deaths;
    return true;
  }

  void excuse(uint32_t index) {
    const Actor& actor = actors_[index];
    ActorNotes& notes = stage_.actors[index];
    Ledger& ledger = stage_.ledgers[actor.queue];
    ++ledger.consumer_deaths;
    ledger.held_at_death.fetch_add(notes.held.exchange(0));
    const uint64_t taking_id = notes.taking.exchange(0), releasing_id = notes.releasing.exchange(0);
    const MessageId taking = MessageId::of(taking_id), releasing = MessageId::of(releasing_id);
    if (taking_id != 0 && taking.known())
      ledger.sight(actor.number, taking).fetch_or(kMayBeMissing);
    if (releasing_id != 0 && releasing.known())
      ledger.sight(actor.number, releasing).fetch_add(kMayRepeatOnce);
  }

  // A process that runs and gets nowhere for a long time is stuck.
  void watch(uint32_t index) {
    Actor& actor = actors_[index];
    const uint64_t beats = stage_.actors[index].beats.load();
    const uint64_t now = monotonicNow();
    if (beats != actor.beats || actor.continue_at_ns != 0) {
      actor.beats = beats;
      actor.beats_changed_ns = now;
    } else if (now - actor.beats_changed_ns > kPatience) {
      actor.beats_changed_ns = now;
      stage_.tally.report(Finding::stuck, "process %d gets nowhere", actor.pid);
    }
  }

  void stopAll() {
    for (Actor& actor : actors_) goOn(actor);
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      // Nobody reads if all readers are dead at the moment.
      if (actors_[index].pid < 0 && actors_[index].role == Role::consumer) spawn(index);
    }
    stage_.stop_producers = true;
    comeToTheEnd();
    waitFor([](Role role) { return role == Role::producer; });
    stage_.stop_all = true;
    waitFor([](Role role) { return role != Role::mover; });
    stage_.stop_mover = true;
    waitFor([](Role) { return true; });
  }

  // Some steady writers leave while the others still die and come again: readers must not be told
  // the end as long as anything can come back.
  void comeToTheEnd() {
    for (const std::unique_ptr<Queue>& queue : steady_) {
      if (queue != nullptr && dice_.oneIn(2)) queue->close();
    }
    const uint64_t end = monotonicNow() + 250 * kMillisecond;
    while (monotonicNow() < end) {
      usleep(static_cast<useconds_t>(dice_.below(3000)));
      const auto index = static_cast<uint32_t>(dice_.below(actors_.size()));
      const Actor& actor = actors_[index];
      const bool passes = actor.role == Role::producer || actor.role == Role::consumer;
      if (!passes || !plan_.queues[actor.queue].steady) continue;
      slay(index, 0);
      // A new producer puts once before it looks whether it should.
      if (actor.role == Role::consumer || dice_.oneIn(2)) spawn(index);
    }
  }

  template <typename Wanted>
  void waitFor(Wanted wanted) {
    const uint64_t patience = monotonicNow() + kPatience;
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      if (!wanted(actors_[index].role)) continue;
      while (!bury(index, WNOHANG)) {
        if (monotonicNow() > patience) {
          stage_.tally.report(Finding::stuck, "process %d does not come to an end",
                              actors_[index].pid);
          kill(actors_[index].pid, SIGKILL);
          bury(index, 0);
          break;
        }
        reviveConsumers();
        usleep(500);
      }
    }
  }

  // Producers that wait for room need somebody who makes some.
  void reviveConsumers() {
    if (stage_.stop_all.load()) return;
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      if (actors_[index].role == Role::consumer && bury(index, WNOHANG)) spawn(index);
    }
  }

  void judge() {
    for (uint32_t index = 0; index < plan_.queues.size(); ++index)
      QueueVerdict(stage_, plan_.queues[index], ownPlace()).judge(steady_[index].get());
    judgeLocks(stage_, plan_, ownPlace(), stage_.tally.deeds(Deed::kills));
    for (uint32_t index = 0; index < actors_.size(); ++index) {
      if (actors_[index].role == Role::hog) Hog(stage_, plan_, {index, 0, 1});  // cleans up
    }
  }

  const RoundPlan& plan_;
  Stage& stage_;
  const std::vector<std::string>& steps_;
  Dice dice_;
  std::vector<Actor> actors_;
  std::vector<std::unique_ptr<Queue>> steady_;  // by queue
};

}  // namespace zoo::test
