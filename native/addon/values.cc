#include "addon/values.h"

namespace zoo::addon {

namespace {

const char* codeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::notFound:
      return "ERR_ZOO_NOT_FOUND";
    case ErrorCode::exists:
      return "ERR_ZOO_EXISTS";
    case ErrorCode::gone:
      return "ERR_ZOO_GONE";
    case ErrorCode::wrongKind:
      return "ERR_ZOO_KIND";
    case ErrorCode::incompatible:
      return "ERR_ZOO_INCOMPATIBLE";
    case ErrorCode::corrupt:
      return "ERR_ZOO_CORRUPT";
    case ErrorCode::noSpace:
      return "ERR_ZOO_NO_SPACE";
    case ErrorCode::full:
      return "ERR_ZOO_FULL";
    case ErrorCode::access:
      return "ERR_ZOO_ACCESS";
    case ErrorCode::invalid:
      return "ERR_INVALID_ARG_VALUE";
    case ErrorCode::ended:
      return "ERR_ZOO_ENDED";
    case ErrorCode::platform:
      return "ERR_ZOO_PLATFORM";
    case ErrorCode::system:
      return "ERR_ZOO_SYSTEM";
  }
  return "ERR_ZOO_SYSTEM";
}

}  // namespace

napi_value throwError(napi_env env, const Error& error) {
  napi_value thrown = nullptr;
  ZOO_TRY(napi_create_error(env, text(env, codeOf(error.code)), text(env, error.text), &thrown));
  if (error.error_number != 0 && !set(env, thrown, "errno", integer(env, -error.error_number))) {
    return nullptr;
  }
  if (error.system_call != nullptr && !set(env, thrown, "syscall", text(env, error.system_call))) {
    return nullptr;
  }
  if (error.code == ErrorCode::noSpace &&
      (!set(env, thrown, "needed", number(env, static_cast<double>(error.needed))) ||
       !set(env, thrown, "free", number(env, static_cast<double>(error.free))))) {
    return nullptr;
  }
  napi_throw(env, thrown);
  return nullptr;
}

napi_value property(napi_env env, napi_value from, const char* name) {
  napi_value value = nullptr;
  ZOO_TRY(napi_get_named_property(env, from, name, &value));
  napi_valuetype type = napi_undefined;
  ZOO_TRY(napi_typeof(env, value, &type));
  return type == napi_undefined ? nullptr : value;
}

std::optional<double> numberOption(napi_env env, napi_value from, const char* name) {
  napi_value value = property(env, from, name);
  double result = 0;
  if (value == nullptr || napi_get_value_double(env, value, &result) != napi_ok)
    return std::nullopt;
  return result;
}

std::optional<bool> booleanOption(napi_env env, napi_value from, const char* name) {
  napi_value value = property(env, from, name);
  bool result = false;
  if (value == nullptr || napi_get_value_bool(env, value, &result) != napi_ok) return std::nullopt;
  return result;
}

std::optional<std::string> textOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (value == nullptr || napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return std::nullopt;
  }
  std::string result(length, '\0');
  if (napi_get_value_string_utf8(env, value, result.data(), length + 1, &length) != napi_ok) {
    return std::nullopt;
  }
  return result;
}

std::optional<std::string> textOption(napi_env env, napi_value from, const char* name) {
  return textOf(env, property(env, from, name));
}

}  // namespace zoo::addon
