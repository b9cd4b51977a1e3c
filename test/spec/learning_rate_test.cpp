// SPDX-License-Identifier: Apache-2.0
// Learning rate schedules: as users write them, and their values by Keras's formulas.
#include "spec/learning_rate.hpp"

#include "samples.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

constexpr auto kInvalid = ErrorCode::kInvalidArgument;

OptimizerSpec optimizer(const std::string& text) {
  return parse_train_params("loss='mse', optimizer=" + text, "").optimizer;
}

ScheduleSpec schedule(const std::string& text) {
  return optimizer("SGD(learning_rate=" + text + ")").schedule;
}

TEST(LearningRate, values_of_schedules) {
  const struct {
    const char* schedule;
    std::int64_t step;
    double rate;
  } cases[] = {
      {"ExponentialDecay(0.1, 100, 0.9)", 0, 0.1},
      {"ExponentialDecay(0.1, 100, 0.9)", 50, 0.09486832980505139},
      {"ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9, staircase=True)", 250, 0.081},
      {"ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9, staircase=True)", 99, 0.1},
      {"InverseTimeDecay(0.1, 2, 0.5)", 7, 0.03636363636363637},
      {"InverseTimeDecay(0.1, 2, 0.5, staircase=True)", 7, 0.04},
      {"PolynomialDecay(0.1, 10)", 5, 0.05005},
      {"PolynomialDecay(0.1, 10)", 20, 0.0001},
      {"PolynomialDecay(0.1, 10, 0.01, power=2)", 5, 0.0325},
      {"PolynomialDecay(0.1, 10, 0.01, power=0.5)", 20, 0.01},
      {"PolynomialDecay(0.1, 10, 0.01, cycle=True)", 0, 0.1},
      {"PolynomialDecay(0.1, 10, 0.01, cycle=True)", 10, 0.01},
      {"PolynomialDecay(0.1, 10, 0.01, cycle=True)", 15, 0.0325},
      {"PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])", 0, 1.0},
      {"PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])", 10, 1.0},
      {"PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])", 11, 0.5},
      {"PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])", 20, 0.5},
      {"PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])", 21, 0.1},
      {"CosineDecay(0.1, 100)", 25, 0.08535533905932738},
      {"CosineDecay(0.1, 100, alpha=0.1)", 100, 0.01},
      {"CosineDecay(0.1, 100, alpha=0.1)", 1000, 0.01},
      {"CosineDecay(0.1, 100, warmup_steps=10)", 5, 0.09938441702975689},
      {"CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)", 5, 0.05},
      {"CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)", 10, 0.1},
      {"CosineDecay(0.0, 100, 0.2, warmup_target=0.1, warmup_steps=10)", 60, 0.06},
      {"CosineDecay(0.02, 100, 0.2, warmup_target=0.1, warmup_steps=10)", 500, 0.02},
      {"CosineDecay(0.02, 100, warmup_target=0.1)", 0, 0.1},
      {"CosineDecayRestarts(0.1, 10)", 5, 0.05},
      {"CosineDecayRestarts(0.1, 10)", 10, 0.1},
      {"CosineDecayRestarts(0.1, 10)", 69, 0.0001541333133436018},
      {"CosineDecayRestarts(0.1, 10)", 70, 0.1},
      {"CosineDecayRestarts(0.1, 10, m_mul=0.5)", 20, 0.025},
      {"CosineDecayRestarts(0.1, 10, 2.0, 0.5, 0.1)", 30, 0.0325},
      {"CosineDecayRestarts(0.1, first_decay_steps=10, t_mul=1, m_mul=0.9)", 25, 0.0405},
      {"CosineDecayRestarts(0.1, 10, t_mul=1.5)", 25, 0.1},
  };
  for (const auto& test : cases) {
    EXPECT_NEAR(scheduled_rate(schedule(test.schedule), test.step), test.rate, 1e-12) << test.schedule << test.step;
  }
}

TEST(LearningRate, forms_of_schedules) {
  const ScheduleSpec expected = schedule("ExponentialDecay(0.1, 100, 0.9, True)");
  for (const char* text :
       {"keras.optimizers.schedules.ExponentialDecay(0.1, 100, decay_rate=0.9, staircase=True, name='x')",
        "schedules.ExponentialDecay(initial_learning_rate=0.1, decay_steps=100, decay_rate=0.9, staircase=1)",
        "tf.keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.9, staircase=True)",
        "optimizers.schedules.ExponentialDecay(0.1, 100, 0.9, staircase=True)",
        "'ExponentialDecay(0.1, 100, 0.9, staircase=True)'",
        "\"{'class_name': 'ExponentialDecay', 'config': {'initial_learning_rate': 0.1, 'decay_steps': 100, "
        "'decay_rate': 0.9, 'staircase': True}}\"",
        "{'class_name': 'ExponentialDecay', 'config': {'initial_learning_rate': 0.1, 'decay_steps': 100, "
        "'decay_rate': 0.9, 'staircase': True, 'name': None}, 'module': 'keras', 'registered_name': None}"}) {
    EXPECT_EQ(schedule(text), expected) << text;
  }
  EXPECT_EQ(optimizer("Adam(ExponentialDecay(0.1, 100, 0.9, True))").schedule, expected);
  EXPECT_EQ(optimizer("'Adam(lr=ExponentialDecay(0.1, 100, 0.9, True))'").schedule, expected);
  EXPECT_EQ(optimizer("{'class_name': 'Adam', 'config': {'learning_rate': {'class_name': 'ExponentialDecay', 'config': "
                      "{'initial_learning_rate': 0.1, 'decay_steps': 100, 'decay_rate': 0.9, 'staircase': True}}}}")
                .schedule,
            expected);
  EXPECT_EQ(optimizer("Adam(0.1)").schedule.kind, ScheduleSpec::Kind::kNone);
}

TEST(LearningRate, refuses_schedules) {
  const struct {
    const char* schedule;
    const char* message;
  } cases[] = {
      {"ExponentialDecay()", "argument \"initial_learning_rate\" is missing"},
      {"ExponentialDecay", "argument \"initial_learning_rate\" is missing"},
      {"ExponentialDecay(0.1, 10)", "argument \"decay_rate\" is missing"},
      {"ExponentialDecay(0.1, 0, 0.9)", "argument \"decay_steps\" must be above 0, not \"0\""},
      {"ExponentialDecay(0.1, 10, 0.9, power=2)", "argument \"power\" is unknown"},
      {"ExponentialDecay(0.1, 10, 0.9, initial_learning_rate=1)", "\"initial_learning_rate\" is given twice"},
      {"ExponentialDecay(0.1, 10, 0.9, False, 'name', 7)", "argument \"7\" needs a name"},
      {"ExponentialDecay(0.1, 10, 'a')", "must be a finite number"},
      {"ExponentialDecay(-0.1, 10, 0.9)", "must be at least 0"},
      {"PiecewiseConstantDecay([1, 2], [0.1, 0.2])", "2 boundaries need 3 values, not 2"},
      {"PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])", "\"boundaries\" must be ascending"},
      {"PiecewiseConstantDecay([], [0.1])", "is an empty list"},
      {"CosineDecayRestarts(0.1, 10, t_mul=0.5)", "\"t_mul\" must be from 1 to"},
      {"MySchedule(0.1)", "unknown learning rate schedule \"MySchedule\""},
      {"my_function", "unknown learning rate schedule \"my_function\""},
      {"{'class_name': 'CosineDecay', 'settings': {}}", "unknown key \"settings\""},
  };
  for (const auto& test : cases) expect_error(kInvalid, test.message, [&] { schedule(test.schedule); });
}

TEST(LearningRate, decay_counts_completed_updates) {
  const OptimizerSpec decaying = optimizer("SGD(lr=0.1, decay=0.5)");
  for (int step = 0; step < 4; ++step) {
    EXPECT_DOUBLE_EQ(learning_rate_at(decaying, step), 0.1 / (1.0 + 0.5 * step));
  }
  EXPECT_DOUBLE_EQ(learning_rate_at(decaying, 3, 0.7), 0.7 / (1.0 + 0.5 * 3));
  EXPECT_EQ(learning_rate_at(optimizer("Adam(0.3)"), 1'000'000), 0.3);
}

TEST(LearningRate, schedule_wins_until_a_callback_sets_the_rate) {
  const OptimizerSpec scheduled = optimizer("SGD(PolynomialDecay(0.1, 10, 0.0), decay=1)");
  EXPECT_DOUBLE_EQ(learning_rate_at(scheduled, 5), 0.05 / 6);
  EXPECT_DOUBLE_EQ(learning_rate_at(scheduled, 5, 0.2), 0.2 / 6);
}

}  // namespace
}  // namespace modelhop
