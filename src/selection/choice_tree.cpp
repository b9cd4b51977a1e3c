// SPDX-License-Identifier: Apache-2.0
// Choices, their coordinates and the texts that they make.
#include "selection/choice_tree.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

constexpr std::size_t kModel = 0;
constexpr std::size_t kOptimizer = 1;

using NamedValues = std::vector<std::pair<std::string, std::string>>;

std::string joined(NamedValues::const_iterator begin, NamedValues::const_iterator end) {
  std::string text;
  for (auto pair = begin; pair != end; ++pair) text += (text.empty() ? "" : ",") + pair->first + "=" + pair->second;
  return text;
}

/// optimizer='Adam(lr=0.01)': the first pair is the optimizer, which may already carry its parameters.
std::string optimizer_text(const NamedValues& values) {
  const std::string& name = values.front().second;
  if (name.find('(') != std::string::npos) return "optimizer='" + name + "'";
  return "optimizer='" + name + "(" + joined(values.begin() + 1, values.end()) + ")'";
}

std::string number_text(double number, int digits) {
  std::array<char, 64> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::general, digits).ptr;
  return std::string(buffer.data(), end);
}

void set_range(const Distribution& range, Choice& choice) {
  switch (range.kind) {
    case Distribution::Kind::kLinear:
      choice.low = range.low;
      choice.high = range.high;
      return;
    case Distribution::Kind::kLog:
      choice.low = std::log10(range.low);
      choice.high = std::log10(range.high);
      return;
    case Distribution::Kind::kLogNearOne:
      choice.low = std::log10(1.0 - range.high);
      choice.high = std::log10(1.0 - range.low);
      return;
  }
  throw Error(ErrorCode::kInternal, "unknown kind of distribution");
}

std::string value_text(const Parameter& parameter, double coordinate) {
  if (!parameter.distribution) return parameter.values[static_cast<std::size_t>(coordinate)];
  switch (parameter.distribution->kind) {
    case Distribution::Kind::kLinear:
      return number_text(coordinate, 6);
    case Distribution::Kind::kLog:
      return number_text(std::pow(10.0, coordinate), 6);
    case Distribution::Kind::kLogNearOne:
      return number_text(1.0 - std::pow(10.0, coordinate), 12);
  }
  throw Error(ErrorCode::kInternal, "unknown kind of distribution");
}

}  // namespace

ChoiceTree::ChoiceTree(std::vector<std::int32_t> model_ids, SearchSpace space)
    : model_ids_(std::move(model_ids)), space_(std::move(space)) {
  if (model_ids_.empty()) throw Error(ErrorCode::kInvalidArgument, "the list of model ids is empty");
  check(!space_.optimizers.empty(), "a search space without optimizers");
  choices_.push_back({"model_id", model_ids_.size(), 0.0, 0.0, {}});
  choices_.push_back({"optimizer_params_list", space_.optimizers.size(), 0.0, 0.0, {}});
  parameters_ = {nullptr, nullptr};
  for (std::size_t i = 0; i < space_.optimizers.size(); ++i) add(space_.optimizers[i], i);
  add(space_.compile, {});
  add(space_.fit, {});
}

void ChoiceTree::add(const std::vector<Parameter>& parameters, std::optional<std::size_t> optimizer) {
  for (const Parameter& parameter : parameters) {
    check(parameter.distribution || !parameter.values.empty(), "a parameter without values");
    Choice choice{parameter.name, 0, 0.0, 0.0, optimizer};
    if (parameter.distribution) {
      set_range(*parameter.distribution, choice);
    } else {
      choice.count = parameter.values.size();
    }
    choices_.push_back(std::move(choice));
    parameters_.push_back(&parameter);
  }
}

bool ChoiceTree::is_made(std::size_t choice, const Point& point) const {
  const std::optional<std::size_t>& optimizer = choices_[choice].optimizer;
  return !optimizer || *point[kOptimizer] == static_cast<double>(*optimizer);
}

ConfigurationText ChoiceTree::text(const Point& point) const {
  NamedValues optimizer;
  NamedValues others;
  for (std::size_t i = kOptimizer + 1; i < choices_.size(); ++i) {
    if (!point[i]) continue;
    (choices_[i].optimizer ? optimizer : others).emplace_back(choices_[i].name, value_text(*parameters_[i], *point[i]));
  }
  const auto fit = others.begin() + static_cast<std::ptrdiff_t>(space_.compile.size());
  const std::string compile = joined(others.begin(), fit);
  return {model_ids_[static_cast<std::size_t>(*point[kModel])],
          optimizer_text(optimizer) + (compile.empty() ? "" : ",") + compile, joined(fit, others.end())};
}

bool ChoiceTree::is_finite() const {
  return std::all_of(choices_.begin(), choices_.end(), [](const Choice& choice) { return choice.count > 0; });
}

/// A double, because the product of long lists has no bound.
double ChoiceTree::combinations() const {
  std::vector<double> of_optimizer(choices_[kOptimizer].count, 1.0);
  double others = static_cast<double>(choices_[kModel].count);
  for (std::size_t i = kOptimizer + 1; i < choices_.size(); ++i) {
    const Choice& choice = choices_[i];
    (choice.optimizer ? of_optimizer[*choice.optimizer] : others) *= static_cast<double>(choice.count);
  }
  double sum = 0.0;
  for (const double combinations : of_optimizer) sum += combinations;
  return sum * others;
}

void ChoiceTree::for_each_point(const std::function<void(const Point& point)>& visit) const {
  for (const Choice& choice : choices_) {
    if (choice.count > 0) continue;
    throw Error(ErrorCode::kInvalidArgument,
                "parameter \"" + choice.name + "\" has a distribution, which a grid cannot enumerate",
                "Use random search, or list the values.");
  }
  if (combinations() > static_cast<double>(kMaxConfigurations)) {
    throw Error(ErrorCode::kInvalidArgument,
                "the grid has more than " + std::to_string(kMaxConfigurations) + " combinations");
  }
  Point point(choices_.size());
  visit_from(0, point, visit);
}

void ChoiceTree::visit_from(std::size_t choice, Point& point,
                            const std::function<void(const Point& point)>& visit) const {
  if (choice == choices_.size()) return visit(point);
  if (!is_made(choice, point)) return visit_from(choice + 1, point, visit);
  for (std::size_t value = 0; value < choices_[choice].count; ++value) {
    point[choice] = static_cast<double>(value);
    visit_from(choice + 1, point, visit);
  }
  point[choice].reset();
}

}  // namespace modelhop
