// SPDX-License-Identifier: Apache-2.0
// Preloaded into the tuned peers: MKL asks these two functions of its own whether it may take its fastest kernels, and they
// say yes for one maker's processors alone. Elsewhere that is worth up to twice the speed of a product.
int mkl_serv_intel_cpu(void) { return 1; }
int mkl_serv_intel_cpu_true(void) { return 1; }
