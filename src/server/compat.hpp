// SPDX-License-Identifier: Apache-2.0
// What differs between server versions, and nowhere else.
#pragma once

#include "server/postgres.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_namespace.h"
#include "utils/acl.h"
#include "utils/guc.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

/// Makes unknown settings with our prefix an error; before PostgreSQL 15 they draw a warning.
inline void reserve_setting_prefix(const char* prefix) {
#if PG_VERSION_NUM >= 150000
  MarkGUCPrefixReserved(prefix);
#else
  EmitWarningsOnPlaceholders(prefix);
#endif
}

inline bool may_create_in_schema(Oid schema, Oid role) {
#if PG_VERSION_NUM >= 160000
  return object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) == ACLCHECK_OK;
#else
  return pg_namespace_aclcheck(schema, role, ACL_CREATE) == ACLCHECK_OK;
#endif
}

}  // namespace modelhop::server
