// SPDX-License-Identifier: Apache-2.0
// Projections of weights onto what they are allowed to be (keras.constraints).
#pragma once

#include "engine/flat_state.hpp"

namespace modelhop::engine {

/// Projects every weight that learns and has a constraint, after an update.
void apply_constraints(FlatState& state);

}  // namespace modelhop::engine
