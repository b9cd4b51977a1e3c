// SPDX-License-Identifier: Apache-2.0
// Draws in double precision with arithmetic of our own, so that initial weights do not depend on the C library.
#include "engine/initializer.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/random.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLog2 = 0.693147180559945309417;

/// A normal cut at two deviations has this deviation itself.
constexpr double kTruncatedDeviation = 0.87962566103423978;

double unit_interval(std::uint32_t low, std::uint32_t high) {
  const std::uint64_t word = low | std::uint64_t{high} << 32;
  return static_cast<double>(word >> 11) * 0x1p-53;
}

/// Natural logarithm by the series of atanh on a mantissa in [sqrt 1/2, sqrt 2).
double portable_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752440) {
    mantissa *= 2.0;
    --exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = s * s;
  double sum = 0.0;
  for (int power = 23; power >= 1; power -= 2) sum = sum * square + 1.0 / power;
  return 2.0 * s * sum + exponent * kLog2;
}

struct SineCosine {
  double sine, cosine;
};

/// Sine and cosine of `turns` whole turns in [0, 1), by Taylor series on an eighth of a turn.
SineCosine portable_sincos(double turns) {
  const double quarter = std::floor(4.0 * turns + 0.5);
  const double angle = (4.0 * turns - quarter) * (kPi / 2.0);
  const double square = angle * angle;
  double sine = 1.0, cosine = 1.0;
  for (int k = 18; k >= 2; k -= 2) {
    sine = 1.0 - sine * square / (k * (k + 1));
    cosine = 1.0 - cosine * square / ((k - 1) * k);
  }
  sine *= angle;
  switch (static_cast<int>(quarter) & 3) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

/// The numbers of one weight: element `index` at attempt `attempt` of one key.
class Draws {
 public:
  explicit Draws(std::uint64_t key) : key_(key) {}

  void uniform(double low, double high, std::span<float> values) const {
    for (std::size_t i = 0; i < values.size(); i += 2) {
      const auto words = philox(key_, i / 2, 0);
      values[i] = static_cast<float>(low + (high - low) * unit_interval(words[0], words[1]));
      if (i + 1 < values.size()) {
        values[i + 1] = static_cast<float>(low + (high - low) * unit_interval(words[2], words[3]));
      }
    }
  }

  template <typename Number>
  void normal(double mean, double deviation, std::span<Number> values) const {
    for (std::size_t i = 0; i < values.size(); i += 2) {
      const auto pair = normal_pair(i / 2, 0);
      values[i] = static_cast<Number>(mean + deviation * pair[0]);
      if (i + 1 < values.size()) values[i + 1] = static_cast<Number>(mean + deviation * pair[1]);
    }
  }

  void truncated_normal(double mean, double deviation, std::span<float> values) const {
    std::array<double, 2> pair{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i % 2 == 0) pair = normal_pair(i / 2, 0);
      double value = pair[i % 2];
      for (std::uint64_t attempt = 1; std::abs(value) > 2.0; ++attempt) value = normal_pair(i, attempt)[0];
      values[i] = static_cast<float>(mean + deviation * value);
    }
  }

 private:
  std::array<double, 2> normal_pair(std::uint64_t index, std::uint64_t attempt) const {
    const auto words = philox(key_, index, attempt);
    const double radius = std::sqrt(-2.0 * portable_log(1.0 - unit_interval(words[0], words[1])));
    const auto [sine, cosine] = portable_sincos(unit_interval(words[2], words[3]));
    return {radius * cosine, radius * sine};
  }

  std::uint64_t key_;
};

void variance_scaling(const InitializerSpec& spec, const Shape& shape, const Draws& draws, std::span<float> values) {
  const Fans fans = fans_of(shape);
  const double fan = spec.mode == "fan_in" ? fans.in : spec.mode == "fan_out" ? fans.out : (fans.in + fans.out) / 2.0;
  const double variance = spec.scale / std::max(1.0, fan);
  if (spec.distribution == "uniform") {
    const double limit = std::sqrt(3.0 * variance);
    draws.uniform(-limit, limit, values);
  } else if (spec.distribution == "untruncated_normal") {
    draws.normal(0.0, std::sqrt(variance), values);
  } else {
    draws.truncated_normal(0.0, std::sqrt(variance) / kTruncatedDeviation, values);
  }
}

/// Q of a random normal matrix, its columns signed so that R's diagonal is positive: uniform over orthogonal matrices.
void orthogonal(double gain, const Shape& shape, const Draws& draws, std::span<float> values) {
  check(!shape.empty() && shape.back() > 0, "orthogonal initializer needs at least one extent");
  const auto columns = static_cast<Eigen::Index>(shape.back());
  const auto rows = static_cast<Eigen::Index>(values.size()) / columns;
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix normal(std::max(rows, columns), std::min(rows, columns));
  draws.normal(0.0, 1.0, std::span<double>(normal.data(), values.size()));

  const Eigen::HouseholderQR<Matrix> decomposition(normal);
  Matrix q = decomposition.householderQ() * Matrix::Identity(normal.rows(), normal.cols());
  for (Eigen::Index column = 0; column < q.cols(); ++column) {
    if (decomposition.matrixQR()(column, column) < 0.0) q.col(column) = -q.col(column);
  }
  if (rows < columns) q.transposeInPlace();
  std::transform(q.data(), q.data() + values.size(), values.begin(),
                 [gain](double value) { return static_cast<float>(gain * value); });
}

/// Ones on the diagonal; tiled, on one diagonal after another along the longer side.
void identity(const InitializerSpec& spec, const Shape& shape, std::span<float> values) {
  check(shape.size() == 2, "identity initializer needs a matrix");
  std::fill(values.begin(), values.end(), 0.0F);
  const std::int64_t rows = shape[0], columns = shape[1], shorter = std::min(rows, columns);
  for (std::int64_t i = 0; i < (spec.is_tiled ? std::max(rows, columns) : shorter); ++i) {
    const std::int64_t row = rows > columns ? i : i % shorter, column = rows > columns ? i % shorter : i;
    values[static_cast<std::size_t>(row * columns + column)] = static_cast<float>(spec.gain);
  }
}

}  // namespace

Fans fans_of(const Shape& shape) {
  if (shape.empty()) return {};
  const auto last = static_cast<double>(shape.back());
  if (shape.size() == 1) return {last, last};
  double field = 1.0;
  for (std::size_t axis = 0; axis + 2 < shape.size(); ++axis) field *= static_cast<double>(shape[axis]);
  return {static_cast<double>(shape[shape.size() - 2]) * field, last * field};
}

void initialize_weight(const InitializerSpec& spec, const Shape& shape, std::uint64_t configuration_seed,
                       std::uint64_t weight_index, std::span<float> values) {
  // Keras gives every weight whose initializer has a seed the same numbers wherever the weight stands.
  constexpr std::uint64_t kOwnSeed = std::numeric_limits<std::uint64_t>::max();
  const Draws draws(spec.seed ? stream_key(static_cast<std::uint64_t>(*spec.seed), Stream::kInitializer, kOwnSeed)
                              : stream_key(configuration_seed, Stream::kInitializer, weight_index));
  const std::string& name = spec.class_name;
  if (name == "Zeros") {
    std::fill(values.begin(), values.end(), 0.0F);
  } else if (name == "Ones") {
    std::fill(values.begin(), values.end(), 1.0F);
  } else if (name == "Constant") {
    std::fill(values.begin(), values.end(), static_cast<float>(spec.value));
  } else if (name == "RandomNormal") {
    draws.normal(spec.mean, spec.stddev, values);
  } else if (name == "RandomUniform") {
    draws.uniform(spec.minval, spec.maxval, values);
  } else if (name == "TruncatedNormal") {
    draws.truncated_normal(spec.mean, spec.stddev, values);
  } else if (name == "VarianceScaling") {
    variance_scaling(spec, shape, draws, values);
  } else if (name == "Orthogonal") {
    orthogonal(spec.gain, shape, draws, values);
  } else if (name == "Identity") {
    identity(spec, shape, values);
  } else {
    throw Error(ErrorCode::kNotSupported, "initializer \"" + name + "\" is not supported");
  }
  if (spec.unit_forget_parts >= 3) {
    const std::size_t part = values.size() / static_cast<std::size_t>(spec.unit_forget_parts);
    const auto forget = values.subspan(part * static_cast<std::size_t>(spec.unit_forget_parts - 3), part);
    std::fill(forget.begin(), forget.end(), 1.0F);
  }
}

}  // namespace modelhop::engine
