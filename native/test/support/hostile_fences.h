// Pages that nobody may touch, beside everything that a handle has mapped: a byte too far ends the
// process instead of changing something else.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <set>

#include "core/os/mapping.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

namespace zoo::test {

class HostileFences {
 public:
  // Before something is mapped: the kernel places it below what was mapped last.
  void prepare() { note(mmap(nullptr, pageBytes(), PROT_NONE, kFlags, -1, 0)); }

  // Whether both sides are fenced.
  bool around(const Mapping& mapping) {
    const auto begin = reinterpret_cast<uintptr_t>(mapping.base());
    const uintptr_t end = reinterpret_cast<uintptr_t>(mapping.data()) + mapping.reachable();
    const bool below = fence(begin - pageBytes());
    return fence(end) && below;
  }

  void removeAll() {
    for (const uintptr_t page : pages_) munmap(reinterpret_cast<void*>(page), pageBytes());
    pages_.clear();
  }

 private:
  static constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

  bool fence(uintptr_t page) {
    if (pages_.count(page) != 0) return true;
    note(mmap(reinterpret_cast<void*>(page), pageBytes(), PROT_NONE, kFlags | MAP_FIXED_NOREPLACE,
              -1, 0));
    return pages_.count(page) != 0;
  }
  void note(void* page) {
    if (page != MAP_FAILED) pages_.insert(reinterpret_cast<uintptr_t>(page));
  }

  std::set<uintptr_t> pages_;
};

}  // namespace zoo::test
