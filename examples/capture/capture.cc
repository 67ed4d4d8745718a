// A camera without Node: puts a moving test picture into a queue that Node processes read.
//
//   capture [name] [frames] [frames per second] [number of the first frame]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <new>
#include <string>

#include "core/zoosync.h"
#include "frame_header.h"

namespace {

constexpr uint32_t kWidth = 640;
constexpr uint32_t kHeight = 480;
constexpr uint64_t kFrameBytes = sizeof(FrameHeader) + uint64_t{kWidth} * kHeight;
constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

volatile std::sig_atomic_t stop_requested = 0;

struct Wishes {
  std::string name = "zoosync_capture";
  uint64_t frames = 0;  // 0: until stopped
  double rate = 25;
  uint64_t first = 0;
};

bool readNumber(const char* text, double least, double& number) {
  char* rest = nullptr;
  number = std::strtod(text, &rest);
  return rest != text && *rest == '\0' && number >= least && number <= 1e9;
}

bool readWishes(int count, char** arguments, Wishes& wishes) {
  double number = 0;
  if (count > 1) wishes.name = arguments[1];
  if (count > 2) {
    if (!readNumber(arguments[2], 0, number)) return false;
    wishes.frames = static_cast<uint64_t>(number);
  }
  if (count > 3 && !readNumber(arguments[3], 0.01, wishes.rate)) return false;
  if (count > 4) {
    if (!readNumber(arguments[4], 0, number)) return false;
    wishes.first = static_cast<uint64_t>(number);
  }
  return count <= 5;
}

zoo::QueueOptions queueOptions() {
  zoo::QueueOptions options;
  options.slots = 8;
  options.slot_bytes = kFrameBytes;
  options.groups = {{"all", zoo::Overflow::block}, {"newest", zoo::Overflow::latest}};
  options.label = "capture";
  return options;
}

// Here a real camera would let its driver write: into the slot, without a copy in between.
void drawFrame(std::byte* slot, uint64_t number, int64_t timestamp_us) {
  FrameHeader header = {};
  header.format = FrameFormat::gray8;
  header.width = kWidth;
  header.height = kHeight;
  header.plane_count = 1;
  header.number = number;
  header.timestamp_us = timestamp_us;
  header.planes[0] = {sizeof(FrameHeader), kWidth};
  new (slot) FrameHeader(header);
  auto* pixels = reinterpret_cast<uint8_t*>(slot + sizeof(FrameHeader));
  for (uint32_t y = 0; y < kHeight; ++y) {
    for (uint32_t x = 0; x < kWidth; ++x) {
      pixels[y * kWidth + x] = static_cast<uint8_t>(x + y + number);
    }
  }
}

// Waits as long as the readers of a group that blocks hold all slots. A reader that died holds
// nothing: waiting finds that out.
zoo::Status reserveSlot(zoo::Queue& queue, zoo::Cursor& cursor, uint64_t& offset) {
  for (;;) {
    zoo::Status status = queue.reserve(kFrameBytes, cursor, offset);
    if (status != zoo::Status::would_block || stop_requested) return status;
    status = queue.waitWritable(kFrameBytes, kNanosecondsPerSecond / 10);
    if (status != zoo::Status::ok) return status;
  }
}

const char* explain(zoo::Status status) {
  switch (status) {
    case zoo::Status::ended:
      return "the queue is at its end: another capture ended it, and it was not read";
    case zoo::Status::gone:
      return "somebody made the queue anew";
    case zoo::Status::corrupt:
      return "the queue is damaged";
    default:
      return "the queue does not take frames";
  }
}

void sleepUntil(uint64_t start_ns, double seconds) {
  const uint64_t when = start_ns + static_cast<uint64_t>(seconds * kNanosecondsPerSecond);
  const timespec time = {static_cast<time_t>(when / kNanosecondsPerSecond),
                         static_cast<long>(when % kNanosecondsPerSecond)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

uint64_t now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanosecondsPerSecond +
         static_cast<uint64_t>(time.tv_nsec);
}

int capture(zoo::Queue& queue, const Wishes& wishes) {
  const uint64_t start = now();
  for (uint64_t index = 0; wishes.frames == 0 || index < wishes.frames; ++index) {
    const double seconds = static_cast<double>(index) / wishes.rate;
    sleepUntil(start, seconds);
    if (stop_requested) break;
    zoo::Cursor cursor = 0;
    uint64_t offset = 0;
    const zoo::Status status = reserveSlot(queue, cursor, offset);
    if (stop_requested) break;
    if (status != zoo::Status::ok) {
      std::fprintf(stderr, "capture: %s\n", explain(status));
      return 1;
    }
    drawFrame(queue.data() + offset, wishes.first + index, static_cast<int64_t>(seconds * 1e6));
    queue.commit(cursor, kFrameBytes);
  }
  queue.end();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Wishes wishes;
  if (!readWishes(count, arguments, wishes)) {
    std::fprintf(stderr, "usage: capture [name] [frames] [frames per second] [first number]\n");
    return 2;
  }
  // Waking a reader that has just died writes to a pipe that nobody reads.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGTERM, [](int) { stop_requested = 1; });

  auto queue = zoo::Queue::open(wishes.name, zoo::OpenMode::either, queueOptions());
  if (!queue) {
    std::fprintf(stderr, "capture: %s\n", queue.error().text);
    return 1;
  }
  return capture(**queue, wishes);
}
