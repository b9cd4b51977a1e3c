// SPDX-License-Identifier: Apache-2.0
// Arguments of Keras classes by table: a class says its arguments as a signature, and one row per argument says which
// field it sets and what it may be. Optimizers, schedules, losses, metrics and callbacks are read with it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "modelhop/error.hpp"
#include "spec/python_literal.hpp"

namespace modelhop::spec {

/// Whether `word` is one of `words`, which blanks separate.
bool has_word(std::string_view words, std::string_view word);
std::vector<std::string> words_of(std::string_view words);

/// What a number may be.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool is_open_below = false;
  bool is_open_above = false;

  bool holds(double number) const;
  std::string text() const;  ///< "from 0 to 1", "above 0"
};

inline constexpr double kUnlimited = std::numeric_limits<double>::infinity();
inline constexpr Range kAnyNumber = {};
inline constexpr Range kNotNegative = {0.0};
inline constexpr Range kPositive = {0.0, kUnlimited, true};
inline constexpr Range kNotPositive = {-kUnlimited, 0.0};
inline constexpr Range kAtLeastOne = {1.0};
inline constexpr Range kShare = {0.0, 1.0};
inline constexpr Range kShareBelowOne = {0.0, 1.0, false, true};

/// Sets the field of `spec`; throws like the functions below.
template <typename Spec>
using ReadArgument = void (*)(const std::string& what, const PythonValue& value, Spec& spec);

/// One argument: which field it sets. Without a field it is accepted and means nothing here (`name`, `dtype`).
template <typename Spec>
struct Argument {
  std::string_view name;
  std::variant<std::monostate, double Spec::*, bool Spec::*, int Spec::*, std::int64_t Spec::*, std::string Spec::*,
               std::optional<double> Spec::*, std::optional<int> Spec::*, std::optional<std::int64_t> Spec::*,
               std::vector<double> Spec::*, ReadArgument<Spec>>
      field;
  Range range = kAnyNumber;
  bool is_default_if_none = false;  ///< None leaves the default; optional fields become empty anyway
};

// Reads one value; throws kInvalidArgument naming `what` and the value as written.
void read_value(const std::string& what, const PythonValue& value, const Range& range, double& field);
void read_value(const std::string& what, const PythonValue& value, const Range& range, bool& field);
void read_value(const std::string& what, const PythonValue& value, const Range& range, int& field);
void read_value(const std::string& what, const PythonValue& value, const Range& range, std::int64_t& field);
void read_value(const std::string& what, const PythonValue& value, const Range& range, std::string& field);
/// A number or a list of numbers.
void read_value(const std::string& what, const PythonValue& value, const Range& range, std::vector<double>& field);

/// None empties the field.
template <typename T>
void read_value(const std::string& what, const PythonValue& value, const Range& range, std::optional<T>& field) {
  field.reset();
  if (!std::holds_alternative<PythonNone>(value.value)) read_value(what, value, range, field.emplace());
}

struct BoundArgument {
  std::string name;
  const PythonValue* value;
};

/// Gives each argument of the call its name. `signature`: the names in the order of the constructor, separated by
/// blanks: "decay_steps! staircase * name". One that ends in ! is required, those after * need their name in the call.
std::vector<BoundArgument> bind_arguments(const std::string& what, const PythonCall& call, std::string_view signature);

/// Whether the signature has an argument of that name.
bool takes_argument(std::string_view signature, std::string_view name);

/// `what: argument "name"`, as errors name it.
std::string argument_text(const std::string& what, std::string_view name);

/// Sets the fields of `spec` that the call names. Throws kInvalidArgument naming the class and the argument.
template <typename Spec>
void read_arguments(const std::string& what, const PythonCall& call, std::string_view signature,
                    std::type_identity_t<std::span<const Argument<Spec>>> table, Spec& spec) {
  for (const auto& [name, value] : bind_arguments(what, call, signature)) {
    const Argument<Spec>* row = nullptr;
    for (const Argument<Spec>& candidate : table) row = candidate.name == name ? &candidate : row;
    check(row != nullptr, "an argument of a signature has no row in its table");
    if (row->is_default_if_none && std::holds_alternative<PythonNone>(value->value)) continue;
    const auto set = [&, text = argument_text(what, name), value = value](auto field) {
      using Field = decltype(field);
      if constexpr (std::is_same_v<Field, ReadArgument<Spec>>) {
        field(text, *value, spec);
      } else if constexpr (!std::is_same_v<Field, std::monostate>) {
        read_value(text, *value, row->range, spec.*field);
      }
    };
    std::visit(set, row->field);
  }
}

}  // namespace modelhop::spec
