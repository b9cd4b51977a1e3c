// SPDX-License-Identifier: Apache-2.0
#include "spec/automl_params.hpp"

#include <limits>
#include <vector>

#include "modelhop/error.hpp"
#include "spec/grammar_text.hpp"
#include "spec/python_literal.hpp"

namespace modelhop {
namespace {

using Assignment = std::pair<std::string, PythonValue>;

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorCode::kInvalidArgument, "argument automl_params: " + what, hint);
}

std::vector<Assignment> assignments(std::string_view params) {
  if (params.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
  try {
    return parse_python_assignments(params);
  } catch (const Error& error) {
    refuse(error.what(), "Write names and values, such as 'R=6, eta=3, skip_last=0'.");
  }
}

std::int32_t integer_of(const Assignment& assignment, std::int32_t least) {
  const auto* number = std::get_if<long long>(&assignment.second.value);
  if (number != nullptr && *number >= least && *number <= std::numeric_limits<std::int32_t>::max()) {
    return static_cast<std::int32_t>(*number);
  }
  refuse(assignment.first + "=" + assignment.second.text + " must be an integer of at least " + std::to_string(least),
         "Give a whole number.");
}

HyperbandParams hyperband(const std::vector<Assignment>& given) {
  HyperbandParams params;
  for (const Assignment& assignment : given) {
    const std::string name = spec::lower_case(assignment.first);
    if (name == "r") {
      params.r = integer_of(assignment, 1);
    } else if (name == "eta") {
      params.eta = integer_of(assignment, 1);
    } else if (name == "skip_last") {
      params.skip_last = integer_of(assignment, 0);
    } else {
      refuse("hyperband knows no \"" + assignment.first + "\"", "Use R, eta and skip_last.");
    }
  }
  return params;
}

bool is_tpe(const Assignment& assignment) {
  const auto* text = std::get_if<std::string>(&assignment.second.value);
  const std::string name = spec::lower_case(text != nullptr ? *text : assignment.second.text);
  if (name == "tpe" || name == "rand") return name == "tpe";
  refuse(assignment.first + "=" + assignment.second.text + " is unknown", "Use tpe or rand.");
}

HyperoptParams hyperopt(const std::vector<Assignment>& given) {
  HyperoptParams params;
  for (const Assignment& assignment : given) {
    const std::string name = spec::lower_case(assignment.first);
    if (name == "num_configs") {
      params.num_configs = integer_of(assignment, 1);
    } else if (name == "num_iterations") {
      params.num_iterations = integer_of(assignment, 1);
    } else if (name == "algorithm") {
      params.is_tpe = is_tpe(assignment);
    } else {
      refuse("hyperopt knows no \"" + assignment.first + "\"", "Use num_configs, num_iterations and algorithm.");
    }
  }
  return params;
}

}  // namespace

AutomlParams parse_automl_params(std::string_view method, std::string_view params) {
  const std::string name = spec::lower_case(method);
  if (name == "hyperband") return hyperband(assignments(params));
  if (name == "hyperopt") return hyperopt(assignments(params));
  throw Error(ErrorCode::kInvalidArgument, "argument automl_method: unknown method \"" + std::string(method) + "\"",
              "Use 'hyperband' or 'hyperopt'.");
}

std::string to_string(const AutomlParams& params) {
  if (const auto* hyperband = std::get_if<HyperbandParams>(&params)) {
    return "R=" + std::to_string(hyperband->r) + ", eta=" + std::to_string(hyperband->eta) +
           ", skip_last=" + std::to_string(hyperband->skip_last);
  }
  const auto& hyperopt = std::get<HyperoptParams>(params);
  return "num_configs=" + std::to_string(hyperopt.num_configs) +
         ", num_iterations=" + std::to_string(hyperopt.num_iterations) +
         ", algorithm=" + (hyperopt.is_tpe ? "tpe" : "rand");
}

std::int32_t most_iterations(const AutomlParams& params) {
  if (const auto* hyperband = std::get_if<HyperbandParams>(&params)) return hyperband->r;
  return std::get<HyperoptParams>(params).num_iterations;
}

}  // namespace modelhop
