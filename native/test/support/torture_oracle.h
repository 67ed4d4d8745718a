// Who put what and who saw it, in memory that does not belong to the library under test.
//
// Every message has one byte for its put and one for each group. A process that is killed leaves a
// note of what it was just about to settle, which excuses exactly that message: one that was being
// taken may be missing, one that was being released may come once more. Everything else counts.
#pragma once

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "core/layout/record.h"
#include "support/messages.h"

namespace zoo::test {

inline constexpr uint32_t kProducers = 3;
inline constexpr uint32_t kGroups = 3;  // one that blocks, one that drops the oldest, one latest
inline constexpr uint32_t kLockers = 2;
inline constexpr uint32_t kWorkers = 10;
inline constexpr uint64_t kMostMessages = 1 << 24;  // per producer; untouched pages cost nothing

enum class PutState : uint8_t { none = 0, started = 1, returned = 2, aborted = 3 };

struct MessageId {
  uint32_t producer = 0;
  uint64_t number = 0;
  static MessageId of(uint64_t id) {
    return {static_cast<uint32_t>(id >> 40), id & ((1ull << 40) - 1)};
  }
  uint64_t id() const { return (uint64_t{producer} << 40) | number; }
  bool known() const { return producer < kProducers && number > 0 && number < kMostMessages; }
};

// Bits of the byte per group.
inline constexpr uint8_t kSeenOnce = 1;       // three bits
inline constexpr uint8_t kMayRepeatOnce = 8;  // four bits
inline constexpr uint8_t kMayBeMissing = 0x80;

struct WorkerNotes {
  std::atomic<uint64_t> beats;
  std::atomic<uint64_t> taking;     // id of what is being taken, 0: nothing
  std::atomic<uint64_t> releasing;  // id of what is being released
};

struct Oracle {
  std::atomic<bool> stop_producers, stop_all;
  std::atomic<uint64_t> corrupt, disorder, broken_lock, refused;
  std::atomic<uint64_t> lock_done;
  std::atomic<uint64_t> rejected;
  WorkerNotes workers[kWorkers];
  std::atomic<uint64_t> numbers[kProducers];
  std::atomic<PutState> puts[kProducers][kMostMessages];
  std::atomic<uint8_t> seen[kGroups][kProducers][kMostMessages];

  std::atomic<PutState>& put(MessageId message) { return puts[message.producer][message.number]; }
  std::atomic<uint8_t>& sight(uint32_t group, MessageId message) {
    return seen[group][message.producer][message.number];
  }

  void saw(uint32_t group, MessageId message) { sight(group, message).fetch_add(kSeenOnce); }

  // What the process was settling when it died.
  void excuse(uint32_t worker, uint32_t group) {
    const MessageId taking = MessageId::of(workers[worker].taking.exchange(0));
    const MessageId releasing = MessageId::of(workers[worker].releasing.exchange(0));
    if (taking.known()) sight(group, taking).fetch_or(kMayBeMissing);
    if (releasing.known()) sight(group, releasing).fetch_add(kMayRepeatOnce);
  }

  [[gnu::format(printf, 2, 3)]] static void report(std::atomic<uint64_t>& count, const char* format,
                                                   ...) {
    if (count.fetch_add(1) >= 5) return;  // the first ones tell enough
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    std::fprintf(stderr, "VIOLATION: %s\n", text);
  }
};

struct Verdict {
  uint64_t puts = 0, seen = 0, lost = 0, invented = 0, repeated = 0, duplicates = 0, torn_apart = 0;
};

// Over all messages, when everything is drained. `given_up`: dead letters removed for their space.
inline Verdict judge(Oracle& oracle, uint64_t given_up) {
  Verdict verdict;
  for (uint32_t producer = 0; producer < kProducers; ++producer) {
    for (uint64_t number = 1; number <= oracle.numbers[producer].load(); ++number) {
      const MessageId message = {producer, number};
      const PutState put = oracle.put(message).load();
      verdict.puts += put == PutState::returned;
      for (uint32_t group = 0; group < kGroups; ++group) {
        const uint8_t bits = oracle.sight(group, message).load();
        const uint32_t times = bits & 7;
        const uint32_t repeats = (bits >> 3) & 15;
        verdict.seen += times;
        if (times > 0 && (put == PutState::none || put == PutState::aborted)) ++verdict.invented;
        if (times > 1) verdict.duplicates += times - 1;
        if (times > 1 + repeats) ++verdict.repeated;
        if (group == 0 && times == 0 && put == PutState::returned && (bits & kMayBeMissing) == 0) {
          if (given_up > 0)
            --given_up;
          else
            ++verdict.lost;
        }
      }
    }
  }
  return verdict;
}

}  // namespace zoo::test
