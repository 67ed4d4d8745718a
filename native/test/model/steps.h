// Where an actor can be. Each is one access to the segment that others can see apart from the next:
// the actor stands before it, and may die there.
//
//   name, access, in words
//
// The accesses are those of the code, one for one: the conformance test lets both go side by side.
#pragma once

#include <cstdint>

namespace zoo::model {

// What is accessed. `index` of an access: record, slot, group or half, as it fits.
enum class Field : uint8_t {
  nothing,
  guard,
  tail,
  head,
  table,
  rewinds,
  writers,
  readers_mask,
  writers_mask,
  wake,
  sleeping,
  active,
  role,
  epoch,
  claims,
  finished,
  returned,
  producer,
  seq,
  delivery,
  payload,
  futex,
  life,
};

enum class How : uint8_t { load, store };

#define ZOO_MODEL_STEPS(STEP)                                                                 \
  STEP(idle, nothing, load, "does nothing")                                                   \
  STEP(asleep, nothing, load, "sleeps")                                                       \
  STEP(over, nothing, load, "has stopped")                                                    \
  STEP(lock, guard, load, "locks the guard")                                                  \
  STEP(unlock, guard, store, "gives the guard back")                                          \
  STEP(repair_head, head, store, "moves the head behind what has stepped aside")              \
  STEP(repair_table, table, store, "takes an unpublished frame out of the table")             \
  STEP(consistent, guard, store, "calls the guard consistent")                                \
  STEP(prove, life, load, "asks the kernel who is dead")                                      \
  STEP(reap_walk, producer, load, "comes to a record")                                        \
  STEP(reap_producer, producer, load, "reads the record's producer")                          \
  STEP(reap_abort, producer, store, "aborts a dead producer's record")                        \
  STEP(reap_delivery, delivery, load, "reads who holds the record")                           \
  STEP(give_back_read, delivery, load, "reads the word that goes back")                       \
  STEP(give_back_others, delivery, load, "reads whether another group calls it dead")         \
  STEP(give_back, delivery, store, "gives the message back")                                  \
  STEP(reap_rewind, rewinds, store, "lets the readers begin again")                           \
  STEP(reap_writers, writers, store, "notes that the last writer is gone")                    \
  STEP(reap_unmask, readers_mask, store, "takes the dead out of the sleeping readers")        \
  STEP(reap_unmask_writer, writers_mask, store, "takes the dead out of the sleeping writers") \
  STEP(reap_clear, active, store, "clears the slot of the dead")                              \
  STEP(wake_any, readers_mask, load, "looks whether anybody sleeps")                          \
  STEP(wake_load, readers_mask, load, "reads who sleeps")                                     \
  STEP(wake_remove, readers_mask, store, "clears a sleeper's bit")                            \
  STEP(wake_add, wake, store, "counts up the sleeper's wake word")                            \
  STEP(wake_flag, sleeping, load, "reads how it sleeps")                                      \
  STEP(wake_futex, futex, store, "wakes it")                                                  \
  STEP(next_rewinds, rewinds, load, "reads whether to begin again")                           \
  STEP(next_first, head, load, "begins at the head")                                          \
  STEP(next_tail, tail, load, "reads the tail")                                               \
  STEP(next_hint, table, load, "reads the table where the hint points")                       \
  STEP(next_scan, table, load, "searches the table")                                          \
  STEP(next_producer, producer, load, "reads the record's producer")                          \
  STEP(next_seq, seq, load, "reads the record's number")                                      \
  STEP(next_delivery, delivery, load, "reads the delivery word")                              \
  STEP(next_still, head, load, "looks whether the record is still there")                     \
  STEP(next_first_again, head, load, "begins at the head, which has moved on")                \
  STEP(next_writers, writers, load, "reads whether anybody will put")                         \
  STEP(others_active, active, load, "looks at another participant")                           \
  STEP(others_epoch, epoch, load, "reads whether it is counting")                             \
  STEP(others_finished, finished, load, "reads what it has finished")                         \
  STEP(others_returned, returned, load, "reads what it has given back")                       \
  STEP(others_claims, claims, load, "reads what it has claimed")                              \
  STEP(again_active, active, load, "looks at another participant again")                      \
  STEP(again_epoch, epoch, load, "reads whether its epoch has moved")                         \
  STEP(end_tail, tail, load, "looks whether it stands before a reservation")                  \
  STEP(copy_1, payload, load, "copies the first half")                                        \
  STEP(copy_2, payload, load, "copies the second half")                                       \
  STEP(take_epoch, epoch, store, "begins to count")                                           \
  STEP(take_exchange, delivery, store, "exchanges ready for done")                            \
  STEP(take_claims, claims, store, "counts a claim")                                          \
  STEP(take_finished, finished, store, "counts it as finished")                               \
  STEP(take_epoch_end, epoch, store, "has counted")                                           \
  STEP(claim_epoch, epoch, store, "begins to count")                                          \
  STEP(claim_exchange, delivery, store, "exchanges ready for claimed")                        \
  STEP(claim_claims, claims, store, "counts a claim")                                         \
  STEP(claim_epoch_end, epoch, store, "has counted")                                          \
  STEP(release_epoch, epoch, store, "begins to count")                                        \
  STEP(release_own, delivery, load, "looks whether it is still its own")                      \
  STEP(release_done, delivery, store, "exchanges claimed for done")                           \
  STEP(release_finished, finished, store, "counts it as finished")                            \
  STEP(release_epoch_end, epoch, store, "has counted")                                        \
  STEP(reject_own, delivery, load, "looks whether it is still its own")                       \
  STEP(reject_epoch, epoch, store, "begins to count")                                         \
  STEP(reject_rewind, rewinds, store, "lets the readers begin again")                         \
  STEP(reject_returned, returned, store, "counts it as given back")                           \
  STEP(reject_epoch_end, epoch, store, "has counted")                                         \
  STEP(dead_walk, producer, load, "comes to a record")                                        \
  STEP(dead_delivery, delivery, load, "reads whether it is a dead letter")                    \
  STEP(dead_producer, producer, load, "reads the record's producer")                          \
  STEP(dead_claim, delivery, store, "claims the dead letter")                                 \
  STEP(dead_own, delivery, load, "looks whether it is still its own")                         \
  STEP(dead_done, delivery, store, "is done with the dead letter")                            \
  STEP(dead_others, delivery, load, "reads whether another group calls it dead")              \
  STEP(may_put, writers, load, "reads whether it may put")                                    \
  STEP(reclaim_walk, producer, load, "comes to the oldest record")                            \
  STEP(reclaim_producer, producer, load, "reads its producer")                                \
  STEP(reclaim_delivery, delivery, load, "reads whether a group is done")                     \
  STEP(reclaim_head, head, store, "moves the head")                                           \
  STEP(oldest_walk, producer, load, "comes to the record in the way")                         \
  STEP(oldest_producer, producer, load, "reads its producer")                                 \
  STEP(oldest_delivery, delivery, load, "reads what holds it")                                \
  STEP(free_producer, producer, load, "reads a frame's producer")                             \
  STEP(free_delivery, delivery, load, "reads whether a group is done")                        \
  STEP(letter_view, delivery, load, "looks whether anybody views the dead letter")            \
  STEP(letter_drop, delivery, load, "looks what is left of the dead letter")                  \
  STEP(letter_read, delivery, load, "reads the dead letter's word")                           \
  STEP(letter_done, delivery, store, "gives the dead letter up")                              \
  STEP(aside_tail, tail, store, "moves the tail over the dead letter")                        \
  STEP(aside_head, head, store, "moves the head over the dead letter")                        \
  STEP(frame_out, table, store, "takes the frame out of the table")                           \
  STEP(writer_role, role, store, "becomes a writer")                                          \
  STEP(writer_open, writers, store, "says that there are writers")                            \
  STEP(put_epoch, epoch, store, "begins to count")                                            \
  STEP(header_seq, seq, store, "writes the number")                                           \
  STEP(header_delivery, delivery, store, "writes a delivery word")                            \
  STEP(header_producer, producer, store, "writes the producer word")                          \
  STEP(payload_1, payload, store, "writes the first half")                                    \
  STEP(payload_2, payload, store, "writes the second half")                                   \
  STEP(publish_table, table, store, "puts the frame into the table")                          \
  STEP(publish_tail, tail, store, "publishes the tail")                                       \
  STEP(put_epoch_end, epoch, store, "has counted")                                            \
  STEP(commit_epoch, epoch, store, "begins to count")                                         \
  STEP(commit, producer, store, "commits")                                                    \
  STEP(commit_epoch_end, epoch, store, "has counted")                                         \
  STEP(abort, producer, store, "aborts")                                                      \
  STEP(end_role, role, store, "ends")                                                         \
  STEP(end_writers, writers, store, "notes that the last writer has ended")                   \
  STEP(wait_wake, wake, load, "reads its wake word")                                          \
  STEP(wait_flag, sleeping, store, "says how it will sleep")                                  \
  STEP(wait_mask, readers_mask, store, "sets its bit among the sleeping")                     \
  STEP(wait_futex, futex, load, "falls asleep")                                               \
  STEP(wait_unmask, readers_mask, store, "takes its bit back")                                \
  STEP(wait_unflag, sleeping, store, "sleeps no more")                                        \
  STEP(look_active, active, load, "looks at another participant")                             \
  STEP(look_life, life, load, "asks the kernel who is dead")                                  \
  STEP(join_active, active, store, "has joined")

enum class Step : uint8_t {
#define ZOO_NAME(name, field, how, words) name,
  ZOO_MODEL_STEPS(ZOO_NAME)
#undef ZOO_NAME
};

struct StepFacts {
  const char* name;
  Field field;
  How how;
  const char* words;
};

inline constexpr StepFacts kSteps[] = {
#define ZOO_FACTS(name, field, how, words) {#name, Field::field, How::how, words},
    ZOO_MODEL_STEPS(ZOO_FACTS)
#undef ZOO_FACTS
};
inline constexpr int kStepCount = sizeof kSteps / sizeof kSteps[0];

inline const StepFacts& factsOf(uint8_t step) { return kSteps[step]; }

}  // namespace zoo::model
