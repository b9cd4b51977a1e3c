// SPDX-License-Identifier: Apache-2.0
// The only file that includes postgres.h. Further server headers are included by the files that need them, inside
// MODELHOP_SERVER_HEADERS_BEGIN and _END.
#pragma once

#define MODELHOP_SERVER_HEADERS_BEGIN extern "C" {
#define MODELHOP_SERVER_HEADERS_END }

extern "C" {
#include "postgres.h"
// fmgr.h comes after postgres.h.
#include "fmgr.h"
}

// The server's macros that clash with the standard library and ours.
#undef Min
#undef Max
#undef Abs
#undef snprintf
#undef vsnprintf
#undef sprintf
#undef vsprintf
#undef fprintf
#undef vfprintf
#undef printf
#undef vprintf
#undef strerror
#undef strerror_r
#undef gettext
#undef _

// On PostgreSQL 15 and older PGDLLEXPORT is empty on this platform, and we compile with hidden visibility.
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
