// How long 64 bytes take to another process and back when each side sleeps on a futex at once, or
// watches the word for a while before: the least that any blocking exchange through shared memory
// can cost on this machine.
//
//   futex_ping_pong ROUND_TRIPS WATCHED_MICROSECONDS [PROCESSOR PROCESSOR]
//
// Prints the nanoseconds of each round trip, one per line.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <array>
#include <vector>

#include "two_processes.h"

namespace {

using Clock = std::chrono::steady_clock;
using Payload = std::array<unsigned char, 64>;

// One direction: the word counts the messages, the payload is the last of them. Whoever watches is
// woken only if it says that it sleeps.
struct Direction {
  alignas(64) std::atomic<std::uint32_t> count{0};
  alignas(64) std::atomic<bool> sleeps{false};
  alignas(64) Payload payload{};
};

struct Shared {
  Direction there;
  Direction back;
};

void send(Direction& direction, const Payload& payload, std::uint32_t number, bool watched) {
  direction.payload = payload;
  direction.count.store(number, std::memory_order_seq_cst);
  if (watched && !direction.sleeps.load(std::memory_order_seq_cst)) return;
  syscall(SYS_futex, &direction.count, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool arrivesWhileWatched(const Direction& direction, std::uint32_t number,
                         std::chrono::microseconds watch) {
  const auto end = Clock::now() + watch;
  do {
    for (int look = 0; look < 64; ++look) {
      if (direction.count.load(std::memory_order_acquire) == number) return true;
    }
  } while (Clock::now() < end);
  return false;
}

Payload receive(Direction& direction, std::uint32_t number, std::chrono::microseconds watch) {
  if (watch.count() > 0 && arrivesWhileWatched(direction, number, watch)) return direction.payload;
  direction.sleeps.store(true, std::memory_order_seq_cst);
  std::uint32_t seen = 0;
  while ((seen = direction.count.load(std::memory_order_seq_cst)) != number) {
    syscall(SYS_futex, &direction.count, FUTEX_WAIT, seen, nullptr, nullptr, 0);
  }
  direction.sleeps.store(false, std::memory_order_relaxed);
  return direction.payload;
}

void answer(Shared& shared, std::uint32_t round_trips, std::chrono::microseconds watch) {
  for (std::uint32_t number = 1; number <= round_trips; ++number) {
    send(shared.back, receive(shared.there, number, watch), number, watch.count() > 0);
  }
}

std::vector<long long> measure(Shared& shared, std::uint32_t round_trips,
                               std::chrono::microseconds watch) {
  std::vector<long long> nanoseconds;
  nanoseconds.reserve(round_trips);
  const Payload payload{};
  for (std::uint32_t number = 1; number <= round_trips; ++number) {
    const auto start = Clock::now();
    send(shared.there, payload, number, watch.count() > 0);
    receive(shared.back, number, watch);
    nanoseconds.push_back(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  }
  return nanoseconds;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 3 && argument_count != 5) {
    bench::usage(arguments[0], "ROUND_TRIPS WATCHED_MICROSECONDS [PROCESSOR PROCESSOR]");
  }
  const auto round_trips = static_cast<std::uint32_t>(bench::number(arguments[1]));
  const std::chrono::microseconds watch(bench::number(arguments[2]));
  const bench::Places places =
      argument_count == 5 ? bench::Places{arguments[3], arguments[4]} : bench::Places{};
  auto& shared = *new (bench::sharedMemory(sizeof(Shared))) Shared;
  const bench::Partner partner(places, [&](auto ready) {
    ready();
    answer(shared, round_trips, watch);
    return 0;
  });
  partner.awaitReady();
  for (const long long nanoseconds : measure(shared, round_trips, watch)) {
    std::printf("%lld\n", nanoseconds);
  }
  return 0;
}
