// SPDX-License-Identifier: Apache-2.0
// Positional arguments of call(), by class.
#include "spec/argument_placement.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"
#include "spec/model_class.hpp"

namespace modelhop::spec {
namespace {

using Names = std::span<const std::string_view>;

/// What follows the first positional argument.
Names following_names(std::string_view class_name) {
  static constexpr std::string_view kMultiHead[] = {"value",      "key",      "query_mask",
                                                    "value_mask", "key_mask", "attention_mask"};
  static constexpr std::string_view kRecurrent[] = {"initial_state", "mask", "training"};
  static constexpr std::string_view kAttention[] = {"mask", "training", "return_attention_scores", "use_causal_mask"};
  static constexpr std::string_view kMasked[] = {"mask"};
  static constexpr std::string_view kTraining[] = {"training", "mask"};
  if (class_name == "MultiHeadAttention" || class_name == "GroupedQueryAttention" ||
      class_name == "GroupQueryAttention") {
    return kMultiHead;
  }
  if (takes_initial_state(class_name)) return kRecurrent;
  if (class_name == "Attention" || class_name == "AdditiveAttention") return kAttention;
  if (class_name == "Softmax" || class_name == "GlobalAveragePooling1D") return kMasked;
  return kTraining;
}

bool is_first_name(std::string_view keyword) {
  return keyword == "inputs" || keyword == "input" || keyword == "query" || keyword == "sequences" ||
         keyword == "sequence" || keyword == "x";
}

class Placement {
 public:
  Placement(const std::string& where, const std::string& class_name, const CallWriter& writer)
      : where_(where), class_name_(class_name), writer_(writer) {}

  PlacedCall run(const WrittenCall& call) {
    const Names following = following_names(class_name_);
    std::size_t position = 0;
    for (const WrittenArgument& argument : call.arguments) {
      if (!argument.keyword.empty()) {
        is_first_name(argument.keyword) && position == 0 ? add_first(argument) : add_named(argument.keyword, argument);
      } else if (position++ == 0) {
        add_first(argument);
      } else if (position - 2 < following.size()) {
        add_named(std::string(following[position - 2]), argument);
      } else {
        unsupported(where_ + ": a call of " + class_name_ + " with " + std::to_string(position) +
                    " positional arguments");
      }
    }
    return std::move(placed_);
  }

 private:
  void add_first(const WrittenArgument& argument) {
    if (argument.refs.empty()) {
      if (argument.value.is_null() || (argument.value.is_array() && argument.value.empty())) return;
      unsupported(where_ + ": constant " + shown(argument.value) + " as an input of " + class_name_);
    }
    if (!argument.keys.empty() && !is_model_class(class_name_)) {
      unsupported(where_ + ": inputs of " + class_name_ + " given as a dict", "Give them as a list.");
    }
    placed_.keys = argument.keys;
    for (const WrittenRef& ref : argument.refs) {
      const bool is_state = !placed_.refs.empty() && takes_initial_state(class_name_);
      placed_.refs.push_back(ref);
      placed_.roles.emplace_back(is_state ? "initial_state" : "");
    }
  }

  void add_named(const std::string& keyword, const WrittenArgument& argument) {
    for (const WrittenRef& ref : argument.refs) {
      placed_.refs.push_back(ref);
      placed_.roles.push_back(keyword);
    }
    if (!argument.refs.empty() || argument.value.is_null()) return;
    if (keyword == "training" && writer_.is_keras3) return;
    placed_.arguments[keyword] = argument.value;
  }

  const std::string& where_;
  const std::string& class_name_;
  const CallWriter& writer_;
  PlacedCall placed_;
};

}  // namespace

PlacedCall place_arguments(const std::string& where, const std::string& class_name, const WrittenCall& call,
                           const CallWriter& writer) {
  return Placement(where, class_name, writer).run(call);
}

}  // namespace modelhop::spec
