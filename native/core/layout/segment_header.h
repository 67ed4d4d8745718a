// The first page of every segment.
//
//   0     8       12    16    20    24    28    32
//   +-----+-------+-----+-----+-----+-----+-----+
//   |magic|version|kind |libc |arch |mutex|page |
//   +-----+-------+-----+-----+-----+-----+-----+
//   32            40            48           56
//   +-------------+-------------+------------+------------+
//   | total bytes | data offset | data bytes | created ns |
//   +-------------+-------------+------------+------------+
//   64     68       72          80
//   +------+--------+-----------+
//   |state | creator| check sum |   rest of the line unused
//   +------+--------+-----------+
//   128: the guard (a robust mutex, one line)
//   192: recoveries, reaped (statistics)
//
// Everything up to `check` is written before the segment has a name and never again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/layout/shared_mutex.h"

namespace zoo {

inline constexpr uint64_t kMagic = 0x31434e59534f4f5aull;  // "ZOOSYNC1" read as little endian
inline constexpr uint32_t kLayoutVersion = 2;

enum class SegmentKind : uint32_t { queue = 1, lock = 2, memory = 3, channel = 4, pipe = 5 };
enum class LibcKind : uint32_t { glibc = 1, musl = 2 };
enum class SegmentState : uint32_t { live = 1, superseded = 2, unlinked = 3 };

inline constexpr LibcKind kThisLibc =
#ifdef __GLIBC__
    LibcKind::glibc;
#else
    LibcKind::musl;
#endif

// Word size, byte order and machine in one number.
inline constexpr uint32_t kThisArchitecture =
#if defined(__x86_64__)
    0x0164u;
#elif defined(__aarch64__)
    0x0264u;
#else
#error "zoosync runs on x86-64 and 64-bit ARM"
#endif

struct SegmentHeader {
  uint64_t magic;
  uint32_t layout_version;
  SegmentKind kind;
  LibcKind libc;
  uint32_t architecture;
  uint32_t mutex_bytes;
  uint32_t page_bytes;
  uint64_t total_bytes;
  uint64_t data_offset;
  uint64_t data_bytes;
  uint64_t created_ns;  // wall clock

  std::atomic<SegmentState> state;
  uint32_t creator_pid;
  uint64_t check;  // over the constants above

  alignas(64) SharedMutex guard;  // membership, and what the kind protects with it
  std::atomic<uint64_t> recoveries;
  std::atomic<uint64_t> reaped;
};

static_assert(offsetof(SegmentHeader, total_bytes) == 32);
static_assert(offsetof(SegmentHeader, state) == 64);
static_assert(offsetof(SegmentHeader, check) == 72);
static_assert(offsetof(SegmentHeader, guard) == 128);
static_assert(offsetof(SegmentHeader, recoveries) == 192);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// FNV-1a (Fowler, Noll, Vo) over the constants: finds a torn or foreign header, not an attacker.
inline uint64_t headerCheck(const SegmentHeader& header) {
  const uint64_t words[] = {
      header.magic,
      (uint64_t{header.layout_version} << 32) | static_cast<uint32_t>(header.kind),
      (uint64_t{static_cast<uint32_t>(header.libc)} << 32) | header.architecture,
      (uint64_t{header.mutex_bytes} << 32) | header.page_bytes,
      header.total_bytes,
      header.data_offset,
      header.data_bytes,
      header.created_ns};
  uint64_t hash = 0xcbf29ce484222325ull;
  for (uint64_t word : words) {
    for (int byte = 0; byte < 8; ++byte, word >>= 8) {
      hash = (hash ^ (word & 0xff)) * 0x100000001b3ull;
    }
  }
  return hash;
}

}  // namespace zoo
