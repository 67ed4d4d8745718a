// Getting at a name: open what is there, or make it, whoever else tries the same.
#pragma once

#include <string>

#include "core/error.h"
#include "core/kill_step.h"
#include "core/segment/segment.h"

namespace zoo {

enum class OpenMode { create, open, either };

namespace detail {

enum class Stale { removed, in_use, changed };

inline Error markedGone(const std::string& name) {
  return Error::of(ErrorCode::corrupt, 0,
                   "'%s' is marked as removed and cannot be removed; remove %s/%s and make it anew",
                   name.c_str(), kShmDirectory, name.c_str());
}

// Removes a segment that nobody uses. Nobody can begin to use it meanwhile: taking a slot needs a
// lock that we hold until the name is gone.
inline Result<Stale> removeStale(const std::string& name, SegmentKind kind) {
  Result<Segment> found = Segment::open(name, kind, nullptr);
  if (!found) {
    if (found.error().code == ErrorCode::notFound) return Stale::changed;
    return found.error();
  }
  if (lockAllSlots(found->lockDescriptor(), kSlots) != LockAttempt::taken) return Stale::in_use;
  ZOO_STEP("replace.locked");
  found->header().state.store(SegmentState::superseded,
                              std::memory_order_release);  // PUBLISH segment_state
  ZOO_STEP("replace.marked");
  // if killed here: the name leads to a segment marked superseded, which the next opener removes.
  return found->removeName() ? Stale::removed : Stale::changed;
}

}  // namespace detail

// What `adopt` may answer besides an error.
enum class Adopted { yes, try_again };

// Opens or makes `name`. `adopt()` answers Result<Adopted>, `make()` Result<Done>, both leave the
// handle in the caller's variable; `segment()` is that handle's segment. Answers whether it was made.
template <typename Adopt, typename Make, typename SegmentOf>
Result<bool> openOrMake(const std::string& name, SegmentKind kind, OpenMode mode, Adopt adopt,
                        Make make, SegmentOf segment) {
  // Everybody who is in our way gets further each time, so this ends long before the limit.
  bool locked = false;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (mode != OpenMode::create) {
      Result<Adopted> adopted = adopt();
      if (adopted && *adopted == Adopted::yes) {
        // CONSUME segment_state: the segment may have lost its name between open and join.
        const Segment& found = segment();
        const SegmentState state = found.header().state.load(std::memory_order_acquire);
        if (state == SegmentState::live &&
            nameLeadsTo(name, found.identity()) == NameLeadsTo::this_file) {
          return false;
        }
        if (state == SegmentState::superseded) found.removeName();
        // A name is taken away before that is noted, and whoever marked a segment superseded has
        // its slots locked: one that could be joined and has kept its name was damaged.
        if (nameLeadsTo(name, found.identity()) == NameLeadsTo::this_file) {
          return detail::markedGone(name);
        }
        continue;
      }
      if (!adopted && adopted.error().code != ErrorCode::notFound) return adopted.error();
      if (!adopted && mode == OpenMode::open) return adopted.error();
      locked = static_cast<bool>(adopted);
      if (locked) {
        usleep(200);
        continue;
      }
    }
    Result<Done> made = make();
    if (!made) return made.error();
    const Linked linked = segment().giveName();
    ZOO_STEP("make.linked");
    if (linked == Linked::yes) return true;
    if (linked == Linked::failed) return systemError("linkat", name);
    if (mode != OpenMode::create) continue;
    Result<detail::Stale> stale = detail::removeStale(name, kind);
    if (!stale) return stale.error();
    if (*stale == detail::Stale::in_use) {
      return Error::of(ErrorCode::exists, EEXIST,
                       "'%s' exists and is in use; open it, or choose another name", name.c_str());
    }
  }
  if (locked) {
    return Error::of(ErrorCode::full, 0,
                     "'%s' has no free place: a process that is just leaving or replacing it has "
                     "been stopped there; let it go on, or end it, and try again",
                     name.c_str());
  }
  return Error::of(ErrorCode::system, EAGAIN, "'%s' is made and removed all the time; gave up",
                   name.c_str());
}

// Removes a name of this kind; false when there was none.
inline Result<bool> unlinkName(const std::string& name, SegmentKind kind) {
  Result<Segment> found = Segment::open(name, kind, nullptr);
  if (!found) {
    if (found.error().code == ErrorCode::notFound) return false;
    return found.error();
  }
  if (found->removeName()) return true;
  if (errno == EACCES || errno == EPERM) return systemError("unlink", name);
  return false;
}

}  // namespace zoo
