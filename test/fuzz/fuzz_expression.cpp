// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: see CONTRIBUTING.md for how to run it.
#include <cstddef>
#include <cstdint>

#include "entry_points.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  modelhop::fuzz::read_expression({reinterpret_cast<const char*>(data), size});
  return 0;
}
