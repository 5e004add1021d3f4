#include "RowConverter.h"

#include <bit>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace omnii {

namespace {

// The kinds of `Rows::kinds` (rust/ffi/src/lib.rs).
enum class Kind : uint8_t { Null = 0, Integer = 1, Real = 2, Text = 3, Blob = 4, AsciiText = 5 };

// Number.MAX_SAFE_INTEGER: beyond it one number stands for several integers.
constexpr int64_t kMaxExactInteger = (int64_t{1} << 53) - 1;

// The memory of one ArrayBuffer; freed by the garbage collector on whatever thread it runs.
class BlobBuffer final : public jsi::MutableBuffer {
 public:
  explicit BlobBuffer(rust::Slice<const uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  size_t size() const override { return bytes_.size(); }
  uint8_t* data() override { return bytes_.data(); }

 private:
  std::vector<uint8_t> bytes_;
};

jsi::Value toInteger(jsi::Runtime& runtime, int64_t integer) {
  if (integer < -kMaxExactInteger || integer > kMaxExactInteger) {
    return jsi::BigInt::fromInt64(runtime, integer);
  }
  return static_cast<double>(integer);
}

jsi::Value toCell(jsi::Runtime& runtime, Kind kind, uint64_t word, const uint8_t* bytes) {
  const uint8_t* start = bytes + (word >> 32);
  size_t length = word & 0xffffffff;
  switch (kind) {
    case Kind::Null:
      return jsi::Value::null();
    case Kind::Integer:
      return toInteger(runtime, std::bit_cast<int64_t>(word));
    case Kind::Real:
      return std::bit_cast<double>(word);
    case Kind::Text:
      return jsi::String::createFromUtf8(runtime, start, length);
    case Kind::AsciiText:
      return jsi::String::createFromAscii(runtime, reinterpret_cast<const char*>(start), length);
    case Kind::Blob:
      return jsi::ArrayBuffer(runtime, std::make_shared<BlobBuffer>(rust::Slice<const uint8_t>(start, length)));
  }
  throw jsi::JSINativeException("The engine sent a cell of an unknown kind");
}

const uint8_t* utf8(const rust::String& text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

// So many shapes are kept; an app has fewer statements than that, unless it writes values into their texts.
constexpr size_t kMaxShapes = 512;

Shapes::Shape toShape(jsi::Runtime& runtime, const Rows& rows) {
  auto columns = rows.column_names();
  std::vector<jsi::PropNameID> keys;
  keys.reserve(columns.size());
  jsi::Array names(runtime, columns.size());
  for (size_t column = 0; column < columns.size(); ++column) {
    const auto& name = columns[column];
    keys.push_back(jsi::PropNameID::forUtf8(runtime, utf8(name), name.size()));
    names.setValueAtIndex(runtime, column, jsi::String::createFromUtf8(runtime, utf8(name), name.size()));
  }
  runtime.global().getPropertyAsObject(runtime, "Object").getPropertyAsFunction(runtime, "freeze").call(runtime, names);
  return {std::move(keys), std::move(names)};
}

jsi::Array toObjects(jsi::Runtime& runtime, const std::vector<jsi::PropNameID>& keys, const Rows& rows) {
  auto kinds = rows.kinds();
  auto words = rows.words();
  const uint8_t* bytes = rows.bytes().data();
  size_t columns = keys.size();
  size_t count = columns == 0 ? 0 : kinds.size() / columns;
  jsi::Array objects(runtime, count);
  size_t cell = 0;
  for (size_t row = 0; row < count; ++row) {
    jsi::Object object(runtime);
    for (size_t column = 0; column < columns; ++column, ++cell) {
      object.setProperty(runtime, keys[column], toCell(runtime, static_cast<Kind>(kinds[cell]), words[cell], bytes));
    }
    objects.setValueAtIndex(runtime, row, object);
  }
  return objects;
}

jsi::Array toArrays(jsi::Runtime& runtime, size_t columns, const Rows& rows) {
  auto kinds = rows.kinds();
  auto words = rows.words();
  const uint8_t* bytes = rows.bytes().data();
  size_t count = columns == 0 ? 0 : kinds.size() / columns;
  jsi::Array arrays(runtime, count);
  size_t cell = 0;
  for (size_t row = 0; row < count; ++row) {
    jsi::Array values(runtime, columns);
    for (size_t column = 0; column < columns; ++column, ++cell) {
      values.setValueAtIndex(runtime, column, toCell(runtime, static_cast<Kind>(kinds[cell]), words[cell], bytes));
    }
    arrays.setValueAtIndex(runtime, row, values);
  }
  return arrays;
}

}  // namespace

Shapes::Shapes(jsi::Runtime& runtime)
    : columnNames(jsi::PropNameID::forAscii(runtime, "columnNames")),
      rows(jsi::PropNameID::forAscii(runtime, "rows")),
      rowsAffected(jsi::PropNameID::forAscii(runtime, "rowsAffected")),
      insertId(jsi::PropNameID::forAscii(runtime, "insertId")) {}

const Shapes::Shape& Shapes::of(jsi::Runtime& runtime, const Rows& rows) {
  uint64_t id = rows.columns_id();
  auto found = byColumnsId_.find(id);
  if (found != byColumnsId_.end()) {
    return found->second;
  }
  if (byColumnsId_.size() >= kMaxShapes) {
    byColumnsId_.clear();
  }
  return byColumnsId_.emplace(id, toShape(runtime, rows)).first->second;
}

jsi::Object toResult(jsi::Runtime& runtime, Shapes& shapes, const Rows& rows) {
  const auto& shape = shapes.of(runtime, rows);
  jsi::Object result(runtime);
  result.setProperty(runtime, shapes.columnNames, shape.names);
  result.setProperty(runtime, shapes.rows,
                     rows.raw() ? toArrays(runtime, shape.keys.size(), rows) : toObjects(runtime, shape.keys, rows));
  result.setProperty(runtime, shapes.rowsAffected, static_cast<double>(rows.rows_affected()));
  int64_t insertId = rows.insert_id();
  result.setProperty(runtime, shapes.insertId,
                     insertId == 0 ? jsi::Value() : jsi::Value(static_cast<double>(insertId)));
  return result;
}

}  // namespace omnii
