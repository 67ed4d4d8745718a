/**
 * Steps of native/core that this machine comes to in every run. Missing: what only a lock has, what takes
 * messages of other sizes, and what depends on who is first; native/test/programs/kill_at_every_step.cc visits those.
 */
export const reached = `
  abort.published arm.added arm.bell arm.sleeping batch.before_wake bell.made bell.named
  bell.opened claim.claimed claim.counted claim.exchanged claim.noted clear.counter clear.free
  clear.role close.aborted close.cleared close.ended close.given_back close.handed_in
  close.no_reader close.no_writer commit.before_wake commit.counted commit.header
  commit.published commit.size counting.begun counting.ended disarm.awake disarm.removed
  drop.counted drop.done end.noted end.role end.woken fail.bytes fail.published fail.size
  give_back.counted give_back.dead give_back.dead_counted give_back.dead_units give_back.ready
  guard.given guard.taken hand_in.begun hand_in.count hand_in.done hand_in.noted hand_in.total
  header.number join.active join.filled join.generation join.group join.locked make.file
  make.initialised make.linked make.mapped memory.close_given memory.close_guarded
  memory.join_given memory.join_guarded publish.hint publish.slot put.counted put.header
  put.payload put.published put_large.copied put_large.reserved reader.role reader_left.noted
  reap.before_clear reap.cleared reap.counted reap.no_reader reap.no_writer reap.proved
  reap.records recount.backlog recount.claimed recount.dead_units recount.done
  recover.consistent recover.counted recover.repaired reject.before_wake reject.counted
  reject.given_back reject.rewound release.before release.counted release.done remove.marked
  remove.unlinked replace.locked replace.marked reservation.settled reserve.counted
  reserve.header reserve.published rewind.published room.slot_taken take.claim_counted
  take.copied_small take.counted take.done take_end.noted take_end.role wait.armed wait.awake
  wait.removed wait.sleeping wait.woken wake.called wake.cleared wake.counted wake.rung
  writer.open writer.role writer_left.noted
`
  .trim()
  .split(/\s+/);
