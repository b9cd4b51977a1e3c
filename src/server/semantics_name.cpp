// SPDX-License-Identifier: Apache-2.0
#include "server/semantics_name.hpp"

#include "modelhop/error.hpp"

namespace modelhop::server {

const char* semantics_name(SemanticsProfile profile) {
  switch (profile) {
    case SemanticsProfile::kKeras22:
      return "k22";
    case SemanticsProfile::kTf1:
      return "tf1";
    case SemanticsProfile::kTf2Legacy:
      return "tf2l";
    case SemanticsProfile::kTf2:
      return "tf2n";
    case SemanticsProfile::kKeras3:
      return "k3";
  }
  return "unknown";
}

SemanticsProfile semantics_named(const std::string& name) {
  for (const auto profile : {SemanticsProfile::kKeras22, SemanticsProfile::kTf1, SemanticsProfile::kTf2Legacy,
                             SemanticsProfile::kTf2, SemanticsProfile::kKeras3}) {
    if (name == semantics_name(profile)) return profile;
  }
  throw Error(ErrorCode::kInvalidArgument, "argument keras_semantics: \"" + name + "\" is unknown",
              "Use 'k22' (Keras 2.2), 'tf1' (TensorFlow 1), 'tf2l' (tf.keras 2, its optimizers up to 2.10), 'tf2n' "
              "(tf.keras 2 from 2.11) or 'k3' (Keras 3), or NULL for what the file tells.");
}

std::optional<SemanticsProfile> semantics_named(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  return semantics_named(*name);
}

}  // namespace modelhop::server
