// SPDX-License-Identifier: Apache-2.0
// Replays the fuzzers' corpus, which holds a seed for each grammar and everything that a fuzzer once broke.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "entry_points.hpp"

namespace modelhop::fuzz {
namespace {

void replay(const std::string& folder, void (*read)(std::string_view)) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("corpus/" + folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NO_THROW(read(text)) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 20);
}

TEST(Corpus, of_architectures) {
  replay("architecture", read_architecture);
}

TEST(Corpus, of_expressions) {
  replay("expression", read_expression);
}

TEST(Corpus, of_train_params) {
  replay("train_params", read_train_params);
}

}  // namespace
}  // namespace modelhop::fuzz
