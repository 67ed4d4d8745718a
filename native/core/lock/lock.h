// A mutex with a name, for the program's own data. When its owner dies the next one gets it and is
// told so: `LockTaken::recovered` means the lock is held and the data may be half changed.
//
// The kernel hands a robust mutex on and says that its owner died. Whether the data is in order is
// our own flag, set then and cleared by `release(true)`: it survives an owner that dies repairing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/kill_step.h"
#include "core/layout/lock_block.h"
#include "core/os/held_mappings.h"
#include "core/segment/attach.h"
#include "core/segment/trust.h"
#include "core/status.h"
#include "core/sync/membership.h"
#include "core/sync/robust_mutex.h"
#include "core/sync/waiting.h"

namespace zoo {

struct LockOptions {
  std::optional<uint32_t> mode;  // default 0600; said: what is there may not be wider
  std::string label;
};

struct LockTaken {
  bool recovered = false;
  uint64_t generation = 0;
  uint32_t dead_pid = 0;
};

struct LockOwner {
  uint32_t pid = 0;
  std::string label;
  double since_ms = 0;
};

class Lock {
 public:
  static Result<std::unique_ptr<Lock>> open(const std::string& name, const LockOptions& options) {
    HeldMappings::ofThisProcess().letGoOfGone();
    std::unique_ptr<Lock> lock;
    const auto adopt = [&]() -> Result<Adopted> {
      Result<Segment> segment = Segment::open(name, SegmentKind::lock, nullptr);
      if (!segment) return segment.error();
      Result<Done> trusted = mayBeUsed(*segment, OpenMode::either, options.mode);
      if (!trusted) return trusted.error();
      lock.reset(new Lock(segment.take()));
      return lock->join(options.label);
    };
    const auto make = [&]() -> Result<Done> {
      SegmentPlan plan;
      plan.kind = SegmentKind::lock;
      plan.block_bytes = sizeof(LockBlock);
      plan.mode = options.mode.value_or(kDefaultMode);
      Result<Segment> segment = Segment::make(name, plan, [](Segment& fresh) {
        LockBlock& block = *new (&fresh.block<LockBlock>()) LockBlock{};
        block.owner_slot.store(kNoSlot, std::memory_order_relaxed);
        RobustMutex(block.mutex).initialise();
      });
      if (!segment) return segment.error();
      lock.reset(new Lock(segment.take()));
      Result<Adopted> joined = lock->join(options.label);
      if (!joined) return joined.error();
      return Done{};
    };
    Result<bool> made = openOrMake(name, SegmentKind::lock, OpenMode::either, adopt, make,
                                   [&]() -> const Segment& { return lock->segment_; });
    if (!made) return made.error();
    lock->created_ = *made;
    return lock;
  }

  static Result<bool> unlink(const std::string& name) {
    return zoo::unlinkName(name, SegmentKind::lock);
  }

  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() { close(); }

  const std::string& name() const { return segment_.name(); }
  bool created() const { return created_; }
  bool closed() const { return closed_; }
  bool held() const { return held_; }
  const FileIdentity& identity() const { return segment_.identity(); }
  int descriptor() const { return segment_.lockDescriptor(); }
  // A description of the segment that holds no slot: it sees whether anybody does.
  Result<Descriptor> probe() const { return reopen(segment_.lockDescriptor(), name()); }
  const std::string& corruption() const { return corruption_; }

  // ok (see `taken`), would_block, deadlock, corrupt.
  Status tryAcquire(LockTaken& taken) {
    if (held_) return Status::deadlock;
    return noteTaken(mutex_.tryLock(), taken);
  }

  // Blocks at most `nanoseconds` and never longer than kLongestSleep.
  Status acquire(uint64_t nanoseconds, LockTaken& taken) {
    if (held_) return Status::deadlock;
    Status status = tryAcquire(taken);
    if (status != Status::would_block) return status;
    status =
        noteTaken(mutex_.lockFor(nanoseconds < kLongestSleep ? nanoseconds : kLongestSleep), taken);
    if (ZOO_MUTATED(24)) taken.recovered = false;
    if (status != Status::would_block) return status;
    if (segment_.takenAway()) return takenAway();
    return segment_.nameLeadsElsewhere() ? Status::gone : status;
  }

  Status release(bool data_in_order) {
    if (!held_) return Status::not_owner;
    if (data_in_order) {
      block_->data.store(DataState::in_order, std::memory_order_relaxed);
    } else if (block_->data.load(std::memory_order_relaxed) == DataState::in_order &&
               !ZOO_MUTATED(11)) {
      block_->in_doubt_pid.store(static_cast<uint32_t>(getpid()), std::memory_order_relaxed);
      ZOO_STEP("lock.doubter_noted");
      block_->data.store(DataState::in_doubt, std::memory_order_relaxed);
    }
    ZOO_STEP("lock.data_noted");
    block_->owner_slot.store(kNoSlot, std::memory_order_relaxed);
    held_ = false;
    ZOO_STEP("lock.owner_cleared");
    // if killed before: the kernel hands the mutex on as one whose owner died, which costs the
    // next one a check of data that is in order.
    mutex_.unlock();
    ZOO_STEP("lock.unlocked");
    Sleepers waiting(block_->waiting, segment_.participants());
    if (waiting.any()) waiting.wakeSome(1, block_->turn);
    return segment_.mapping()->taken() ? takenAway() : Status::ok;
  }

  // Asks to be woken through a bell when the lock was released. Try once more afterwards, and
  // every few milliseconds: an owner that dies rings nobody.
  Status arm(BellId bell) {
    if (segment_.takenAway()) return takenAway();
    if (segment_.nameLeadsElsewhere()) return Status::gone;
    Participant& own = me_.own();
    own.bell.store(bell, std::memory_order_relaxed);
    ZOO_STEP("lock.arm_bell");
    own.sleeping.store(kSleepsOnBell, std::memory_order_seq_cst);
    ZOO_STEP("lock.arm_sleeping");
    armed_ = true;
    Sleepers(block_->waiting, segment_.participants()).add(me_.self().slot);
    ZOO_STEP("lock.arm_added");
    return Status::ok;
  }
  bool woken() const {
    return armed_ && !Sleepers(block_->waiting, segment_.participants()).has(me_.self().slot);
  }
  void disarm() {
    if (!armed_) return;
    armed_ = false;
    Sleepers waiting(block_->waiting, segment_.participants());
    const bool unused = !waiting.remove(me_.self().slot);
    ZOO_STEP("lock.disarm_removed");
    me_.own().sleeping.store(0, std::memory_order_seq_cst);
    ZOO_STEP("lock.disarm_awake");
    if (unused && !held_) waiting.wakeSome(1, block_->turn);
  }

  uint64_t generation() const { return block_->generation.load(std::memory_order_acquire); }

  // Who holds it, as far as can be told from outside.
  bool owner(LockOwner& owner) const {
    const uint32_t slot = block_->owner_slot.load(std::memory_order_acquire);
    if (slot >= kSlots || segment_.mapping()->taken()) return false;
    owner.pid = block_->owner_pid.load(std::memory_order_relaxed);
    owner.label = labelOf(segment_.participants()[slot]);
    owner.since_ms =
        static_cast<double>(block_->owner_since_ns.load(std::memory_order_relaxed)) / 1e6;
    return true;
  }

  // A lock that is still held is left in doubt.
  void close() {
    if (closed_) return;
    closed_ = true;
    if (me_.joined()) {
      if (held_) release(false);
      disarm();
      const LockResult locked = guard_.lock([&](uint32_t where) { return me_.anyoneIn(where); });
      if (locked == LockResult::owner_died) guard_.consistent();
      if (locked != LockResult::broken) {
        ZOO_STEP("lock.close_guarded");
        me_.clear(me_.self().slot);
        guard_.unlock();
        ZOO_STEP("lock.close_given");
      }
    }
    segment_.letGo();
    segment_.unmap();
  }

  // Lets go as a death would, when this thread is about to end. The kernel finds a mutex that is
  // held in its thread's memory, so the mapping of one that is held stays until the thread is gone.
  void abandon() {
    closed_ = true;
    if (held_) HeldMappings::ofThisProcess().keep(segment_.mapping());
    segment_.letGo();
    segment_.unmap();
  }

  bool unlinkName() const { return segment_.removeName(); }

 private:
  explicit Lock(Segment segment)
      : segment_(std::move(segment)),
        block_(&segment_.block<LockBlock>()),
        mutex_(block_->mutex),
        guard_(segment_.header().guard),
        me_(segment_.participants(), segment_.lockDescriptor()) {}

  Result<Adopted> join(const std::string& label) {
    const LockResult locked = guard_.lock([&](uint32_t where) { return me_.anyoneIn(where); });
    if (locked == LockResult::broken) {
      return Error::of(ErrorCode::corrupt, 0,
                       "lock '%s': its guard cannot be locked; remove it and make it anew",
                       name().c_str());
    }
    if (locked == LockResult::owner_died) guard_.consistent();
    ZOO_STEP("lock.join_guarded");
    reap();
    const Membership::Join joined = me_.join(label);
    guard_.unlock();
    ZOO_STEP("lock.join_given");
    if (joined == Membership::Join::full) {
      return Error::of(ErrorCode::full, 0, "lock '%s' has %u handles open, and no more fit",
                       name().c_str(), kSlots);
    }
    return joined == Membership::Join::joined ? Adopted::yes : Adopted::try_again;
  }

  // Frees the slots of the dead. Under the guard.
  void reap() {
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (!me_.provedDead(slot)) continue;
      Sleepers(block_->waiting, segment_.participants()).remove(slot);
      ZOO_STEP("lock.reap_removed");
      const BellId bell = segment_.participants()[slot].bell.load(std::memory_order_relaxed);
      me_.clear(slot);
      ZOO_STEP("lock.reap_cleared");
      removeOrphanedBell(bell);
      ZOO_STEP("lock.reap_no_bell");
      segment_.header().reaped.fetch_add(1, std::memory_order_relaxed);
    }
  }

  Status takenAway() {
    corruption_ = kTakenAway;
    return Status::corrupt;
  }

  Status noteTaken(LockResult result, LockTaken& taken) {
    if (segment_.mapping()->taken()) {
      if (result == LockResult::locked || result == LockResult::owner_died) mutex_.unlock();
      return takenAway();
    }
    if (result == LockResult::busy) return Status::would_block;
    if (result == LockResult::broken) {
      corruption_ = "its mutex is damaged";
      return Status::corrupt;
    }
    ZOO_STEP("lock.taken");
    if (result == LockResult::owner_died) {
      // The flag first: if we die before `consistent`, the next one is told by the kernel, and if
      // we die after it, by the flag.
      block_->in_doubt_pid.store(block_->owner_pid.load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
      ZOO_STEP("lock.dead_noted");
      if (!ZOO_MUTATED(5)) block_->data.store(DataState::in_doubt, std::memory_order_relaxed);
      ZOO_STEP("lock.in_doubt");
      mutex_.consistent();
      ZOO_STEP("lock.consistent");
      segment_.header().recoveries.fetch_add(1, std::memory_order_relaxed);
      ZOO_STEP("lock.recovery_counted");
    }
    held_ = true;
    taken.generation = block_->generation.load(std::memory_order_relaxed) + 1;
    block_->generation.store(taken.generation, std::memory_order_relaxed);
    ZOO_STEP("lock.generation");
    block_->owner_pid.store(static_cast<uint32_t>(pid_), std::memory_order_relaxed);
    ZOO_STEP("lock.owner_pid");
    block_->owner_since_ns.store(wallClockCoarse(), std::memory_order_relaxed);
    block_->owner_slot.store(me_.self().slot, std::memory_order_release);
    ZOO_STEP("lock.owner_noted");
    taken.recovered = block_->data.load(std::memory_order_relaxed) == DataState::in_doubt;
    taken.dead_pid = taken.recovered ? block_->in_doubt_pid.load(std::memory_order_relaxed) : 0;
    return Status::ok;
  }

  Segment segment_;
  LockBlock* block_;
  RobustMutex mutex_;
  RobustMutex guard_;
  Membership me_;
  std::string corruption_;
  int pid_ = getpid();
  bool created_ = false;
  bool closed_ = false;
  bool held_ = false;
  bool armed_ = false;
};

}  // namespace zoo
