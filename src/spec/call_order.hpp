// SPDX-License-Identifier: Apache-2.0
// An order of all calls in which every tensor is there before it is used.
#pragma once

#include <utility>
#include <vector>

#include "spec/keras_graph.hpp"

namespace modelhop::spec {

using Call = std::pair<int, int>;  ///< layer, number of its call

/// A call runs when its inputs and the same layer's previous call are done, lowest layer first. Throws kInvalidArgument
/// for a loop.
std::vector<Call> order_of_calls(const Graph& graph);

}  // namespace modelhop::spec
