// SPDX-License-Identifier: Apache-2.0
// Names this build: the module and the trainer refuse to talk to one of another build.
#pragma once

namespace modelhop::wire {

/// "0.1.0" plus, in a checkout, the commit; baked in by CMake into both programs.
const char* build_id();

}  // namespace modelhop::wire
