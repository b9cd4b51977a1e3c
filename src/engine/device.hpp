// SPDX-License-Identifier: Apache-2.0
// The engine's devices in libtorch's terms, and what each computing thread needs once.
#pragma once

#include <c10/core/Device.h>

#include "modelhop/engine.hpp"

namespace modelhop::engine {

c10::Device torch_device(Device device);

/// Call once in every thread that computes: one intra-operation thread, denormals flushed. Both are per thread.
void prepare_compute_thread();

}  // namespace modelhop::engine
