#include "addon/bindings.h"
#include "addon/values.h"

namespace zoo::addon {

namespace {

napi_value count(napi_env env, uint64_t value) { return number(env, static_cast<double>(value)); }

napi_value claimObject(napi_env env, const OldestClaim& claim) {
  napi_value result = object(env);
  const int64_t slot = claim.slot == kNoSlot ? -1 : static_cast<int64_t>(claim.slot);
  const bool complete = set(env, result, "slot", integer(env, slot)) &&
                        set(env, result, "pid", integer(env, claim.pid)) &&
                        set(env, result, "label", text(env, claim.label)) &&
                        set(env, result, "ageMs", number(env, claim.age_ms));
  return complete ? result : nullptr;
}

napi_value groupObject(napi_env env, const GroupStats& group) {
  napi_value result = object(env);
  const bool complete =
      set(env, result, "name", text(env, group.name)) &&
      set(env, result, "overflow", integer(env, static_cast<int64_t>(group.overflow))) &&
      set(env, result, "backlog", count(env, group.backlog)) &&
      set(env, result, "claimed", count(env, group.claimed)) &&
      set(env, result, "dropped", count(env, group.dropped)) &&
      set(env, result, "oldestClaim", claimObject(env, group.oldest_claim));
  return complete ? result : nullptr;
}

napi_value participantObject(napi_env env, const ParticipantStats& participant) {
  napi_value result = object(env);
  const bool complete = set(env, result, "slot", integer(env, participant.slot)) &&
                        set(env, result, "pid", integer(env, participant.pid)) &&
                        set(env, result, "label", text(env, participant.label)) &&
                        set(env, result, "group", text(env, participant.group)) &&
                        set(env, result, "writer", boolean(env, participant.writer)) &&
                        set(env, result, "ended", boolean(env, participant.ended)) &&
                        set(env, result, "reader", boolean(env, participant.reader)) &&
                        set(env, result, "waiting", boolean(env, participant.waiting)) &&
                        set(env, result, "since", number(env, participant.since_ms));
  return complete ? result : nullptr;
}

template <typename Item>
napi_value list(napi_env env, const std::vector<Item>& items,
                napi_value (*convert)(napi_env, const Item&)) {
  napi_value result = array(env);
  for (uint32_t index = 0; index < items.size(); ++index) {
    napi_value item = convert(env, items[index]);
    if (item == nullptr || napi_set_element(env, result, index, item) != napi_ok) return nullptr;
  }
  return result;
}

}  // namespace

napi_value statsObject(napi_env env, const QueueStats& stats) {
  napi_value result = object(env);
  const bool complete =
      set(env, result, "messages", count(env, stats.messages)) &&
      set(env, result, "bytes", count(env, stats.bytes)) &&
      set(env, result, "puts", count(env, stats.puts)) &&
      set(env, result, "gets", count(env, stats.gets)) &&
      set(env, result, "redelivered", count(env, stats.redelivered)) &&
      set(env, result, "dead", count(env, stats.dead)) &&
      set(env, result, "deadGivenUp", count(env, stats.dead_given_up)) &&
      set(env, result, "reaped", count(env, stats.reaped)) &&
      set(env, result, "recoveries", count(env, stats.recoveries)) &&
      set(env, result, "blockedBytes", count(env, stats.blocked_bytes)) &&
      set(env, result, "oldestReservationMs", number(env, stats.oldest_reservation_ms)) &&
      set(env, result, "groups", list(env, stats.groups, groupObject)) &&
      set(env, result, "participants", list(env, stats.participants, participantObject));
  return complete ? result : nullptr;
}

}  // namespace zoo::addon
