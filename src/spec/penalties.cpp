// SPDX-License-Identifier: Apache-2.0
// Aliases and class names of keras.regularizers and keras.constraints, resolved.
#include <algorithm>
#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/initializers.hpp"
#include "spec/named_object.hpp"

namespace modelhop::spec {
namespace {

/// A class name or a snake_case name, in one spelling.
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char character : lower_case(name)) {
    if (character != '_') plain += character;
  }
  return plain;
}

/// An integer or a list of them.
std::vector<std::int64_t> axes_argument(const LayerConfig& config, const std::string& key, const Json& arguments) {
  const auto found = arguments.find("axis");
  if (found == arguments.end() || found->is_null()) return {0};
  if (!found->is_array()) return {config.integer_value(key, *found, {-32, 32})};
  std::vector<std::int64_t> axes;
  for (const Json& axis : *found) axes.push_back(config.integer_value(key, axis, {-32, 32}));
  if (axes.empty() || axes.size() > 32) refuse(config.where() + ": \"axis\" of " + in_quotes(key) + " names no axis");
  return axes;
}

void settle_constraint(ConstraintSpec& constraint, const Shape& shape, const std::string& where) {
  const bool has_axes =
      constraint.kind != ConstraintSpec::Kind::kNone && constraint.kind != ConstraintSpec::Kind::kNonNegative;
  if (!has_axes) return;
  const auto rank = static_cast<std::int64_t>(shape.size());
  for (std::int64_t& axis : constraint.axes) {
    if (axis < -rank || axis >= rank) {
      refuse(where + ": constraint over axis " + std::to_string(axis) + ", which a weight of shape " + to_text(shape) +
             " does not have");
    }
    if (axis < 0) axis += rank;
  }
}

}  // namespace

ConstraintSpec read_constraint(LayerConfig& config, const std::string& key) {
  const Json* value = config.find(key);
  if (value == nullptr) return {};
  const auto [name, arguments] = named_object(config, key, *value);
  const std::string kind = plain_name(name);
  const NumberRange norm{0.0};
  ConstraintSpec constraint;
  if (kind == "nonneg") {
    constraint.kind = ConstraintSpec::Kind::kNonNegative;
    return constraint;
  }
  constraint.axes = axes_argument(config, key, arguments);
  if (kind == "maxnorm") {
    constraint.kind = ConstraintSpec::Kind::kMaxNorm;
    constraint.max_value = argument(config, key, arguments, "max_value", 2.0, norm);
  } else if (kind == "unitnorm") {
    constraint.kind = ConstraintSpec::Kind::kUnitNorm;
  } else if (kind == "minmaxnorm") {
    constraint.kind = ConstraintSpec::Kind::kMinMaxNorm;
    constraint.min_value = argument(config, key, arguments, "min_value", 0.0, norm);
    constraint.max_value = argument(config, key, arguments, "max_value", 1.0, norm);
    constraint.rate = argument(config, key, arguments, "rate", 1.0, {0.0, 1.0});
  } else {
    config.not_supported("constraint " + in_quotes(name) + " of " + in_quotes(key),
                         "MaxNorm, NonNeg, UnitNorm and MinMaxNorm are supported.");
  }
  return constraint;
}

RegularizerSpec read_regularizer(LayerConfig& config, const std::string& key) {
  const Json* value = config.find(key);
  if (value == nullptr) return {};
  const auto [name, arguments] = named_object(config, key, *value);
  const std::string kind = plain_name(name);
  const NumberRange penalty{0.0};
  if (kind == "l1") return {argument(config, key, arguments, "l1", 0.01, penalty), 0.0};
  if (kind == "l2") return {0.0, argument(config, key, arguments, "l2", 0.01, penalty)};
  if (kind == "l1l2") {
    const double fallback = value->is_object() && name == "L1L2" ? 0.0 : 0.01;
    return {argument(config, key, arguments, "l1", fallback, penalty),
            argument(config, key, arguments, "l2", fallback, penalty)};
  }
  if (kind == "orthogonalregularizer") {
    const std::string mode = word(config, key, arguments, "mode", "rows");
    if (mode != "rows" && mode != "columns") {
      refuse(config.where() + ": \"mode\" of " + in_quotes(key) + " must be \"rows\" or \"columns\", not " +
             in_quotes(mode));
    }
    return {0.0, 0.0, argument(config, key, arguments, "factor", 0.01, penalty), mode == "columns"};
  }
  config.not_supported("regularizer " + in_quotes(name) + " of " + in_quotes(key),
                       "L1, L2, L1L2 and OrthogonalRegularizer are supported.");
}

void settle_weight(WeightSpec& weight, const std::string& where, SemanticsProfile profile) {
  const std::string of_weight = where + ": weight " + in_quotes(weight.name);
  settle_initializer(weight.initializer, weight.shape, of_weight, profile);
  settle_constraint(weight.constraint, weight.shape, of_weight);
  if (weight.regularizer.orthogonal != 0.0 && weight.shape.size() != 2) {
    refuse(of_weight + ": OrthogonalRegularizer needs a matrix, not shape " + to_text(weight.shape));
  }
}

}  // namespace modelhop::spec
