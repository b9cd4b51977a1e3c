// SPDX-License-Identifier: Apache-2.0
// fill_table(output, query): INSERT INTO output query, with a parallel worker that runs the query while this backend
// writes. The server plans no INSERT in parallel, and its own parallel plans, whose queues hold 64 KB, are slower here
// than INSERT. Where a worker cannot help, it is that INSERT.
#include <malloc.h>

#include "server/bridge.hpp"
#include "server/query.hpp"
#include "server/run_arguments.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "executor/tqueue.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "optimizer/cost.h"
#include "storage/shm_mq.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
MODELHOP_SERVER_HEADERS_END

// Everything here but fill_table itself is the server's C and runs inside call_pg, or in a worker.
namespace modelhop::server {
namespace {

enum SharedKey : std::uint64_t { kQuery = 1, kQueue };

/// Several buffers of a packed table; a row may be larger.
constexpr Size kQueueSize = Size{4} << 20;

/// Whether rows may go straight into the heap: the caller may insert, and nobody watches. What is wrong otherwise, the
/// INSERT says.
bool takes_plain_rows(Relation table) {
  const Oid oid = RelationGetRelid(table);
  return table->rd_rel->relkind == RELKIND_RELATION && table->rd_tableam == GetHeapamTableAmRoutine() &&
         !table->rd_rel->relhasindex && !table->rd_rel->relhasrules && !table->rd_rel->relispartition &&
         table->trigdesc == nullptr && table->rd_att->constr == nullptr && !XactReadOnly && !IsInParallelMode() &&
         pg_class_aclcheck(oid, GetUserId(), ACL_INSERT) == ACLCHECK_OK &&
         check_enable_rls(oid, InvalidOid, true) != RLS_ENABLED;
}

bool are_same_types(TupleDesc rows, TupleDesc table) {
  if (rows->natts != table->natts) return false;
  for (int i = 0; i < rows->natts; ++i) {
    const Form_pg_attribute from = TupleDescAttr(rows, i);
    const Form_pg_attribute to = TupleDescAttr(table, i);
    if (to->attisdropped || from->atttypid != to->atttypid || from->atttypmod != to->atttypmod) return false;
  }
  return true;
}

/// Whether the user wants workers, the planner finds the whole query safe for one, and its rows are the table's.
bool worker_may_run(const char* query, Relation table) {
  if (max_parallel_workers_per_gather == 0) return false;
  const int level = NewGUCNestLevel();
  // A plan with workers of its own is none for a worker.
  set_config_option("parallel_setup_cost", "1e300", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  bool may = false;
  SPIPlanPtr prepared = SPI_prepare_cursor(query, 0, nullptr, CURSOR_OPT_PARALLEL_OK);
  CachedPlan* plan = prepared == nullptr ? nullptr : SPI_plan_get_cached_plan(prepared);
  if (plan != nullptr) {
    auto* source = linitial_node(CachedPlanSource, SPI_plan_get_plan_sources(prepared));
    // Rules make none or several statements of one, or one whose rows nobody is to see.
    if (list_length(plan->stmt_list) == 1 && source->resultDesc != nullptr) {
      auto* statement = linitial_node(PlannedStmt, plan->stmt_list);
      may = statement->commandType == CMD_SELECT && statement->planTree->parallel_safe &&
            are_same_types(source->resultDesc, RelationGetDescr(table));
    }
    ReleaseCachedPlan(plan, nullptr);
  }
  AtEOXact_GUC(true, level);
  return may;
}

void launch_worker(ParallelContext* context, const char* query) {
  const Size length = strlen(query) + 1;
  shm_toc_estimate_chunk(&context->estimator, length);
  shm_toc_estimate_chunk(&context->estimator, kQueueSize);
  shm_toc_estimate_keys(&context->estimator, 2);
  InitializeParallelDSM(context);
  if (context->seg == nullptr) return;
  shm_toc_insert(context->toc, kQuery, memcpy(shm_toc_allocate(context->toc, length), query, length));
  shm_mq* queue = shm_mq_create(shm_toc_allocate(context->toc, kQueueSize), kQueueSize);
  shm_mq_set_receiver(queue, MyProc);
  shm_toc_insert(context->toc, kQueue, queue);
  LaunchParallelWorkers(context);
}

/// Copies a row out of the queue into memory that is used again: rows this large would otherwise be allocated anew, and
/// their pages with them.
void take_row(MinimalTuple from, HeapTuple row, Size* capacity) {
  row->t_len = from->t_len + MINIMAL_TUPLE_OFFSET;
  if (row->t_len > *capacity) {
    if (row->t_data != nullptr) pfree(row->t_data);
    *capacity = row->t_len;
    row->t_data = static_cast<HeapTupleHeader>(MemoryContextAllocHuge(CurrentMemoryContext, *capacity));
  }
  memcpy(reinterpret_cast<char*>(row->t_data) + MINIMAL_TUPLE_OFFSET, from, from->t_len);
  memset(row->t_data, 0, offsetof(HeapTupleHeaderData, t_infomask2));
}

std::int64_t write_rows(ParallelContext* context, Relation table, CommandId command) {
  auto* queue = static_cast<shm_mq*>(shm_toc_lookup(context->toc, kQueue, false));
  shm_mq_handle* handle = shm_mq_attach(queue, context->seg, context->worker[0].bgwhandle);
  TupleQueueReader* reader = CreateTupleQueueReader(handle);
  HeapTupleData row = {};
  Size capacity = 0;
  std::int64_t count = 0;
  bool done = false;
  while (MinimalTuple next = TupleQueueReaderNext(reader, false, &done)) {
    CHECK_FOR_INTERRUPTS();
    take_row(next, &row, &capacity);
    heap_insert(table, &row, command, 0, nullptr);
    ++count;
  }
  DestroyTupleQueueReader(reader);
  shm_mq_detach(handle);
  return count;
}

/// The number of rows; -1 where no worker could be had.
std::int64_t fill_by_worker(const char* query, Relation table) {
  // Neither can be assigned once workers are there.
  GetCurrentTransactionId();
  const CommandId command = GetCurrentCommandId(true);
  EnterParallelMode();
  ParallelContext* context = CreateParallelContext("$libdir/modelhop", "modelhop_send_rows", 1);
  launch_worker(context, query);
  const std::int64_t count = context->nworkers_launched > 0 ? write_rows(context, table, command) : -1;
  WaitForParallelWorkersToFinish(context);  // its errors are ours
  DestroyParallelContext(context);
  ExitParallelMode();
  return count;
}

/// In the snapshot that the INSERT would have; -1 where the INSERT is to do it.
std::int64_t fill(Oid oid, const char* query) {
  std::int64_t count = -1;
  SPI_connect();
  Relation table = table_open(oid, RowExclusiveLock);
  if (takes_plain_rows(table)) {
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    if (worker_may_run(query, table)) count = fill_by_worker(query, table);
    PopActiveSnapshot();
  }
  table_close(table, NoLock);
  SPI_finish();
  return count;
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

/// The worker's side: called by the server, in C, with the leader's transaction, snapshot, role and settings.
extern "C" {
PGDLLEXPORT void modelhop_send_rows(dsm_segment* segment, shm_toc* toc);
void modelhop_send_rows(dsm_segment* segment, shm_toc* toc) {
  // Keep what large rows have freed, rather than give it back and fault its pages in again for each.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  debug_query_string = static_cast<const char*>(shm_toc_lookup(toc, kQuery, false));
  pgstat_report_activity(STATE_RUNNING, debug_query_string);
  auto* queue = static_cast<shm_mq*>(shm_toc_lookup(toc, kQueue, false));
  shm_mq_set_sender(queue, MyProc);
  SPIExecuteOptions options = {};
  options.read_only = true;
  options.dest = CreateTupleQueueDestReceiver(shm_mq_attach(queue, segment, nullptr));
  SPI_connect();
  if (SPI_execute_extended(debug_query_string, &options) != SPI_OK_SELECT) elog(ERROR, "the query gave no rows");
  SPI_finish();
}
}

MODELHOP_FUNCTION(fill_table) {
  const Oid oid = PG_GETARG_OID(0);
  const std::string query = *text_argument(fcinfo, 1);
  PinnedSettings settings;
  std::int64_t count = call_pg([oid, text = query.c_str()] { return fill(oid, text); });
  if (count < 0) count = static_cast<std::int64_t>(execute("INSERT INTO " + table_name(oid).quoted() + " " + query));
  PG_RETURN_INT64(count);
}
