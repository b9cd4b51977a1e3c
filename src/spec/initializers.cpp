// SPDX-License-Identifier: Apache-2.0
// Aliases and class names of keras.initializers and keras.regularizers, resolved.
#include "spec/initializers.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

struct Alias {
  const char* name;  ///< lower case, without underscores
  const char* class_name;
  double scale = 1.0;
  const char* mode = "fan_in";
  const char* distribution = "truncated_normal";
};

constexpr std::array kAliases = std::to_array<Alias>({
    {"zeros", "Zeros"},
    {"zero", "Zeros"},
    {"ones", "Ones"},
    {"one", "Ones"},
    {"constant", "Constant"},
    {"randomnormal", "RandomNormal"},
    {"normal", "RandomNormal"},
    {"randomuniform", "RandomUniform"},
    {"uniform", "RandomUniform"},
    {"truncatednormal", "TruncatedNormal"},
    {"variancescaling", "VarianceScaling"},
    {"glorotuniform", "VarianceScaling", 1.0, "fan_avg", "uniform"},
    {"glorotnormal", "VarianceScaling", 1.0, "fan_avg"},
    {"xavieruniform", "VarianceScaling", 1.0, "fan_avg", "uniform"},
    {"xaviernormal", "VarianceScaling", 1.0, "fan_avg"},
    {"heuniform", "VarianceScaling", 2.0, "fan_in", "uniform"},
    {"henormal", "VarianceScaling", 2.0, "fan_in"},
    {"lecununiform", "VarianceScaling", 1.0, "fan_in", "uniform"},
    {"lecunnormal", "VarianceScaling", 1.0, "fan_in"},
    {"orthogonal", "Orthogonal"},
    {"orthogonalinitializer", "Orthogonal"},
    {"identity", "Identity"},
    {"identityinitializer", "Identity"},
});

/// A class name or a snake_case name, perhaps with the suffix of TensorFlow's versions.
const Alias* find_alias(const std::string& name) {
  std::string key;
  for (const char character : lower_case(name)) {
    if (character != '_') key += character;
  }
  if (key.size() > 2 && (key.ends_with("v1") || key.ends_with("v2"))) key.resize(key.size() - 2);
  for (const Alias& alias : kAliases) {
    if (key == alias.name) return &alias;
  }
  return nullptr;
}

/// The class and the arguments of "name" or {"class_name": name, "config": {...}}.
std::pair<std::string, Json> named_object(const LayerConfig& config, const std::string& key, const Json& value) {
  if (value.is_string()) return {value.get<std::string>(), Json::object()};
  if (!value.is_object()) config.refuse_value(key, "a name or an object with \"class_name\"");
  const auto class_name = value.find("class_name");
  if (class_name == value.end() || !class_name->is_string()) config.refuse_value(key, "an object with \"class_name\"");
  const auto arguments = value.find("config");
  if (arguments == value.end() || arguments->is_null()) return {class_name->get<std::string>(), Json::object()};
  if (class_name->get_ref<const std::string&>() == "function" && arguments->is_string()) {
    return {arguments->get<std::string>(), Json::object()};
  }
  if (!arguments->is_object()) config.refuse_value(key, "an object whose \"config\" is an object");
  return {class_name->get<std::string>(), *arguments};
}

double argument(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                double fallback, NumberRange range = {}) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return fallback;
  if (!found->is_number()) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " must be a number, not " +
           shown(*found));
  }
  const double number = found->get<double>();
  if (!(number >= range.low && number <= range.high) || number - number != 0.0) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " is out of range: " + shown(*found));
  }
  return number;
}

std::string word(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                 std::string fallback) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return fallback;
  if (!found->is_string()) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " must be a name, not " + shown(*found));
  }
  return found->get<std::string>();
}

void check_words(const LayerConfig& config, const std::string& key, InitializerSpec& spec) {
  if (spec.mode != "fan_in" && spec.mode != "fan_out" && spec.mode != "fan_avg") {
    refuse(config.where() + ": unknown \"mode\" " + in_quotes(spec.mode) + " of " + in_quotes(key));
  }
  if (spec.distribution == "normal") spec.distribution = "truncated_normal";
  if (spec.distribution != "uniform" && spec.distribution != "truncated_normal" &&
      spec.distribution != "untruncated_normal") {
    refuse(config.where() + ": unknown \"distribution\" " + in_quotes(spec.distribution) + " of " + in_quotes(key));
  }
}

std::optional<std::int64_t> seed_of(const LayerConfig& config, const std::string& key, const Json& arguments) {
  const auto found = arguments.find("seed");
  // Keras 3 writes a seed generator as an object: a stream of its own, like no seed at all.
  if (found == arguments.end() || found->is_null() || found->is_object()) return {};
  if (!found->is_number_integer()) {
    refuse(config.where() + ": \"seed\" of " + in_quotes(key) + " must be an integer, not " + shown(*found));
  }
  return found->get<std::int64_t>();
}

}  // namespace

InitializerSpec read_initializer(LayerConfig& config, const std::string& key, const std::string& fallback) {
  const Json* value = config.find(key);
  const auto [name, arguments] =
      value == nullptr ? std::pair(fallback, Json::object()) : named_object(config, key, *value);
  const Alias* alias = find_alias(name);
  if (alias == nullptr) refuse(config.where() + ": unknown initializer " + in_quotes(name) + " of " + in_quotes(key));

  InitializerSpec spec;
  spec.class_name = alias->class_name;
  spec.seed = seed_of(config, key, arguments);
  if (spec.class_name == "Constant") spec.value = argument(config, key, arguments, "value", 0.0);
  if (spec.class_name == "RandomNormal" || spec.class_name == "TruncatedNormal") {
    spec.mean = argument(config, key, arguments, "mean", 0.0);
    spec.stddev = argument(config, key, arguments, "stddev", 0.05, {0.0});
  }
  if (spec.class_name == "RandomUniform") {
    spec.minval = argument(config, key, arguments, "minval", -0.05);
    spec.maxval = argument(config, key, arguments, "maxval", 0.05);
    if (spec.minval > spec.maxval)
      refuse(config.where() + ": \"minval\" of " + in_quotes(key) + " is above \"maxval\"");
  }
  if (spec.class_name == "VarianceScaling") {
    const bool is_plain = std::strcmp(alias->name, "variancescaling") == 0;
    spec.scale = is_plain ? argument(config, key, arguments, "scale", 1.0, {1e-300}) : alias->scale;
    spec.mode = is_plain ? word(config, key, arguments, "mode", alias->mode) : alias->mode;
    spec.distribution =
        is_plain ? word(config, key, arguments, "distribution", alias->distribution) : alias->distribution;
    check_words(config, key, spec);
  }
  if (spec.class_name == "Orthogonal" || spec.class_name == "Identity") {
    spec.gain = argument(config, key, arguments, "gain", 1.0);
  }
  return spec;
}

ConstraintSpec read_constraint(LayerConfig& config, const std::string& key) {
  if (config.find(key) != nullptr) config.not_supported(in_quotes(key));
  return {};
}

RegularizerSpec read_regularizer(LayerConfig& config, const std::string& key) {
  const Json* value = config.find(key);
  if (value == nullptr) return {};
  const auto [name, arguments] = named_object(config, key, *value);
  const std::string kind = lower_case(name);
  const bool is_object = value->is_object();
  const NumberRange penalty{0.0};
  if (kind == "l1") return {argument(config, key, arguments, "l1", 0.01, penalty), 0.0};
  if (kind == "l2") return {0.0, argument(config, key, arguments, "l2", 0.01, penalty)};
  if (kind == "l1l2" || kind == "l1_l2") {
    const double fallback = is_object && name == "L1L2" ? 0.0 : 0.01;
    return {argument(config, key, arguments, "l1", fallback, penalty),
            argument(config, key, arguments, "l2", fallback, penalty)};
  }
  config.not_supported("regularizer " + in_quotes(name) + " of " + in_quotes(key), "L1, L2 and L1L2 are supported.");
}

}  // namespace modelhop::spec
