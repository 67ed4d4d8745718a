// The fuzzer's input, read from the front. Behind the end everything is zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace zoo::test {

class Script {
 public:
  Script(const uint8_t* bytes, size_t count) : at_(bytes), end_(bytes + count) {}

  bool over() const { return at_ == end_; }
  uint8_t byte() { return over() ? 0 : *at_++; }
  uint16_t word() { return static_cast<uint16_t>(byte() | byte() << 8); }
  uint64_t number() {
    uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= uint64_t{byte()} << shift;
    return bits;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace zoo::test
