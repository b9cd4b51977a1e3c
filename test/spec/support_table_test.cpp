// SPDX-License-Identifier: Apache-2.0
// The table of layers in docs/keras-support.md against the table of layer classes. With MODELHOP_WRITE_DOCS set it
// writes the table instead (target `keras_support_table`).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "spec/keras_json.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

const std::string kFile = "../../docs/keras-support.md";
const std::string kBegin = "<!-- layers begin -->\n", kEnd = "<!-- layers end -->";

std::string mask_text(MaskRule rule) {
  switch (rule) {
    case MaskRule::kDropped:
      return "ends";
    case MaskRule::kPassed:
      return "passes";
    case MaskRule::kMerged:
      return "merges";
    case MaskRule::kOwn:
      return "own rule";
  }
  return {};
}

std::string table() {
  std::string text = "| class | also written | weights, in order | mask |\n|---|---|---|---|\n";
  for (const std::string& name : supported_layers()) {
    const LayerKind& kind = *find_layer_kind(name);
    std::string aliases, weights;
    for (const std::string_view alias : kind.aliases) aliases += (aliases.empty() ? "" : ", ") + std::string(alias);
    for (const WeightRule& weight : kind.weights) weights += (weights.empty() ? "" : ", ") + std::string(weight.name);
    if (kind.read_children != nullptr)
      weights += weights.empty() ? "those of what it wraps" : "; those of what it wraps";
    text += "| " + name + " | " + aliases + " | " + weights + " | " + mask_text(kind.mask_rule) + " |\n";
  }
  return text;
}

TEST(SupportTable, names_every_layer_class) {
  std::ifstream file(kFile);
  ASSERT_TRUE(file) << kFile;
  std::stringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  const std::size_t begin = text.find(kBegin), end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t start = begin + kBegin.size();
  if (std::getenv("MODELHOP_WRITE_DOCS") != nullptr) {
    text.replace(start, end - start, table());
    std::ofstream(kFile) << text;
    return;
  }
  EXPECT_EQ(text.substr(start, end - start), table())
      << "Run: cmake --build build/release --target keras_support_table";
}

}  // namespace
}  // namespace modelhop::spec
