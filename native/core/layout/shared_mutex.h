// The bytes of a mutex in shared memory. Behaviour: sync/robust_mutex.h.
#pragma once

#include <pthread.h>

namespace zoo {

struct alignas(64) SharedMutex {
  pthread_mutex_t native;
};
static_assert(sizeof(SharedMutex) == 64, "one cache line, whatever the C library puts into it");

}  // namespace zoo
