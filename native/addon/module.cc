// What the addon exports. Numbers in, numbers out; no logic of its own.
#include <node_api.h>

#include "addon/bindings.h"
#include "addon/calls.h"
#include "addon/environment.h"
#include "addon/leftovers.h"
#include "addon/parent_watch.h"
#include "addon/warm_memory.h"
#include "core/os/bus_guard.h"

namespace zoo::addon {

namespace {

napi_value setSlab(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Environment* environment = Environment::of(env);
  if (!arguments.valid() || environment == nullptr) return nullptr;
  return environment->setSlab(arguments.value(0));
}

napi_value onWake(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Environment* environment = Environment::of(env);
  if (!arguments.valid() || environment == nullptr) return nullptr;
  return environment->onWake(arguments.value(0));
}

bool flag(const Arguments& arguments) {
  bool on = false;
  napi_get_value_bool(arguments.env(), arguments.value(0), &on);
  return on;
}

napi_value keepAlive(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Environment* environment = Environment::of(env);
  if (!arguments.valid() || environment == nullptr) return nullptr;
  environment->keepAlive(flag(arguments));
  return undefined(env);
}

napi_value leave(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Environment* environment = Environment::of(env);
  if (!arguments.valid() || environment == nullptr) return nullptr;
  environment->leave(flag(arguments));
  return undefined(env);
}

napi_value watchSignalsAgain(napi_env env, napi_callback_info) {
  if (anythingRemembered()) watchSignals();
  BusGuard::renew();
  return undefined(env);
}

napi_value endWithParentOf(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  if (!arguments.valid()) return nullptr;
  const auto parent = static_cast<pid_t>(arguments.number(0));
  const bool also_with_thread = arguments.number(1) != 0;
  return boolean(env, endWithParent(parent, also_with_thread));
}

struct Export {
  const char* name;
  napi_callback callback;
};

constexpr Export kExports[] = {
    {"openQueue", openQueue},
    {"openLock", openLock},
    {"openMemory", openMemory},
    {"unlinkQueue", unlinkQueue},
    {"unlinkChannel", unlinkChannel},
    {"unlinkPipe", unlinkPipe},
    {"unlinkLock", unlinkLock},
    {"unlinkMemory", unlinkMemory},
    {"setSlab", setSlab},
    {"onWake", onWake},
    {"keepAlive", keepAlive},
    {"leave", leave},
    {"watchSignals", watchSignalsAgain},
    {"endWithParent", endWithParentOf},
    {"warmBuffer", warmBuffer},
};

napi_value initialise(napi_env env, napi_value exports) {
  if (Environment::initialise(env, exports) == nullptr) return nullptr;
  for (const Export& one : kExports) {
    napi_value function = nullptr;
    ZOO_TRY(
        napi_create_function(env, one.name, NAPI_AUTO_LENGTH, one.callback, nullptr, &function));
    if (!set(env, exports, one.name, function)) return nullptr;
  }
  return exports;
}

}  // namespace

}  // namespace zoo::addon

NAPI_MODULE_INIT() { return zoo::addon::initialise(env, exports); }
