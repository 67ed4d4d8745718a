#include "core/os/doorbell.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <csignal>
#include <filesystem>
#include <iterator>

#include "support/processes.h"

using namespace zoo;
using namespace zoo::test;

namespace {

bool isRinging(const Doorbell& bell) {
  pollfd descriptor = {bell.descriptor(), POLLIN, 0};
  return poll(&descriptor, 1, 0) == 1;
}
bool isThere(BellId id) {
  return access(detail::bellPath(detail::kBellPrefix, id).c_str(), F_OK) == 0;
}

}  // namespace

TEST_CASE("a bell rings until it is silenced, and is gone with its owner") {
  BellId id = 0;
  {
    Result<Doorbell> bell = Doorbell::make();
    REQUIRE(bell);
    id = bell->id();
    CHECK(isThere(id));
    CHECK_FALSE(isRinging(*bell));
    for (int count = 0; count < 100; ++count) BellRopes::ofThisProcess().ring(id);
    CHECK(isRinging(*bell));
    bell->silence();
    CHECK_FALSE(isRinging(*bell));
  }
  CHECK_FALSE(isThere(id));
  std::signal(SIGPIPE, SIG_IGN);
  BellRopes::ofThisProcess().ring(id);
  BellRopes::ofThisProcess().ring(0);
}

TEST_CASE("who rings keeps no descriptors of bells whose owners are gone") {
  const auto descriptors = [] {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return std::distance(begin(entries), end(entries));
  };
  const auto before = descriptors();
  for (int lives = 0; lives < 20; ++lives) {
    Result<Doorbell> bell = Doorbell::make();
    REQUIRE(bell);
    BellRopes::ofThisProcess().ring(bell->id());
    CHECK(isRinging(*bell));
  }
  // The last one is let go of when the next is met.
  CHECK(descriptors() <= before + 1);
}

TEST_CASE("a bell that is full does not hold anybody up") {
  Result<Doorbell> bell = Doorbell::make();
  REQUIRE(bell);
  for (int count = 0; count < 200'000; ++count) BellRopes::ofThisProcess().ring(bell->id());
  CHECK(isRinging(*bell));
  bell->silence();
  CHECK_FALSE(isRinging(*bell));
}

TEST_CASE(
    "the bell of one who was killed is removed by whoever makes the next, not by those who find it "
    "alive") {
  BellId& id = sharedWithChildren<BellId>();
  const pid_t child = startChild([&] {
    Result<Doorbell> bell = Doorbell::make();
    id = bell->id();
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  CHECK(isThere(id));
  Result<Doorbell> next = Doorbell::make();
  REQUIRE(next);
  CHECK_FALSE(isThere(id));
  removeOrphanedBell(next->id());
  CHECK(isThere(next->id()));
}
