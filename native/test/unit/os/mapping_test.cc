#include "core/os/mapping.h"

#include <doctest/doctest.h>

#include <cstring>

#include "core/os/shm_file.h"

using namespace zoo;

TEST_CASE("mapped twice back to back: what is written behind the end stands at the beginning") {
  const uint64_t page = pageBytes();
  Result<Descriptor> file = makeUnnamedFile("unit", 3 * page, 0600, true);
  REQUIRE(file);
  Result<std::shared_ptr<Mapping>> mapping = Mapping::map(file->get(), 3 * page, page, true);
  REQUIRE(mapping);
  (*mapping)->prefault();
  CHECK((*mapping)->reachable() == 4 * page);
  std::byte* data = (*mapping)->data();
  std::memset(data + 2 * page - 8, 0x5b, 16);
  CHECK(data[0] == std::byte{0x5b});
  CHECK(data[7] == std::byte{0x5b});
  CHECK(data[8] == std::byte{0});
  data[100] = std::byte{9};
  CHECK(data[2 * page + 100] == std::byte{9});
}

TEST_CASE("more than the address space is an error with a number") {
  Result<Descriptor> file = makeUnnamedFile("unit", 4096, 0600, true);
  REQUIRE(file);
  Result<std::shared_ptr<Mapping>> mapping = Mapping::map(file->get(), uint64_t{1} << 60, 0, false);
  REQUIRE_FALSE(mapping);
  CHECK(mapping.error().needed == uint64_t{1} << 60);
}
