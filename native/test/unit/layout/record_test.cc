#include "core/layout/record.h"

#include <doctest/doctest.h>

#include <set>

using namespace zoo;

TEST_CASE("words give back what they were made of") {
  const Owner owner = {127, 0xfedcba98u};
  const ProducerWord producer = ProducerWord::of(ProducerState::reserved, owner);
  CHECK(producer.state() == ProducerState::reserved);
  CHECK(producer.owner() == owner);
  const DeliveryWord held = DeliveryWord::owned(DeliveryState::claimed, 65535, owner);
  CHECK(held.state() == DeliveryState::claimed);
  CHECK(held.deliveries() == 65535);
  CHECK(held.owner() == owner);
  CHECK(held.held());
  const DeliveryWord ready = DeliveryWord::unowned(DeliveryState::ready, 3, 0x12345678u);
  CHECK(ready.salt() == 0x12345678u);
  CHECK(ready.deliveries() == 3);
  CHECK_FALSE(ready.held());
}

TEST_CASE("a record takes whole units, the header included") {
  CHECK(unitsFor(0) == 1);
  CHECK(unitsFor(1) == 2);
  CHECK(unitsFor(64) == 2);
  CHECK(unitsFor(65) == 3);
  CHECK(unitsFor(kMaxPayloadBytes) <= 0xffffffffull);
}

TEST_CASE("messages that follow each other bear different marks") {
  std::set<uint32_t> salts;
  for (uint64_t seq = 1; seq <= 1000; ++seq) salts.insert(saltOf(seq, 42));
  CHECK(salts.size() > 990);
  CHECK(saltOf(1, 42) != saltOf(1, 43));
}
