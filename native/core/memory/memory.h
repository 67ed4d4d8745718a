// A block of memory with a name.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/kill_step.h"
#include "core/segment/attach.h"
#include "core/sync/membership.h"
#include "core/sync/robust_mutex.h"

namespace zoo {

struct MemoryOptions {
  uint64_t bytes = 0;  // when it is made
  uint32_t mode = 0600;
  bool set_aside = true;
};

// The user's own size: the file is rounded up to pages.
struct MemoryBlock {
  uint64_t bytes;
};

class Memory {
 public:
  // `create` or `open`; a memory is never made by accident.
  static Result<std::unique_ptr<Memory>> open(const std::string& name, OpenMode mode,
                                              const MemoryOptions& options) {
    std::unique_ptr<Memory> memory;
    const auto adopt = [&]() -> Result<Adopted> {
      Result<Segment> segment = Segment::open(name, SegmentKind::memory, nullptr);
      if (!segment) return segment.error();
      memory.reset(new Memory(segment.take()));
      memory->bytes_ = memory->segment_.block<MemoryBlock>().bytes;
      if (memory->bytes_ > memory->mapping()->reachable()) {
        return Error::of(ErrorCode::corrupt, 0,
                         "memory '%s': its size is damaged; remove it and make it anew",
                         name.c_str());
      }
      return memory->join();
    };
    const auto make = [&]() -> Result<Done> {
      SegmentPlan plan;
      plan.kind = SegmentKind::memory;
      plan.block_bytes = sizeof(MemoryBlock);
      plan.data_bytes = options.bytes;
      plan.mode = options.mode;
      plan.set_aside = options.set_aside;
      Result<Segment> segment = Segment::make(
          name, plan, [&](Segment& fresh) { fresh.block<MemoryBlock>().bytes = options.bytes; });
      if (!segment) return segment.error();
      memory.reset(new Memory(segment.take()));
      memory->bytes_ = options.bytes;
      Result<Adopted> joined = memory->join();
      if (!joined) return joined.error();
      return Done{};
    };
    Result<bool> made = openOrMake(name, SegmentKind::memory, mode, adopt, make,
                                   [&]() -> const Segment& { return memory->segment_; });
    if (!made) return made.error();
    memory->created_ = *made;
    return memory;
  }

  static Result<bool> unlink(const std::string& name) {
    return zoo::unlinkName(name, SegmentKind::memory);
  }

  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { close(); }

  const std::string& name() const { return segment_.name(); }
  bool created() const { return created_; }
  bool closed() const { return closed_; }
  uint64_t byteLength() const { return bytes_; }
  std::byte* data() const { return segment_.mapping()->data(); }
  const FileIdentity& identity() const { return segment_.identity(); }
  const std::shared_ptr<Mapping>& mapping() const { return segment_.mapping(); }

  // What its bytes were is lost: another process has truncated the file, or overwritten its beginning.
  bool takenAway() const { return segment_.takenAway(); }

  void close() {
    if (closed_) return;
    closed_ = true;
    if (me_.joined()) {
      RobustMutex guard(segment_.header().guard);
      const LockResult locked = guard.lock([&](uint32_t where) { return me_.anyoneIn(where); });
      if (locked == LockResult::owner_died) guard.consistent();
      if (locked != LockResult::broken) {
        ZOO_STEP("memory.close_guarded");
        me_.clear(me_.self().slot);
        guard.unlock();
        ZOO_STEP("memory.close_given");
      }
    }
    abandon();
  }

  void abandon() {
    closed_ = true;
    segment_.letGo();
    segment_.unmap();
  }

  bool unlinkName() const { return segment_.removeName(); }

 private:
  explicit Memory(Segment segment)
      : segment_(std::move(segment)), me_(segment_.participants(), segment_.lockDescriptor()) {}

  Result<Adopted> join() {
    RobustMutex guard(segment_.header().guard);
    const LockResult locked = guard.lock([&](uint32_t where) { return me_.anyoneIn(where); });
    if (locked == LockResult::broken) {
      return Error::of(ErrorCode::corrupt, 0,
                       "memory '%s': its guard cannot be locked; remove it and make it anew",
                       name().c_str());
    }
    if (locked == LockResult::owner_died) guard.consistent();
    ZOO_STEP("memory.join_guarded");
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (me_.provedDead(slot)) me_.clear(slot);
    }
    const Membership::Join joined = me_.join("");
    guard.unlock();
    ZOO_STEP("memory.join_given");
    if (joined == Membership::Join::full) {
      return Error::of(ErrorCode::full, 0, "memory '%s' has %u handles open, and no more fit",
                       name().c_str(), kSlots);
    }
    return joined == Membership::Join::joined ? Adopted::yes : Adopted::try_again;
  }

  Segment segment_;
  Membership me_;
  uint64_t bytes_ = 0;  // our own copy: checked once, and nobody can change it
  bool created_ = false;
  bool closed_ = false;
};

}  // namespace zoo
