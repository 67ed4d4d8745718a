// What is explored, and which faults are found where.
#pragma once

#include <vector>

#include "model/config.h"

namespace zoo::model {

inline constexpr uint32_t kPuts = bitOf(kPut) | bitOf(kPutLarge);
inline constexpr uint32_t kClaims = bitOf(kClaim) | bitOf(kRelease) | bitOf(kReject);
inline constexpr uint32_t kLetters = bitOf(kClaimDead) | bitOf(kReleaseDead);
inline constexpr uint32_t kRepairs = bitOf(kLookAround);

struct Shape {
  const char* name;
  int producers, consumers, groups, puts, most_deliveries, crashes, joins;
  uint32_t operations;
  bool counts = false;
  bool caps = true;
  int records = 2;
};

inline Config configOf(const Shape& shape, bool ring) {
  Config config;
  config.name = shape.name;
  config.ring = ring;
  config.records = shape.records;
  config.groups = shape.groups;
  config.producers = shape.producers;
  config.consumers = shape.consumers;
  // Two groups share the consumers.
  config.group_of[shape.producers + shape.consumers - 1] = shape.groups - 1;
  config.puts = shape.puts;
  config.most_deliveries = shape.most_deliveries;
  config.crashes = shape.crashes;
  config.joins = shape.joins;
  config.operations = shape.operations;
  config.counts = shape.counts;
  config.caps = shape.caps;
  config.whole_wakes = !shape.caps;
  return config;
}

// name, producers, consumers, groups, puts, deliveries, crashes, joins, operations, counts, caps,
// records
inline const std::vector<Shape>& shortShapes() {
  static const std::vector<Shape> shapes = {
      {"space is used again", 1, 1, 1, 5, 1, 2, 0, bitOf(kPut) | bitOf(kTake) | kRepairs},
      {"two put", 2, 1, 1, 2, 1, 1, 0, kPuts | bitOf(kTake) | kRepairs},
      {"two take", 1, 2, 1, 2, 1, 1, 0, bitOf(kPut) | bitOf(kTake) | kRepairs},
      {"two claim", 1, 2, 1, 1, 2, 1, 0, bitOf(kPut) | kClaims | kRepairs},
      {"two groups", 1, 2, 2, 2, 2, 0, 0, bitOf(kPutLarge) | kClaims | kRepairs},
      {"dead letters", 1, 1, 1, 3, 1, 1, 0, bitOf(kPut) | kClaims | kLetters | kRepairs},
      {"reservations given up", 1, 1, 1, 3, 1, 1, 0,
       kPuts | bitOf(kGiveUp) | bitOf(kTake) | kRepairs},
      {"newcomers", 1, 1, 1, 1, 2, 2, 1, kPuts | kClaims | kRepairs | bitOf(kJoin)},
      {"the end, and a death", 2, 1, 1, 1, 1, 1, 0, kPuts | bitOf(kTake) | bitOf(kEnd) | kRepairs,
       true},
      {"the end while one claims", 1, 2, 1, 1, 2, 0, 0, bitOf(kPut) | kClaims | bitOf(kEnd), true},
      {"sleeping without caps", 1, 1, 1, 4, 1, 0, 0,
       kPuts | bitOf(kTake) | bitOf(kWaitRead) | bitOf(kWaitWrite), false, false},
      {"two sleep without caps", 1, 2, 1, 1, 1, 0, 0, bitOf(kPut) | bitOf(kTake) | bitOf(kWaitRead),
       false, false},
      {"sleeping, and two deaths", 1, 1, 1, 1, 2, 2, 1,
       bitOf(kPut) | kClaims | bitOf(kWaitRead) | bitOf(kWaitWrite) | kRepairs | bitOf(kJoin)},
  };
  return shapes;
}

inline const std::vector<Shape>& longShapes() {
  static const std::vector<Shape> shapes = {
      {"long: two put large", 2, 1, 1, 2, 1, 0, 0, bitOf(kPutLarge) | bitOf(kTake)},
      {"long: two put, a death", 2, 1, 1, 1, 1, 1, 0, kPuts | bitOf(kTake) | kRepairs},
      {"long: space is used again", 2, 1, 1, 4, 1, 2, 0, kPuts | bitOf(kTake) | kRepairs},
      {"long: two of each", 2, 2, 1, 2, 1, 1, 0, bitOf(kPut) | bitOf(kTake) | kRepairs},
      {"long: two of each claim", 2, 2, 1, 2, 2, 1, 0, bitOf(kPut) | kClaims | kRepairs},
      {"long: two groups claim", 1, 2, 2, 2, 2, 1, 0, kPuts | kClaims | kRepairs},
      {"long: three deaths, newcomers", 1, 2, 1, 2, 2, 3, 2,
       kPuts | kClaims | bitOf(kJoin) | kRepairs},
      {"long: dead letters", 1, 2, 1, 3, 1, 1, 0, bitOf(kPut) | kClaims | kLetters | kRepairs},
      {"long: the end, a death", 1, 2, 1, 1, 2, 1, 0,
       bitOf(kPut) | kClaims | bitOf(kEnd) | kRepairs, true},
      {"long: the end, two writers", 2, 1, 1, 2, 1, 1, 0,
       kPuts | bitOf(kTake) | bitOf(kEnd) | kRepairs, true},
      {"long: two sleep without caps", 2, 2, 1, 2, 1, 0, 0,
       bitOf(kPut) | bitOf(kTake) | bitOf(kWaitRead), false, false},
      {"long: sleeping with deaths", 1, 2, 1, 2, 2, 2, 1,
       bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease) | bitOf(kWaitRead) | bitOf(kWaitWrite) |
           bitOf(kJoin) | kRepairs},
  };
  return shapes;
}

struct FaultCase {
  Fault fault;
  const char* words;
  bool ring;
  Shape shape;
};

inline const std::vector<FaultCase>& faultCases() {
  static const std::vector<FaultCase> cases = {
      {Fault::publish_before_write,
       "a message is published before it is written",
       true,
       {"", 1, 1, 1, 1, 1, 0, 0, bitOf(kPut) | bitOf(kTake)}},
      {Fault::no_second_look_after_death,
       "records are read before the proof of death",
       true,
       {"", 2, 1, 1, 2, 1, 1, 0, bitOf(kPutLarge) | bitOf(kTake) | bitOf(kEnd) | kRepairs}},
      {Fault::no_rewind,
       "readers do not go back to what is offered again",
       true,
       {"", 1, 1, 1, 1, 2, 0, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kReject)}},
      {Fault::rewind_before_ready,
       "readers go back before it is offered again",
       true,
       {"", 1, 2, 1, 1, 2, 0, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kReject)}},
      {Fault::wake_one_at_reap,
       "a repair wakes one sleeper only",
       true,
       {"", 1, 1, 1, 3, 1, 1, 1,
        bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease) | bitOf(kWaitWrite) | bitOf(kJoin), false,
        false, 1}},
      {Fault::no_owner_generation,
       "slots are cleared first and generations not compared",
       true,
       {"", 1, 1, 1, 1, 2, 2, 2,
        bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease) | bitOf(kJoin) | kRepairs}},
      {Fault::no_salt,
       "ready words of all messages are the same",
       true,
       {"", 1, 2, 1, 3, 1, 0, 0, bitOf(kPut) | bitOf(kTake)}},
      {Fault::end_while_others_hold,
       "the end is said while another holds a message",
       true,
       {"", 1, 2, 1, 1, 2, 0, 0,
        bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease) | bitOf(kTake) | bitOf(kEnd), true}},
      {Fault::end_without_second_look,
       "records are not looked at after the writers",
       true,
       {"", 1, 1, 1, 1, 1, 0, 0, bitOf(kPut) | bitOf(kTake) | bitOf(kEnd), true}},
      {Fault::epochs_read_once,
       "a claim is missed between two looks at the end",
       true,
       {"", 1, 2, 1, 1, 2, 0, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kReject) | bitOf(kEnd), true}},
      {Fault::end_at_reservation,
       "the end is said in front of a reservation",
       true,
       {"", 2, 1, 1, 2, 1, 0, 0, kPuts | bitOf(kTake) | bitOf(kEnd), true}},
      {Fault::no_look_before_sleep,
       "nobody looks between the bit and the sleep",
       true,
       {"", 1, 1, 1, 1, 1, 0, 0, bitOf(kPut) | bitOf(kTake) | bitOf(kWaitRead), false, false}},
      {Fault::wake_before_publish,
       "sleepers are woken before the message is there",
       true,
       {"", 1, 1, 1, 1, 1, 0, 0, bitOf(kPut) | bitOf(kTake) | bitOf(kWaitRead), false, false}},
      {Fault::deliveries_not_counted,
       "deliveries are not counted",
       true,
       {"", 1, 1, 1, 1, 2, 0, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kReject)}},
      {Fault::claimed_counts_as_finished,
       "space is used again while somebody holds it",
       true,
       {"", 1, 1, 1, 3, 1, 0, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease)}},
      {Fault::head_before_finished,
       "space of messages that nobody took is used again",
       false,
       {"", 1, 1, 1, 3, 1, 0, 0, bitOf(kPut) | bitOf(kTake)}},
      {Fault::frame_stays_in_table,
       "a frame stays in the table while it is written anew",
       false,
       {"", 1, 1, 1, 3, 1, 0, 0, bitOf(kPut) | bitOf(kTake)}},
      {Fault::copy_after_exchange,
       "a message is copied after it was given away",
       true,
       {"", 1, 1, 1, 3, 1, 0, 0, bitOf(kPut) | bitOf(kTake)}},
      {Fault::no_reap_of_claims,
       "what the dead hold is not given back",
       true,
       {"", 1, 2, 1, 1, 2, 1, 0, bitOf(kPut) | bitOf(kClaim) | bitOf(kRelease) | kRepairs}},
      {Fault::writer_not_noted,
       "nobody says that the last writer died",
       true,
       {"", 1, 1, 1, 1, 1, 1, 0, bitOf(kPut) | bitOf(kTake) | kRepairs, true}},
      {Fault::head_not_repaired,
       "the head is not mended after a death",
       true,
       {"", 1, 1, 1, 4, 1, 1, 1, bitOf(kPut) | kClaims | bitOf(kJoin)}},
  };
  return cases;
}

}  // namespace zoo::model
