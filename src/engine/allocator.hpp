// SPDX-License-Identifier: Apache-2.0
// The process's tensor allocator: accounting against a limit, free lists per rounded size, 64-byte alignment. It keeps
// its pages: page faults are a fifth of a small network's step otherwise.
#pragma once

#include <cstdint>

#include "modelhop/engine.hpp"

namespace modelhop::engine {

/// Installs the allocator for CPU tensors; called again it only changes the limit (0: none). The error at the limit is
/// c10's out-of-memory error, which the engine's edge turns into Error(kOutOfMemory).
void install_allocator(std::int64_t limit);
EngineMemory allocator_memory();

/// Gives the memory kept for reuse back to the system. Each thread that computes has to call it: of what malloc keeps,
/// a part is the calling thread's own.
void trim_allocator();

}  // namespace modelhop::engine
