// What every part of a queue's handle works on.
#pragma once

#include <cstdint>
#include <string>

#include "core/kill_step.h"
#include "core/layout/channel_header.h"
#include "core/layout/queue_header.h"
#include "core/queue/store.h"
#include "core/segment/segment.h"
#include "core/status.h"
#include "core/sync/membership.h"
#include "core/sync/waiting.h"

namespace zoo {

// Whether anybody will put again, with the pid of a writer that died or failed. A pipe has the same
// word for its reader.
struct WritersWord {
  uint64_t bits;
  WritersState state() const { return static_cast<WritersState>(bits & 0xff); }
  uint32_t pid() const { return static_cast<uint32_t>(bits >> 32); }
  // Nobody will put any more; after a death somebody else may.
  bool over() const {
    return state() == WritersState::ended || state() == WritersState::died ||
           state() == WritersState::failed;
  }
  bool mayJoin() const { return state() != WritersState::ended && state() != WritersState::failed; }
  static uint64_t of(WritersState state, uint32_t pid) {
    return static_cast<uint64_t>(state) | (uint64_t{pid} << 32);
  }
};

struct Context {
  Segment segment;
  QueueHeader* header = nullptr;
  ChannelHeader* channel = nullptr;
  uint32_t most_messages = 0;  // 0: as many as there is room for
  bool is_plain = true;        // neither a channel nor a pipe
  bool is_pipe = false;
  QueueConstants constants = {};  // our own copy: checked once, and nobody can change it
  Store store;
  Membership me;
  uint32_t group = 0;
  std::string corruption;  // what was found damaged

  Participant* participants() const { return segment.participants(); }
  Counters& counters() const { return me.own().counters; }
  Sleepers readers(uint32_t of_group) const {
    return Sleepers(header->readers_waiting[of_group], segment.participants());
  }
  Sleepers writers() const { return Sleepers(header->writers_waiting, segment.participants()); }
  uint32_t salt(uint64_t seq) const { return ZOO_MUTATED(10) ? 0 : saltOf(seq, constants.salt); }

  WritersWord writersWord() const {
    return {header->writers.load(std::memory_order_acquire)};  // CONSUME writers
  }
  // A pipe's reader, which is the only one it ever has, has closed it or died.
  bool readerLeft() const { return is_pipe && readersWord().over(); }
  WritersWord readersWord() const {
    return {channel->readers.load(std::memory_order_acquire)};  // CONSUME readers
  }
  std::byte* failure() const { return segment.mapping()->base() + kFailureOffset; }

  Status damaged(const char* what, uint64_t position) {
    char text[160];
    std::snprintf(text, sizeof text, "%s at position %llu", what,
                  static_cast<unsigned long long>(position));
    corruption = text;
    return Status::corrupt;
  }

  Status takenAway() {
    corruption = kTakenAway;
    return Status::corrupt;
  }

  // The record has nothing left to give: never was a message, or every group is done with it.
  bool finished(const Record& record, std::memory_order order = std::memory_order_acquire) const {
    const ProducerState state = record.producerWord(order).state();
    if (state == ProducerState::aborted || state == ProducerState::padding) return true;
    if (state != ProducerState::committed) return false;
    for (uint32_t of_group = 0; of_group < constants.group_count; ++of_group) {
      const DeliveryState delivery = record.deliveryWord(of_group, order).state();  // CONSUME done
      if (ZOO_MUTATED(12) && delivery == DeliveryState::claimed) continue;
      if (delivery != DeliveryState::done) return false;
    }
    return true;
  }

  // Calls `visit(found)` for every record from the oldest on. Under the guard, or for statistics.
  // False: a record made no sense, and the walk ended there.
  template <typename Visit>
  bool forEachRecord(Visit visit) {
    uint64_t position = store.first();
    const uint64_t tail = header->tail.load(std::memory_order_acquire);
    Found found;
    uint64_t steps = 0;
    while (position < tail && store.find(position, tail, found)) {
      // The ends may move on meanwhile, but never back.
      if (++steps > 4 * store.mostRecords()) {
        damaged("there is no end of records", position);
        return false;
      }
      if (!store.stillThere(found)) {
        position = store.isRing() ? store.first() : found.next;
        continue;
      }
      if (!found.sane) {
        damaged("a record's sizes do not fit", position);
        return false;
      }
      visit(found);
      position = found.next;
    }
    return true;
  }
};

}  // namespace zoo
