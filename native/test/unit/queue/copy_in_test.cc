// Payloads that are copied past the caches arrive whole, and nothing beside them is written.
#include "core/queue/copy_in.h"

#include <vector>

#include "support/unit.h"

using namespace zoo;

namespace {

constexpr size_t kLine = 64;
constexpr unsigned char kUntouched = 0xee;

struct alignas(kLine) Line {
  unsigned char bytes[kLine];
};

// Copies from an odd address to the first of some lines, and checks all of them.
void checkCopy(size_t size, uint64_t store_bytes) {
  std::vector<unsigned char> source(size + 1);
  for (size_t at = 0; at < source.size(); ++at) source[at] = static_cast<unsigned char>(at % 251);
  std::vector<Line> lines(size / kLine + 2);
  auto* target = reinterpret_cast<unsigned char*>(lines.data());
  std::memset(target, kUntouched, lines.size() * kLine);
  copyIn(target, source.data() + 1, size, store_bytes);
  CHECK(std::memcmp(target, source.data() + 1, size) == 0);
  CHECK(target[size] == kUntouched);
}

}  // namespace

TEST_CASE("a payload is copied whole, past the caches or not") {
  for (const uint64_t store_bytes : {kStoreBeyondCaches - 1, kStoreBeyondCaches}) {
    for (const uint64_t beside : {0, 1, 63, 64, 65}) {
      CAPTURE(store_bytes);
      CAPTURE(beside);
      checkCopy(beside, store_bytes);
      checkCopy(kPayloadWorthStreaming + beside, store_bytes);
    }
  }
}
