// Calling Node-API safely: every status is checked, and a call that fails because the worker is
// being terminated ends the function quietly. The C++ wrapper of Node-API would abort there.
#pragma once

#include <node_api.h>

#define ZOO_TRY(call)                      \
  do {                                     \
    if ((call) != napi_ok) return nullptr; \
  } while (false)
