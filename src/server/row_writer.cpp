// SPDX-License-Identifier: Apache-2.0
// Materialized results.
#include "server/row_writer.hpp"

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/tuplestore.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

struct RowWriter::Target {
  Tuplestorestate* rows;
  TupleDesc columns;
  AttInMetadata* inputs;
};

RowWriter::RowWriter(FunctionCallInfo fcinfo) {
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  if (result == nullptr || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0) {
    throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "set-returning function called where no set is accepted",
                   "Call it in the FROM clause.");
  }
  target_ = call_pg([=] {
    MemoryContext caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
    auto* target = static_cast<Target*>(palloc(sizeof(Target)));
    if (get_call_result_type(fcinfo, nullptr, &target->columns) != TYPEFUNC_COMPOSITE) {
      ereport(ERROR, errmsg_internal("return type must be a row type"));
    }
    target->inputs = TupleDescGetAttInMetadata(target->columns);
    target->rows = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
    result->returnMode = SFRM_Materialize;
    result->setResult = target->rows;
    result->setDesc = target->columns;
    MemoryContextSwitchTo(caller);
    return target;
  });
}

void RowWriter::add(const std::vector<std::optional<std::string>>& columns) {
  check(static_cast<int>(columns.size()) == target_->columns->natts,
        "a row has another number of columns than declared");
  std::vector<char*> values;
  for (const auto& column : columns) values.push_back(column ? const_cast<char*>(column->c_str()) : nullptr);
  char** texts = values.data();
  call_pg([this, texts] {
    HeapTuple row = BuildTupleFromCStrings(target_->inputs, texts);
    tuplestore_puttuple(target_->rows, row);
    heap_freetuple(row);
  });
}

}  // namespace modelhop::server
