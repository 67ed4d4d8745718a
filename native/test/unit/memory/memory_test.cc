#include "core/memory/memory.h"

#include <cstring>

#include "support/processes.h"
#include "support/unit.h"

using namespace zoo;
using namespace zoo::test;

namespace {

Result<std::unique_ptr<Memory>> tryMemory(const std::string& name, OpenMode mode,
                                          uint64_t bytes = 0) {
  MemoryOptions options;
  options.bytes = bytes;
  return Memory::open(name, mode, options);
}

}  // namespace

TEST_CASE("both see the same bytes, and exactly as many as were asked for") {
  TemporaryName name("unit");
  auto one = tryMemory(name, OpenMode::create, 10'001);
  REQUIRE(one);
  auto two = tryMemory(name, OpenMode::open);
  REQUIRE(two);
  CHECK((*one)->created());
  CHECK_FALSE((*two)->created());
  CHECK((*two)->byteLength() == 10'001);
  CHECK((*two)->data()[10'000] == std::byte{0});
  (*one)->data()[10'000] = std::byte{42};
  CHECK((*two)->data()[10'000] == std::byte{42});
}

TEST_CASE("a mapping outlives the handle for as long as somebody has it") {
  TemporaryName name("unit");
  auto memory = tryMemory(name, OpenMode::create, 4096);
  REQUIRE(memory);
  const std::shared_ptr<Mapping> mapping = (*memory)->mapping();
  (*memory)->close();
  mapping->data()[5] = std::byte{1};
  CHECK(mapping->data()[5] == std::byte{1});
}

TEST_CASE("absent, in use, stale, damaged") {
  TemporaryName name("unit");
  auto memory = tryMemory(name, OpenMode::open);
  REQUIRE_FALSE(memory);
  CHECK(memory.error().code == ErrorCode::notFound);
  auto first = tryMemory(name, OpenMode::create, 100);
  REQUIRE(first);
  memory = tryMemory(name, OpenMode::create, 100);
  REQUIRE_FALSE(memory);
  CHECK(memory.error().code == ErrorCode::exists);
  SUBCASE("nobody uses it") {
    (*first)->abandon();
    memory = tryMemory(name, OpenMode::create, 200);
    REQUIRE(memory);
    CHECK((*memory)->byteLength() == 200);
  }
  SUBCASE("its size is damaged") {
    *reinterpret_cast<uint64_t*>((*first)->mapping()->base() + kBlockOffset) = uint64_t{1} << 50;
    memory = tryMemory(name, OpenMode::open);
    REQUIRE_FALSE(memory);
    CHECK(memory.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("the size is what was mapped, whatever is written into the segment later") {
  TemporaryName name("unit");
  MemoryOptions options;
  options.bytes = 100;
  auto memory = Memory::open(name, OpenMode::create, options);
  REQUIRE(memory);
  auto& block = *reinterpret_cast<MemoryBlock*>((*memory)->mapping()->base() + kBlockOffset);
  block.bytes = uint64_t{1} << 40;
  CHECK((*memory)->byteLength() == 100);
  const auto late = Memory::open(name, OpenMode::open, {});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::corrupt);
}
