// SPDX-License-Identifier: Apache-2.0
// The aggregate train_segment: hands each row of a packed table to the sink that a run has opened.
#include "server/bridge.hpp"
#include "server/buffer_sink.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "fmgr.h"
MODELHOP_SERVER_HEADERS_END

namespace {

using modelhop::server::Buffer;
using modelhop::server::BufferSink;
using modelhop::server::call_pg;
using modelhop::server::SqlError;

/// Lives in the aggregate's memory.
struct Progress {
  std::int32_t sink;
  std::int64_t rows;
};

enum Argument { kState, kSink, kBufferId, kRows, kFirstArray };

std::string name_of(int argument) {
  constexpr const char* kNames[] = {"state", "feed", "buffer_id", "num_rows"};
  return argument < kFirstArray ? kNames[argument] : "array " + std::to_string(argument - kFirstArray + 1);
}

BufferSink& open_sink(std::int32_t number) {
  BufferSink* sink = BufferSink::find(number);
  if (sink == nullptr) {
    throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                   "argument feed: no feed " + std::to_string(number) + " is open in this session",
                   "The functions that train call train_segment themselves; call modelhop.fit or "
                   "modelhop.fit_multiple_model instead.");
  }
  return *sink;
}

std::span<const std::byte> detoast(Datum value) {
  const auto* bytes = call_pg([value] { return DatumGetByteaPP(value); });
  return {reinterpret_cast<const std::byte*>(VARDATA_ANY(bytes)), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(bytes))};
}

MemoryContext aggregate_memory(FunctionCallInfo fcinfo) {
  MemoryContext context = nullptr;
  modelhop::check(AggCheckCallContext(fcinfo, &context) == AGG_CONTEXT_AGGREGATE,
                  "train_segment was not called as an aggregate");
  return context;
}

Progress* begin(FunctionCallInfo fcinfo, std::int32_t sink) {
  MemoryContext context = aggregate_memory(fcinfo);
  for (int argument = kFirstArray; argument < PG_NARGS(); ++argument) {
    const Oid type = call_pg([=] { return get_fn_expr_argtype(fcinfo->flinfo, argument); });
    if (type == BYTEAOID) continue;
    throw SqlError(ERRCODE_DATATYPE_MISMATCH, "argument " + name_of(argument) + " of train_segment is not bytea");
  }
  auto* progress = call_pg([context] { return static_cast<Progress*>(MemoryContextAlloc(context, sizeof(Progress))); });
  *progress = {sink, 0};
  return progress;
}

}  // namespace

MODELHOP_FUNCTION(train_segment_step) {
  for (int argument = kSink; argument < PG_NARGS(); ++argument) {
    if (PG_ARGISNULL(argument)) {
      const std::string which = argument > kBufferId && !PG_ARGISNULL(kBufferId)
                                    ? " of buffer_id " + std::to_string(PG_GETARG_INT32(kBufferId))
                                    : std::string();
      throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED,
                     "argument " + name_of(argument) + " of train_segment" + which + " must not be NULL");
    }
  }
  const std::int32_t number = PG_GETARG_INT32(kSink);
  BufferSink& sink = open_sink(number);
  auto* progress =
      PG_ARGISNULL(kState) ? begin(fcinfo, number) : reinterpret_cast<Progress*>(PG_GETARG_POINTER(kState));
  Buffer buffer;
  buffer.id = PG_GETARG_INT32(kBufferId);
  buffer.rows = PG_GETARG_INT32(kRows);
  for (int argument = kFirstArray; argument < PG_NARGS(); ++argument) {
    buffer.arrays.push_back(detoast(PG_GETARG_DATUM(argument)));
  }
  sink.take(buffer);
  progress->rows += buffer.rows;
  return PointerGetDatum(progress);
}

MODELHOP_FUNCTION(train_segment_end) {
  aggregate_memory(fcinfo);
  if (PG_ARGISNULL(kState)) {
    fcinfo->isnull = true;
    return 0;
  }
  const auto* progress = reinterpret_cast<const Progress*>(PG_GETARG_POINTER(kState));
  open_sink(progress->sink).finish();
  return Int64GetDatum(progress->rows);
}
