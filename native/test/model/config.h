// What a run of the model is about: how many take part, what they may do, and which fault is in it.
#pragma once

#include <cstdint>

namespace zoo::model {

inline constexpr int kMostRecords = 4;
inline constexpr int kMostActors = 4;
inline constexpr int kMostGroups = 2;
// A slot more than actors: a newcomer may come while the dead still have theirs.
inline constexpr int kModelSlots = 4;

// Deliberate errors of the design. Each must lead to a counterexample.
enum class Fault : uint8_t {
  none,
  publish_before_write,
  no_second_look_after_death,
  no_rewind,
  rewind_before_ready,
  wake_one_at_reap,
  no_owner_generation,
  no_salt,
  end_while_others_hold,
  end_without_second_look,
  epochs_read_once,
  end_at_reservation,
  no_look_before_sleep,
  wake_before_publish,
  deliveries_not_counted,
  claimed_counts_as_finished,
  head_before_finished,
  frame_stays_in_table,
  copy_after_exchange,
  no_reap_of_claims,
  writer_not_noted,
  head_not_repaired,
};

enum Operation : uint8_t {
  kNothing,
  kPut,        // small: copied under the guard
  kPutLarge,   // reserved, copied without the guard, committed
  kGiveUp,     // reserved and aborted
  kTake,       // copied, then exchanged
  kClaim,      // exchanged, then used
  kRelease,    // what is claimed
  kReject,     // what is claimed
  kClaimDead,  // a dead letter
  kReleaseDead,
  kEnd,
  kWaitRead,
  kWaitWrite,
  kLookAround,
  kJoin,
  kOperations
};

inline constexpr uint32_t bitOf(int number) { return 1u << number; }

struct Config {
  const char* name = "";
  bool ring = true;
  int records = 2;
  int groups = 1;
  int producers = 1;
  int consumers = 1;
  int group_of[kMostActors] = {};  // by actor; producers come first
  int puts = 2;                    // of all producers together
  int most_deliveries = 1;
  int crashes = 0;
  int joins = 0;             // of newcomers after crashes
  uint32_t operations = 0;   // bits of Operation
  bool counts = false;       // epochs and counters, which the end depends on
  bool caps = true;          // who sleeps looks by himself after a while
  bool whole_wakes = false;  // nobody dies between clearing a bit and waking its owner
  Fault fault = Fault::none;

  int actors() const { return producers + consumers; }
  bool may(Operation operation) const { return (operations & bitOf(operation)) != 0; }
  bool producer(int actor) const { return actor < producers; }
};

}  // namespace zoo::model
