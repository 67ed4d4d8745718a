// The hostile neighbour: maps a segment as any process of the same user may, and writes into it,
// at random and on purpose, without asking the library.
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/layout/channel_header.h"
#include "core/layout/lock_block.h"
#include "core/layout/queue_header.h"
#include "core/layout/segment_header.h"
#include "core/os/shm_file.h"
#include "core/sync/held_mutexes.h"
#include "support/hostile_dice.h"

namespace zoo::test {

// What is written at: one part of a segment that means something.
enum class HostileAim : uint32_t {
  anywhere,
  header,
  guard,
  guard_links,
  participants,
  constants,
  positions,
  masks,
  totals,
  records,
  delivery,
  table,
  channel,
  failure,
  lock_mutex,
  lock_block,
  memory_block,
};
inline constexpr uint32_t kHostileAims = 17;

inline const char* nameOfAim(HostileAim aim) {
  static constexpr const char* kNames[] = {
      "anywhere",  "header",  "guard",      "guard links", "participants", "constants",
      "positions", "masks",   "totals",     "records",     "delivery",     "table",
      "channel",   "failure", "lock mutex", "lock block",  "memory block"};
  return kNames[static_cast<uint32_t>(aim)];
}

// What a neighbour can know or guess, and would like to have followed.
struct HostileBait {
  std::vector<uint32_t> threads;  // of itself, of a living stranger, of a dead one
  std::vector<uint64_t> bells;    // numbers of files that look like bells, or are somebody's
  uintptr_t canary = 0;           // an address in the users' own memory
};

// A view of one segment's bytes.
class HostileMapping {
 public:
  explicit HostileMapping(const std::string& name) {
    const int file = open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts = {};
    if (file < 0) return;
    if (fstat(file, &facts) == 0 && facts.st_size > static_cast<off_t>(kBlockOffset)) {
      void* place = mmap(nullptr, static_cast<size_t>(facts.st_size), PROT_READ | PROT_WRITE,
                         MAP_SHARED, file, 0);
      if (place != MAP_FAILED) {
        base_ = static_cast<char*>(place);
        bytes_ = static_cast<uint64_t>(facts.st_size);
      }
    }
    close(file);
    if (base_ == nullptr) return;
    const auto& header = *reinterpret_cast<const SegmentHeader*>(base_);
    kind_ = header.kind;
    data_offset_ = header.data_offset < bytes_ ? header.data_offset : kBlockOffset;
  }
  HostileMapping(const HostileMapping&) = delete;
  HostileMapping& operator=(const HostileMapping&) = delete;
  ~HostileMapping() {
    if (base_ != nullptr) munmap(base_, bytes_);
  }

  bool valid() const { return base_ != nullptr; }
  uint64_t bytes() const { return bytes_; }
  uint64_t dataOffset() const { return data_offset_; }
  void write(uint64_t offset, uint64_t value, uint64_t width) {
    offset -= offset % width;
    if (offset + width > bytes_) return;
    char* at = base_ + offset;
    switch (width) {
      case 1:
        __atomic_store_n(at, static_cast<char>(value), __ATOMIC_RELAXED);
        break;
      case 4:
        __atomic_store_n(reinterpret_cast<uint32_t*>(at), static_cast<uint32_t>(value),
                         __ATOMIC_RELAXED);
        break;
      default:
        __atomic_store_n(reinterpret_cast<uint64_t*>(at), value, __ATOMIC_RELAXED);
    }
  }
  uint64_t read(uint64_t offset) const {
    offset -= offset % 8;
    return offset + 8 > bytes_
               ? 0
               : __atomic_load_n(reinterpret_cast<uint64_t*>(base_ + offset), __ATOMIC_RELAXED);
  }

 private:
  char* base_ = nullptr;
  uint64_t bytes_ = 0;
  uint64_t data_offset_ = 0;
  SegmentKind kind_ = SegmentKind::memory;
};

class HostileWriter {
 public:
  HostileWriter(HostileDice dice, const HostileBait& bait) : dice_(dice), bait_(bait) {}

  // One attack: a word, a few, or the same one again and again.
  void attack(HostileMapping& segment, HostileAim aim) {
    const uint64_t words = dice_.oneIn(4) ? 1 + dice_.below(40) : 1;
    for (uint64_t word = 0; word < words; ++word) {
      const Target target = choose(segment, aim);
      const uint64_t times = dice_.oneIn(6) ? 1 + dice_.below(20'000) : 1;
      if (times == 1) {
        segment.write(target.offset, target.value, target.width);
        continue;
      }
      // Two values in turn, so that a look and a second look disagree.
      const uint64_t other = dice_.oneIn(2) ? segment.read(target.offset) : anyValue(segment);
      for (uint64_t time = 0; time < times; ++time) {
        segment.write(target.offset, time % 2 == 0 ? target.value : other, target.width);
      }
    }
  }

 private:
  struct Target {
    uint64_t offset = 0;
    uint64_t value = 0;
    uint64_t width = 8;
  };

  uint64_t anyValue(const HostileMapping& segment) {
    switch (dice_.below(12)) {
      case 0:
        return 0;
      case 1:
        return 1;
      case 2:
        return ~uint64_t{0};
      case 3:
        return uint64_t{1} << dice_.below(64);
      case 4:
        return dice_.below(300);
      case 5:
        return segment.bytes() - dice_.below(2) * segment.dataOffset();
      case 6:
        return dice_.below(segment.bytes() * 2) & ~uint64_t{63};
      case 7:
        return ~dice_.below(8192);
      case 8:
        return anyThread();
      case 9:
        return bait_.canary + 8 * dice_.below(8);
      case 10:
        return bait_.bells[dice_.below(bait_.bells.size())];
      default:
        return dice_.next();
    }
  }

  // Something near what is there: the most dangerous lie is a small one.
  uint64_t nearby(const HostileMapping& segment, uint64_t offset) {
    const uint64_t there = segment.read(offset);
    static constexpr int64_t kSteps[] = {-4096, -64, -8, -1, 1, 8, 64, 128, 4096, 1 << 20};
    return there + static_cast<uint64_t>(kSteps[dice_.below(10)]);
  }

  uint64_t anyThread() { return bait_.threads[dice_.below(bait_.threads.size())]; }

  uint64_t mutexWord() {
    const uint64_t flags[] = {0, FUTEX_WAITERS, FUTEX_OWNER_DIED, FUTEX_WAITERS | FUTEX_OWNER_DIED};
    const uint64_t owner = dice_.oneIn(5) ? 0 : dice_.oneIn(4) ? dice_.below(1 << 22) : anyThread();
    return owner | flags[dice_.below(4)];
  }

  uint64_t link() {
    if (dice_.oneIn(3)) return bait_.canary + 8 * dice_.below(16);
    return dice_.oneIn(3) ? dice_.next() : dice_.below(1 << 16);
  }

  Target at(const HostileMapping& segment, uint64_t begin, uint64_t length) {
    Target target;
    target.width = dice_.oneIn(2) ? 8 : dice_.oneIn(2) ? 4 : 1;
    target.offset = begin + dice_.below(length);
    target.value = dice_.oneIn(3) ? nearby(segment, target.offset) : anyValue(segment);
    return target;
  }

  Target choose(const HostileMapping& segment, HostileAim aim) {
    const uint64_t data = segment.dataOffset();
    const uint64_t data_bytes = segment.bytes() - data;
    switch (aim) {
      case HostileAim::anywhere:
        return at(segment, 0, segment.bytes());
      case HostileAim::header:
        return at(segment, 0, offsetof(SegmentHeader, guard));
      case HostileAim::guard:
        return mutexAt(segment, offsetof(SegmentHeader, guard));
      case HostileAim::guard_links:
        return linksAt(offsetof(SegmentHeader, guard));
      case HostileAim::participants:
        return participantAt(segment);
      case HostileAim::constants:
        return at(segment, kBlockOffset, sizeof(QueueConstants));
      case HostileAim::positions:
        return at(segment, kBlockOffset + offsetof(QueueHeader, tail),
                  offsetof(QueueHeader, readers_waiting) - offsetof(QueueHeader, tail));
      case HostileAim::masks:
        return at(segment, kBlockOffset + offsetof(QueueHeader, readers_waiting),
                  offsetof(QueueHeader, puts) - offsetof(QueueHeader, readers_waiting));
      case HostileAim::totals:
        return at(segment, kBlockOffset + offsetof(QueueHeader, puts),
                  sizeof(QueueHeader) - offsetof(QueueHeader, puts));
      case HostileAim::records:
        return data_bytes == 0 ? at(segment, 0, 64)
                               : at(segment, data + recordUnit(data_bytes), sizeof(Record));
      case HostileAim::delivery:
        return data_bytes == 0 ? at(segment, 0, 64) : deliveryAt(data + recordUnit(data_bytes));
      case HostileAim::table:
        return at(segment, kFrameTableOffset,
                  data > kFrameTableOffset ? data - kFrameTableOffset : 8);
      case HostileAim::channel:
        return at(segment, kChannelOffset, sizeof(ChannelHeader));
      case HostileAim::failure:
        return at(segment, kFailureOffset, 256);
      case HostileAim::lock_mutex:
        return dice_.oneIn(2) ? mutexAt(segment, kBlockOffset) : linksAt(kBlockOffset);
      case HostileAim::lock_block:
        return at(segment, kBlockOffset + sizeof(SharedMutex),
                  sizeof(LockBlock) - sizeof(SharedMutex));
      case HostileAim::memory_block:
        return at(segment, kBlockOffset, 8);
    }
    return {};
  }

  uint64_t recordUnit(uint64_t data_bytes) {
    return dice_.below(data_bytes / kRecordUnit) * kRecordUnit;
  }

  Target mutexAt(const HostileMapping& segment, uint64_t begin) {
    if (dice_.oneIn(6)) return at(segment, begin, 24);
    return {begin + kMutexWord, mutexWord(), 4};
  }

  Target linksAt(uint64_t begin) {
    return {begin + (dice_.oneIn(2) ? kMutexPrevious : kMutexNext), link(), 8};
  }

  Target participantAt(const HostileMapping& segment) {
    const uint64_t slot = dice_.oneIn(3) ? dice_.below(kSlots) : dice_.below(12);
    const uint64_t begin = kParticipantsOffset + slot * sizeof(Participant);
    switch (dice_.below(6)) {
      case 0:
        return {begin + offsetof(Participant, state), dice_.below(3), 4};
      case 1:
        return {begin + offsetof(Participant, bell), bait_.bells[dice_.below(bait_.bells.size())],
                8};
      case 2:
        return {begin + offsetof(Participant, pid), anyThread(), 4};
      case 3:
        return {begin + offsetof(Participant, group), dice_.below(9), 4};
      default:
        return at(segment, begin, sizeof(Participant));
    }
  }

  Target deliveryAt(uint64_t record) {
    const uint64_t word = dice_.below(5);
    const uint64_t value =
        dice_.below(7) | (dice_.below(8) << 8) | (dice_.below(130) << 24) | (dice_.below(4) << 32);
    return {record + (word == 4 ? 0 : offsetof(Record, delivery) + word * 8),
            dice_.oneIn(8) ? dice_.next() : value, 8};
  }

  HostileDice dice_;
  const HostileBait& bait_;
};

}  // namespace zoo::test
