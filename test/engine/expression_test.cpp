// SPDX-License-Identifier: Apache-2.0
// Custom functions that restate Keras's losses and metrics give the engine's own numbers and gradients; those that have
// no counterpart, what a loop gives.
#include "engine/expression.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/loss.hpp"
#include "modelhop/error.hpp"
#include "spec/expression.hpp"
#include "spec/expression_functions.hpp"
#include "spec/train_params.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;

/// Numbers from 0.02 to 0.98 without a pattern, so that probabilities, logarithms and comparisons all are in range.
Tensor numbers(const Shape& shape, int seed) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double wave = std::sin(static_cast<double>(i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    values[i] = static_cast<float>(0.02 + 0.96 * (wave - std::floor(wave)));
  }
  return at::from_blob(values.data(), shape, at::kFloat).clone();
}

/// Rows of a one and zeros.
Tensor one_hot(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)), 0.0F);
  const auto columns = static_cast<std::size_t>(shape.back());
  for (std::size_t row = 0; row < values.size() / columns; ++row) values[row * columns + row * 7 % 5 % columns] = 1.0F;
  return at::from_blob(values.data(), shape, at::kFloat).clone();
}

OutputLoss loss_named(const std::string& name, const CustomFunctions& functions, const Shape& output) {
  OutputLoss loss;
  loss.profile = SemanticsProfile::kKeras3;
  loss.loss = parse_train_params("optimizer='sgd', loss=" + name, "", loss.profile, functions).losses.front();
  loss.example_shape = Shape(output.begin() + 1, output.end());
  return loss;
}

void expect_equal_losses(const std::string& name, const std::string& text, const Shape& shape, bool is_one_hot,
                         const Tensor& factors = {}) {
  const OutputLoss own = loss_named(name, {}, shape);
  const OutputLoss custom = loss_named("f", {{"f", text}}, shape);
  const Tensor p = numbers(shape, 1);
  const Tensor y = is_one_hot ? one_hot(shape) : numbers(shape, 2);
  Tensor own_gradient = at::empty_like(p), custom_gradient = at::empty_like(p);
  const double own_loss = loss_and_gradient(own, p, y, factors, &own_gradient);
  const double custom_loss = loss_and_gradient(custom, p, y, factors, &custom_gradient);
  EXPECT_NEAR(custom_loss, own_loss, 1e-6 * std::max(1.0, std::abs(own_loss))) << name;
  EXPECT_NEAR(loss_and_gradient(custom, p, y, factors, nullptr), own_loss, 1e-6 * std::max(1.0, std::abs(own_loss)));
  EXPECT_LT(own_gradient.sub(custom_gradient).abs().max().item<double>(), 1e-6) << name;
  EXPECT_GT(own_gradient.abs().max().item<double>(), 1e-4) << name;
}

struct Restated {
  const char* name;
  const char* text;
  bool is_one_hot;
};

constexpr Restated kRestated[] = {
    {"mse", "def squared_error(y_true, y_pred):\n  return K.square(y_pred - y_true)", false},
    {"mse", "K.mean(K.square(y_pred - y_true), axis=-1)", false},
    {"mae", "K.mean(K.abs(y_pred - y_true), axis=-1)", false},
    {"mape", "100. * K.mean(K.abs((y_true - y_pred) / K.maximum(K.abs(y_true), K.epsilon())), axis=-1)", false},
    {"msle", "K.mean(K.square(tf.math.log1p(K.maximum(y_pred, 1e-7)) - tf.math.log1p(K.maximum(y_true, 1e-7))), -1)",
     false},
    {"Huber(delta=0.3)",
     "def huber(y_true, y_pred, delta=0.3):\n"
     "  error = y_pred - y_true\n"
     "  is_small = K.abs(error) <= delta\n"
     "  small = 0.5 * error ** 2\n"
     "  large = delta * (K.abs(error) - 0.5 * delta)\n"
     "  return K.mean(tf.where(is_small, small, large), axis=-1)",
     false},
    {"logcosh", "K.mean(K.log(tf.cosh(y_pred - y_true)), axis=-1)", false},
    {"kld", "y = K.clip(y_true, 1e-7, 1); p = K.clip(y_pred, 1e-7, 1); K.sum(y * K.log(y / p), axis=-1)", false},
    {"poisson", "K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)", false},
    {"cosine_similarity", "-K.sum(K.l2_normalize(y_true, axis=-1) * K.l2_normalize(y_pred, axis=-1), axis=-1)", false},
    {"categorical_crossentropy", "K.categorical_crossentropy(y_true, y_pred)", true},
    {"CategoricalCrossentropy(from_logits=True)", "K.categorical_crossentropy(y_true, y_pred, from_logits=True)", true},
    {"CategoricalCrossentropy(from_logits=True)", "tf.reduce_logsumexp(y_pred, axis=-1) - K.sum(y_true * y_pred, -1)",
     true},
    {"binary_crossentropy", "K.mean(K.binary_crossentropy(y_true, y_pred), axis=-1)", true},
    {"BinaryCrossentropy(from_logits=True)", "K.binary_crossentropy(y_true, y_pred, from_logits=True)", true},
    {"BinaryCrossentropy(from_logits=True)",
     "-(y_true * log(sigmoid(y_pred)) + (1 - y_true) * log(1 - sigmoid(y_pred)))", true},
    {"categorical_hinge",
     "K.maximum(0., K.max((1. - y_true) * y_pred, axis=-1) - K.sum(y_true * y_pred, axis=-1) + 1.)", true},
    {"dice", "1 - (2 * K.sum(y_true * y_pred) + 1e-7) / (K.sum(y_true) + K.sum(y_pred) + 1e-7)", true},
};

TEST(Expression, restates_the_built_in_losses) {
  for (const Restated& loss : kRestated) {
    expect_equal_losses(loss.name, loss.text, {7, 5}, loss.is_one_hot);
    expect_equal_losses(loss.name, loss.text, {4, 3, 5}, loss.is_one_hot);
  }
}

TEST(Expression, is_weighted_as_the_built_in_losses) {
  for (const Restated& loss : kRestated) {
    expect_equal_losses(loss.name, loss.text, {7, 5}, loss.is_one_hot, numbers({7}, 3));
    expect_equal_losses(loss.name, loss.text, {4, 3, 5}, loss.is_one_hot, numbers({12}, 3));
  }
}

TEST(Expression, takes_class_ids_as_one_hot_rows) {
  std::vector<std::int64_t> ids = {4, 0, 2, 1, 3, 3, 0};
  const Tensor y = at::from_blob(ids.data(), {7}, at::kLong).clone();
  const Tensor p = numbers({7, 5}, 1);
  OutputLoss own = loss_named("sparse_categorical_crossentropy", {}, {7, 5});
  OutputLoss custom = loss_named("f", {{"f", "-K.sum(y_true * tf.nn.log_softmax(K.log(y_pred)), axis=-1)"}}, {7, 5});
  own.target_is_class_id = custom.target_is_class_id = true;
  EXPECT_NEAR(loss_and_gradient(own, p, y, {}, nullptr), loss_and_gradient(custom, p, y, {}, nullptr), 1e-5);
}

/// MADlib's test function: where the truth is 1 the prediction, else 1; less where it is 0 the prediction, else 0.
TEST(Expression, gives_what_a_loop_gives) {
  const OutputLoss loss = loss_named("f",
                                     {{"f",
                                       "def f(y_true, y_pred):\n"
                                       "    pt1 = tf.where(tf.equal(y_true, 1), y_pred, tf.ones_like(y_pred))\n"
                                       "    pt0 = tf.where(tf.equal(y_true, 0), y_pred, tf.zeros_like(y_pred))\n"
                                       "    return (pt1 - pt0) / 10"}},
                                     {6, 3});
  const Tensor p = numbers({6, 3}, 1), y = one_hot({6, 3});
  Tensor gradient = at::empty_like(p);
  double sum = 0.0;
  for (int i = 0; i < 18; ++i) {
    const double truth = y.const_data_ptr<float>()[i], predicted = p.const_data_ptr<float>()[i];
    sum += (truth == 1.0 ? predicted : 1.0 - predicted) / 10.0 / 3.0;
  }
  EXPECT_NEAR(loss_and_gradient(loss, p, y, {}, &gradient), sum, 1e-6);
  for (int i = 0; i < 18; ++i) {
    const double sign = y.const_data_ptr<float>()[i] == 1.0F ? 1.0 : -1.0;
    EXPECT_NEAR(gradient.const_data_ptr<float>()[i], sign / 10.0 / 3.0 / 6.0, 1e-6);
  }
}

double metric_of(const std::string& metric, const CustomFunctions& functions, const Tensor& p, const Tensor& y,
                 const Tensor& weights = {}, const Tensor& mask = {}) {
  const std::string key = weights.defined() ? "weighted_metrics" : "metrics";
  TrainSpec train = parse_train_params("optimizer='sgd', loss='mse', " + key + "=[" + metric + "]", "",
                                       SemanticsProfile::kKeras3, functions);
  const Shape output(p.sizes().begin() + 1, p.sizes().end());
  const Objective objective =
      resolve_objective(train, SemanticsProfile::kKeras3, {output}, {element_count(output)}, {FinalActivation::kNone});
  std::vector<double> sums(objective.accumulators());
  const PredictedOutput predicted{p, y, false, mask};
  add_metrics(objective, {&predicted, 1}, SemanticsProfile::kKeras3, weights, sums);
  return metric_value(objective.metrics.front(), sums, output.back());
}

TEST(Expression, restates_the_built_in_metrics) {
  const std::pair<const char*, const char*> metrics[] = {
      {"'mae'", "K.mean(K.abs(y_pred - y_true), axis=-1)"},
      {"'mse'", "K.square(y_pred - y_true)"},
      {"'categorical_accuracy'", "K.equal(K.argmax(y_true, axis=-1), K.argmax(y_pred, axis=-1))"},
      {"'top_2_accuracy'", "K.cast(K.in_top_k(y_pred, K.argmax(y_true), 2), K.floatx())"},
      {"'top_3_accuracy'", "tf.math.in_top_k(K.argmax(y_true, axis=-1), y_pred, k=3)"},
      {"'binary_accuracy'", "K.mean(K.equal(y_true, K.cast(y_pred > 0.5, 'float32')), axis=-1)"},
  };
  for (const Shape& shape : {Shape{9, 5}, Shape{4, 3, 5}}) {
    const Tensor p = numbers(shape, 1), y = one_hot(shape), weights = numbers({shape[0]}, 4);
    const Tensor mask = shape.size() == 3 ? at::Tensor(numbers({4, 3}, 5).gt(0.4).to(at::kFloat)) : at::Tensor();
    for (const auto& [own, text] : metrics) {
      EXPECT_NEAR(metric_of("'f'", {{"f", text}}, p, y), metric_of(own, {}, p, y), 1e-6) << text;
      EXPECT_NEAR(metric_of("'f'", {{"f", text}}, p, y, weights, mask), metric_of(own, {}, p, y, weights, mask), 1e-6)
          << text;
    }
  }
}

/// Each function alone has the derivative that differences show.
TEST(Expression, derives_every_function) {
  const Tensor y = numbers({5, 3}, 2);
  int derived = 0;
  for (const std::string& name : spec::function_names()) {
    const spec::FunctionRow* row = spec::find_function(name);
    std::string arguments;
    for (const spec::FunctionParameter& parameter : spec::parameters_of(row->form)) {
      if (!parameter.is_required) continue;
      const bool is_number = parameter.kind == spec::ParameterKind::kNumber;
      arguments += arguments.empty() ? "y_pred"
                   : is_number       ? ", " + std::to_string(arguments.size())
                                     : ", y_true * y_pred + 1";
    }
    if (row->form == spec::FunctionForm::kWhere) arguments = "y_pred > y_true, y_pred * 2, y_true - y_pred";
    if (row->form == spec::FunctionForm::kClip) arguments = "y_pred, 0.3, 0.7";
    if (row->form == spec::FunctionForm::kCast) arguments = "y_pred, 'float32'";
    ExpressionSpec expression;
    try {
      expression = spec::parse_expression(name + "(" + arguments + ")");
    } catch (const Error&) {
      continue;  // functions of conditions
    }
    if (!expression.is_derivable) continue;
    ++derived;
    OutputLoss loss;
    loss.loss = {LossKind::kCustom, name};
    loss.loss.expression = expression;
    loss.example_shape = {3};
    const Tensor p = numbers({5, 3}, 1);
    Tensor gradient = at::empty_like(p);
    loss_and_gradient(loss, p, y, {}, &gradient);
    for (int i = 0; i < 15; ++i) {
      const double step = 1e-3;
      Tensor up = p.clone(), down = p.clone();
      up.mutable_data_ptr<float>()[i] += static_cast<float>(step);
      down.mutable_data_ptr<float>()[i] -= static_cast<float>(step);
      const double slope =
          (loss_and_gradient(loss, up, y, {}, nullptr) - loss_and_gradient(loss, down, y, {}, nullptr)) / (2.0 * step) /
          5.0;
      EXPECT_NEAR(gradient.const_data_ptr<float>()[i], slope, 3e-3 + 0.01 * std::abs(slope)) << name << " at " << i;
    }
  }
  EXPECT_GT(derived, 40);
}

TEST(Expression, reduces_a_single_number_to_itself) {
  const Tensor y = numbers({5, 3}, 2);
  const Tensor p = numbers({5, 3}, 1);
  for (const std::string name : {"sum", "mean", "max", "min", "logsumexp", "any", "all"}) {
    const std::string once = name + (name == "any" || name == "all" ? "(y_pred > 0.1)" : "(y_pred)");
    const Tensor rows = expression_rows(spec::parse_expression(once), y, p);
    const Tensor again = expression_rows(spec::parse_expression(name + "(" + once + ")"), y, p);
    EXPECT_EQ(rows.numel(), 5) << name;
    EXPECT_TRUE(again.equal(rows)) << name;
  }
}

}  // namespace
}  // namespace modelhop::engine
