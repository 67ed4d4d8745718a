// What every process of a trial has asked of a queue, written down before and
// after each call in memory that does not belong to the queue. From this the
// driver knows what must be found after a death, what may be, and what must
// not.
//
// All of them read for the first group. One message, one line.
#pragma once

#include <atomic>
#include <cstdint>
#include <new>

namespace zoo::test {

enum class Phase : uint32_t { none = 0, started = 1, returned = 2 };

struct LedgerLine {
  std::atomic<Phase> put, hold, finish, reject;
  std::atomic<uint32_t> deliveries;  // before the processes that die
  std::atomic<bool> dead_letter;     // is one already
  std::atomic<bool> given_up;        // aborted: must not appear
  std::atomic<bool> over;            // the first group is done with it
};

inline constexpr uint64_t kLedgerLines = 4096;

struct QueueLedger {
  LedgerLine lines[kLedgerLines];
  std::atomic<uint64_t> next_id;
  std::atomic<bool> child_put_returned;  // the queue has had a writer, who is dead
  std::atomic<uint64_t> victims_bell;    // 0: it had none

  void clear() {
    const uint64_t used = next_id.load();
    for (uint64_t id = 0; id <= used && id < kLedgerLines; ++id) new (&lines[id]) LedgerLine{};
    next_id.store(1);
    child_put_returned.store(false);
    victims_bell.store(0);
  }

  // What has happened so far is the past: the processes that die begin from
  // here.
  void settle(uint32_t max_deliveries) {
    for (uint64_t id = 1; id < next_id.load(); ++id) {
      LedgerLine& line = lines[id];
      if (line.finish == Phase::returned) line.over = true;
      if (line.reject == Phase::returned && !line.dead_letter) {
        if (line.deliveries + 1 > max_deliveries)
          line.dead_letter = true;
        else
          ++line.deliveries;
      }
      line.hold = line.finish = line.reject = Phase::none;
    }
  }
};

}  // namespace zoo::test
