// Everything a C++ program needs: include this, link with -pthread, ignore SIGPIPE.
#pragma once

#include "core/lock/lock.h"
#include "core/memory/memory.h"
#include "core/queue/queue.h"
