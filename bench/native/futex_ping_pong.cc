// How long 64 bytes take to another process and back when each side sleeps on a futex: the least
// that any blocking exchange through shared memory can cost on this machine.
//
//   futex_ping_pong ROUND_TRIPS [PROCESSOR PROCESSOR]
//
// Prints the nanoseconds of each round trip, one per line.
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

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

void pinTo(const char* processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(std::atoi(processor)), &set);
  sched_setaffinity(0, sizeof set, &set);
}

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
    std::fprintf(stderr, "usage: %s ROUND_TRIPS [PROCESSOR PROCESSOR]\n", arguments[0]);
    return 2;
  }
  const auto round_trips = static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10));
  const bool pinned = argument_count == 4;
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 1;
  }
  auto& shared = *new (memory) Shared;
  const pid_t child = fork();
  if (child < 0) {
    std::perror("fork");
    return 1;
  }
  if (child == 0) {
    if (pinned) pinTo(arguments[3]);
    answer(shared, round_trips);
    _exit(0);
  }
  if (pinned) pinTo(arguments[2]);
  for (const long long nanoseconds : measure(shared, round_trips)) {
    std::printf("%lld\n", nanoseconds);
  }
  waitpid(child, nullptr, 0);
  return 0;
}
