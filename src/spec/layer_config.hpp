// SPDX-License-Identifier: Apache-2.0
// Typed, checked reading of one layer's `config` object; every error names the layer and the key.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "spec/json_text.hpp"

namespace modelhop::spec {

struct IntegerRange {
  std::int64_t low = 1;
  std::int64_t high = (std::int64_t{1} << 31) - 1;
};

struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool is_open_above = false;  ///< high itself is outside
};

/// Reading a key marks it as known; refuse_unknown_keys() then refuses what nobody read and that is not a default.
class LayerConfig {
 public:
  /// `class_name` is for messages alone.
  LayerConfig(std::string layer_name, const Json& config, SemanticsProfile profile, std::string class_name = {});

  SemanticsProfile profile() const { return profile_; }  ///< defaults differ between Keras generations
  const std::string& where() const { return where_; }    ///< `layer "name"`
  const std::string& layer_name() const { return layer_name_; }
  [[noreturn]] void refuse_value(const std::string& key, const std::string& expected) const;
  [[noreturn]] void not_supported(const std::string& message, std::string hint = {}) const;

  /// Absent and null are the same: no value.
  const Json* find(const std::string& key);
  /// The file has the key, if only as null.
  bool has(const std::string& key) const { return config_.contains(key); }

  // The fallback is used where there is no value; without one that is an error.
  bool boolean(const std::string& key, std::optional<bool> fallback);
  std::int64_t integer(const std::string& key, std::optional<std::int64_t> fallback, IntegerRange range);
  double number(const std::string& key, std::optional<double> fallback, NumberRange range);
  std::string choice(const std::string& key, std::optional<std::string> fallback,
                     const std::vector<std::string>& choices);
  /// An integer stands for `count` equal ones.
  std::vector<std::int64_t> extents(const std::string& key, std::optional<std::vector<std::int64_t>> fallback,
                                    std::size_t count, IntegerRange range);
  /// A text of activation_names.hpp. Null is "linear"; so is silence, unless there is another fallback.
  std::string activation(const std::string& key, const std::string& fallback = "linear");

  std::int64_t integer_value(const std::string& key, const Json& value, IntegerRange range) const;
  double number_value(const std::string& key, const Json& value, NumberRange range) const;

  void refuse_unknown_keys() const;

 private:
  [[noreturn]] void refuse_keras1(std::string_view key) const;

  std::string layer_name_, where_, class_name_;
  const Json& config_;
  SemanticsProfile profile_;
  std::set<std::string> known_;
};

/// A JSON value as an error message shows it.
std::string shown(const Json& value);

}  // namespace modelhop::spec
