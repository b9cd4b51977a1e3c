// SPDX-License-Identifier: Apache-2.0
#include "selection/space_samples.hpp"

#include <algorithm>

#include "selection/choice_tree.hpp"

namespace modelhop {
namespace {

// The choices that the others depend on come first: model id, then optimizer.
constexpr std::size_t kModel = 0;
constexpr std::size_t kOptimizer = 1;
constexpr std::size_t kLeading = 2;

// Reading and checking a configuration takes tens of microseconds.
constexpr std::size_t kFewCombinations = 2000;

// Between the ends of a distribution: no round number, so that one which must be whole is noticed.
constexpr double kBetween = 0.3819;
constexpr std::size_t kDistributionSamples = 3;

std::size_t samples_of(const Choice& choice) {
  return choice.count > 0 ? choice.count : kDistributionSamples;
}

double coordinate(const Choice& choice, std::size_t sample) {
  if (choice.count > 0) return static_cast<double>(sample);
  const double fractions[kDistributionSamples] = {0.0, kBetween, 1.0};
  return choice.low + (choice.high - choice.low) * fractions[sample];
}

/// The choices that are made once model and optimizer are chosen.
std::vector<std::size_t> made_choices(const ChoiceTree& tree, const Point& point) {
  std::vector<std::size_t> made;
  for (std::size_t choice = kLeading; choice < tree.choices().size(); ++choice) {
    if (tree.is_made(choice, point)) made.push_back(choice);
  }
  return made;
}

/// Of one model with one optimizer: all where they are at most `few`.
void add_samples(const ChoiceTree& tree, Point point, std::size_t few, std::vector<ConfigurationText>& samples) {
  const std::vector<std::size_t> made = made_choices(tree, point);
  std::size_t combinations = 1;
  std::size_t longest = 1;
  for (const std::size_t choice : made) {
    const std::size_t own = samples_of(tree.choices()[choice]);
    longest = std::max(longest, own);
    if (combinations <= few) combinations *= own;
  }
  const bool takes_all = combinations <= few;
  for (std::size_t number = 0; number < (takes_all ? combinations : longest); ++number) {
    std::size_t rest = number;
    for (const std::size_t choice : made) {
      const std::size_t own = samples_of(tree.choices()[choice]);
      point[choice] = coordinate(tree.choices()[choice], rest % own);
      if (takes_all) rest /= own;
    }
    samples.push_back(tree.text(point));
  }
}

}  // namespace

std::vector<ConfigurationText> space_samples(const std::vector<std::int32_t>& model_ids, const SearchSpace& space) {
  const ChoiceTree tree(model_ids, space);
  const std::size_t models = tree.choices()[kModel].count;
  const std::size_t optimizers = tree.choices()[kOptimizer].count;
  std::vector<ConfigurationText> samples;
  for (std::size_t model = 0; model < models; ++model) {
    for (std::size_t optimizer = 0; optimizer < optimizers; ++optimizer) {
      Point point(tree.choices().size());
      point[kModel] = static_cast<double>(model);
      point[kOptimizer] = static_cast<double>(optimizer);
      add_samples(tree, point, kFewCombinations / (models * optimizers), samples);
    }
  }
  return samples;
}

}  // namespace modelhop
