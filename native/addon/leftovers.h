// Names this process made, which it takes away again when it ends: at a normal exit, and at SIGINT
// and SIGTERM unless the program handles these itself. The signal handler is a native one, because
// a JavaScript handler does not run while a thread blocks in a `…Sync` call.
#pragma once

#include <string>

#include "core/os/shm_file.h"

namespace zoo::addon {

// What must hold for the name to go.
enum class RemoveWhen {
  always,          // whoever has it open goes on with it
  nobody_uses_it,  // a lock: a second one under the same name would have a second owner
};

// Descriptors that tell whether anybody uses a lock: the handle's own while it is open, since no
// other can overlook the handle's own slot, and one that holds no slot afterwards.
struct UseProbe {
  int handle = -1;
  int afterwards = -1;  // given away
};

void rememberName(const std::string& name, const FileIdentity& identity, RemoveWhen when,
                  UseProbe probe = {});
// The handle is about to close its descriptor.
void handleCloses(int descriptor);
// Precedes the default action of SIGINT and SIGTERM. To be called again when a program has stopped
// handling them: libuv puts the system's default back then.
void watchSignals();
bool anythingRemembered();
// At once; only calls that a signal handler may make.
void removeRememberedNames();
void forgetName(const std::string& name);
// The process ends by an error or with another code than 0: that is a death, and names stay.
void endsImproperly();

}  // namespace zoo::addon
