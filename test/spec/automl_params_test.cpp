// SPDX-License-Identifier: Apache-2.0
#include "spec/automl_params.hpp"

#include <gtest/gtest.h>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

std::string text_of(std::string_view method, std::string_view params) {
  return to_string(parse_automl_params(method, params));
}

TEST(AutomlParams, missing_keys_have_defaults) {
  EXPECT_EQ(text_of("hyperband", ""), "R=6, eta=3, skip_last=0");
  EXPECT_EQ(text_of("HyperBand", "  R = 9 "), "R=9, eta=3, skip_last=0");
  EXPECT_EQ(text_of("hyperband", "eta=2,skip_last=1"), "R=6, eta=2, skip_last=1");
  EXPECT_EQ(text_of("hyperopt", ""), "num_configs=20, num_iterations=5, algorithm=tpe");
  EXPECT_EQ(text_of("HYPEROPT", "algorithm=Rand, num_configs=5"), "num_configs=5, num_iterations=5, algorithm=rand");
  EXPECT_EQ(text_of("hyperopt", "algorithm='tpe'"), "num_configs=20, num_iterations=5, algorithm=tpe");
}

TEST(AutomlParams, iterations_of_the_longest_configuration) {
  EXPECT_EQ(most_iterations(parse_automl_params("hyperband", "R=27")), 27);
  EXPECT_EQ(most_iterations(parse_automl_params("hyperopt", "num_iterations=4")), 4);
}

void expect_refused(std::string_view method, std::string_view params, const std::string& part) {
  try {
    parse_automl_params(method, params);
    FAIL() << "accepted: " << method << " " << params;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(AutomlParams, refuses_what_is_unknown_or_out_of_range) {
  expect_refused("hyper", "", "argument automl_method: unknown method \"hyper\"");
  expect_refused("", "", "automl_method");
  expect_refused("hyperband", "num_configs=3", "hyperband knows no \"num_configs\"");
  expect_refused("hyperopt", "R=3", "hyperopt knows no \"R\"");
  expect_refused("hyperband", "eta=0", "eta=0");
  expect_refused("hyperband", "R=9, skip_last=-1", "skip_last=-1");
  expect_refused("hyperband", "R=9.5", "R=9.5");
  expect_refused("hyperband", "R=99999999999", "R=99999999999");
  expect_refused("hyperband", "R=", "argument automl_params");
  expect_refused("hyperband", "R", "argument automl_params");
  expect_refused("hyperopt", "num_configs=-2", "num_configs=-2");
  expect_refused("hyperopt", "num_iterations=0", "num_iterations=0");
  expect_refused("hyperopt", "algorithm=random", "algorithm=random is unknown");
}

}  // namespace
}  // namespace modelhop
