// SPDX-License-Identifier: Apache-2.0
// What the server sees first: the magic block and the module's start.
#include "server/postgres.hpp"
#include "server/settings.hpp"

extern "C" {
PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
void _PG_init(void) {
  modelhop::server::define_settings();
}
}
