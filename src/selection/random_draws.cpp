// SPDX-License-Identifier: Apache-2.0
// Draws until there are enough, then takes what is left of a small space.
#include "selection/random_draws.hpp"

#include <utility>

#include "modelhop/error.hpp"
#include "selection/generator.hpp"

namespace modelhop {
namespace {

Point random_point(const ChoiceTree& tree, Generator& generator) {
  const std::vector<Choice>& choices = tree.choices();
  Point point(choices.size());
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!tree.is_made(i, point)) continue;
    const Choice& choice = choices[i];
    point[i] = choice.count > 0 ? static_cast<double>(generator.index(choice.count))
                                : choice.low + (choice.high - choice.low) * generator.fraction();
  }
  return point;
}

/// What random draws have not found yet, in random order, so that a small space is exhausted.
void add_rest(const ChoiceTree& tree, std::set<ConfigurationIdentity>& seen, std::size_t count, Generator& generator,
              std::vector<Draw>& found) {
  std::vector<Point> rest;
  tree.for_each_point([&rest](const Point& point) { rest.push_back(point); });
  while (found.size() < count && !rest.empty()) {
    std::swap(rest[generator.index(rest.size())], rest.back());
    ConfigurationText text = tree.text(rest.back());
    if (seen.insert(identity_of(text)).second) found.push_back({rest.back(), std::move(text)});
    rest.pop_back();
  }
}

}  // namespace

ConfigurationIdentity identity_of(const ConfigurationText& configuration) {
  return {configuration.model_id, configuration.compile_params, configuration.fit_params};
}

std::vector<Draw> random_draws(const ChoiceTree& tree, std::int64_t count, std::uint64_t random_state) {
  if (count < 1)
    throw Error(ErrorCode::kInvalidArgument,
                "number of configurations must be at least 1, not " + std::to_string(count));
  if (count > static_cast<std::int64_t>(kMaxConfigurations)) {
    throw Error(ErrorCode::kInvalidArgument, "number of configurations " + std::to_string(count) +
                                                 " is above the limit of " + std::to_string(kMaxConfigurations));
  }
  const auto wanted = static_cast<std::size_t>(count);
  Generator generator(random_state);
  std::vector<Draw> found;
  std::set<ConfigurationIdentity> seen;
  // A run of repeats this long means that the space is small or nearly used up.
  constexpr int kMaxRepeats = 1000;
  for (int repeats = 0; found.size() < wanted && repeats < kMaxRepeats;) {
    Point point = random_point(tree, generator);
    ConfigurationText text = tree.text(point);
    const bool is_new = seen.insert(identity_of(text)).second;
    if (is_new) found.push_back({std::move(point), std::move(text)});
    repeats = is_new ? 0 : repeats + 1;
  }
  if (found.size() < wanted && tree.is_finite()) add_rest(tree, seen, wanted, generator, found);
  return found;
}

}  // namespace modelhop
