#include "Arguments.h"

#include <cmath>
#include <limits>
#include <string>

namespace omnii {

namespace {

// Up to here every whole number has a double of its own.
constexpr double kMaxExactInteger = 9007199254740992.0;
constexpr double kMaxDatabaseId = std::numeric_limits<uint32_t>::max();

constexpr const char* kAllowed = "use null, boolean, number, bigint, string, ArrayBuffer or a typed array";

std::string describeObject(jsi::Runtime& runtime, const jsi::Object& object) {
  if (object.isFunction(runtime)) {
    return "function";
  }
  if (object.isArray(runtime)) {
    return "array";
  }
  auto constructor = object.getProperty(runtime, "constructor");
  if (constructor.isObject()) {
    auto name = constructor.getObject(runtime).getProperty(runtime, "name");
    if (name.isString()) {
      return "object (" + name.getString(runtime).utf8(runtime) + ")";
    }
  }
  return "object";
}

[[noreturn]] void refuse(size_t index, const std::string& why) {
  throw BadArgument("params[" + std::to_string(index) + "] " + why);
}

void pushNumber(Values& values, double number) {
  bool whole = std::trunc(number) == number && std::abs(number) <= kMaxExactInteger;
  bool negativeZero = number == 0 && std::signbit(number);
  if (whole && !negativeZero) {
    values.push_integer(static_cast<int64_t>(number));
  } else {
    values.push_real(number);
  }
}

// A non-negative whole number, as the byte offsets and lengths of a view are.
size_t toSize(const jsi::Value& value, size_t index) {
  if (!value.isNumber() || !isId(value.getNumber(), kMaxExactInteger)) {
    refuse(index, "is a view without a valid byteOffset and byteLength");
  }
  return static_cast<size_t>(value.getNumber());
}

void pushBytes(jsi::Runtime& runtime, Values& values, jsi::ArrayBuffer& buffer, size_t offset, size_t length) {
  // An empty buffer may have no memory at all.
  const uint8_t* bytes = length == 0 ? nullptr : buffer.data(runtime) + offset;
  values.push_blob(rust::Slice<const uint8_t>(bytes, length));
}

void pushObject(jsi::Runtime& runtime, Values& values, const jsi::Object& object, size_t index) {
  if (object.isArrayBuffer(runtime)) {
    auto buffer = object.getArrayBuffer(runtime);
    pushBytes(runtime, values, buffer, 0, buffer.size(runtime));
    return;
  }
  // React Native's JSI knows typed arrays, Hermes' own does not; JavaScript itself answers on both.
  auto isView = runtime.global()
                    .getPropertyAsObject(runtime, "ArrayBuffer")
                    .getPropertyAsFunction(runtime, "isView")
                    .call(runtime, object);
  if (!isView.isBool() || !isView.getBool()) {
    refuse(index, "is of type " + describeObject(runtime, object) + "; " + kAllowed);
  }
  size_t offset = toSize(object.getProperty(runtime, "byteOffset"), index);
  size_t length = toSize(object.getProperty(runtime, "byteLength"), index);
  auto holder = object.getPropertyAsObject(runtime, "buffer");
  if (!holder.isArrayBuffer(runtime)) {
    refuse(index, "is a view without an ArrayBuffer");
  }
  auto buffer = holder.getArrayBuffer(runtime);
  size_t size = buffer.size(runtime);
  if (offset > size || length > size - offset) {
    refuse(index, "is a view that reaches beyond its ArrayBuffer");
  }
  pushBytes(runtime, values, buffer, offset, length);
}

void pushValue(jsi::Runtime& runtime, Values& values, const jsi::Value& value, size_t index) {
  if (value.isNull() || value.isUndefined()) {
    values.push_null();
  } else if (value.isBool()) {
    values.push_integer(value.getBool() ? 1 : 0);
  } else if (value.isNumber()) {
    pushNumber(values, value.getNumber());
  } else if (value.isString()) {
    values.push_text(value.getString(runtime).utf8(runtime));
  } else if (value.isBigInt()) {
    auto bigint = value.getBigInt(runtime);
    if (!bigint.isInt64(runtime)) {
      refuse(index, "is a bigint that does not fit into 64 bits; pass it as a string");
    }
    values.push_integer(bigint.getInt64(runtime));
  } else if (value.isObject()) {
    pushObject(runtime, values, value.getObject(runtime), index);
  } else {
    refuse(index, std::string("is of type symbol; ") + kAllowed);
  }
}

void pushAll(jsi::Runtime& runtime, Values& values, const jsi::Array& params, size_t count) {
  for (size_t index = 0; index < count; ++index) {
    pushValue(runtime, values, params.getValueAtIndex(runtime, index), index);
  }
}

uint64_t toId(const char* name, double number, double max) {
  if (!isId(number, max)) {
    throw BadArgument(std::string(name) + " is no id that this module has given out: " + std::to_string(number));
  }
  return static_cast<uint64_t>(number);
}

}  // namespace

bool isId(double number, double max) {
  // NaN fails every comparison.
  return number >= 0 && number <= max && std::trunc(number) == number;
}

rust::Box<Values> toValues(jsi::Runtime& runtime, const jsi::Object& params) {
  if (!params.isArray(runtime)) {
    throw BadArgument("params is of type " + describeObject(runtime, params) + "; pass an array");
  }
  auto array = params.getArray(runtime);
  size_t count = array.size(runtime);
  auto values = new_values(count);
  pushAll(runtime, *values, array, count);
  return values;
}

rust::Box<Values> toSets(jsi::Runtime& runtime, const jsi::Object& sets) {
  if (!sets.isArray(runtime)) {
    throw BadArgument("paramSets is of type " + describeObject(runtime, sets) + "; pass an array of arrays");
  }
  auto array = sets.getArray(runtime);
  size_t count = array.size(runtime);
  auto values = new_values(count);
  for (size_t index = 0; index < count; ++index) {
    auto set = array.getValueAtIndex(runtime, index);
    if (!set.isObject() || !set.getObject(runtime).isArray(runtime)) {
      throw BadArgument("paramSets[" + std::to_string(index) + "] is no array of parameters");
    }
    auto params = set.getObject(runtime).getArray(runtime);
    try {
      pushAll(runtime, *values, params, params.size(runtime));
    } catch (const BadArgument& error) {
      throw BadArgument("paramSets[" + std::to_string(index) + "]: " + error.what());
    }
    values->end_set();
  }
  return values;
}

uint32_t toDatabaseId(double number) {
  return static_cast<uint32_t>(toId("databaseId", number, kMaxDatabaseId));
}

uint64_t toMilliseconds(const char* name, double number) {
  if (!isId(number, kMaxExactInteger)) {
    throw BadArgument(std::string(name) + " must be whole milliseconds, 0 or more: " + std::to_string(number));
  }
  return static_cast<uint64_t>(number);
}

int64_t toChangeId(const char* name, double number) {
  return static_cast<int64_t>(toId(name, number, kMaxExactInteger));
}

uint64_t toTransactionId(double number) {
  return toId("transactionId", number, kMaxExactInteger);
}

}  // namespace omnii
