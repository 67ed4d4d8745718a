// What the processes of one round of the torture share: orders, notes, and what went wrong.
#pragma once

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/os/clock.h"
#include "support/torture_ledger.h"

namespace zoo::test {

inline constexpr uint32_t kMostActors = 40;
inline constexpr uint32_t kMostQueues = 4;
inline constexpr uint32_t kMostLocks = 3;
// Longer than this nobody may wait for anything that is possible.
inline constexpr uint64_t kPatience = 30'000 * kMillisecond;

enum class Finding : uint32_t {
  lost,
  torn,
  invented,
  repeated,
  deliveries,
  disorder,
  refused,
  end,
  exclusion,
  journal,
  stuck,
  crashed,
  counters,
  left,
  space,
  count,
};
inline const char* nameOf(Finding finding) {
  static constexpr const char* kNames[] = {
      "lost",         "torn",    "invented",          "repeated",    "wrong deliveries",
      "out of order", "refused", "the end too early", "no lock",     "broken journal",
      "stuck",        "crashed", "wrong counters",    "left behind", "wrong no-space answer"};
  static_assert(sizeof kNames / sizeof *kNames == static_cast<size_t>(Finding::count));
  return kNames[static_cast<uint32_t>(finding)];
}

// What was done, for the report.
enum class Deed : uint32_t {
  puts,
  kills,
  suicides,
  stops,
  killed_stopped,
  blackouts,
  closed_midway,
  rejects,
  dead_letters,
  crowds,
  full,
  moves,
  gone,
  transfers,
  lock_recoveries,
  journal_repairs,
  segments_made,
  no_space,
  rounds,
  tiny_rounds,
  redelivered,
  duplicates,
  guard_recoveries,
  given_up,
  count,
};
inline const char* nameOf(Deed deed) {
  static constexpr const char* kNames[] = {"puts",
                                           "kills",
                                           "of these at a chosen step",
                                           "stops",
                                           "kills of stopped processes",
                                           "all producers or all consumers dead",
                                           "closed with claims or reservations",
                                           "rejected",
                                           "dead letters read",
                                           "crowds that took every slot",
                                           "openings refused: no slot",
                                           "unlinked and made anew under traffic",
                                           "told that the segment is gone",
                                           "journal entries",
                                           "locks recovered",
                                           "journals repaired",
                                           "segments made in a small file system",
                                           "refused: no space",
                                           "rounds",
                                           "rounds in a small file system",
                                           "redelivered",
                                           "seen twice, with a reason",
                                           "guards recovered",
                                           "dead letters given up"};
  static_assert(sizeof kNames / sizeof *kNames == static_cast<size_t>(Deed::count));
  return kNames[static_cast<uint32_t>(deed)];
}

struct Tally {
  std::atomic<uint64_t> found[static_cast<size_t>(Finding::count)];
  std::atomic<uint64_t> done[static_cast<size_t>(Deed::count)];
  std::atomic<uint64_t> longest_call_ns;  // of a call that could have completed
  std::atomic<const char*> longest_call;

  void did(Deed deed, uint64_t times = 1) { done[static_cast<size_t>(deed)].fetch_add(times); }
  uint64_t deeds(Deed deed) const { return done[static_cast<size_t>(deed)].load(); }
  uint64_t findings(Finding finding) const { return found[static_cast<size_t>(finding)].load(); }
  uint64_t allFindings() const {
    uint64_t sum = 0;
    for (const auto& one : found) sum += one.load();
    return sum;
  }

  [[gnu::format(printf, 3, 4)]] void report(Finding finding, const char* format, ...) {
    if (found[static_cast<size_t>(finding)].fetch_add(1) >= 5) return;  // the first tell enough
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    std::fprintf(stderr, "VIOLATION (%s): %s\n", nameOf(finding), text);
  }

  void add(const Tally& other) {
    for (size_t index = 0; index < static_cast<size_t>(Finding::count); ++index)
      found[index] += other.found[index].load();
    for (size_t index = 0; index < static_cast<size_t>(Deed::count); ++index)
      done[index] += other.done[index].load();
    noteCall(other.longest_call.load(), other.longest_call_ns.load());
  }

  void noteCall(const char* call, uint64_t nanoseconds) {
    uint64_t longest = longest_call_ns.load();
    while (nanoseconds > longest) {
      if (!longest_call_ns.compare_exchange_weak(longest, nanoseconds)) continue;
      longest_call.store(call);
      return;
    }
  }
};

struct ActorNotes {
  std::atomic<uint64_t> beats;
  std::atomic<uint64_t> taking;     // id of what is being taken, 0: nothing
  std::atomic<uint64_t> releasing;  // id of what is being released
  std::atomic<uint64_t> held;       // claims it has out
  std::atomic<uint64_t> step;       // where it chose to die, plus one
};

struct LockNotes {
  std::atomic<uint64_t> inside;      // who is in: index and life
  std::atomic<uint64_t> generation;  // the largest so far
  std::atomic<uint64_t> done;        // updates whose release returned
  std::atomic<bool> in_doubt;        // released as not in order
};

struct Stage {
  std::atomic<bool> stop_producers, stop_all, stop_mover;
  // Grows when a process is stopped and when the last one goes on: a stopped one may hold what
  // others need, so calls that overlap with that say nothing.
  std::atomic<uint64_t> stops;
  std::atomic<uint32_t> stopped;
  Tally tally;
  ActorNotes actors[kMostActors];
  LockNotes locks[kMostLocks];
  std::atomic<uint64_t> died_at[256];  // by step
  Ledger ledgers[kMostQueues];
};

// Runs a call that never has to wait for anybody, and notes how long it took.
template <typename Call>
auto timed(Stage& stage, const char* name, Call call) {
  const uint64_t stops = stage.stops.load();
  const bool quiet = stage.stopped.load() == 0;
  const uint64_t start = monotonicNow();
  auto answer = call();
  if (quiet && stage.stops.load() == stops) stage.tally.noteCall(name, monotonicNow() - start);
  return answer;
}

}  // namespace zoo::test
