// How many messages go from one process to another through a bare ring: one producer, one consumer,
// slots of one size, no lock, no sleep, and nothing that survives a death. What a queue with all of
// these can at most reach on this machine.
//
//   spsc_ring OPERATIONS BYTES RING_BYTES copy|view [PROCESSOR PROCESSOR]
//
// The producer copies each message in. The consumer copies it out, or reads one byte of each of its
// cache lines where it is. Prints one line of JSON.
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "two_processes.h"

namespace {

constexpr std::size_t kCacheLine = 64;

// Positions count messages. Each is written by one side only and has a cache line to itself.
struct Positions {
  alignas(kCacheLine) std::atomic<std::uint64_t> written{0};
  alignas(kCacheLine) std::atomic<std::uint64_t> read{0};
};

struct Ring {
  Positions& positions;
  unsigned char* slots;
  std::uint64_t slot_count;
};

// `Size` is a number, or a constant that lets the compiler unroll the copy of a small message.
template <typename Size>
void produce(Ring ring, std::uint64_t operations, Size bytes) {
  std::vector<unsigned char> message(bytes, 1);
  std::uint64_t read = 0;  // as last seen: most of the time there is room, and no need to look
  std::uint64_t slot = 0;
  for (std::uint64_t written = 0; written < operations; ++written) {
    if (written - read == ring.slot_count) {
      read = bench::awaitChange(ring.positions.read, written - ring.slot_count);
    }
    message[0] = static_cast<unsigned char>(written);
    bench::escape(message.data());
    std::memcpy(ring.slots + slot * bytes, message.data(), bytes);
    ring.positions.written.store(written + 1, std::memory_order_release);
    if (++slot == ring.slot_count) slot = 0;
  }
}

template <typename Size>
struct CopyOut {
  explicit CopyOut(Size size) : bytes(size), message(size) {}

  unsigned char operator()(const unsigned char* slot) {
    std::memcpy(message.data(), slot, bytes);
    bench::escape(message.data());
    return message[0];
  }

  Size bytes;
  std::vector<unsigned char> message;
};

struct ReadInPlace {
  unsigned char operator()(const unsigned char* slot) const {
    unsigned char touched = 0;
    for (std::size_t at = 0; at < bytes; at += kCacheLine) {
      touched ^= static_cast<const volatile unsigned char*>(slot)[at];
    }
    bench::escape(&touched);
    return slot[0];
  }

  std::size_t bytes;
};

template <typename Size, typename Take>
std::uint64_t consume(Ring ring, std::uint64_t operations, Size bytes, Take take) {
  std::uint64_t sum = 0;
  std::uint64_t written = 0;  // as last seen
  std::uint64_t slot = 0;
  for (std::uint64_t read = 0; read < operations; ++read) {
    if (read == written) written = bench::awaitChange(ring.positions.written, read);
    sum += take(ring.slots + slot * bytes);
    ring.positions.read.store(read + 1, std::memory_order_release);
    if (++slot == ring.slot_count) slot = 0;
  }
  return sum;
}

template <typename Size>
int measure(Ring ring, std::uint64_t operations, Size bytes, bool copies_out,
            const bench::Places& places) {
  const bench::Partner partner(places, [&](auto ready) {
    bench::touchPages(ring.slots, ring.slot_count * bytes);
    ready();
    return copies_out ? consume(ring, operations, bytes, CopyOut<Size>(bytes))
                      : consume(ring, operations, bytes, ReadInPlace{bytes});
  });
  partner.awaitReady();
  const bench::Stopwatch watch;
  produce(ring, operations, bytes);
  const std::uint64_t sum = partner.awaitAnswer();
  return bench::report(operations, watch.seconds(), sum);
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 5 && argument_count != 7) {
    bench::usage(arguments[0], "OPERATIONS BYTES RING_BYTES copy|view [PROCESSOR PROCESSOR]");
  }
  const std::uint64_t operations = bench::number(arguments[1]);
  const std::uint64_t bytes = bench::number(arguments[2]);
  const std::uint64_t ring_bytes = bench::number(arguments[3]);
  const bool copies_out = std::string(arguments[4]) == "copy";
  const bench::Places places =
      argument_count == 7 ? bench::Places{arguments[5], arguments[6]} : bench::Places{};
  if (bytes == 0 || ring_bytes < bytes) bench::usage(arguments[0], "…: no message fits");
  auto& positions = *new (bench::sharedMemory(sizeof(Positions))) Positions;
  auto* slots = static_cast<unsigned char*>(bench::sharedMemory(ring_bytes));
  const Ring ring{positions, slots, ring_bytes / bytes};
  using Small = std::integral_constant<std::size_t, 64>;
  return bytes == Small{} ? measure(ring, operations, Small{}, copies_out, places)
                          : measure(ring, operations, bytes, copies_out, places);
}
