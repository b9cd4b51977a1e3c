// SPDX-License-Identifier: Apache-2.0
// Aggregates pack_examples and pack_one_hot: the rows of a buffer, one behind the other, as one bytea. And the numbers
// that rows get before.
#include <cstring>

#include "modelhop/segment.hpp"
#include "server/bridge.hpp"
#include "server/functions/column_values.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
#include "utils/memutils.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// A growing bytea with its header, in the aggregate's context.
struct Buffer {
  ColumnType source;
  ElementType target;
  float scale;
  std::int64_t row_elements;
  std::size_t used;
  std::size_t capacity;
  char* bytes;
};

constexpr std::size_t kFirstCapacity = std::size_t{1} << 16;

Buffer* new_buffer(MemoryContext context) {
  return call_pg([context] {
    auto* buffer = static_cast<Buffer*>(MemoryContextAllocZero(context, sizeof(Buffer)));
    buffer->bytes = static_cast<char*>(MemoryContextAlloc(context, kFirstCapacity));
    buffer->capacity = kFirstCapacity;
    buffer->used = VARHDRSZ;
    return buffer;
  });
}

/// Room for `size` more bytes, counted as used.
char* append(Buffer& buffer, std::size_t size) {
  const std::size_t needed = buffer.used + size;
  if (needed > MaxAllocSize) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "a buffer of the packed table would be larger than 1 GB",
                   "Choose a smaller buffer_size.");
  }
  if (needed > buffer.capacity) {
    std::size_t capacity = std::min<std::size_t>(std::max(buffer.capacity * 2, needed), MaxAllocSize);
    buffer.bytes = static_cast<char*>(call_pg([&] { return repalloc(buffer.bytes, capacity); }));
    buffer.capacity = capacity;
  }
  char* room = buffer.bytes + buffer.used;
  buffer.used = needed;
  return room;
}

template <typename Target, typename Number>
void convert(const Number* numbers, std::int64_t count, float scale, char* room) {
  // The room need not be aligned for the target; memcpy of one number compiles to a plain store.
  for (std::int64_t i = 0; i < count; ++i) {
    Target number;
    if constexpr (std::is_same_v<Target, float>) {
      number = static_cast<float>(numbers[i]) * scale;
    } else {
      number = static_cast<Target>(numbers[i]);
    }
    std::memcpy(room + i * sizeof(Target), &number, sizeof number);
  }
}

void append_numbers(Buffer& buffer, const ColumnValue& value) {
  char* room = append(buffer, value.count * element_size(buffer.target));
  if (buffer.source.is_bytes() && buffer.target == ElementType::kUint8) {
    std::memcpy(room, value.numbers, value.count);
    return;
  }
  visit_numbers(buffer.source, value, [&](const auto* numbers, std::int64_t count) {
    switch (buffer.target) {
      case ElementType::kUint8:
        return convert<std::uint8_t>(numbers, count, buffer.scale, room);
      case ElementType::kInt16:
        return convert<std::int16_t>(numbers, count, buffer.scale, room);
      case ElementType::kFloat32:
        return convert<float>(numbers, count, buffer.scale, room);
    }
  });
}

ElementType element_type(Datum name) {
  const char* chars = call_pg([name] { return TextDatumGetCString(name); });
  if (std::strcmp(chars, "uint8") == 0) return ElementType::kUint8;
  if (std::strcmp(chars, "int16") == 0) return ElementType::kInt16;
  if (std::strcmp(chars, "float32") == 0) return ElementType::kFloat32;
  throw Error(ErrorCode::kInvalidArgument, std::string("argument element_type: \"") + chars + "\" is unknown",
              "Use uint8, int16 or float32.");
}

enum Argument { kState, kValue, kElementType, kScale, kRowElements };

Buffer* open_buffer(FunctionCallInfo fcinfo, MemoryContext context) {
  for (int argument : {kElementType, kScale, kRowElements}) {
    if (PG_ARGISNULL(argument)) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "an argument of pack_examples is NULL");
  }
  const std::optional<ColumnType> type =
      column_type(call_pg([fcinfo] { return get_fn_expr_argtype(fcinfo->flinfo, kValue); }));
  if (!type) throw SqlError(ERRCODE_DATATYPE_MISMATCH, "pack_examples takes numbers, arrays of numbers and bytea");
  const ElementType target = element_type(PG_GETARG_DATUM(kElementType));
  Buffer* buffer = new_buffer(context);
  buffer->source = *type;
  buffer->target = target;
  buffer->scale = PG_GETARG_FLOAT4(kScale);
  buffer->row_elements = PG_GETARG_INT64(kRowElements);
  return buffer;
}

MemoryContext aggregate_context(FunctionCallInfo fcinfo) {
  MemoryContext context = nullptr;
  modelhop::check(AggCheckCallContext(fcinfo, &context) != 0, "a packing function was called outside its aggregate");
  return context;
}

[[noreturn]] void refuse_changed_table() {
  throw SqlError(ERRCODE_T_R_SERIALIZATION_FAILURE, "the source table was changed while it was packed",
                 "Call the function again.");
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(pack_step) {
  MemoryContext context = aggregate_context(fcinfo);
  auto* buffer =
      PG_ARGISNULL(kState) ? open_buffer(fcinfo, context) : reinterpret_cast<Buffer*>(PG_GETARG_POINTER(kState));
  if (PG_ARGISNULL(kValue)) refuse_changed_table();
  ColumnValue value;
  read_value(buffer->source, PG_GETARG_DATUM(kValue), value);
  if (value.has_null || value.count != buffer->row_elements) refuse_changed_table();
  append_numbers(*buffer, value);
  PG_RETURN_POINTER(buffer);
}

MODELHOP_FUNCTION(pack_one_hot_step) {
  MemoryContext context = aggregate_context(fcinfo);
  auto* buffer = PG_ARGISNULL(0) ? new_buffer(context) : reinterpret_cast<Buffer*>(PG_GETARG_POINTER(0));
  if (PG_ARGISNULL(1) || PG_ARGISNULL(2)) refuse_changed_table();
  const std::int32_t position = PG_GETARG_INT32(1);
  const std::int32_t classes = PG_GETARG_INT32(2);
  if (position < 1 || position > classes) {
    throw modelhop::Error(modelhop::ErrorCode::kInvalidArgument,
                          "class " + std::to_string(position) + " is not in 1.." + std::to_string(classes));
  }
  char* room = append(*buffer, classes * sizeof(std::int16_t));
  std::memset(room, 0, classes * sizeof(std::int16_t));
  const std::int16_t one = 1;
  std::memcpy(room + (position - 1) * sizeof one, &one, sizeof one);
  PG_RETURN_POINTER(buffer);
}

MODELHOP_FUNCTION(pack_result) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  auto* buffer = reinterpret_cast<Buffer*>(PG_GETARG_POINTER(0));
  SET_VARSIZE(buffer->bytes, buffer->used);
  PG_RETURN_POINTER(buffer->bytes);
}

MODELHOP_FUNCTION(next_number) {
  if (fcinfo->flinfo->fn_extra == nullptr) {
    fcinfo->flinfo->fn_extra =
        call_pg([context = fcinfo->flinfo->fn_mcxt] { return MemoryContextAllocZero(context, sizeof(std::int64_t)); });
  }
  PG_RETURN_INT64(++*static_cast<std::int64_t*>(fcinfo->flinfo->fn_extra));
}
