// SPDX-License-Identifier: Apache-2.0
// The background worker that owns the trainer process: starts it, waits for its end, takes it along when the server
// stops.
//
// The worker is attached to shared memory, as the server demands of all its workers, so it does nothing else. Where its
// files lie is known to the backends too: everything is addressed relative to the data directory, the working directory
// of every server process.
//
// The program is started in the data directory, as the leader of a process group, without descriptors but the standard
// three (stderr is the server log), with default signal actions and an empty mask, by
//   modelhop-trainer --socket=PATH --scratch=DIRECTORY --parent=PID --memory-limit=BYTES --cache-memory=BYTES --slots=N
//                    --idle-timeout=SECONDS --nice=N --device=NAME
// It ends on SIGTERM, when its parent ends, and after its idle timeout; the worker removes the socket.
#pragma once

#include "server/postgres.hpp"

#include <string>

MODELHOP_SERVER_HEADERS_BEGIN
#include "postmaster/bgworker.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

inline constexpr const char* kTrainerDirectory = "modelhop";  ///< mode 0700
inline constexpr const char* kTrainerSocket = "modelhop/socket";
inline constexpr const char* kTrainerScratch = "modelhop/pgsql_tmp";  ///< a name that base backups skip
inline constexpr const char* kTrainerLock = "modelhop/lock";          ///< held by the worker that owns the trainer

/// The trainer program, which is installed beside this module.
std::string trainer_program();
bool is_trainer_program_present();

/// Whether some worker owns a trainer (which may be starting or ending). Takes no lock itself.
bool is_trainer_owned();

/// Registers a worker; its end and its start set our latch. Throws SqlError(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED).
BackgroundWorkerHandle* launch_trainer_worker();

}  // namespace modelhop::server
