// JavaScript values in and out.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <optional>
#include <string>

#include "addon/status.h"
#include "core/error.h"

namespace zoo::addon {

// Throws `error` as the JavaScript layer expects it (src/native.ts, NativeFailure).
napi_value throwError(napi_env env, const Error& error);

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  ZOO_TRY(napi_create_double(env, value, &result));
  return result;
}
inline napi_value integer(napi_env env, int64_t value) {
  napi_value result = nullptr;
  // Small integers are cheaper for V8 than doubles.
  if (value >= INT32_MIN && value <= INT32_MAX) {
    ZOO_TRY(napi_create_int32(env, static_cast<int32_t>(value), &result));
  } else {
    ZOO_TRY(napi_create_double(env, static_cast<double>(value), &result));
  }
  return result;
}
inline napi_value boolean(napi_env env, bool value) {
  napi_value result = nullptr;
  ZOO_TRY(napi_get_boolean(env, value, &result));
  return result;
}
inline napi_value text(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  ZOO_TRY(napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}
inline napi_value undefined(napi_env env) {
  napi_value result = nullptr;
  ZOO_TRY(napi_get_undefined(env, &result));
  return result;
}
inline napi_value object(napi_env env) {
  napi_value result = nullptr;
  ZOO_TRY(napi_create_object(env, &result));
  return result;
}
inline napi_value array(napi_env env) {
  napi_value result = nullptr;
  ZOO_TRY(napi_create_array(env, &result));
  return result;
}

// A null value (a failed call) makes the whole fail.
inline bool set(napi_env env, napi_value target, const char* name, napi_value value) {
  return target != nullptr && value != nullptr &&
         napi_set_named_property(env, target, name, value) == napi_ok;
}

// Reading options: what is absent or undefined stays empty.
napi_value property(napi_env env, napi_value from, const char* name);
std::optional<double> numberOption(napi_env env, napi_value from, const char* name);
std::optional<bool> booleanOption(napi_env env, napi_value from, const char* name);
std::optional<std::string> textOption(napi_env env, napi_value from, const char* name);
std::optional<std::string> textOf(napi_env env, napi_value value);

}  // namespace zoo::addon
