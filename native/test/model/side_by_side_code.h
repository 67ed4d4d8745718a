// The code's half: the kernel's part, and running an actor to its next step.
#pragma once

#include "model/side_by_side.h"

namespace zoo::model {

// --- the kernel's part

inline void SideBySide::sleeps(const void* word, uint32_t expected, uint64_t nanoseconds) {
  Real& real = actors_[running_];
  stopBefore({Pending::access, Field::futex, false, static_cast<int>(real.slot), 0});
  uint32_t now = 0;
  std::memcpy(&now, word, sizeof now);
  if (now != expected) return;
  real.sleep_ns = nanoseconds;
  real.sleeps_on = word;
  stopBefore({Pending::asleep, Field::nothing, false, 0, 0});
}

// The word is mapped elsewhere by each handle: it is known by its place in the segment.
inline void SideBySide::wakes(const void* word) {
  const auto placeOf = [&](const void* address) {
    const auto* at = static_cast<const std::byte*>(address);
    for (auto range = mappings_.rbegin(); range != mappings_.rend(); ++range) {
      if (at >= range->base && at < range->base + range->bytes) return at - range->base;
    }
    return ptrdiff_t{-1};
  };
  const ptrdiff_t place = placeOf(word);
  const auto slot =
      static_cast<int>((place - ptrdiff_t{kParticipantsOffset}) / ptrdiff_t{sizeof(Participant)});
  stopBefore({Pending::access, Field::futex, true, slot, 0});
  for (Real& real : actors_) {
    if (!real.dead && real.pending.kind == Pending::asleep && placeOf(real.sleeps_on) == place) {
      real.was_woken = true;
    }
  }
}

inline bool SideBySide::locks(uint32_t& word) {
  if (running_ < 0) return false;
  stopBefore({Pending::access, Field::guard, false, 0, 0});
  const bool died = (word & kDiedBit) != 0;
  word = static_cast<uint32_t>(running_ + 1) | (died ? kDoubtBit : 0);
  return died;
}

inline void SideBySide::unlocks(uint32_t& word) {
  if (running_ < 0) return;
  stopBefore({Pending::access, Field::guard, true, 0, 2});
  if ((word & kDoubtBit) != 0) difference_ = "the guard is given back and still inconsistent";
  word = 0;
}

inline void SideBySide::callsConsistent(uint32_t& word) {
  if (running_ < 0) return;
  stopBefore({Pending::access, Field::guard, true, 0, 1});
  word &= ~kDoubtBit;
}

// --- running

inline void SideBySide::stopBefore(const Pending& pending) {
  if (running_ < 0) return;
  Real& real = actors_[running_];
  real.counting_again = false;
  real.pending = pending;
  swapcontext(&real.context, &driver_);
}

inline void SideBySide::run(int actor) {
  running_ = actor;
  swapcontext(&driver_, &actors_[actor].context);
  running_ = -1;
}

inline void SideBySide::entry() {
  SideBySide& self = *current_;
  self.act();
  Real& real = self.actors_[self.running_];
  real.pending = {Pending::finished, Field::nothing, false, 0, 0};
  swapcontext(&real.context, &self.driver_);
}

inline Result SideBySide::resultOf(Status status) {
  switch (status) {
    case Status::ok:
      return kOk;
    case Status::would_block:
      return kWouldBlock;
    case Status::ended:
      return kSaysEnded;
    case Status::peer_died:
      return kSaysPeerDied;
    default:
      difference_ = "a call failed: " + actors_[running_].queue->corruption();
      return kNoResult;
  }
}

inline void SideBySide::put(Queue& queue, Operation operation) {
  Real& real = actors_[running_];
  const std::vector<std::byte> bytes(payload_bytes_, std::byte{static_cast<uint8_t>(running_ + 1)});
  if (operation == kPut) {
    real.result = resultOf(queue.put(bytes.data(), bytes.size()));
    return;
  }
  Cursor cursor = 0;
  uint64_t offset = 0;
  real.result = resultOf(queue.reserve(payload_bytes_, cursor, offset));
  if (real.result != kOk) return;
  if (operation == kGiveUp) {
    real.result = resultOf(queue.abort(cursor));
    return;
  }
  payload(queue.data() + offset, bytes.data(), bytes.size());
  real.result = resultOf(queue.commit(cursor, payload_bytes_));
}

inline void SideBySide::act() {
  Real& real = actors_[running_];
  Claim claim;
  switch (real.operation) {
    case kPut:
    case kPutLarge:
    case kGiveUp:
      return put(*real.queue, real.operation);
    case kTake: {
      std::vector<std::byte> target(payload_bytes_);
      uint64_t size = 0;
      real.result = resultOf(real.queue->take(target.data(), target.size(), size));
      if (real.result != kOk) return;
      for (const std::byte byte : target) {
        if (byte != target[0]) difference_ = "a message was taken torn";
      }
      return;
    }
    case kClaim:
      real.result = resultOf(real.queue->claim(real.cursor, claim));
      return;
    case kClaimDead:
      real.result = resultOf(real.queue->claimDead(real.cursor, claim));
      return;
    case kRelease:
    case kReleaseDead:
      real.result = resultOf(real.queue->release(real.cursor));
      return;
    case kReject:
      real.result = resultOf(real.queue->reject(real.cursor));
      return;
    case kEnd:
      real.queue->end();
      break;
    case kWaitRead:
      real.queue->waitReadable(kLongestSleep);
      break;
    case kWaitWrite:
      real.queue->waitWritable(payload_bytes_, kLongestSleep);
      break;
    case kLookAround:
      real.queue->lookAround();
      break;
    case kJoin: {
      QueueOptions options;
      options.group = groupName(config_.group_of[running_]);
      options.prefault = false;
      zoo::Result<std::unique_ptr<Queue>> queue = Queue::open(name_, OpenMode::open, options);
      if (!queue) {
        difference_ = queue.error().text;
        return;
      }
      real.queue = queue.take();
      break;
    }
    default:
      return;
  }
  real.result = kOk;
}

}  // namespace zoo::model
