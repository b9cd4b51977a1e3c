// SPDX-License-Identifier: Apache-2.0
// version(): what is installed.
#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

MODELHOP_FUNCTION(version) {
  return modelhop::server::call_pg([] { return CStringGetTextDatum("modelhop " MODELHOP_VERSION); });
}
