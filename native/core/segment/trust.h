// Whether a segment that somebody else has made may be used for what the caller wants to keep in it.
//
// Who may open a file decides the kernel. This is about the other direction: a neighbour makes the
// name first, readable by himself or by everybody, and waits for what is put into it.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/segment/attach.h"
#include "core/segment/segment.h"

namespace zoo {

inline constexpr uint32_t kDefaultMode = 0600;
inline constexpr uint32_t kModeOfOthers = 0077;

// `asked`: the mode the caller said, which no other may be wider than. Left out, it agrees with
// whatever is there; but who would have made the segment, had there been none, expects his own, or
// root's, which everybody has to trust.
inline Result<Done> mayBeUsed(const Segment& segment, OpenMode how, std::optional<uint32_t> asked) {
  const FileAccess& there = segment.access();
  if (asked && (there.mode & ~*asked) != 0) {
    return Error::of(ErrorCode::incompatible, 0,
                     "'%s' exists with mode 0%o, which is wider than the 0%o asked for; ask for "
                     "0%o if all of these users may see it, or choose another name",
                     segment.name().c_str(), there.mode, *asked, there.mode);
  }
  const bool trusted = there.owner == geteuid() || there.owner == 0;
  const bool shared = asked && (*asked & kModeOfOthers) != 0;
  if (trusted || shared || (how == OpenMode::open && !asked)) return Done{};
  return Error::of(ErrorCode::access, 0,
                   "'%s' belongs to another user (%u) and has mode 0%o, but only this one (%u) was "
                   "to have access; say that mode if it is to be shared, or choose another name",
                   segment.name().c_str(), static_cast<unsigned>(there.owner), there.mode,
                   static_cast<unsigned>(geteuid()));
}

}  // namespace zoo
