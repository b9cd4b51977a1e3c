// SPDX-License-Identifier: Apache-2.0
// Which call of a layer a reference means. Exporters do not agree where counting begins: 0 for a layer, 0 or 1 for a
// model inside the model, and anything where calls outside of the model were counted too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "spec/inbound_nodes.hpp"
#include "spec/keras_graph.hpp"

namespace modelhop::spec {

struct FileLayer;
struct FileModel;

/// For references of one kind (inbound, or ends): note all of them, settle once, then resolve.
class CallNumbers {
 public:
  explicit CallNumbers(const FileModel& model);

  /// Throws for a reference to a layer that is not of the model.
  void note(const WrittenRef& ref, const std::string& where);
  /// `first`: the number of a layer's first call by the rule of the file's writer.
  void settle(const std::function<int(const FileLayer&)>& first);
  CallRef resolve(const WrittenRef& ref, const std::string& where) const;

  /// Layer numbers by name. Throws for a name that appears twice.
  static std::unordered_map<std::string, int> index_names(const FileModel& model);

 private:
  const FileModel& model_;
  std::unordered_map<std::string, int> names_;
  std::vector<std::map<std::int64_t, std::int64_t>> noted_;  ///< per layer: number as written -> its rank
  std::vector<std::int64_t> first_;                          ///< per layer, once settled
};

}  // namespace modelhop::spec
