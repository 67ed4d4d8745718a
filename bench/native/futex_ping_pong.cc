// How long 64 bytes take to another process and back when each side sleeps on a futex: the least
// that any blocking exchange through shared memory can cost on this machine.
//
//   futex_ping_pong ROUND_TRIPS [PROCESSOR PROCESSOR]
//
// Prints the nanoseconds of each round trip, one per line.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <array>
#include <vector>

#include "two_processes.h"

namespace {

using Payload = std::array<unsigned char, 64>;

// One direction: the word counts the messages, the payload is the last of them.
struct Direction {
  alignas(64) std::atomic<std::uint32_t> count{0};
  alignas(64) Payload payload{};
};

struct Shared {
  Direction there;
  Direction back;
};

void send(Direction& direction, const Payload& payload, std::uint32_t number) {
  direction.payload = payload;
  direction.count.store(number, std::memory_order_release);
  syscall(SYS_futex, &direction.count, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

Payload receive(Direction& direction, std::uint32_t number) {
  std::uint32_t seen = 0;
  while ((seen = direction.count.load(std::memory_order_acquire)) != number) {
    syscall(SYS_futex, &direction.count, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
  return direction.payload;
}

void answer(Shared& shared, std::uint32_t round_trips) {
  for (std::uint32_t number = 1; number <= round_trips; ++number) {
    send(shared.back, receive(shared.there, number), number);
  }
}

std::vector<long long> measure(Shared& shared, std::uint32_t round_trips) {
  using Clock = std::chrono::steady_clock;
  std::vector<long long> nanoseconds;
  nanoseconds.reserve(round_trips);
  const Payload payload{};
  for (std::uint32_t number = 1; number <= round_trips; ++number) {
    const auto start = Clock::now();
    send(shared.there, payload, number);
    receive(shared.back, number);
    nanoseconds.push_back(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  }
  return nanoseconds;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2 && argument_count != 4) {
    bench::usage(arguments[0], "ROUND_TRIPS [PROCESSOR PROCESSOR]");
  }
  const auto round_trips = static_cast<std::uint32_t>(bench::number(arguments[1]));
  const bench::Places places =
      argument_count == 4 ? bench::Places{arguments[2], arguments[3]} : bench::Places{};
  auto& shared = *new (bench::sharedMemory(sizeof(Shared))) Shared;
  const bench::Partner partner(places, [&](auto ready) {
    ready();
    answer(shared, round_trips);
    return 0;
  });
  partner.awaitReady();
  for (const long long nanoseconds : measure(shared, round_trips)) {
    std::printf("%lld\n", nanoseconds);
  }
  return 0;
}
