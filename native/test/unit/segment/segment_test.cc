#include "core/segment/segment.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

void writeFile(const std::string& name, const std::vector<unsigned char>& bytes) {
  const Descriptor file(open(shmPath(name).c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600));
  REQUIRE(write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
}

void poke(const std::string& name, uint64_t offset, uint64_t value, size_t bytes) {
  const Descriptor file(open(shmPath(name).c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(pwrite(file.get(), &value, bytes, static_cast<off_t>(offset)) ==
          static_cast<ssize_t>(bytes));
}

}  // namespace

TEST_CASE("what is no segment is refused and left alone") {
  TemporaryName name("unit");
  SUBCASE("empty") { writeFile(name, {}); }
  SUBCASE("short") { writeFile(name, std::vector<unsigned char>(100, 7)); }
  SUBCASE("nonsense") { writeFile(name, std::vector<unsigned char>(200'000, 0xa7)); }
  SUBCASE("zeros") { writeFile(name, std::vector<unsigned char>(200'000, 0)); }
  SUBCASE("a link") { REQUIRE(symlink("/etc/hostname", shmPath(name).c_str()) == 0); }
  SUBCASE("a pipe") { REQUIRE(mkfifo(shmPath(name).c_str(), 0600) == 0); }
  for (OpenMode mode : {OpenMode::open, OpenMode::either, OpenMode::create}) {
    CHECK(whyNot(name, {}, mode) == ErrorCode::corrupt);
  }
  struct stat facts = {};
  CHECK(lstat(shmPath(name).c_str(), &facts) == 0);
}

TEST_CASE("a header that does not fit is refused for the right reason") {
  TemporaryName name("unit");
  openQueue(name, {})->abandon();
  ErrorCode expected = ErrorCode::incompatible;
  SUBCASE("version") { poke(name, 8, 99, 4); }
  SUBCASE("C library") { poke(name, 16, 7, 4); }
  SUBCASE("architecture") { poke(name, 20, 7, 4); }
  SUBCASE("mutex") { poke(name, 24, 7, 4); }
  SUBCASE("sizes") {
    poke(name, 32, 7, 8);
    expected = ErrorCode::corrupt;
  }
  SUBCASE("check sum") {
    poke(name, 72, 7, 8);
    expected = ErrorCode::corrupt;
  }
  SUBCASE("state") {
    poke(name, 64, 7, 4);
    expected = ErrorCode::corrupt;
  }
  SUBCASE("truncated") {
    REQUIRE(truncate(shmPath(name).c_str(), 65536) == 0);
    expected = ErrorCode::corrupt;
  }
  CHECK(whyNot(name, {}, OpenMode::open) == expected);
}

TEST_CASE("absent, present, in use, of another kind") {
  TemporaryName name("unit");
  CHECK(whyNot(name, {}, OpenMode::open) == ErrorCode::notFound);
  const auto queue = openQueue(name, {}, OpenMode::create);
  CHECK(whyNot(name, {}, OpenMode::create) == ErrorCode::exists);
  Result<std::unique_ptr<Lock>> lock = Lock::open(name, {});
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == ErrorCode::wrongKind);
  Result<std::unique_ptr<Memory>> memory = Memory::open(name, OpenMode::open, {});
  REQUIRE_FALSE(memory);
  CHECK(memory.error().code == ErrorCode::wrongKind);
  CHECK_FALSE(Lock::unlink(name));
  Result<bool> removed = Queue::unlink(name);
  REQUIRE(removed);
  CHECK(*removed);
  removed = Queue::unlink(name);
  REQUIRE(removed);
  CHECK_FALSE(*removed);
}

TEST_CASE("what nobody uses any more is taken over by who opens, replaced by who creates") {
  TemporaryName name("unit");
  const pid_t child = startChild([&] {
    Queue* queue = Queue::open(name, OpenMode::create, {}).take().release();
    const std::vector<std::byte> message = messageOf(1, 50);
    queue->put(message.data(), message.size());
    dieHere();
  });
  CHECK(waitForEnd(child).killed);
  SUBCASE("open") { CHECK(take(*openQueue(name, {}, OpenMode::open)) == 1); }
  SUBCASE("create") {
    const auto queue = openQueue(name, {}, OpenMode::create);
    CHECK(queue->created());
    CHECK(take(*queue) == 0);
  }
}

TEST_CASE("a file system without room says how much is needed and how much there is") {
  TemporaryName name("unit");
  QueueOptions options;
  options.bytes = uint64_t{1} << 50;
  Result<std::unique_ptr<Queue>> queue = Queue::open(name, OpenMode::create, options);
  REQUIRE_FALSE(queue);
  CHECK(queue.error().code == ErrorCode::noSpace);
  CHECK(queue.error().needed > options.bytes);
  CHECK(queue.error().free > 0);
}

TEST_CASE("the mode is the one that was asked for, whatever the umask") {
  TemporaryName name("unit");
  const mode_t before = umask(077);
  QueueOptions options;
  options.mode = 0660;
  const auto queue = openQueue(name, options);
  umask(before);
  struct stat facts = {};
  REQUIRE(stat(shmPath(name).c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0660);
}

TEST_CASE("a mode that is wider than asked for is refused, and says both") {
  TemporaryName name("unit");
  QueueOptions options = optionsFor(StoreKind::ring);
  options.mode = 0644;
  const auto queue = openQueue(name, options);
  options.mode = 0600;
  Result<std::unique_ptr<Queue>> refused = Queue::open(name, OpenMode::either, options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::incompatible);
  const std::string text = refused.error().text;
  CHECK(text.find("0644") != std::string::npos);
  CHECK(text.find("0600") != std::string::npos);
  options.mode = 0664;
  openQueue(name, options);
  options.mode.reset();
  openQueue(name, options);
}
