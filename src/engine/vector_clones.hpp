// SPDX-License-Identifier: Apache-2.0
// Marks a function of plain loops to be compiled for several instruction sets, of which the program's start chooses.
#pragma once

#if defined(__SANITIZE_THREAD__)
// The choice is made before the sanitizer is ready.
#define MODELHOP_VECTOR_CLONES
#else
#define MODELHOP_VECTOR_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif

/// What such a function calls must become part of it, or it is compiled for the oldest processor.
#define MODELHOP_INLINE inline __attribute__((always_inline))
