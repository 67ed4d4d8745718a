// What a neighbour may write: any byte of the segment, with values that are likely to hurt.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/layout/channel_header.h"
#include "core/layout/lock_block.h"
#include "core/layout/segment_header.h"
#include "core/segment/segment.h"
#include "fuzz/script.h"

namespace zoo::test {

// A whole segment as its neighbour sees it, through a mapping of its own.
class Neighbour {
 public:
  explicit Neighbour(const std::string& name) {
    const int file = open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts = {};
    if (file < 0 || fstat(file, &facts) != 0) _exit(99);
    bytes_ = static_cast<uint64_t>(facts.st_size);
    Result<std::shared_ptr<Mapping>> mapping = Mapping::map(file, bytes_, 0, false);
    if (!mapping) _exit(99);
    mapping_ = mapping.take();
    data_offset_ = header().data_offset;
    close(file);
  }

  void damage(Script& script) {
    const uint64_t place = placeOf(script);
    uint64_t value = 0;
    std::memcpy(&value, mapping_->base() + place, sizeof value);
    value = valueOf(script, value);
    const uint64_t width = uint64_t{1} << (script.byte() % 4);
    std::memcpy(mapping_->base() + place, &value, width);
  }

 private:
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(mapping_->base()); }

  // Where in the segment; always with eight bytes behind it.
  uint64_t placeOf(Script& script) {
    const uint8_t region = script.byte();
    const uint64_t at = script.word();
    uint64_t place = 0;
    switch (region % 8) {
      case 0:
        place = at % sizeof(SegmentHeader);
        break;
      case 1:  // of the first participants
        place = kParticipantsOffset + at % (6 * sizeof(Participant));
        break;
      case 2:
        place = kBlockOffset + at % sizeof(QueueHeader);
        break;
      case 3:  // the ends, rewinds and waiting masks
        place = kBlockOffset + offsetof(QueueHeader, tail) +
                at % (sizeof(QueueHeader) - offsetof(QueueHeader, tail));
        break;
      case 4:
        place = kChannelOffset + at % sizeof(ChannelHeader);
        break;
      case 5:  // a frames store's table, or a channel's failure
        place = kFrameTableOffset + at % 256;
        break;
      case 6:  // a record's header
        place = data_offset_ + uint64_t{at} % 64 + (at >> 6) % 256 * 64;
        break;
      default:
        place = (at * uint64_t{4099}) % bytes_;
        break;
    }
    return std::min(place, bytes_ - sizeof(uint64_t));
  }

  static uint64_t valueOf(Script& script, uint64_t before) {
    switch (script.byte() % 12) {
      case 0:
        return 0;
      case 1:
        return ~uint64_t{0};
      case 2:
        return script.byte();
      case 3:
        return before + script.byte();
      case 4:
        return before - script.byte();
      case 5:
        return before ^ uint64_t { 1 } << (script.byte() % 64);
      case 6:
        return uint64_t{script.byte()} << (script.byte() % 64);
      case 7:  // in a mutex: held by this very thread, or by another that lives
        return static_cast<uint64_t>(syscall(SYS_gettid));
      case 8:
        return static_cast<uint64_t>(getppid());
      case 9:
        return before + 64 * uint64_t{script.word()};
      case 10:
        return uint64_t{0x7fffffffffffffff} - script.byte();
      default:
        return script.number();
    }
  }

  std::shared_ptr<Mapping> mapping_;
  uint64_t bytes_ = 0;
  uint64_t data_offset_ = 0;
};

}  // namespace zoo::test
