// SPDX-License-Identifier: Apache-2.0
// Autograd for one expression inside a plan.
#pragma once

#include <ATen/core/grad_mode.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace modelhop::engine {

/// Plans run below autograd's dispatch keys (plan.cpp); this brings them back for one expression.
class AutogradScope {
 public:
  AutogradScope() : keys_(c10::default_included_set, c10::default_excluded_set), grad_mode_(true) {}

 private:
  c10::impl::ForceDispatchKeyGuard keys_;
  at::AutoGradMode grad_mode_;
};

}  // namespace modelhop::engine
