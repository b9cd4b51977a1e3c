// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers as the bytes of packed tables and weights, and back; and the aggregate that joins arrays. The bytes
// are the machine's own (little-endian wherever we run), one number behind the other.
#include <algorithm>
#include <cstring>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

std::size_t number_size(Oid element) {
  return element == FLOAT4OID ? sizeof(float) : sizeof(std::int16_t);
}

void check_count(std::size_t count) {
  if (count <= MaxArraySize) return;
  throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                 "an array of " + std::to_string(count) + " numbers is larger than the server allows",
                 "Work on parts of it.");
}

ArrayType* array_argument(FunctionCallInfo fcinfo, int i) {
  const Datum value = fcinfo->args[i].value;
  ArrayType* array = call_pg([value] { return DatumGetArrayTypeP(value); });
  if (ARR_HASNULL(array) && array_contains_nulls(array)) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument numbers: the array has a NULL element",
                   "Leave such elements out: bytes cannot say NULL.");
  }
  return array;
}

/// Of the elements: an array may have rounded its own size up.
std::size_t data_size(const ArrayType* array) {
  std::size_t count = ARR_NDIM(array) > 0 ? 1 : 0;
  for (int i = 0; i < ARR_NDIM(array); ++i) count *= ARR_DIMS(array)[i];
  return count * number_size(ARR_ELEMTYPE(array));
}

/// Its extents and elements are the caller's to fill in.
ArrayType* new_array(Oid element, int dimensions, std::size_t bytes) {
  ArrayType* array = call_pg([=] {
    const Size total = ARR_OVERHEAD_NONULLS(dimensions) + bytes;
    auto* made = static_cast<ArrayType*>(palloc0(total));
    SET_VARSIZE(made, total);
    made->ndim = dimensions;
    made->elemtype = element;
    return made;
  });
  std::fill_n(ARR_LBOUND(array), dimensions, 1);
  return array;
}

Datum array_of_bytes(FunctionCallInfo fcinfo, Oid element) {
  const Datum value = fcinfo->args[0].value;
  varlena* bytes = call_pg([value] { return PG_DETOAST_DATUM_PACKED(value); });
  const std::size_t length = VARSIZE_ANY_EXHDR(bytes);
  const std::size_t size = number_size(element);
  if (length % size != 0) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument bytes: " + std::to_string(length) + " bytes are no whole number of values of " +
                       std::to_string(size) + " bytes",
                   "Give float32 values for real, int16 values for smallint.");
  }
  check_count(length / size);
  ArrayType* array = new_array(element, length > 0 ? 1 : 0, length);
  if (length > 0) {
    ARR_DIMS(array)[0] = static_cast<int>(length / size);
    std::memcpy(ARR_DATA_PTR(array), VARDATA_ANY(bytes), length);
  }
  return PointerGetDatum(array);
}

/// The state of agg_array_concat.
struct JoinedArray {
  Oid element;
  int dimensions;  ///< 0 until an array with elements came
  int extents[MAXDIM];
  std::size_t used;
  std::size_t capacity;
  char* bytes;
};

/// Room for `size` more bytes, counted as used.
char* grow(JoinedArray& joined, std::size_t size, MemoryContext context) {
  const std::size_t needed = joined.used + size;
  check_count(needed / number_size(joined.element));
  if (needed > joined.capacity) {
    const std::size_t capacity = std::min<std::size_t>(std::max(joined.capacity * 2, needed), MaxAllocSize);
    joined.bytes = static_cast<char*>(call_pg([&] {
      return joined.bytes == nullptr ? MemoryContextAlloc(context, capacity) : repalloc(joined.bytes, capacity);
    }));
    joined.capacity = capacity;
  }
  char* room = joined.bytes + joined.used;
  joined.used = needed;
  return room;
}

void append(JoinedArray& joined, ArrayType* array, MemoryContext context) {
  const int dimensions = ARR_NDIM(array);
  if (dimensions == 0) return;
  const int* extents = ARR_DIMS(array);
  if (joined.dimensions == 0) {
    joined.dimensions = dimensions;
    std::copy_n(extents, dimensions, joined.extents);
    joined.extents[0] = 0;
  } else if (joined.dimensions != dimensions || !std::equal(extents + 1, extents + dimensions, joined.extents + 1)) {
    throw SqlError(ERRCODE_ARRAY_SUBSCRIPT_ERROR, "agg_array_concat: the arrays have different dimensions",
                   "Arrays are joined along their first dimension; the others must be equal.");
  }
  const std::size_t size = data_size(array);
  std::memcpy(grow(joined, size, context), ARR_DATA_PTR(array), size);
  joined.extents[0] += extents[0];
}

Datum join_step(FunctionCallInfo fcinfo, Oid element) {
  MemoryContext context = nullptr;
  check(AggCheckCallContext(fcinfo, &context) != 0, "a function of agg_array_concat was called outside the aggregate");
  auto* joined = PG_ARGISNULL(0) ? nullptr : reinterpret_cast<JoinedArray*>(PG_GETARG_POINTER(0));
  if (PG_ARGISNULL(1)) {
    if (joined == nullptr) PG_RETURN_NULL();
    PG_RETURN_POINTER(joined);
  }
  ArrayType* array = array_argument(fcinfo, 1);
  if (joined == nullptr) {
    joined =
        call_pg([context] { return static_cast<JoinedArray*>(MemoryContextAllocZero(context, sizeof(JoinedArray))); });
    joined->element = element;
  }
  append(*joined, array, context);
  PG_RETURN_POINTER(joined);
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(bytea_to_real_array) {
  return array_of_bytes(fcinfo, FLOAT4OID);
}

MODELHOP_FUNCTION(bytea_to_smallint_array) {
  return array_of_bytes(fcinfo, INT2OID);
}

MODELHOP_FUNCTION(array_to_bytea) {
  ArrayType* array = array_argument(fcinfo, 0);
  const std::size_t size = data_size(array);
  auto* bytes = call_pg([size] {
    auto* made = static_cast<bytea*>(palloc(VARHDRSZ + size));
    SET_VARSIZE(made, VARHDRSZ + size);
    return made;
  });
  std::memcpy(VARDATA(bytes), ARR_DATA_PTR(array), size);
  return PointerGetDatum(bytes);
}

MODELHOP_FUNCTION(join_real_arrays) {
  return join_step(fcinfo, FLOAT4OID);
}

MODELHOP_FUNCTION(join_smallint_arrays) {
  return join_step(fcinfo, INT2OID);
}

MODELHOP_FUNCTION(joined_array) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  auto* joined = reinterpret_cast<JoinedArray*>(PG_GETARG_POINTER(0));
  // A copy, for a window goes on with the state.
  ArrayType* array = new_array(joined->element, joined->dimensions, joined->used);
  std::copy_n(joined->extents, joined->dimensions, ARR_DIMS(array));
  if (joined->used > 0) std::memcpy(ARR_DATA_PTR(array), joined->bytes, joined->used);
  return PointerGetDatum(array);
}
