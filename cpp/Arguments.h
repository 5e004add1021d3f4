#pragma once

// From JavaScript's values to the engine's: SQL parameters and the numbers that name databases, transactions and
// requests, or a time. Runs on the JS thread, inside the calling method. Owns the rule for each type and refuses
// everything else by throwing BadArgument, which the module turns into a rejected promise.

#include <jsi/jsi.h>

#include <cstdint>
#include <stdexcept>

#include "omnii-sync-ffi/src/lib.rs.h"

namespace omnii {

namespace jsi = facebook::jsi;

/// The caller's mistake; the message is for people and names the argument.
class BadArgument final : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// `params` is an array of null | undefined (null) | boolean (integer 0 or 1) | number (integer if whole and within
/// ±2^53, otherwise, and for -0, real) | bigint (within 64 bits) | string | ArrayBuffer, typed array or DataView (blob,
/// copied).
rust::Box<Values> toValues(jsi::Runtime& runtime, const jsi::Object& params);

/// `sets` is an array of arrays as `toValues` takes them.
rust::Box<Values> toSets(jsi::Runtime& runtime, const jsi::Object& sets);

/// Whole numbers from 0 to 2^32 - 1.
uint32_t toDatabaseId(double number);

/// Whole numbers from 0 to 2^53; 0 means "no transaction".
uint64_t toTransactionId(double number);

/// Whole numbers from 0 to 2^53: the id of a change.
int64_t toChangeId(const char* name, double number);

/// Whole milliseconds from 0 to 2^53.
uint64_t toMilliseconds(const char* name, double number);

/// Whether the number can be an id, that is whole and from 0 to `max`. NaN is not.
bool isId(double number, double max);

}  // namespace omnii
