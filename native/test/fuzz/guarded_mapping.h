// Before any header of the core: every mapping it makes gets pages on both sides that nobody may
// touch, so that one byte outside of it ends the program.
#pragma once

#include <sys/mman.h>

#include <cstddef>

namespace zoo::test {

inline constexpr size_t kGuardBytes = size_t{1} << 20;

inline void* guardedMap(void* wanted, size_t bytes, int protection, int flags, int descriptor,
                        off_t offset) {
  if (wanted != nullptr) return mmap(wanted, bytes, protection, flags, descriptor, offset);
  void* all = mmap(nullptr, bytes + 2 * kGuardBytes, protection, flags, descriptor, offset);
  return all == MAP_FAILED ? all : static_cast<std::byte*>(all) + kGuardBytes;
}

inline int guardedUnmap(void* base, size_t bytes) {
  return munmap(static_cast<std::byte*>(base) - kGuardBytes, bytes + 2 * kGuardBytes);
}

}  // namespace zoo::test

#define mmap ::zoo::test::guardedMap
#define munmap ::zoo::test::guardedUnmap
#include "core/os/mapping.h"
#undef mmap
#undef munmap
