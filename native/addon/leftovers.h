// Names this process made, which it takes away again when it ends: at a normal exit, and at SIGINT
// and SIGTERM unless the program handles these itself. The signal handler is a native one, because
// a JavaScript handler does not run while a thread blocks in a `…Sync` call.
#pragma once

#include <string>

#include "core/os/shm_file.h"

namespace zoo::addon {

// What must hold for the name to go.
enum class RemoveWhen {
  always,              // whoever has it open goes on with it
  nobody_uses_it,      // a lock: a second one under the same name would have a second owner
  even_after_failure,  // a bell: it is of use to nobody else
};

enum class Ending {
  proper,
  failure,  // by an error or with another code than 0: that is a death, and names stay
};

// `probe` tells whether anybody uses a lock: a descriptor of its file, given away, that holds no slot.
void rememberName(const std::string& name, const FileIdentity& identity, RemoveWhen when,
                  int probe = -1);
// A lock has a handle in this process as long as its descriptor is open. At the end of the process
// that is no use of the lock.
void lockOpens(int descriptor, const FileIdentity& file);
void lockCloses(int descriptor);
// Precedes the default action of SIGINT and SIGTERM. To be called again when a program has stopped
// handling them: libuv puts the system's default back then.
void watchSignals();
bool anythingRemembered();
// At once; only calls that a signal handler may make.
void removeRememberedNames(Ending ending);
void forgetName(const std::string& name);
// From now on the end of the process is a failure.
void endsImproperly();

}  // namespace zoo::addon
