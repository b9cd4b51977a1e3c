// SPDX-License-Identifier: Apache-2.0
// One model of test/keras/fixtures (format: test/keras/README.md): its specs, examples and start weights.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "keras_fixture.hpp"
#include "modelhop/engine.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace modelhop::engine {

using Json = nlohmann::json;

/// A JSON value as Python writes it; {"kind": "SGD", "learning_rate": 0.1} is the call SGD(learning_rate=0.1).
inline std::string python_text(const Json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) return "'" + value.get<std::string>() + "'";
  if (value.is_array()) {
    std::string text = "[";
    for (const Json& element : value) text += (text.size() > 1 ? ", " : "") + python_text(element);
    return text + "]";
  }
  if (!value.is_object()) return value.dump();
  std::string arguments;
  for (const auto& [name, argument] : value.items()) {
    if (name == "kind") continue;
    arguments += (arguments.empty() ? "" : ", ") + name + "=" + python_text(argument);
  }
  return value.at("kind").get<std::string>() + "(" + arguments + ")";
}

inline std::int64_t elements_of(const Json& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

inline double rounded(double value, double digits) {
  const double power = std::pow(10.0, digits);
  return std::nearbyint(value * power) / power;
}

class KerasCase {
 public:
  explicit KerasCase(const Json& content) : content_(content) {
    profile_ = fixture_profile(content.at("profile"));
    for (const Json& input : content.at("inputs")) {
      inputs_.push_back(input_values(input));
      input_shapes_.push_back(shape_of(input.at("shape")));
    }
    rows_ = content.at("inputs").front().at("shape").front();
    for (const Json& target : content.value("targets", Json::array())) {
      targets_.push_back(target_values(target));
    }
    if (content.contains("sample_weights")) sample_weights_ = fixture_floats(content.at("sample_weights"));
    spec_ = parse_keras_json(content.at("model").dump(), input_shapes_, profile_);
    train_ = targets_.empty() ? TrainSpec{} : parse_train_params(compile_text(), fit_text(), profile_);
    if (targets_.empty()) train_.losses.resize(1);
    start_ = start_weights();
  }

  const Json& content() const { return content_; }
  const ModelSpec& spec() const { return spec_; }
  const TrainSpec& train() const { return train_; }
  const std::vector<float>& start() const { return start_; }
  std::int64_t rows() const { return rows_; }

  std::vector<std::int64_t> target_elements() const {
    std::vector<std::int64_t> elements;
    for (const auto& target : targets_) elements.push_back(static_cast<std::int64_t>(target.size()) / rows_);
    return elements;
  }
  Examples block(std::int64_t first, std::int64_t rows) const {
    Examples examples;
    examples.rows = rows;
    for (const auto& input : inputs_) examples.independent.push_back(view(input, first));
    for (const auto& target : targets_) examples.dependent.push_back(view(target, first));
    if (!sample_weights_.empty()) examples.sample_weight = view(sample_weights_, first);
    return examples;
  }

 private:
  static Shape shape_of(const Json& with_rows) {
    Shape shape = with_rows.get<Shape>();
    shape.erase(shape.begin());
    return shape;
  }
  ArrayView view(const std::vector<float>& values, std::int64_t first) const {
    const std::int64_t elements = static_cast<std::int64_t>(values.size()) / rows_;
    return {reinterpret_cast<const std::byte*>(values.data() + first * elements), ElementType::kFloat32, elements};
  }

  /// What padded formulas do from step 1 + (row mod steps) on.
  static bool is_padded(const Json& shape, std::int64_t index) {
    const std::int64_t steps = shape.at(1), of_step = elements_of(shape) / shape.at(0).get<std::int64_t>() / steps;
    const std::int64_t row = index / (steps * of_step), step = index / of_step % steps;
    return step >= 1 + row % steps || (row % 4 == 3 && step == 0);
  }

  static std::vector<float> input_values(const Json& input) {
    if (input.contains("values")) return fixture_floats(input.at("values"));
    const std::string formula = input.at("formula");
    const Json& shape = input.at("shape");
    const double scale = input.value("scale", 1.0), offset = input.value("offset", 0.0);
    const std::int64_t modulo = input.value("modulo", 1);
    std::vector<float> values;
    for (std::int64_t i = 0; i < elements_of(shape); ++i) {
      const double wave = rounded(std::cos(0.9 * static_cast<double>(i)), 3) * scale + offset;
      double value = wave;
      if (formula == "ids") value = static_cast<double>(7 * i % modulo) + input.value("fraction", 0.0);
      if (formula == "padded_ids") value = is_padded(shape, i) ? 0.0 : static_cast<double>(1 + 7 * i % (modulo - 1));
      if (formula == "padded_wave" && is_padded(shape, i)) value = input.value("pad", 0.0);
      values.push_back(static_cast<float>(value));
    }
    return values;
  }

  static std::int64_t class_of(std::int64_t row, std::int64_t classes) {
    return classes % 3 == 0 ? (2 * row + row / classes) % classes : 3 * row % classes;
  }

  static std::vector<float> target_values(const Json& target) {
    if (target.contains("values")) return fixture_floats(target.at("values"));
    const std::string formula = target.at("formula");
    const Json& shape = target.at("shape");
    const std::int64_t last = shape.back();
    std::vector<float> values;
    for (std::int64_t i = 0; i < elements_of(shape); ++i) {
      double value = 0.0;
      const bool is_high = 5 * i % 7 > 3;
      const double wave = std::sin(0.7 * static_cast<double>(i));
      if (formula == "one_hot") value = i % last == class_of(i / last, last) ? 1.0 : 0.0;
      if (formula == "class_ids") value = static_cast<double>(class_of(i, target.at("classes")));
      if (formula == "binary") value = is_high ? 1.0 : 0.0;
      if (formula == "signs") value = is_high ? 1.0 : -1.0;
      if (formula == "floats") value = rounded(wave, 3);
      if (formula == "positive") value = rounded(std::abs(wave), 3);
      values.push_back(static_cast<float>(value));
    }
    return values;
  }

  std::string compile_text() const {
    std::string text =
        "optimizer=" + python_text(content_.at("optimizer")) + ", loss=" + python_text(content_.at("losses"));
    if (content_.contains("loss_weights")) text += ", loss_weights=" + python_text(content_.at("loss_weights"));
    if (!content_.contains("metrics")) return text;
    const Json& metrics = content_.at("metrics");
    return text + (content_.value("metrics_are_weighted", false) ? ", weighted_metrics=" : ", metrics=") +
           python_text(metrics.size() == 1 ? metrics.front() : metrics);
  }

  std::string fit_text() const {
    std::string text = "batch_size=8";
    if (!content_.contains("class_weights")) return text;
    std::string pairs;
    for (const auto& [id, weight] : content_.at("class_weights").items()) {
      pairs += (pairs.empty() ? "" : ", ") + id + ": " + weight.dump();
    }
    return text + ", class_weight={" + pairs + "}";
  }

  static double standard_weight(std::int64_t i, std::int64_t array, double scale) {
    return rounded(scale * 0.3 * std::sin(1.7 * static_cast<double>(i) + 0.3 * static_cast<double>(array)), 4);
  }

  static double deep_weight(char kind, const Json& shape, std::int64_t j, double gain) {
    const double w = std::sin(static_cast<double>(j * (j + 3) % 8191));
    double fan = 1.0;
    const std::size_t left_out = kind == 'd' ? 2 : 1;
    for (std::size_t axis = 0; axis + left_out < shape.size(); ++axis) fan *= shape[axis].get<double>();
    switch (kind) {
      case 'k':
      case 'd':
        return gain * 2.0 / std::sqrt(fan) * w;
      case 'e':
        return w;
      case 'g':
        return 1.0 + 0.1 * w;
      case 'v':
        return 1.0 + 0.2 * w;
      case 'c':
        return 5.0;
      default:
        return 0.05 * w;
    }
  }

  bool lists(const char* key, std::int64_t array) const {
    if (!content_.contains(key)) return false;
    for (const std::int64_t listed : content_.at(key)) {
      if (listed == array) return true;
    }
    return false;
  }

  std::vector<float> start_weights() const {
    std::vector<float> weights;
    if (!content_.contains("weight_shapes")) return weights;
    const bool is_deep = content_.at("weight_formula") == "deep";
    const double scale = content_.value("weight_scale", 1.0), gain = content_.value("weight_gain", 1.0);
    const std::string kinds = content_.value("weight_kinds", std::string());
    std::int64_t array = 0;
    for (const Json& shape : content_.at("weight_shapes")) {
      for (std::int64_t i = 0; i < elements_of(shape); ++i) {
        double value = 0.0;
        if (is_deep) {
          value = deep_weight(kinds.at(static_cast<std::size_t>(array)), shape, i, gain);
        } else if (lists("count_arrays", array)) {
          value = 5.0;
        } else if (lists("variance_arrays", array)) {
          const double phase = 1.7 * static_cast<double>(i) + 0.3 * static_cast<double>(array);
          value = rounded(0.5 + 0.4 * std::abs(std::sin(phase)), 4);
        } else {
          value = standard_weight(i, array, scale);
        }
        weights.push_back(static_cast<float>(value));
      }
      ++array;
    }
    return weights;
  }

  const Json& content_;
  SemanticsProfile profile_ = SemanticsProfile::kTf2Legacy;
  std::vector<std::vector<float>> inputs_, targets_;
  std::vector<Shape> input_shapes_;
  std::vector<float> sample_weights_, start_;
  std::int64_t rows_ = 0;
  ModelSpec spec_;
  TrainSpec train_;
};

struct NamedCase {
  std::string name;  ///< file and case, of letters, digits and underscores
  const Json* content = nullptr;
};

inline void PrintTo(const NamedCase& named, std::ostream* out) {
  *out << named.name;
}

/// All cases of the themes that begin with `prefix`. They live as long as the program.
inline std::vector<NamedCase> keras_cases(const std::string& prefix) {
  static std::map<std::string, Json> files;
  std::vector<NamedCase> cases;
  for (const auto& entry : std::filesystem::directory_iterator("../keras/fixtures")) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with(prefix) || !file.ends_with(".json")) continue;
    if (files.count(file) == 0) {
      Json& list = files[file] = keras_fixture(file);
      std::map<std::string, Json> models;
      for (Json& content : list) {
        if (content.contains("model_of")) content["model"] = models.at(content.at("model_of"));
        if (content.contains("model")) models[content.at("name")] = content.at("model");
      }
    }
    std::size_t number = 0;
    for (const Json& content : files.at(file)) {
      const std::string own = content.value("name", "case " + std::to_string(number++));
      std::string name = file.substr(0, file.size() - 5) + "_" + own;
      for (char& letter : name) {
        if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
      }
      while (std::any_of(cases.begin(), cases.end(), [&](const NamedCase& one) { return one.name == name; }))
        name += "_";
      cases.push_back({name, &content});
    }
  }
  std::sort(cases.begin(), cases.end(), [](const NamedCase& a, const NamedCase& b) { return a.name < b.name; });
  return cases;
}

}  // namespace modelhop::engine
