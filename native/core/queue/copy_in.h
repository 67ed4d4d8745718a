// Copying a large payload into the store.
//
// A store that is larger than the caches of the machine has left them by the time that the next
// round reaches it. An ordinary store then first fetches the line that it is about to overwrite, and
// pushes out others that are still wanted; one past the caches does neither. In a store that stays
// in the caches it is the other way round: there the reader finds what was just written.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace zoo {

// Measured with stores of 10 to 256 MiB and payloads of 64 KiB to 6.2 MB.
constexpr uint64_t kStoreBeyondCaches = uint64_t{32} << 20;
constexpr uint64_t kPayloadWorthStreaming = uint64_t{64} << 10;

#if defined(__SSE2__)
// `target` begins a cache line, as every payload does. What is copied can be seen by others before
// anything that is stored afterwards.
inline void copyPastCaches(void* target, const void* source, uint64_t size) {
  constexpr uint64_t kLine = 64;
  auto* to = static_cast<unsigned char*>(target);
  const auto* from = static_cast<const unsigned char*>(source);
  uint64_t at = 0;
  for (; at + kLine <= size; at += kLine) {
    // The whole line at once: a part of it would go to memory by itself.
    const auto* words = reinterpret_cast<const __m128i*>(from + at);
    auto* places = reinterpret_cast<__m128i*>(to + at);
    const __m128i first = _mm_loadu_si128(words);
    const __m128i second = _mm_loadu_si128(words + 1);
    const __m128i third = _mm_loadu_si128(words + 2);
    const __m128i fourth = _mm_loadu_si128(words + 3);
    _mm_stream_si128(places, first);
    _mm_stream_si128(places + 1, second);
    _mm_stream_si128(places + 2, third);
    _mm_stream_si128(places + 3, fourth);
  }
  std::memcpy(to + at, from + at, size - at);
  // The release that publishes the message does not order these stores.
  _mm_sfence();
}
#else
inline void copyPastCaches(void* target, const void* source, uint64_t size) {
  std::memcpy(target, source, size);
}
#endif

inline void copyIn(void* target, const void* source, uint64_t size, uint64_t store_bytes) {
  if (store_bytes >= kStoreBeyondCaches && size >= kPayloadWorthStreaming) {
    copyPastCaches(target, source, size);
  } else {
    std::memcpy(target, source, size);
  }
}

}  // namespace zoo
