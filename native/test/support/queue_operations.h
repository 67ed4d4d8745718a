// Everything that a process can be doing with a queue when it dies.
#pragma once

#include "support/queue_put_operations.h"
#include "support/queue_repair_operations.h"
#include "support/queue_room_operations.h"
#include "support/queue_take_operations.h"
#include "support/queue_wait_operations.h"

namespace zoo::test {

inline std::vector<QueueOperation> victimOperations() {
  std::vector<QueueOperation> all;
  for (const auto& part : {putOperations(), takeOperations(), roomOperations(), waitOperations()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace zoo::test
