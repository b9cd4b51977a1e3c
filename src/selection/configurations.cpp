// SPDX-License-Identifier: Apache-2.0
// Enumerates and draws configurations. The generator and its use are spelled out here, because the distributions of
// the standard library differ between implementations.
#include "selection/configurations.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

constexpr std::size_t kMaxConfigurations = 1'000'000;
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

/// splitmix64
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() { return mix(state_ += kGolden); }
  /// In [0, 1), a multiple of 2^-53.
  double fraction() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  std::size_t index(std::size_t count) {
    // Multiplying the high half keeps the order of the bits; the bias is below count / 2^32.
    return static_cast<std::size_t>(((bits() >> 32) * static_cast<std::uint64_t>(count)) >> 32);
  }

 private:
  std::uint64_t state_;
};

using Choice = std::vector<std::pair<std::string, std::string>>;  ///< names with their values

std::string joined(const Choice& choice) {
  std::string text;
  for (const auto& [name, value] : choice) text += (text.empty() ? "" : ",") + name + "=" + value;
  return text;
}

/// optimizer='Adam(lr=0.01)': the first pair is the optimizer, which may already carry its parameters.
std::string optimizer_text(const Choice& choice) {
  const std::string& name = choice.front().second;
  if (name.find('(') != std::string::npos) return "optimizer='" + name + "'";
  return "optimizer='" + name + "(" + joined(Choice(choice.begin() + 1, choice.end())) + ")'";
}

std::string compile_text(const Choice& optimizer, const Choice& compile) {
  return optimizer_text(optimizer) + (compile.empty() ? "" : ",") + joined(compile);
}

/// Every combination, the first parameter slowest.
std::vector<Choice> combinations(const std::vector<Parameter>& parameters) {
  std::vector<Choice> choices = {{}};
  for (const Parameter& parameter : parameters) {
    if (parameter.distribution) {
      throw Error(ErrorCode::kInvalidArgument,
                  "parameter \"" + parameter.name + "\" has a distribution, which a grid cannot enumerate",
                  "Use random search, or list the values.");
    }
    std::vector<Choice> longer;
    for (const Choice& choice : choices) {
      for (const std::string& value : parameter.values) {
        longer.push_back(choice);
        longer.back().emplace_back(parameter.name, value);
        if (longer.size() > kMaxConfigurations) {
          throw Error(ErrorCode::kInvalidArgument,
                      "the grid has more than " + std::to_string(kMaxConfigurations) + " combinations");
        }
      }
    }
    choices = std::move(longer);
  }
  return choices;
}

std::string number_text(double number, int digits) {
  std::array<char, 64> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::general, digits).ptr;
  return std::string(buffer.data(), end);
}

/// Rounded, so that the last bits of a machine's mathematics library cannot show.
std::string drawn_number(const Distribution& range, double fraction) {
  const auto between = [fraction](double low, double high) { return low + (high - low) * fraction; };
  switch (range.kind) {
    case Distribution::Kind::kLinear:
      return number_text(between(range.low, range.high), 6);
    case Distribution::Kind::kLog:
      return number_text(std::pow(10.0, between(std::log10(range.low), std::log10(range.high))), 6);
    case Distribution::Kind::kLogNearOne:
      return number_text(1.0 - std::pow(10.0, between(std::log10(1.0 - range.high), std::log10(1.0 - range.low))), 12);
  }
  throw Error(ErrorCode::kInternal, "unknown kind of distribution");
}

Choice drawn(const std::vector<Parameter>& parameters, Generator& generator) {
  Choice choice;
  for (const Parameter& parameter : parameters) {
    if (parameter.distribution) {
      choice.emplace_back(parameter.name, drawn_number(*parameter.distribution, generator.fraction()));
    } else {
      check(!parameter.values.empty(), "a parameter without values");
      choice.emplace_back(parameter.name, parameter.values[generator.index(parameter.values.size())]);
    }
  }
  return choice;
}

bool is_finite(const SearchSpace& space) {
  const auto has_distribution = [](const std::vector<Parameter>& parameters) {
    for (const Parameter& parameter : parameters) {
      if (parameter.distribution) return true;
    }
    return false;
  };
  for (const auto& optimizer : space.optimizers) {
    if (has_distribution(optimizer)) return false;
  }
  return !has_distribution(space.compile) && !has_distribution(space.fit);
}

using Key = std::tuple<std::int32_t, std::string, std::string>;

Key key_of(const ConfigurationText& text) {
  return {text.model_id, text.compile_params, text.fit_params};
}

void check_space(const std::vector<std::int32_t>& model_ids, const SearchSpace& space) {
  if (model_ids.empty()) throw Error(ErrorCode::kInvalidArgument, "the list of model ids is empty");
  check(!space.optimizers.empty(), "a search space without optimizers");
}

/// What random draws have not found yet, in random order, so that a small space is exhausted.
void add_rest(std::vector<ConfigurationText> rest, std::set<Key>& seen, std::size_t count, Generator& generator,
              std::vector<ConfigurationText>& found) {
  while (found.size() < count && !rest.empty()) {
    std::swap(rest[generator.index(rest.size())], rest.back());
    if (seen.insert(key_of(rest.back())).second) found.push_back(rest.back());
    rest.pop_back();
  }
}

}  // namespace

std::vector<ConfigurationText> grid_configurations(const std::vector<std::int32_t>& model_ids,
                                                   const SearchSpace& space) {
  check_space(model_ids, space);
  std::vector<std::string> compile_texts;
  const std::vector<Choice> compiles = combinations(space.compile);
  for (const auto& parameters : space.optimizers) {
    for (const Choice& optimizer : combinations(parameters)) {
      for (const Choice& compile : compiles) compile_texts.push_back(compile_text(optimizer, compile));
    }
  }
  const std::vector<Choice> fits = combinations(space.fit);
  if (model_ids.size() * fits.size() > kMaxConfigurations / compile_texts.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "the grid has more than " + std::to_string(kMaxConfigurations) + " combinations");
  }
  std::vector<ConfigurationText> configurations;
  std::set<Key> seen;
  for (const std::int32_t model_id : model_ids) {
    for (const std::string& compile : compile_texts) {
      for (const Choice& fit : fits) {
        ConfigurationText text{model_id, compile, joined(fit)};
        if (seen.insert(key_of(text)).second) configurations.push_back(std::move(text));
      }
    }
  }
  return configurations;
}

std::vector<ConfigurationText> random_configurations(const std::vector<std::int32_t>& model_ids,
                                                     const SearchSpace& space, std::int32_t count,
                                                     std::uint64_t random_state) {
  check_space(model_ids, space);
  if (count < 1)
    throw Error(ErrorCode::kInvalidArgument,
                "number of configurations must be at least 1, not " + std::to_string(count));
  if (static_cast<std::size_t>(count) > kMaxConfigurations) {
    throw Error(ErrorCode::kInvalidArgument, "number of configurations " + std::to_string(count) +
                                                 " is above the limit of " + std::to_string(kMaxConfigurations));
  }
  const auto wanted = static_cast<std::size_t>(count);
  Generator generator(random_state);
  std::vector<ConfigurationText> found;
  std::set<Key> seen;
  // A run of repeats this long means that the space is small or nearly used up.
  constexpr int kMaxRepeats = 1000;
  for (int repeats = 0; found.size() < wanted && repeats < kMaxRepeats;) {
    ConfigurationText text;
    text.model_id = model_ids[generator.index(model_ids.size())];
    const auto& parameters = space.optimizers[generator.index(space.optimizers.size())];
    const Choice optimizer = drawn(parameters, generator);
    text.compile_params = compile_text(optimizer, drawn(space.compile, generator));
    text.fit_params = joined(drawn(space.fit, generator));
    const bool is_new = seen.insert(key_of(text)).second;
    if (is_new) found.push_back(std::move(text));
    repeats = is_new ? 0 : repeats + 1;
  }
  if (found.size() < wanted && is_finite(space)) {
    add_rest(grid_configurations(model_ids, space), seen, wanted, generator, found);
  }
  return found;
}

std::uint64_t configuration_seed(std::uint64_t run_seed, std::int32_t mst_key) {
  const std::uint64_t key = static_cast<std::uint32_t>(mst_key);
  return mix(mix(run_seed + kGolden) + (key + 1) * kGolden);
}

}  // namespace modelhop
