// SPDX-License-Identifier: Apache-2.0
// What TPE makes of the values that it has seen: the adaptive Parzen estimator and the categorical posterior of
// Bergstra et al. (2011), with the details of hyperopt 0.2.7, whose numbers test/selection/parzen_test.cpp holds.
#pragma once

#include <cstddef>
#include <vector>

#include "selection/generator.hpp"

namespace modelhop {

/// Normal distributions, cut off to [low, high).
struct Mixture {
  double low = 0.0;
  double high = 1.0;
  std::vector<double> weights;  ///< their sum is 1
  std::vector<double> means;    ///< ascending
  std::vector<double> deviations;
};

/// How much each of `count` observations weighs, the oldest first: all but the last 25 are forgotten bit by bit.
std::vector<double> forgetting_weights(std::size_t count);

/// One normal distribution around each observation, as wide as its neighbours are far, and the prior: one as wide as
/// the range.
Mixture parzen_mixture(const std::vector<double>& observations, double low, double high);

double draw_from(const Mixture& mixture, Generator& generator);
double log_density(const Mixture& mixture, double value);

/// The probability of each of `count` categories: observations and one pseudo-observation of each.
std::vector<double> category_posterior(const std::vector<double>& observations, std::size_t count);
std::size_t draw_from(const std::vector<double>& probabilities, Generator& generator);

}  // namespace modelhop
