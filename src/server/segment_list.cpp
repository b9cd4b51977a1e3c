// SPDX-License-Identifier: Apache-2.0
// The list query of a segment and its hash.
#include "server/segment_list.hpp"

#include <algorithm>

#include "server/bridge.hpp"
#include "server/value_text.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// Columns of the list query.
enum ListColumn { kBufferId, kRows, kFile, kVersion, kFirstBytes };

[[noreturn]] void refuse_buffer(const PackedTable& table, const std::string& buffer_id, const std::string& problem) {
  throw SqlError(
      ERRCODE_INVALID_PARAMETER_VALUE,
      "argument " + table.argument + ": table " + in_quotes(table.text) + ": buffer_id " + buffer_id + " " + problem,
      "Run the preprocessor again.");
}

bool has_row_versions(const PackedTable& table) {
  const Oid relation = table.relation;
  const char kind = call_pg([relation] { return get_rel_relkind(relation); });
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW;
}

std::vector<Row> read_list(const PackedTable& table, int segment, int segments, bool with_versions) {
  // cmin tells apart what one transaction wrote, truncated and wrote again.
  const std::string versions = with_versions
                                   ? ", pg_relation_filenode(tableoid), concat_ws(' ', tableoid, ctid, xmin, cmin)"
                                   : std::string(", NULL, NULL");
  std::string lengths;
  for (const std::string& column : table.columns()) lengths += ", octet_length(" + quote_identifier(column) + ")";
  return query_in_snapshot("SELECT buffer_id, " + quote_identifier(table.independent.front().shape_column()) + "[1]" +
                               versions + lengths + " FROM " + table.name.quoted() +
                               " WHERE buffer_id % $1::integer = $2::integer ORDER BY buffer_id",
                           {std::to_string(segments), std::to_string(segment)});
}

void check_buffer(const PackedTable& table, const Row& row) {
  const std::vector<std::string> names = table.columns();
  const std::vector<wire::ArrayLayout> arrays = table.layout(0).arrays();
  if (!row[kBufferId] || !row[kRows]) refuse_buffer(table, row[kBufferId].value_or("NULL"), "holds NULL");
  const std::int64_t rows = std::stoll(*row[kRows]);
  for (std::size_t place = 0; place < names.size(); ++place) {
    const auto& bytes = row[kFirstBytes + place];
    if (!bytes) refuse_buffer(table, *row[kBufferId], "holds NULL");
    const std::int64_t expected = rows * arrays[place].row_bytes();
    if (std::stoll(*bytes) == expected) continue;
    refuse_buffer(table, *row[kBufferId],
                  "holds " + *bytes + " bytes in column \"" + names[place] +
                      "\" where its shape and element type make " + std::to_string(expected));
  }
}

std::vector<std::uint8_t> sha256(const std::string& text) {
  std::vector<std::uint8_t> hash(32);
  const char* data = text.data();
  const std::size_t length = text.size();
  std::uint8_t* target = hash.data();
  call_pg([=] {
    Datum input = PointerGetDatum(cstring_to_text_with_len(data, static_cast<int>(length)));
    const bytea* result = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, input));
    memcpy(target, VARDATA_ANY(result), 32);
  });
  return hash;
}

/// Empty where a row has no version of its own: a view, a foreign table.
std::vector<std::uint8_t> share_key(const PackedTable& table, const std::vector<Row>& rows) {
  std::string text = std::to_string(MyDatabaseId) + "\n";
  const std::vector<wire::ArrayLayout> arrays = table.layout(0).arrays();
  const std::vector<std::string> columns = table.columns();
  for (std::size_t place = 0; place < columns.size(); ++place) {
    text += quote_identifier(columns[place]) + " " + std::to_string(static_cast<int>(arrays[place].type)) + " " +
            std::to_string(arrays[place].row_elements) + " " + number_text(arrays[place].scale) + "\n";
  }
  for (const Row& row : rows) {
    if (!row[kFile] || !row[kVersion]) return {};
    text += *row[kBufferId] + " " + *row[kFile] + " " + *row[kVersion] + "\n";
  }
  return sha256(text);
}

}  // namespace

std::size_t SegmentList::position(std::int64_t buffer_id) const {
  const auto found = std::lower_bound(buffer_ids.begin(), buffer_ids.end(), buffer_id);
  if (found == buffer_ids.end() || *found != buffer_id) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "train_segment was given buffer_id " + std::to_string(buffer_id) + ", which is not of its segment");
  }
  return static_cast<std::size_t>(found - buffer_ids.begin());
}

SegmentList list_segment(const PackedTable& table, int segment, int segments) {
  const std::vector<Row> rows = read_list(table, segment, segments, has_row_versions(table));
  if (rows.empty()) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument " + table.argument + ": segment " + std::to_string(segment) + " of " +
                       std::to_string(segments) + " of table " + in_quotes(table.text) +
                       " gave no rows, and some a moment before",
                   "A packed table must give the same rows to every query of one statement.");
  }
  SegmentList list;
  for (const Row& row : rows) {
    check_buffer(table, row);
    list.buffer_ids.push_back(std::stoll(*row[kBufferId]));
    list.buffer_rows.push_back(std::stoll(*row[kRows]));
    list.rows += list.buffer_rows.back();
  }
  const auto twice = std::adjacent_find(list.buffer_ids.begin(), list.buffer_ids.end());
  if (twice != list.buffer_ids.end()) refuse_buffer(table, std::to_string(*twice), "comes more than once");
  list.share_key = share_key(table, rows);
  return list;
}

}  // namespace modelhop::server
