// The end of a worker process with its parent, however the parent ended.
#pragma once

#include <sys/types.h>

namespace zoo::addon {

// From now on, when the process `parent` has ended, this process removes what it has in /dev/shm
// and ends by SIGKILL: also while its JavaScript never comes to an end. With `also_with_thread`, it
// ends as well when only the thread ends that started it. True once that is arranged.
bool endWithParent(pid_t parent, bool also_with_thread);

}  // namespace zoo::addon
