#pragma once

// From the engine's flat result set to JavaScript's `{columnNames, rows, rowsAffected, insertId}`. Runs on the JS
// thread, as all of JSI must; the engine has prepared everything else (kinds, offsets, whether a text is ASCII) on its
// own threads.

#include <jsi/jsi.h>

#include "omnii-sync-ffi/src/lib.rs.h"

namespace omnii {

namespace jsi = facebook::jsi;

/// `rows` is an array of objects, one property per column: null, number, bigint (integers beyond ±(2^53 − 1)), string,
/// or ArrayBuffer (a copy). Of columns with the same name the last wins; `columnNames` lists them all. `insertId` is
/// undefined when the statement inserted nothing.
jsi::Object toResult(jsi::Runtime& runtime, const Rows& rows);

/// `{rows, kept}` of a watch's result: `rows` has an object, made as above, for each row that `kept` marks with -1;
/// `kept` is null if that is all of them.
jsi::Object toChange(jsi::Runtime& runtime, const Taken& taken);

}  // namespace omnii
