// SPDX-License-Identifier: Apache-2.0
// The learning rate of a step, by Keras's formulas. Pure functions, called once a step.
#pragma once

#include <cstdint>
#include <optional>

#include "modelhop/train_spec.hpp"

namespace modelhop {

/// keras.optimizers.schedules: the rate after `step` completed updates (LearningRateScheduler: of iteration `step`,
/// counted from 0). `schedule.kind` is not kNone.
double scheduled_rate(const ScheduleSpec& schedule, std::int64_t step);

/// The rate of the update that follows `completed_steps` updates of the weights. `base`: what a callback has set; it
/// replaces learning_rate and schedule. `decay` divides whichever it is, as in tf.keras. The first update does not
/// decay (Keras 2.2 on TensorFlow 1 counts it as the second, against its own formula: docs/keras-support.md).
double learning_rate_at(const OptimizerSpec& optimizer, std::int64_t completed_steps, std::optional<double> base = {});

}  // namespace modelhop
