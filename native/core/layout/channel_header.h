// What a channel and a pipe have besides their queue, in the second half of the queue's page, and
// the error that they failed with, behind that page (where a frames store has its table; these are
// always rings). In a plain queue all of this is zero.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/layout/queue_header.h"

namespace zoo {

// What the creator of a pipe took; whoever opens it takes the other.
enum class PipeEnd : uint32_t { none = 0, writer = 1, reader = 2 };

inline constexpr PipeEnd otherEnd(PipeEnd end) {
  return end == PipeEnd::writer ? PipeEnd::reader : PipeEnd::writer;
}

inline constexpr uint32_t kCodecNameBytes = 56;

struct ChannelConstants {
  uint32_t most_messages;  // that wait at the same time, 0: as many as the ring has room for
  PipeEnd creator_end;     // pipe
  char codec[kCodecNameBytes];
};

struct ChannelHeader {
  ChannelConstants constants;
  // Pipe: whether there is a reader. As the word for the writers: state, and the dead one's pid.
  alignas(64) std::atomic<uint64_t> readers;
  // Bytes of the error in the failure area. Written once, before the writers' word says failed.
  std::atomic<uint32_t> failure_bytes;
};

static_assert(sizeof(ChannelConstants) == 64);
static_assert(offsetof(ChannelHeader, readers) == 64);

inline constexpr uint64_t kChannelOffset = kBlockOffset + 2048;
static_assert(sizeof(QueueHeader) <= 2048 && sizeof(ChannelHeader) <= 2048);

inline constexpr uint64_t kFailureOffset = kFrameTableOffset;
inline constexpr uint64_t kFailureBytes = 16384;

}  // namespace zoo
