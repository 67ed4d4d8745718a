// Memory for large copies that was used before: fresh pages cost several times the copy itself.
#pragma once

#include <node_api.h>

namespace zoo::addon {

// An ArrayBuffer of so many bytes, whose contents are whatever was there before in this process.
// Its memory is used again once the buffer has been collected.
napi_value warmBuffer(napi_env env, napi_callback_info info);

}  // namespace zoo::addon
