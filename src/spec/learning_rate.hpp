// SPDX-License-Identifier: Apache-2.0
// The learning rate of a step, by Keras's formulas. Pure functions, called once a step.
#pragma once

#include <cstdint>
#include <optional>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop {

/// keras.optimizers.schedules: the rate after `step` completed updates (LearningRateScheduler: of iteration `step`,
/// counted from 0). `schedule.kind` is not kNone.
double scheduled_rate(const ScheduleSpec& schedule, std::int64_t step);

/// The rate of the update that follows `completed_steps` updates of the weights. `base`: what a callback has set; it
/// replaces learning_rate and schedule. `decay` divides whichever it is, as in tf.keras. Keras 2.2 reads its counter of
/// updates after having incremented it, so that its first update already decays.
double learning_rate_at(const OptimizerSpec& optimizer, SemanticsProfile profile, std::int64_t completed_steps,
                        std::optional<double> base = {});

}  // namespace modelhop
