// What a call answers that a message passes through. Negative, so that a count, a size or a cursor
// can be answered in the same number.
#pragma once

#include <cstdint>

namespace zoo {

enum class Status : int64_t {
  ok = 0,
  would_block = -1,  // nothing to read, no room to write, the lock is held
  ended = -2,        // the queue is at its end
  peer_died = -3,    // drained, and the last writer died
  gone = -4,         // the name was made anew; this handle is on the old segment
  closed = -5,
  corrupt = -6,
  too_large = -7,
  bad_cursor = -8,
  slab_too_small = -9,
  deadlock = -10,
  not_owner = -11,
  failed = -12,     // drained, and a writer has closed it with an error
  no_reader = -13,  // a pipe's reader has closed it or died
  misfit = -14,     // sizes and bytes that were given together do not fit
};

}  // namespace zoo
