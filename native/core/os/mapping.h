// A segment's bytes in this process.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/error.h"
#include "core/os/bus_guard.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace zoo {

inline uint64_t pageBytes() {
  static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

inline uint64_t roundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

//   base                 base + data_offset                base + total          end
//   | header, tables ... | data .......................... | data once more      |
//                                                            (only when mirrored)
//
// Shared by the handle and by whoever was given the bytes (a buffer in JavaScript): unmapped when
// the last of them lets go, so a buffer that outlives its handle never points to foreign memory.
class Mapping {
 public:
  static Result<std::shared_ptr<Mapping>> map(int descriptor, uint64_t total, uint64_t data_offset,
                                              bool mirrored) {
    const uint64_t data_bytes = total - data_offset;
    const uint64_t span = mirrored ? total + data_bytes : total;
    void* base = mmap(nullptr, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return failure(span);
    auto mapping = std::shared_ptr<Mapping>(
        new Mapping(static_cast<std::byte*>(base), span, total, data_offset));
    if (mmap(base, total, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) ==
        MAP_FAILED) {
      return failure(span);
    }
    if (mirrored &&
        mmap(mapping->base() + total, data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             descriptor, static_cast<off_t>(data_offset)) == MAP_FAILED) {
      return failure(span);
    }
    mapping->range_ = BusGuard::add(mapping->base(), span, total);
    return mapping;
  }

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (range_ != nullptr) BusGuard::remove(*range_);
    munmap(base_, span_);
  }

  std::byte* base() const { return base_; }
  std::byte* data() const { return base_ + data_offset_; }
  // Bytes from data() on that may be touched, the second copy included.
  uint64_t reachable() const { return span_ - data_offset_; }

  // Another process has truncated the file: what is mapped now is private memory.
  bool taken() const { return range_->taken.load(std::memory_order_relaxed) != 0; }
  MappedRange& range() const { return *range_; }

  // Brings the pages into this process now instead of at their first use. Only a matter of speed:
  // the pages exist already, so a failure is not one of the caller's.
  void prefault() const {
    madvise(base_, total_, MADV_POPULATE_WRITE);
    if (span_ > total_) madvise(base_ + total_, span_ - total_, MADV_POPULATE_WRITE);
  }

 private:
  Mapping(std::byte* base, uint64_t span, uint64_t total, uint64_t data_offset)
      : base_(base), span_(span), total_(total), data_offset_(data_offset) {}

  static Error failure(uint64_t bytes) {
    const int number = errno;
    Error error = Error::of(number == ENOMEM ? ErrorCode::noSpace : ErrorCode::system, number,
                            "cannot map %llu bytes of shared memory into this process",
                            static_cast<unsigned long long>(bytes));
    error.system_call = "mmap";
    error.needed = bytes;
    return error;
  }

  std::byte* base_;
  uint64_t span_;
  uint64_t total_;
  uint64_t data_offset_;
  MappedRange* range_ = nullptr;
};

}  // namespace zoo
