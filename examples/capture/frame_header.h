// The description in front of the pixels of a frame, as `writeFrame` and `readFrame` of the package
// know it. Little-endian, 64 bytes, so that the first plane is 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdint>

struct PlanePlace {
  uint32_t offset;  // from the start of the description, a multiple of 64
  uint32_t stride;  // bytes from one row to the next
};

enum class FrameFormat : uint32_t { rgb24 = 1, rgba = 2, gray8 = 3, yuv420p = 4, nv12 = 5 };

struct FrameHeader {
  uint32_t magic = 0x4d52465a;  // ZFRM
  uint16_t version = 1;
  uint16_t header_bytes = 64;
  FrameFormat format;
  uint32_t width;
  uint32_t height;
  uint32_t plane_count;
  uint64_t number;
  int64_t timestamp_us;
  PlanePlace planes[3] = {};  // those that the format has not got stay 0
};

static_assert(sizeof(FrameHeader) == 64);
static_assert(offsetof(FrameHeader, format) == 8);
static_assert(offsetof(FrameHeader, number) == 24);
static_assert(offsetof(FrameHeader, planes) == 40);
