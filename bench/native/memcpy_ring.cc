// How often memcpy copies a message into a ring, in one process and for nobody: what a queue that
// copies in can at most reach on this machine.
//
//   memcpy_ring OPERATIONS BYTES RING_BYTES [PROCESSOR]
//
// Prints one line of JSON.
#include <cstring>
#include <vector>

#include "two_processes.h"

int main(int argument_count, char** arguments) {
  if (argument_count != 4 && argument_count != 5) {
    bench::usage(arguments[0], "OPERATIONS BYTES RING_BYTES [PROCESSOR]");
  }
  const std::uint64_t operations = bench::number(arguments[1]);
  const std::uint64_t bytes = bench::number(arguments[2]);
  const std::uint64_t ring_bytes = bench::number(arguments[3]);
  if (bytes == 0 || ring_bytes < bytes) bench::usage(arguments[0], "…: no message fits");
  bench::endWithParent();
  if (argument_count == 5) bench::pinTo(arguments[4]);
  const std::uint64_t slot_count = ring_bytes / bytes;
  // Of the same kind as the memory of a queue: shared, and in small pages unless it is said.
  auto* ring = static_cast<unsigned char*>(bench::sharedMemory(ring_bytes));
  std::vector<unsigned char> message(bytes, 1);
  std::uint64_t sum = 0;
  std::uint64_t slot = 0;
  const bench::Stopwatch watch;
  for (std::uint64_t done = 0; done < operations; ++done) {
    unsigned char* target = ring + slot * bytes;
    message[0] = static_cast<unsigned char>(done);
    bench::escape(message.data());
    std::memcpy(target, message.data(), bytes);
    bench::escape(target);
    sum += target[0];
    if (++slot == slot_count) slot = 0;
  }
  return bench::report(operations, watch.seconds(), sum);
}
