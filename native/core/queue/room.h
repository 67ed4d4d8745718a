// Making room for a record. Under the guard.
//
// A ring is reclaimed from its oldest end: `head` moves over records that are finished. A frame's
// slot is free as soon as its own record is. When nothing is free, unclaimed messages of dropping
// groups give way, the oldest first; what somebody holds never does.
//
// Dead letters wait for somebody to look at them and must not hold up everything behind them: in a
// ring they step aside (become the newest record), and when they fill more than half of a store
// the oldest is given up, which is counted.
#pragma once

#include <cstdint>

#include "core/kill_step.h"
#include "core/queue/context.h"
#include "core/queue/totals.h"

namespace zoo {

struct Place {
  Record* record = nullptr;
  uint64_t position = 0;
  uint32_t slot = 0;
  uint32_t units = 0;
};

class Room {
 public:
  explicit Room(Context& context) : context_(context), header_(*context.header) {}

  // A place for a record of `units`, or would_block. Corrupt leaves a note in the context.
  Status find(uint64_t units, Place& place) {
    if (!oneMoreAllowed()) return Status::would_block;
    return context_.store.isRing() ? findInRing(units, place) : findSlot(place);
  }

  // Whether `find` would find a place. A ring is reclaimed for it, and dropping groups give way, as
  // they would for the put that follows.
  bool mayFit(uint64_t units) {
    if (!oneMoreAllowed()) return false;
    Place place;
    return context_.store.isRing() ? findInRing(units, place) != Status::would_block
                                   : slotMayBeFree();
  }

  // Bytes of the largest message that fits into a ring now.
  uint64_t largest() {
    if (!oneMoreAllowed()) return 0;
    reclaimDonePrefix(context_.store.capacity());
    const Ends ends = readEnds();
    if (!fit(ends) || freeBetween(ends) <= sizeof(Record)) return 0;
    return freeBetween(ends) - sizeof(Record);
  }

  // Moves the head of a ring over finished records, until `wanted` units are free and a little
  // more, so that the work is shared out over many puts.
  Status reclaimDonePrefix(uint64_t wanted_bytes) {
    Store& store = context_.store;
    const auto [start, tail] = readEnds();
    if (!fit({start, tail})) return context_.damaged("the ring's ends do not fit", start);
    const uint64_t enough = wanted_bytes + store.capacity() / 16;
    uint64_t head = start;
    Found found;
    while (head < tail && store.capacity() - (tail - head) < enough) {
      store.find(head, tail, found);
      if (!found.sane) return context_.damaged("a record's sizes do not fit", head);
      if (!context_.finished(*found.record)) break;
      head = found.next;
    }
    ZOO_STEP("reclaim.before_head");
    // if killed here: the same records are reclaimed by the next.
    if (head != start) header_.head.store(head, std::memory_order_release);  // PUBLISH head
    ZOO_STEP("reclaim.head");
    return Status::ok;
  }

 private:
  // A channel may have a largest number of messages. Those of dropping groups give way.
  bool oneMoreAllowed() {
    const uint64_t most = context_.most_messages;
    if (most == 0) return true;
    while (messagesAhead(context_) >= most) {
      if (!dropOldest()) return false;
    }
    return true;
  }

  bool dropOldest() {
    if (context_.store.isRing()) reclaimDonePrefix(context_.store.capacity());
    bool dropped = false;
    context_.forEachRecord([&](const Found& found) {
      if (!dropped && whatHolds(*found.record) == Holds::droppable) dropped = drop(*found.record);
    });
    return dropped;
  }

  // How a record that is not finished can be got rid of.
  enum class Holds { nothing, somebody, droppable, dead_letter };

  Holds whatHolds(const Record& record) const {
    const ProducerState state = record.producerWord(std::memory_order_acquire).state();
    if (state == ProducerState::aborted || state == ProducerState::padding) return Holds::nothing;
    if (state != ProducerState::committed) return Holds::somebody;
    Holds holds = Holds::nothing;
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      switch (record.deliveryWord(group, std::memory_order_acquire).state()) {
        case DeliveryState::done:
          break;
        case DeliveryState::ready:
          if (context_.constants.overflow[group] == Overflow::block) return Holds::somebody;
          if (holds == Holds::nothing) holds = Holds::droppable;
          break;
        case DeliveryState::dead:
        case DeliveryState::dead_claimed:
          holds = Holds::dead_letter;
          break;
        default:
          return Holds::somebody;
      }
    }
    return holds;
  }

  // False: a consumer was faster and holds it now.
  bool drop(Record& record) {
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      DeliveryWord word = record.deliveryWord(group, std::memory_order_acquire);
      if (word.state() == DeliveryState::claimed) return false;
      if (word.state() != DeliveryState::ready) continue;
      const DeliveryWord done = DeliveryWord::unowned(DeliveryState::done, word.deliveries(), 0);
      // A claim may win at any moment; then it stays.
      if (!record.delivery[group].compare_exchange_strong(word.bits, done.bits,
                                                          std::memory_order_acq_rel)) {
        return false;
      }
      ZOO_STEP("drop.done");
      header_.groups[group].dropped.fetch_add(1, std::memory_order_relaxed);
      ZOO_STEP("drop.counted");
    }
    return true;
  }

  // Whether somebody is looking at the dead letter.
  bool inView(const Record& record) const {
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      const DeliveryWord word = record.deliveryWord(group, std::memory_order_acquire);
      if (word.state() == DeliveryState::dead_claimed) return true;
    }
    return false;
  }

  // Dead letters may fill half of the store.
  bool tooManyDead() const {
    const uint64_t dead = header_.dead_units.load(std::memory_order_relaxed);
    const uint64_t all =
        context_.store.isRing() ? context_.store.capacity() / kRecordUnit : context_.store.slots();
    return dead * 2 > all;
  }

  // Gives up a dead letter, unless somebody is looking at it.
  bool giveUp(Record& record, uint64_t units) {
    if (inView(record) || !drop(record)) return false;
    for (uint32_t group = 0; group < context_.constants.group_count; ++group) {
      const DeliveryWord word = record.deliveryWord(group, std::memory_order_acquire);
      if (word.state() != DeliveryState::dead) continue;
      record.delivery[group].store(
          DeliveryWord::unowned(DeliveryState::done, word.deliveries(), 0).bits,
          std::memory_order_release);
      ZOO_STEP("give_up.done");
      header_.groups[group].dead_given_up.fetch_add(1, std::memory_order_relaxed);
      ZOO_STEP("give_up.counted");
    }
    const uint64_t dead = header_.dead_units.load(std::memory_order_relaxed);
    header_.dead_units.store(dead > units ? dead - units : 0, std::memory_order_relaxed);
    ZOO_STEP("give_up.units");
    return true;
  }

  // Read once and then believed or not: in shared memory they may be others at the next look.
  struct Ends {
    uint64_t head, tail;
  };
  Ends readEnds() const {
    return {header_.head.load(std::memory_order_relaxed),
            header_.tail.load(std::memory_order_relaxed)};
  }
  bool fit(const Ends& ends) const {
    return ends.tail - ends.head <= context_.store.capacity() &&
           (ends.tail | ends.head) % kRecordUnit == 0;
  }
  uint64_t freeBetween(const Ends& ends) const {
    return context_.store.capacity() - (ends.tail - ends.head);
  }

  Status findInRing(uint64_t units, Place& place) {
    Store& store = context_.store;
    const uint64_t needed = units * kRecordUnit;
    const uint64_t most_rounds = 4 * store.mostRecords();
    uint64_t stepped_aside = 0;
    Ends ends = readEnds();
    // Each round gets rid of a record, if nobody writes into what we read.
    for (uint64_t round = 0; !fit(ends) || freeBetween(ends) < needed; ends = readEnds(), ++round) {
      if (!fit(ends) || round > most_rounds) {
        return context_.damaged("the ring's ends do not fit", ends.head);
      }
      const Status reclaimed = reclaimDonePrefix(needed);
      if (reclaimed != Status::ok) return reclaimed;
      ends = readEnds();
      if (!fit(ends)) continue;
      if (freeBetween(ends) >= needed) break;
      Found found;
      store.find(ends.head, ends.tail, found);
      if (!found.sane) return context_.damaged("a record's sizes do not fit", ends.head);
      switch (whatHolds(*found.record)) {
        case Holds::nothing:
          break;
        case Holds::somebody:
          return Status::would_block;
        case Holds::droppable:
          if (!drop(*found.record)) return Status::would_block;
          break;
        case Holds::dead_letter: {
          const uint64_t span = found.next - found.position;
          if (tooManyDead() || stepped_aside >= store.capacity()) {
            if (!giveUp(*found.record, span / kRecordUnit)) return Status::would_block;
          } else {
            // What another group has not taken yet must not come behind its successors.
            if (!drop(*found.record)) return Status::would_block;
            stepAside(ends, span);
            stepped_aside += span;
          }
          break;
        }
      }
    }
    place.position = ends.tail;
    place.record = store.recordAt(place.position);
    place.units = static_cast<uint32_t>(units);
    return Status::ok;
  }

  // The oldest record becomes the newest without moving a byte: what is free between the newest
  // and the oldest becomes padding, then both ends move over the record.
  void stepAside(const Ends& ends, uint64_t span) {
    Store& store = context_.store;
    const auto [head, tail] = ends;
    const uint64_t full = head + store.capacity();
    if (tail != full) {
      Record& padding = *store.recordAt(tail);
      padding.payload_bytes.store(0, std::memory_order_relaxed);
      padding.span.store(static_cast<uint32_t>((full - tail) / kRecordUnit),
                         std::memory_order_relaxed);
      padding.producer.store(ProducerWord::of(ProducerState::padding, {}).bits,
                             std::memory_order_relaxed);
      ZOO_STEP("step_aside.padding");
      header_.tail.store(full, std::memory_order_release);  // PUBLISH tail
      ZOO_STEP("step_aside.padded");
    }
    // if killed here or below: the ring is full, or longer than full by this one record, which
    // `repairEnds` sees.
    header_.tail.store(full + span, std::memory_order_release);
    ZOO_STEP("step_aside.tail");
    header_.head.store(head + span, std::memory_order_release);
    ZOO_STEP("step_aside.head");
  }

  // Tried first, each time: where few frames are under way, these slots serve them all, and their
  // bytes stay in the caches.
  static constexpr uint32_t kWarmSlots = 4;

  Status findSlot(Place& place) {
    Store& store = context_.store;
    const uint32_t slots = store.slots();
    const uint32_t warm = slots > kWarmSlots ? kWarmSlots : 0;
    const uint32_t start = header_.slot_hint.load(std::memory_order_relaxed);
    for (uint32_t step = 0; step < slots + warm; ++step) {
      const uint32_t slot = (step < warm ? step : start + step - warm) % slots;
      if (store.seqOfSlot(slot).load(std::memory_order_relaxed) == 0 ||
          context_.finished(*store.slotRecord(slot))) {
        return take(slot, place);
      }
    }
    // Each round that finds one claimed by somebody else finds one fewer.
    for (uint32_t round = 0; round <= slots; ++round) {
      uint32_t droppable = slots;
      uint32_t dead_letter = slots;
      for (uint32_t slot = 0; slot < slots; ++slot) {
        const Holds holds = whatHolds(*store.slotRecord(slot));
        if (holds == Holds::nothing) return take(slot, place);
        if (holds == Holds::droppable && older(slot, droppable)) droppable = slot;
        if (holds == Holds::dead_letter && older(slot, dead_letter)) dead_letter = slot;
      }
      if (droppable != slots) {
        if (drop(*store.slotRecord(droppable))) return take(droppable, place);
        continue;  // somebody claimed it: one fewer, look again
      }
      if (dead_letter == slots || !tooManyDead() || !giveUp(*store.slotRecord(dead_letter), 1)) {
        return Status::would_block;
      }
      return take(dead_letter, place);
    }
    return Status::would_block;
  }

  bool slotMayBeFree() {
    Store& store = context_.store;
    for (uint32_t slot = 0; slot < store.slots(); ++slot) {
      if (store.seqOfSlot(slot).load(std::memory_order_relaxed) == 0) return true;
      const Holds holds = whatHolds(*store.slotRecord(slot));
      if (holds == Holds::nothing || holds == Holds::droppable) return true;
      if (holds == Holds::dead_letter && tooManyDead() && !inView(*store.slotRecord(slot)))
        return true;
    }
    return false;
  }

  bool older(uint32_t slot, uint32_t than) {
    return than == context_.store.slots() ||
           context_.store.seqOfSlot(slot).load(std::memory_order_relaxed) <
               context_.store.seqOfSlot(than).load(std::memory_order_relaxed);
  }

  Status take(uint32_t slot, Place& place) {
    // Out of the table before its bytes change: readers who still look at it notice.
    context_.store.seqOfSlot(slot).store(0, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_release);
    ZOO_STEP("room.slot_taken");
    header_.slot_hint.store((slot + 1) % context_.store.slots(), std::memory_order_relaxed);
    place.slot = slot;
    place.position = header_.tail.load(std::memory_order_relaxed);
    place.record = context_.store.slotRecord(slot);
    place.units = context_.store.slotUnits();
    return Status::ok;
  }

  Context& context_;
  QueueHeader& header_;
};

// After a holder of the guard died: brings the ends in order, whatever step it died at.
inline void repairEnds(Context& context) {
  QueueHeader& header = *context.header;
  const uint64_t tail = header.tail.load(std::memory_order_relaxed);
  if (context.store.isRing()) {
    const uint64_t head = header.head.load(std::memory_order_relaxed);
    if (tail - head > context.store.capacity() && head < tail) {
      header.head.store(tail - context.store.capacity(), std::memory_order_release);
      ZOO_STEP("repair.head");
    }
    return;
  }
  for (uint32_t slot = 0; slot < context.store.slots(); ++slot) {
    // In the table, but its number was never published.
    if (context.store.seqOfSlot(slot).load(std::memory_order_relaxed) >= tail) {
      context.store.seqOfSlot(slot).store(0, std::memory_order_release);
      ZOO_STEP("repair.slot");
    }
  }
}

}  // namespace zoo
