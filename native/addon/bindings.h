// What each kind of handle offers to JavaScript.
#pragma once

#include <node_api.h>

#include "core/queue/stats.h"

namespace zoo::addon {

napi_value openQueue(napi_env env, napi_callback_info info);
napi_value openLock(napi_env env, napi_callback_info info);
napi_value openMemory(napi_env env, napi_callback_info info);
napi_value unlinkQueue(napi_env env, napi_callback_info info);
napi_value unlinkChannel(napi_env env, napi_callback_info info);
napi_value unlinkPipe(napi_env env, napi_callback_info info);
napi_value unlinkLock(napi_env env, napi_callback_info info);
napi_value unlinkMemory(napi_env env, napi_callback_info info);

napi_value statsObject(napi_env env, const QueueStats& stats);

}  // namespace zoo::addon
