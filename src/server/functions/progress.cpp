// SPDX-License-Identifier: Apache-2.0
// trainer_progress(): the runs in the trainer that the caller may see.
#include <cstdint>
#include <cstdio>
#include <string>

#include "server/bridge.hpp"
#include "server/row_writer.hpp"
#include "server/trainer_client.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
MODELHOP_SERVER_HEADERS_END

namespace {

using namespace modelhop::server;
namespace wire = modelhop::wire;

bool may_see(Oid role) {
  return call_pg([role] {
    return superuser() || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
           has_privs_of_role(GetUserId(), role);
  });
}

std::string timestamp_text(std::int64_t microseconds_since_1970) {
  constexpr std::int64_t kEpochShift = std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
  return call_pg([=] { return timestamptz_to_str(microseconds_since_1970 - kEpochShift); });
}

std::optional<std::string> text(const flatbuffers::String* value) {
  if (value == nullptr || value->size() == 0) return std::nullopt;
  return value->str();
}

void add_run(RowWriter& rows, const wire::RunProgress& run) {
  rows.add({std::to_string(run.process_id()), std::to_string(run.database()), std::to_string(run.role()),
            text(run.name()), text(run.purpose()), timestamp_text(run.started_us()), std::to_string(run.units_done()),
            std::to_string(run.units_total()), std::to_string(run.configurations()), std::to_string(run.iterations()),
            std::to_string(run.running()), std::to_string(run.examples()), std::to_string(run.memory_used())});
}

}  // namespace

MODELHOP_FUNCTION(trainer_progress) {
  RowWriter rows(fcinfo);
  auto client = TrainerClient::connect_if_running();
  if (!client) return 0;
  flatbuffers::FlatBufferBuilder builder;
  client->send(builder, wire::CreateGetProgress(builder));
  const wire::Frame answer = client->wait_answer();
  const auto* progress = answer.message().body_as_Progress();
  modelhop::check(progress != nullptr, "the trainer did not answer GetProgress");
  if (progress->runs() == nullptr) return 0;
  for (const wire::RunProgress* run : *progress->runs()) {
    if (may_see(run->role())) add_run(rows, *run);
  }
  return 0;
}
