// Who put what into one queue and who saw it, in memory that does not belong to the library under
// test.
//
// Every message has one byte for its put, and for each group one for who saw it and one for how
// often it was offered. A process that is killed leaves a note of what it was just about to settle,
// which excuses exactly that message: one that was being taken may be missing, one that was being
// released may come once more. Everything else counts.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/os/shm_file.h"
#include "support/messages.h"

namespace zoo::test {

inline constexpr uint32_t kMostProducers = 3;
inline constexpr uint32_t kMostTortureGroups = 3;
inline constexpr uint64_t kMostMessages = 1 << 22;  // per producer; untouched pages cost nothing
inline constexpr uint32_t kMostEpochs = 1024;

enum class PutState : uint8_t {
  none = 0,
  started = 1,
  returned = 2,
  withdrawn = 3,  // given up, or refused: nobody may ever see it
};

// Which queue, which of the segments that bore its name one after the other, who, and which.
struct MessageId {
  uint32_t queue = 0;
  uint32_t epoch = 0;
  uint32_t producer = 0;
  uint64_t number = 0;

  static MessageId of(uint64_t id) {
    return {static_cast<uint32_t>(id >> 60), static_cast<uint32_t>(id >> 44) & 0xffff,
            static_cast<uint32_t>(id >> 40) & 0xf, id & ((1ull << 40) - 1)};
  }
  uint64_t id() const {
    return (uint64_t{queue} << 60) | (uint64_t{epoch} << 44) | (uint64_t{producer} << 40) | number;
  }
  bool known() const { return producer < kMostProducers && number > 0 && number < kMostMessages; }
};

// Bits of the byte per group.
inline constexpr uint8_t kSeenOnce = 1;       // three bits
inline constexpr uint8_t kMayRepeatOnce = 8;  // four bits
inline constexpr uint8_t kMayBeMissing = 0x80;

struct Ledger {
  std::atomic<uint64_t> numbers[kMostProducers];
  std::atomic<uint64_t> epochs[kMostEpochs];  // inode of each segment that had the name
  // Reasons why a message may be offered again, counted before they come true.
  std::atomic<uint64_t> rejections, closings, held_at_death, consumer_deaths, producer_deaths;
  std::atomic<uint64_t> dead_letters;  // released
  // A reader of the group was told that this is the end.
  std::atomic<bool> over[kMostTortureGroups];
  std::atomic<PutState> puts[kMostProducers][kMostMessages];
  std::atomic<uint8_t> seen[kMostTortureGroups][kMostProducers][kMostMessages];
  std::atomic<uint8_t> offered[kMostTortureGroups][kMostProducers][kMostMessages];

  std::atomic<PutState>& put(MessageId message) { return puts[message.producer][message.number]; }
  std::atomic<uint8_t>& sight(uint32_t group, MessageId message) {
    return seen[group][message.producer][message.number];
  }
  void saw(uint32_t group, MessageId message) { sight(group, message).fetch_add(kSeenOnce); }

  // How often it had been offered before, to those who lived to note it.
  uint32_t offer(uint32_t group, MessageId message, uint32_t deliveries) {
    return offered[group][message.producer][message.number].exchange(
        static_cast<uint8_t>(deliveries));
  }

  // A number for each segment that had the name; kMostEpochs: there were too many.
  uint32_t epochOf(const FileIdentity& identity) {
    for (uint32_t epoch = 0; epoch < kMostEpochs; ++epoch) {
      uint64_t known = 0;
      if (epochs[epoch].compare_exchange_strong(known, identity.inode)) return epoch;
      if (known == identity.inode) return epoch;
    }
    return kMostEpochs;
  }
};

struct Judgement {
  uint64_t puts = 0;       // that returned
  uint64_t uncertain = 0;  // whose producer died meanwhile
  uint64_t seen = 0;
  uint64_t lost = 0;
  uint64_t invented = 0;    // seen, though never put, or given up
  uint64_t duplicates = 0;  // with a reason
  uint64_t repeated = 0;    // without
  MessageId example;        // of a loss
};

// Over all messages, when everything is drained. `loses_nothing`: of each group; a group that drops
// may leave out what it likes. `given_up`: dead letters removed for their space.
inline Judgement judge(Ledger& ledger, uint32_t groups, const bool* loses_nothing,
                       uint64_t given_up) {
  Judgement judgement;
  for (uint32_t producer = 0; producer < kMostProducers; ++producer) {
    for (uint64_t number = 1; number <= ledger.numbers[producer].load(); ++number) {
      MessageId message;
      message.producer = producer;
      message.number = number;
      const PutState put = ledger.put(message).load();
      judgement.puts += put == PutState::returned;
      judgement.uncertain += put == PutState::started;
      for (uint32_t group = 0; group < groups; ++group) {
        const uint8_t bits = ledger.sight(group, message).load();
        const uint32_t times = bits & 7;
        const uint32_t repeats = (bits >> 3) & 15;
        judgement.seen += times;
        if (times > 0 && (put == PutState::none || put == PutState::withdrawn)) {
          ++judgement.invented;
        }
        if (times > 1) judgement.duplicates += times - 1;
        if (times > 1 + repeats) ++judgement.repeated;
        if (loses_nothing[group] && times == 0 && put == PutState::returned &&
            (bits & kMayBeMissing) == 0) {
          if (given_up > 0) {
            --given_up;
          } else {
            ++judgement.lost;
            judgement.example = message;
          }
        }
      }
    }
  }
  return judgement;
}

}  // namespace zoo::test
