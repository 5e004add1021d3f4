#pragma once

// From the engine's flat result set to JavaScript's `{columnNames, rows, rowsAffected, insertId}`. Runs on the JS
// thread, as all of JSI must; the engine has prepared everything else (kinds, offsets, whether a text is ASCII) on its
// own threads.

#include <jsi/jsi.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "omnii-sync-ffi/src/lib.rs.h"

namespace omnii {

namespace jsi = facebook::jsi;

/// Names that JavaScript must be asked for once only: those of results and those of their columns. JS thread only, its
/// destruction included.
class Shapes final {
 public:
  /// The columns of results that have the same number.
  struct Shape {
    std::vector<jsi::PropNameID> keys;
    /// Frozen, since all results share it.
    jsi::Object names;
  };

  explicit Shapes(jsi::Runtime& runtime);

  /// The shape of these rows; valid until the next call.
  const Shape& of(jsi::Runtime& runtime, const Rows& rows);

  const jsi::PropNameID columnNames;
  const jsi::PropNameID rows;
  const jsi::PropNameID rowsAffected;
  const jsi::PropNameID insertId;

 private:
  std::unordered_map<uint64_t, Shape> byColumnsId_;
};

/// `rows` is an array of objects, one property per column, or of arrays if `Rows::raw` says so: null, number, bigint
/// (integers beyond ±(2^53 − 1)), string, or ArrayBuffer (a copy). Of columns with the same name the last wins in an
/// object; `columnNames`, a frozen array, lists them all. `insertId` is undefined when the statement inserted nothing.
jsi::Object toResult(jsi::Runtime& runtime, Shapes& shapes, const Rows& rows);

}  // namespace omnii
