# Random streams, state, initializers, optimizers, losses, memory. Included by this folder's CMakeLists.txt.
set(ENGINE_MATH_SOURCES
  allocator.cpp
  device.cpp
  flat_state.cpp
  guard.cpp
  initializer.cpp
  loss.cpp
  loss_device.cpp
  loss_host.cpp
  metric.cpp
  optimizer.cpp
  optimizer_loops.cpp
  random.cpp
  state_layout.cpp
)
# Vectorized loops: full optimization in every build type, and no fused multiply-add, so that all processors agree.
set_source_files_properties(loss_host.cpp optimizer_loops.cpp random.cpp PROPERTIES
  COMPILE_OPTIONS "-O3;-ffp-contract=off;-fno-math-errno;-fno-trapping-math")
find_package(Eigen3 REQUIRED NO_MODULE)
get_target_property(eigen_include_dirs Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
set_source_files_properties(initializer.cpp PROPERTIES INCLUDE_DIRECTORIES "${eigen_include_dirs}"
  COMPILE_OPTIONS "-O2;-ffp-contract=off")
