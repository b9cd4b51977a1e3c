// SPDX-License-Identifier: Apache-2.0
// Sample files of test/spec/data, and the error that a call throws.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "modelhop/error.hpp"

namespace modelhop {

inline std::string sample(const std::string& name) {
  std::ifstream file("data/" + name + ".json", std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline const std::vector<std::string>& sample_names() {
  static const std::vector<std::string> names = {
      "keras21_mlp",     "keras22_cnn",        "keras2_shared",       "tfkeras215_cifar10_cnn",
      "tfkeras215_vgg3", "tfkeras215_vgg3_bn", "tfkeras215_residual", "keras3_cifar10_cnn",
      "keras3_vgg3",     "keras3_vgg3_bn",     "keras3_residual"};
  return names;
}

/// Runs the call and returns the Error it throws; fails the test where it throws none.
template <typename Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kInternal, "");
}

/// EXPECTs an error of this code whose message holds the text.
template <typename Call>
void expect_error(ErrorCode code, const std::string& text, const Call& call) {
  const Error error = error_of(call);
  EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
  EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
}

}  // namespace modelhop
