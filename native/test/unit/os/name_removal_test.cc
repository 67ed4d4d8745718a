#include "core/os/name_removal.h"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include "support/names.h"
#include "support/processes.h"

using namespace zoo;
using namespace zoo::test;

namespace {

constexpr uint32_t kByte = 128;

Descriptor fileNamed(const std::string& name) {
  Result<Descriptor> file = makeUnnamedFile(name, 4096, 0600, true);
  REQUIRE(file);
  REQUIRE(giveName(file->get(), name) == Linked::yes);
  return file.take();
}

}  // namespace

TEST_CASE("a name is taken from the file it leads to, and from no other") {
  const TemporaryName name("removal");
  const Descriptor old = fileNamed(name);
  const std::string path = shmPath(name);
  CHECK(removeNameOf(path.c_str(), identityOf(old.get()), kByte));
  CHECK_FALSE(removeNameOf(path.c_str(), identityOf(old.get()), kByte));
  CHECK(errno == ENOENT);
  const Descriptor anew = fileNamed(name);
  CHECK_FALSE(removeNameOf(path.c_str(), identityOf(old.get()), kByte));
  CHECK(errno == ENOENT);
  CHECK(nameLeadsTo(name, identityOf(anew.get())) == NameLeadsTo::this_file);
}

TEST_CASE("two never remove the same name: the second waits, and sees what the first has done") {
  const TemporaryName name("removal");
  const Descriptor old = fileNamed(name);
  const FileIdentity identity = identityOf(old.get());
  Result<Descriptor> stopped = reopen(old.get(), name);
  REQUIRE(stopped);
  REQUIRE(lockSlot(stopped->get(), kByte) == LockAttempt::taken);
  const pid_t second =
      startChild([&] { _exit(removeNameOf(shmPath(name).c_str(), identity, kByte) ? 1 : 0); });
  usleep(20'000);
  unlink(shmPath(name).c_str());
  const Descriptor anew = fileNamed(name);
  // The child holds the description too, so closing ours would not drop the lock.
  unlockSlot(stopped->get(), kByte);
  int status = -1;
  waitpid(second, &status, 0);
  CHECK(status == 0);
  CHECK(nameLeadsTo(name, identityOf(anew.get())) == NameLeadsTo::this_file);
}

TEST_CASE("a FIFO's name goes the same way") {
  const TemporaryName name("removal");
  const std::string path = shmPath(name);
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  struct stat facts = {};
  REQUIRE(lstat(path.c_str(), &facts) == 0);
  CHECK(removeNameOf(path.c_str(), {facts.st_dev, facts.st_ino}, kByte));
  CHECK(lstat(path.c_str(), &facts) != 0);
}
