// Who is alive: every participant holds the lock of one byte of the segment's file, byte = slot.
//
// The locks belong to the open file description (F_OFD_SETLK), so the kernel drops them when the
// process or the worker thread that owned the description is gone, however it went. Process ids
// that are used again and zombies do not confuse them. The description must not be the one that
// was mapped: a mapping keeps its description, and so the lock, alive after close().
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace zoo {

enum class LockAttempt { taken, held_by_other, failed };

namespace detail {
inline struct flock byteRange(short type, off_t start, off_t length) {
  struct flock range = {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = start;
  range.l_len = length;
  return range;
}
inline LockAttempt setLock(int descriptor, struct flock range) {
  if (fcntl(descriptor, F_OFD_SETLK, &range) == 0) return LockAttempt::taken;
  return errno == EAGAIN || errno == EACCES ? LockAttempt::held_by_other : LockAttempt::failed;
}
}  // namespace detail

inline LockAttempt lockSlot(int descriptor, uint32_t slot) {
  return detail::setLock(descriptor, detail::byteRange(F_WRLCK, static_cast<off_t>(slot), 1));
}

inline void unlockSlot(int descriptor, uint32_t slot) {
  detail::setLock(descriptor, detail::byteRange(F_UNLCK, static_cast<off_t>(slot), 1));
}

inline void unlockAllSlots(int descriptor, uint32_t slots) {
  detail::setLock(descriptor, detail::byteRange(F_UNLCK, 0, static_cast<off_t>(slots)));
}

// Succeeds only when nobody holds any slot: the exact test for a segment without users.
inline LockAttempt lockAllSlots(int descriptor, uint32_t slots) {
  return detail::setLock(descriptor, detail::byteRange(F_WRLCK, 0, static_cast<off_t>(slots)));
}

// Whether another description holds the slot. A description does not see its own locks. When the
// query itself fails the owner counts as alive: nothing is ever taken from a living process.
inline bool slotIsHeld(int descriptor, uint32_t slot) {
  struct flock range = detail::byteRange(F_WRLCK, static_cast<off_t>(slot), 1);
  if (fcntl(descriptor, F_OFD_GETLK, &range) != 0) return true;
  return range.l_type != F_UNLCK;
}

}  // namespace zoo
