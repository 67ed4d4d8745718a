// Where records lie, for both stores behind one face.
//
// A position is a number that only grows. Ring: the byte at which a record begins, counted from
// the queue's first day. Frames: the message's number; which slot holds it says the table. All
// that is read from shared memory is checked here before anything is touched.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/kill_step.h"
#include "core/layout/queue_header.h"
#include "core/layout/record.h"
#include "core/segment/segment.h"

namespace zoo {

// A record that was looked at, perhaps without the guard: believe it only if `stillThere`.
struct Found {
  Record* record = nullptr;
  uint64_t position = 0;
  uint64_t next = 0;  // position behind it
  uint64_t seq = 0;
  ProducerWord producer = {0};
  uint32_t payload_bytes = 0;
  uint32_t slot = 0;  // frames
  bool sane = false;  // sizes fit together and into the store
};

class Store {
 public:
  Store() = default;
  Store(const Segment& segment, QueueHeader& header, const QueueConstants& constants)
      : header_(&header),
        kind_(constants.store),
        capacity_(constants.capacity),
        stride_(constants.slot_stride),
        slots_(constants.slots),
        hint_mask_(hintCount(constants.slots) - 1) {
    records_ = segment.mapping()->data();
    if (kind_ == StoreKind::frames) {
      std::byte* table = segment.mapping()->base() + kFrameTableOffset;
      seqs_ = reinterpret_cast<std::atomic<uint64_t>*>(table);
      hints_ =
          reinterpret_cast<std::atomic<uint32_t>*>(table + uint64_t{slots_} * sizeof(uint64_t));
    }
  }

  // Bytes of the table behind the queue's header.
  static uint64_t tableBytes(const QueueConstants& constants) {
    if (constants.store == StoreKind::ring) return 0;
    return uint64_t{constants.slots} * sizeof(uint64_t) +
           hintCount(constants.slots) * sizeof(uint32_t);
  }

  bool isRing() const { return kind_ == StoreKind::ring; }
  uint64_t capacity() const { return capacity_; }
  uint32_t slots() const { return slots_; }
  uint64_t mostRecords() const { return isRing() ? capacity_ / kRecordUnit : slots_; }
  uint64_t limit() const {
    const uint64_t bytes = (isRing() ? capacity_ : stride_) - sizeof(Record);
    return bytes < kMaxPayloadBytes ? bytes : kMaxPayloadBytes;
  }
  uint64_t offsetOf(const Record* record) const {
    return static_cast<uint64_t>(reinterpret_cast<const std::byte*>(record) - records_);
  }

  // No record that anybody still needs lies before it.
  uint64_t first() const { return isRing() ? header_->head.load(std::memory_order_acquire) : 1; }

  // The first record at or behind `position` (which is < tail). False: there is none.
  bool find(uint64_t position, uint64_t tail, Found& found) {
    return isRing() ? findInRing(position, tail, found) : findFrame(position, tail, found);
  }

  // Whether the record looked at is still the one at its position. Space is given to a new record
  // only after the head moved over the old one, or its number was taken out of the table; had we
  // read anything of the new one, we would see that too.
  bool stillThere(const Found& found) const {
    std::atomic_thread_fence(std::memory_order_acquire);
    if (isRing()) return header_->head.load(std::memory_order_relaxed) <= found.position;
    return seqs_[found.slot].load(std::memory_order_relaxed) == found.seq;
  }

  // Fetches what will be taken a few messages later, if they are as long as this one: its header
  // to be written, which saves asking the producer's processor twice.
  void prefetchBehind(const Found& found, uint64_t tail) const {
    const uint64_t distance = kPrefetchedMessages * (found.next - found.position);
    if (!isRing() || found.position + distance >= tail) return;
    const std::byte* record = reinterpret_cast<const std::byte*>(found.record) + distance;
    __builtin_prefetch(record, 1);
    __builtin_prefetch(record + sizeof(Record), 0);
  }

  Record* recordAt(uint64_t position) {
    return reinterpret_cast<Record*>(records_ + offset(position));
  }
  Record* slotRecord(uint32_t slot) {
    return reinterpret_cast<Record*>(records_ + uint64_t{slot} * stride_);
  }
  std::atomic<uint64_t>& seqOfSlot(uint32_t slot) { return seqs_[slot]; }
  void hint(uint64_t seq, uint32_t slot) {
    hints_[seq & hint_mask_].store(slot, std::memory_order_relaxed);
  }
  uint32_t slotUnits() const { return static_cast<uint32_t>(stride_ / kRecordUnit); }

 private:
  static constexpr uint64_t kPrefetchedMessages = 4;

  static uint64_t hintCount(uint32_t slots) {
    uint64_t count = 1;
    while (count < uint64_t{slots} * kFrameHints) count *= 2;
    return count;
  }

  // Ring offset without a division, as long as positions stay in one lap.
  uint64_t offset(uint64_t position) {
    if (position - lap_ >= capacity_) lap_ = position - position % capacity_;
    return position - lap_;
  }

  bool findInRing(uint64_t position, uint64_t tail, Found& found) {
    // A crooked end would make every word of the record a torn one.
    const bool straight = (position | tail) % kRecordUnit == 0;
    Record* record = recordAt(position - position % kRecordUnit);
    const uint64_t span = uint64_t{record->span.load(std::memory_order_relaxed)} * kRecordUnit;
    read(record, found);
    found.position = position;
    found.next = position + span;
    // The ends are no further apart than a dead letter that steps aside can bring them.
    found.sane = straight && span != 0 && span <= capacity_ && span <= tail - position &&
                 tail - position <= 2 * capacity_ &&
                 (ZOO_MUTATED(9) || found.payload_bytes <= span - sizeof(Record));
    return true;
  }

  bool findFrame(uint64_t position, uint64_t tail, Found& found) {
    uint32_t slot = hints_[position & hint_mask_].load(std::memory_order_relaxed);
    uint64_t seq =
        ZOO_MUTATED(29) || slot < slots_ ? seqs_[slot].load(std::memory_order_acquire) : 0;
    if (seq != position) {
      seq = tail;
      for (uint32_t candidate = 0; candidate < slots_; ++candidate) {
        const uint64_t at = seqs_[candidate].load(std::memory_order_acquire);  // CONSUME frame
        if (at < position || at >= seq) continue;
        seq = at;
        slot = candidate;
      }
      if (seq == tail) return false;
    }
    Record* record = slotRecord(slot);
    read(record, found);
    found.position = seq;
    found.next = seq + 1;
    found.slot = slot;
    found.sane = found.seq == seq && found.payload_bytes <= stride_ - sizeof(Record);
    found.seq = seq;
    return true;
  }

  static void read(Record* record, Found& found) {
    found.record = record;
    // Before the size, which a commit may have made smaller than what was reserved.
    found.producer = record->producerWord(std::memory_order_acquire);  // CONSUME commit
    found.seq = record->seq.load(std::memory_order_relaxed);
    found.payload_bytes = record->payload_bytes.load(std::memory_order_relaxed);
  }

  QueueHeader* header_ = nullptr;
  StoreKind kind_ = StoreKind::ring;
  std::byte* records_ = nullptr;
  uint64_t capacity_ = 0;
  uint64_t stride_ = 0;
  uint32_t slots_ = 0;
  uint64_t hint_mask_ = 0;
  uint64_t lap_ = 0;
  std::atomic<uint64_t>* seqs_ = nullptr;
  std::atomic<uint32_t>* hints_ = nullptr;
};

}  // namespace zoo
