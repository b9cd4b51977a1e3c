// SPDX-License-Identifier: Apache-2.0
// Reads what data/record_curves.sql wrote, with the same grid.
#include "recorded_curves.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace modelhop {
namespace {

/// The fields of a line of CSV, which has no quotes inside of its quotes.
std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> found(1);
  bool is_quoted = false;
  for (const char character : line) {
    if (character == '"') {
      is_quoted = !is_quoted;
    } else if (character == ',' && !is_quoted) {
      found.emplace_back();
    } else {
      found.back() += character;
    }
  }
  return found;
}

}  // namespace

RecordedCurves::RecordedCurves(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> row = fields(line);
    std::istringstream numbers(row.at(3));
    std::vector<double>& curve = curves_[{std::stoi(row[0]), row[1], row[2]}];
    for (double loss = 0; numbers >> loss;) curve.push_back(loss);
  }
}

SearchSpace RecordedCurves::space() {
  SearchSpace space;
  space.compile = {{"loss", {"'categorical_crossentropy'"}, {}}, {"metrics", {"['accuracy']"}, {}}};
  space.optimizers = {{{"optimizer", {"Adam", "RMSprop"}, {}},
                       {"lr", {"1e-05", "0.0001", "0.0003", "0.001", "0.003", "0.01", "0.1"}, {}}},
                      {{"optimizer", {"SGD"}, {}},
                       {"lr", {"0.0001", "0.001", "0.01", "0.03", "0.1", "1.0", "10.0"}, {}},
                       {"momentum", {"0.0", "0.9"}, {}}}};
  space.fit = {{"batch_size", {"32", "128"}, {}}, {"epochs", {"1"}, {}}};
  return space;
}

double RecordedCurves::loss(const ConfigurationText& configuration, std::int32_t iterations) const {
  const std::vector<double>& curve = curves_.at(identity_of(configuration));
  const auto place = static_cast<std::size_t>(iterations) - 1;
  return place < curve.size() ? curve[place] : std::numeric_limits<double>::infinity();
}

double RecordedCurves::best_loss() const {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& [unused, curve] : curves_) {
    if (curve.size() == static_cast<std::size_t>(kIterations)) best = std::min(best, curve.back());
  }
  return best;
}

}  // namespace modelhop
