// SPDX-License-Identifier: Apache-2.0
// Aliases and class names of keras.initializers, resolved.
#include "spec/initializers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "spec/grammar_text.hpp"
#include "spec/named_object.hpp"

namespace modelhop::spec {
namespace {

/// A normal cut at two deviations has this deviation itself.
constexpr double kTruncatedDeviation = 0.87962566103423978;

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

/// Standalone Keras 2 counts the root of the elements as both fans where a weight is neither matrix nor kernel.
void resolve_fans(InitializerSpec& spec, const Shape& shape) {
  const double fan = std::sqrt(static_cast<double>(element_count(shape)));
  const double variance = spec.scale / std::max(1.0, fan);
  if (spec.distribution == "uniform") {
    spec.class_name = "RandomUniform";
    spec.maxval = std::sqrt(3.0 * variance);
    spec.minval = -spec.maxval;
    return;
  }
  const bool is_truncated = spec.distribution == "truncated_normal";
  spec.class_name = is_truncated ? "TruncatedNormal" : "RandomNormal";
  spec.mean = 0.0;
  spec.stddev = std::sqrt(variance) / (is_truncated ? kTruncatedDeviation : 1.0);
}

}  // namespace

InitializerSpec read_initializer(LayerConfig& config, const std::string& key, const std::string& fallback) {
  const Json* value = config.find(key);
  const auto [name, arguments] =
      value == nullptr ? NamedObject{fallback, Json::object()} : named_object(config, key, *value);
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
    for (const char* axes : {"input_axes", "output_axes"}) {
      if (const auto given = arguments.find(axes); given != arguments.end() && !given->is_null()) {
        config.not_supported(in_quotes(axes) + " of " + in_quotes(key));
      }
    }
  }
  if (spec.class_name == "Orthogonal" || spec.class_name == "Identity") {
    spec.gain = argument(config, key, arguments, "gain", 1.0);
  }
  return spec;
}

void settle_initializer(InitializerSpec& spec, const Shape& shape, const std::string& where, SemanticsProfile profile) {
  const bool is_standalone = profile == SemanticsProfile::kKeras22;
  if (spec.class_name == "Orthogonal" && shape.size() < 2) {
    refuse(where + ": initializer \"Orthogonal\" needs a weight with at least 2 axes, not shape " + to_text(shape));
  }
  if (spec.class_name == "Identity") {
    if (shape.size() != 2) {
      refuse(where + ": initializer \"Identity\" needs a weight with 2 axes, not shape " + to_text(shape));
    }
    spec.is_tiled = is_standalone;
    if (is_standalone && std::max(shape[0], shape[1]) % std::min(shape[0], shape[1]) != 0) {
      refuse(where +
             ": initializer \"Identity\" of Keras 2.2 needs one side to be a multiple of the other, not shape " +
             to_text(shape));
    }
  }
  const bool has_own_fans = is_standalone && (shape.size() < 2 || shape.size() > 5);
  if (spec.class_name == "VarianceScaling" && has_own_fans) resolve_fans(spec, shape);
}

}  // namespace modelhop::spec
