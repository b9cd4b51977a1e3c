// SPDX-License-Identifier: Apache-2.0
// Estimators with hyperopt's heuristics for widths and weights.
#include "selection/parzen.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace modelhop {
namespace {

constexpr std::size_t kRemembered = 25;
constexpr double kSmallest = 1e-12;

double normal_cdf(double value, double mean, double deviation) {
  return 0.5 * (1.0 + std::erf((value - mean) / std::max(std::numbers::sqrt2 * deviation, kSmallest)));
}

double draw_normal(Generator& generator) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - generator.fraction()));
  return radius * std::cos(2.0 * std::numbers::pi * generator.fraction());
}

/// The larger gap to a neighbour; at the ends there is one.
double gap(const std::vector<double>& means, std::size_t i) {
  double widest = 0.0;
  if (i > 0) widest = means[i] - means[i - 1];
  if (i + 1 < means.size()) widest = std::max(widest, means[i + 1] - means[i]);
  return widest;
}

/// What of the distributions lies in the range.
double probability_inside(const Mixture& mixture) {
  double inside = 0.0;
  for (std::size_t i = 0; i < mixture.weights.size(); ++i) {
    inside += mixture.weights[i] * (normal_cdf(mixture.high, mixture.means[i], mixture.deviations[i]) -
                                    normal_cdf(mixture.low, mixture.means[i], mixture.deviations[i]));
  }
  return inside;
}

void normalize(std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
}

}  // namespace

std::vector<double> forgetting_weights(std::size_t count) {
  std::vector<double> weights(count, 1.0);
  if (count <= kRemembered) return weights;
  const std::size_t fading = count - kRemembered;
  const double first = 1.0 / static_cast<double>(count);
  const double step = fading > 1 ? (1.0 - first) / static_cast<double>(fading - 1) : 0.0;
  for (std::size_t i = 0; i < fading; ++i) weights[i] = first + step * static_cast<double>(i);
  return weights;
}

Mixture parzen_mixture(const std::vector<double>& observations, double low, double high) {
  const double prior_mean = 0.5 * (low + high);
  const double prior_deviation = high - low;
  std::vector<std::size_t> order(observations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&observations](std::size_t left, std::size_t right) {
    return observations[left] < observations[right];
  });
  const std::vector<double> remembered = forgetting_weights(observations.size());

  Mixture mixture{low, high, {}, {}, {}};
  for (const std::size_t i : order) {
    mixture.means.push_back(observations[i]);
    mixture.weights.push_back(remembered[i]);
  }
  auto place = std::lower_bound(mixture.means.begin(), mixture.means.end(), prior_mean);
  // hyperopt puts the prior behind an only observation that equals it.
  if (observations.size() == 1 && *mixture.means.begin() == prior_mean) ++place;
  const std::ptrdiff_t prior = place - mixture.means.begin();
  mixture.means.insert(place, prior_mean);
  mixture.weights.insert(mixture.weights.begin() + prior, 1.0);
  normalize(mixture.weights);

  const auto count = static_cast<double>(mixture.means.size());
  const double narrowest = prior_deviation / std::min(100.0, 1.0 + count);
  for (std::size_t i = 0; i < mixture.means.size(); ++i) {
    // An only observation has no neighbour but the prior, whose distance says nothing.
    const double width = observations.size() == 1 ? 0.5 * prior_deviation : gap(mixture.means, i);
    mixture.deviations.push_back(std::clamp(width, narrowest, prior_deviation));
  }
  mixture.deviations[static_cast<std::size_t>(prior)] = prior_deviation;
  return mixture;
}

double draw_from(const Mixture& mixture, Generator& generator) {
  // Means lie in the range and deviations are no wider than it: a draw falls inside at least one time in three.
  for (;;) {
    const std::size_t i = draw_from(mixture.weights, generator);
    const double value = mixture.means[i] + mixture.deviations[i] * draw_normal(generator);
    if (value >= mixture.low && value < mixture.high) return value;
  }
}

double log_density(const Mixture& mixture, double value) {
  double density = 0.0;
  for (std::size_t i = 0; i < mixture.weights.size(); ++i) {
    const double distance = (value - mixture.means[i]) / mixture.deviations[i];
    density += mixture.weights[i] * std::exp(-0.5 * distance * distance) /
               (mixture.deviations[i] * std::sqrt(2.0 * std::numbers::pi));
  }
  return std::log(density) - std::log(probability_inside(mixture));
}

std::vector<double> category_posterior(const std::vector<double>& observations, std::size_t count) {
  std::vector<double> probabilities(count, 1.0);
  const std::vector<double> remembered = forgetting_weights(observations.size());
  for (std::size_t i = 0; i < observations.size(); ++i) {
    probabilities[static_cast<std::size_t>(observations[i])] += remembered[i];
  }
  normalize(probabilities);
  return probabilities;
}

std::size_t draw_from(const std::vector<double>& probabilities, Generator& generator) {
  double rest = generator.fraction();
  for (std::size_t i = 0; i + 1 < probabilities.size(); ++i) {
    rest -= probabilities[i];
    if (rest < 0.0) return i;
  }
  return probabilities.size() - 1;
}

}  // namespace modelhop
