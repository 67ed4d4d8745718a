// What must be true of a queue after deaths, given what everybody has asked of
// it.
#pragma once

#include "support/queue_drain.h"
#include "support/queue_ledger.h"
#include "support/queue_scene.h"

namespace zoo::test {

class QueueChecks {
 public:
  QueueChecks(const Scene& scene, const QueueLedger& ledger) : scene_(scene), ledger_(ledger) {}

  uint64_t others_done[kMaxGroups] = {};  // the newest message that the group is done with
  bool dead_letters_may_go = false;

  // The messages from the `early`-th on in the order they came, which only
  // redelivery may change: after deaths everything that was held is there again
  // before anybody looks.
  void order(uint32_t group, const Drained& drained, size_t early) const {
    for (size_t index = early + 1; index < drained.messages.size(); ++index) {
      const Seen& earlier = drained.messages[index - 1];
      const Seen& later = drained.messages[index];
      if (!scene_.drops(group) && (earlier.seq >= later.seq || earlier.id >= later.id)) {
        driver().fail("group %u: message %llu came before %llu", group, printable(earlier.id),
                      printable(later.id));
      }
    }
  }

  void everyMessage(uint32_t group, const Drained& drained) const {
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) message(group, id, drained);
  }

  // A put is visible to every group or to none.
  void sameMessages(const Drained& first, const Drained& other, uint32_t group) const {
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) {
      if (ledger_.lines[id].put != Phase::started) continue;
      const bool differ = (first.find(id) == nullptr) != (other.find(id) == nullptr);
      if (differ && id > others_done[group]) {
        driver().fail("message %llu is there for one group and not for another", printable(id));
      }
    }
  }

  // Nothing that had returned is missing from the totals, and nothing is in
  // them that was not.
  void totals(const QueueStats& stats) const {
    uint64_t put = 0, perhaps_put = 0, got = 0, perhaps_got = 0;
    for (uint64_t id = 1; id < ledger_.next_id.load(); ++id) {
      const LedgerLine& line = ledger_.lines[id];
      put += line.put == Phase::returned;
      perhaps_put += line.put == Phase::started && !line.given_up;
      if (line.dead_letter) continue;
      got += line.over || line.finish == Phase::returned;
      perhaps_got += !line.over && line.finish == Phase::started;
    }
    between("puts", stats.puts, put, put + perhaps_put);
    if (scene_.groups.size() == 1) between("gets", stats.gets, got, got + perhaps_got);
  }

  // Nobody's bit is left in a mask: a wake that goes to it would be lost for
  // those who wait.
  void masks(const Queue& queue) const {
    const std::byte* base = queue.mapping()->base();
    const auto& header = *reinterpret_cast<const QueueHeader*>(base + kBlockOffset);
    const auto* participants = reinterpret_cast<const Participant*>(base + kParticipantsOffset);
    for (uint32_t slot = 0; slot < kSlots; ++slot) {
      if (participants[slot].state.load() == SlotState::active) continue;
      const auto in = [&](const SlotMask& mask) {
        return (mask.bits[slot / 64].load() >> (slot % 64)) % 2 != 0;
      };
      bool left = in(header.writers_waiting);
      for (uint32_t group = 0; group < kMaxGroups; ++group) {
        left = left || in(header.readers_waiting[group]);
      }
      if (left) driver().fail("slot %u is free, but waits", slot);
      if (participants[slot].sleeping.load() != 0)
        driver().fail("slot %u is free, but sleeps", slot);
    }
    if (header.recount_due.load() != 0) driver().fail("a recount is still due");
  }

  void drainedEmpty(const QueueStats& stats, size_t handles) const {
    if (stats.messages != 0)
      driver().fail("drained, but there are %llu messages", printable(stats.messages));
    if (stats.bytes != 0)
      driver().fail("drained, but %llu bytes are in use", printable(stats.bytes));
    if (stats.blocked_bytes != 0)
      driver().fail("%llu bytes are blocked", printable(stats.blocked_bytes));
    if (stats.oldest_reservation_ms >= 0) driver().fail("a reservation is left");
    if (stats.participants.size() != handles) {
      driver().fail("%zu participants, but %zu handles", stats.participants.size(), handles);
    }
    for (const GroupStats& group : stats.groups) {
      if (group.backlog != 0 || group.claimed != 0) {
        driver().fail("drained, but group %s counts %llu and %llu claimed", group.name.c_str(),
                      printable(group.backlog), printable(group.claimed));
      }
    }
  }

 private:
  static KillDriver& driver() { return KillDriver::instance(); }

  static void between(const char* what, uint64_t value, uint64_t least, uint64_t most) {
    if (value >= least && value <= most) return;
    driver().fail("%llu %s are counted, not %llu to %llu", printable(value), what, printable(least),
                  printable(most));
  }

  // What the ledger says about this message against what came.
  void message(uint32_t group, uint64_t id, const Drained& drained) const {
    const LedgerLine& line = ledger_.lines[id];
    const uint32_t times = drained.times(id);
    if (times > 1) driver().fail("group %u: message %llu came twice", group, printable(id));
    if (line.put == Phase::none || line.given_up) {
      if (times != 0) driver().fail("message %llu was never put", printable(id));
      return;
    }
    const bool acted_on = group == 0;
    const bool must = line.put == Phase::returned && !scene_.drops(group) &&
                      !(acted_on && (line.over || line.finish != Phase::none)) &&
                      (acted_on || id > others_done[group]) &&
                      !(acted_on && line.dead_letter && dead_letters_may_go);
    if (must && times == 0) driver().fail("group %u: message %llu is lost", group, printable(id));
    const bool must_not =
        acted_on ? line.over || line.finish == Phase::returned : id <= others_done[group];
    if (must_not && times != 0)
      driver().fail("group %u: message %llu came again", group, printable(id));
    if (times != 0) deliveries(group, id, *drained.find(id));
  }

  void deliveries(uint32_t group, uint64_t id, const Seen& seen) const {
    const LedgerLine& line = ledger_.lines[id];
    const bool acted_on = group == 0;
    uint32_t least = 1, most = 1;
    if (acted_on) {
      const uint32_t base = line.deliveries;
      const bool surely = line.hold == Phase::returned || line.reject != Phase::none;
      const bool perhaps = surely || line.hold != Phase::none || line.finish != Phase::none;
      least = base + (surely && !line.dead_letter ? 1 : 0);
      most = base + (perhaps && !line.dead_letter ? 1 : 0);
    }
    const uint32_t limit = scene_.max_deliveries;
    const bool dead_for_sure = acted_on && (line.dead_letter || least > limit);
    const bool dead_perhaps = dead_for_sure || most > limit;
    if (seen.dead_letter ? !dead_perhaps : dead_for_sure) {
      driver().fail("group %u: message %llu %s a dead letter", group, printable(id),
                    seen.dead_letter ? "is" : "is not");
    }
    if (seen.dead_letter ? seen.deliveries != limit
                         : seen.deliveries < least || seen.deliveries > most) {
      driver().fail("group %u: message %llu is delivered for the %uth time, not %u to %u", group,
                    printable(id), seen.deliveries, least, most);
    }
  }

  const Scene& scene_;
  const QueueLedger& ledger_;
};

}  // namespace zoo::test
