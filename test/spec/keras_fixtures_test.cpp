// SPDX-License-Identifier: Apache-2.0
// The parameters with which real Keras made the fixtures of test/keras: all are read, schedules give Keras's rates.
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "models.hpp"
#include "samples.hpp"
#include "spec/learning_rate.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using nlohmann::json;

const std::filesystem::path kFixtures = "../keras/fixtures";

json fixture(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  return json::parse(file);
}

/// {"kind": "Adam", "learning_rate": 0.1} as Keras's {'class_name': 'Adam', 'config': {'learning_rate': 0.1}}.
std::string python(const json& value) {
  if (value.is_null()) return "None";
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_string()) return "'" + value.get<std::string>() + "'";
  std::string text;
  if (value.is_array()) {
    for (const json& element : value) text += python(element) + ",";
    return "[" + text + "]";
  }
  if (!value.is_object()) return value.dump();
  for (const auto& [key, content] : value.items()) {
    if (key != "kind") text += "'" + key + "': " + python(content) + ",";
  }
  return "{'class_name': " + python(value.at("kind")) + ", 'config': {" + text + "}}";
}

/// Calls `visit` with every value of that key that names a class.
void visit_settings(const json& value, const std::string& key, const std::function<void(const json&)>& visit) {
  if (value.is_structured()) {
    for (const auto& [name, content] : value.items()) {
      if (value.is_object() && name == key && content.is_object() && content.contains("kind")) visit(content);
      visit_settings(content, key, visit);
    }
  }
}

void visit_settings(const std::string& key, const std::function<void(const json&)>& visit) {
  for (const auto& entry : std::filesystem::directory_iterator(kFixtures)) {
    if (entry.path().extension() == ".json") visit_settings(fixture(entry.path()), key, visit);
  }
}

/// What Keras has and this project refuses with a reason.
void expect_read(const json& setting, const std::string& text) {
  try {
    parse_train_params(text, "");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotSupported) << setting << error.what();
    EXPECT_FALSE(error.hint().empty()) << setting << error.what();
  }
}

TEST(KerasFixtures, optimizers_are_read) {
  int count = 0;
  visit_settings("optimizer", [&](const json& setting) {
    ++count;
    expect_read(setting, "loss='mse', optimizer=" + python(setting));
  });
  EXPECT_GT(count, 50);
}

TEST(KerasFixtures, losses_are_read) {
  int count = 0;
  visit_settings("loss", [&](const json& setting) {
    ++count;
    expect_read(setting, "optimizer='sgd', loss=" + python(setting));
  });
  EXPECT_GT(count, 50);
}

TEST(KerasFixtures, metrics_are_read) {
  int count = 0;
  visit_settings("metric", [&](const json& setting) {
    ++count;
    expect_read(setting, "optimizer='sgd', loss='mse', metrics=[" + python(setting) + "]");
  });
  EXPECT_GT(count, 50);
}

TEST(KerasFixtures, schedules_give_kerass_rates) {
  int count = 0;
  for (const char* family : {"keras3", "tf2_legacy"}) {
    for (const json& test : fixture(kFixtures / ("schedules." + std::string(family) + ".json"))) {
      SCOPED_TRACE(test.at("schedule").dump());
      const TrainSpec train = parse_train_params("loss='mse', optimizer=SGD(" + python(test.at("schedule")) + ")", "");
      for (std::size_t i = 0; i < test.at("steps").size(); ++i) {
        const auto step = test.at("steps")[i].get<std::int64_t>();
        const double rate = test.at("rates")[i].get<double>();
        EXPECT_NEAR(scheduled_rate(train.optimizer.schedule, step), rate, 1e-6 * rate + 1e-9) << step;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace modelhop
