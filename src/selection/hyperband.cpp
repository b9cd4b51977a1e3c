// SPDX-License-Identifier: Apache-2.0
// Schedules in whole numbers, and brackets that move each on its own.
#include "selection/hyperband.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

/// The first rung of the widest bracket is worth waiting for from this size on.
constexpr std::size_t kEnoughToLearn = 9;
constexpr std::int32_t kCandidates = 24;

/// After few iterations losses tell the hopeless from the rest, and not much more: all but those are good.
std::size_t good_of_first_rung(std::size_t members) {
  return members - members / 3;
}

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::kInvalidArgument, message);
}

std::int64_t power(std::int64_t base, std::int32_t exponent) {
  std::int64_t product = 1;
  for (std::int32_t i = 0; i < exponent; ++i) product *= base;
  return product;
}

/// The number of the widest bracket: the whole part of the logarithm of r to the base eta.
std::int32_t widest_bracket(std::int32_t r, std::int32_t eta) {
  std::int32_t s = 0;
  while (power(eta, s + 1) <= r) ++s;
  return s;
}

std::int64_t wanted_configurations(const std::vector<HyperbandRow>& schedule) {
  std::int64_t count = 0;
  for (const HyperbandRow& row : schedule) count += row.i == 0 ? row.n_i : 0;
  return count;
}

}  // namespace

std::vector<HyperbandRow> hyperband_schedule(std::int32_t r, std::int32_t eta, std::int32_t skip_last) {
  if (eta <= 1) refuse("eta must be greater than 1, not " + std::to_string(eta));
  if (r < eta) refuse("R must not be less than eta, but R is " + std::to_string(r) + " and eta " + std::to_string(eta));
  const std::int32_t widest = widest_bracket(r, eta);
  if (skip_last < 0 || skip_last > widest) {
    refuse("skip_last must be between 0 and " + std::to_string(widest) + " where R is " + std::to_string(r) +
           " and eta " + std::to_string(eta) + ", not " + std::to_string(skip_last));
  }
  std::vector<HyperbandRow> rows;
  for (std::int32_t s = widest; s >= skip_last; --s) {
    const std::int64_t width = (widest + 1) / (s + 1) * power(eta, s);
    for (std::int32_t i = 0; i <= s - skip_last; ++i) {
      // The nearest whole number to r / eta^(s - i): one is at least 1 below the next, so that every rung trains.
      const std::int64_t divisor = power(eta, s - i);
      const std::int64_t iterations = (2 * std::int64_t{r} + divisor) / (2 * divisor);
      rows.push_back({s, i, static_cast<std::int32_t>(width / power(eta, i)), static_cast<std::int32_t>(iterations)});
    }
  }
  return rows;
}

HyperbandSearch::HyperbandSearch(const std::vector<std::int32_t>& model_ids, const SearchSpace& space, std::int32_t r,
                                 std::int32_t eta, std::int32_t skip_last, std::uint64_t seed)
    : schedule_(hyperband_schedule(r, eta, skip_last)),
      proposer_(model_ids, space, wanted_configurations(schedule_), seed) {
  std::size_t left = proposer_.size();
  std::int64_t members = 0;
  std::int32_t trained = 0;
  for (HyperbandRow row : schedule_) {
    if (row.i == 0) {
      brackets_.emplace_back();
      members = std::min<std::int64_t>(row.n_i, static_cast<std::int64_t>(left));
      left -= static_cast<std::size_t>(members);
      trained = 0;
    }
    row.n_i = static_cast<std::int32_t>(std::max(members / power(eta, row.i), std::min<std::int64_t>(members, 1)));
    planned_iterations_ += std::int64_t{row.n_i} * (row.r_i - trained);
    trained = row.r_i;
    brackets_.back().rungs.push_back(row);
  }
  fill(0);
  if (first_rung_.size() < kEnoughToLearn) fill_others();
}

void HyperbandSearch::fill(std::size_t bracket) {
  const HyperbandRow& row = brackets_[bracket].rungs.front();
  for (std::int32_t i = 0; i < row.n_i; ++i) {
    const ConfigurationKey key = ++named_;
    const bool is_random = bracket == 0 || first_rung_.size() < kEnoughToLearn;
    Draw draw = is_random ? proposer_.random_draw()
                          : proposer_.tpe_draw(first_rung_, good_of_first_rung(first_rung_.size()), kCandidates, key);
    if (bracket == 0) first_rung_.push_back({std::move(draw.point), 0.0});
    next_.push_back({key, std::move(draw.configuration), row.r_i, row.s, row.i});
    brackets_[bracket].members[key] = {};
    waiting_[key] = bracket;
  }
  brackets_[bracket].untold = brackets_[bracket].members.size();
}

void HyperbandSearch::fill_others() {
  for (std::size_t bracket = 1; bracket < brackets_.size(); ++bracket) fill(bracket);
}

std::vector<Trial> HyperbandSearch::ask() {
  return std::exchange(next_, {});
}

void HyperbandSearch::tell(ConfigurationKey key, double loss) {
  const auto found = waiting_.find(key);
  check(found != waiting_.end(), "a loss of a configuration that was not asked for");
  const std::size_t index = found->second;
  waiting_.erase(found);
  Bracket& bracket = brackets_[index];
  if (std::isfinite(loss)) bracket.members[key].loss = loss;
  if (index == 0 && bracket.rung == 0) first_rung_[static_cast<std::size_t>(key) - 1].loss = loss;
  if (--bracket.untold > 0) return;
  if (index == 0 && bracket.rung == 0 && first_rung_.size() >= kEnoughToLearn) fill_others();
  promote(index);
}

/// Those that did not diverge, the best first. A configuration that still learns fast beats one that has come to rest:
/// its loss is expected to fall once more by what it fell since the rung before, which is a straight line over the
/// logarithm of the iterations.
std::vector<ConfigurationKey> HyperbandSearch::ranking(const Bracket& bracket) {
  std::vector<std::pair<double, ConfigurationKey>> expected;
  for (const auto& [key, member] : bracket.members) {
    if (member.loss) expected.emplace_back(*member.loss + (*member.loss - member.previous.value_or(*member.loss)), key);
  }
  std::sort(expected.begin(), expected.end());
  std::vector<ConfigurationKey> keys;
  for (const auto& [unused, key] : expected) keys.push_back(key);
  return keys;
}

void HyperbandSearch::promote(std::size_t index) {
  Bracket& bracket = brackets_[index];
  if (++bracket.rung == bracket.rungs.size()) return;
  const HyperbandRow& row = bracket.rungs[bracket.rung];
  std::vector<ConfigurationKey> promoted = ranking(bracket);
  promoted.resize(std::min(promoted.size(), static_cast<std::size_t>(row.n_i)));
  std::sort(promoted.begin(), promoted.end());
  std::map<ConfigurationKey, Member> members;
  for (const ConfigurationKey key : promoted) {
    members[key] = {{}, bracket.members[key].loss};
    next_.push_back({key, {}, row.r_i, row.s, row.i});
    waiting_[key] = index;
  }
  bracket.members = std::move(members);
  bracket.untold = bracket.members.size();
}

}  // namespace modelhop
