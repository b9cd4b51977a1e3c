# Makes Libtorch::Libtorch. Two kinds of libtorch are known:
#  1. a C++ distribution found by its own TorchConfig.cmake (-DCMAKE_PREFIX_PATH=/path/to/libtorch);
#  2. the folder that tools/setup makes of the Python wheels (-DLIBTORCH_ROOT=...). The wheel's TorchConfig.cmake
#     insists on a CUDA toolkit even for CPU use, so its libraries are named here.
set(LIBTORCH_ROOT "" CACHE PATH "Folder with the unpacked libtorch wheels (torch/, nvidia/)")

if(LIBTORCH_ROOT AND EXISTS "${LIBTORCH_ROOT}/torch/lib/libtorch_cpu.so")
  set(torch_lib "${LIBTORCH_ROOT}/torch/lib")
  set(LIBTORCH_INCLUDE_DIRS "${LIBTORCH_ROOT}/torch/include" "${LIBTORCH_ROOT}/torch/include/torch/csrc/api/include")
  set(LIBTORCH_LIBRARIES "${torch_lib}/libtorch_cpu.so" "${torch_lib}/libc10.so")
  if(MODELHOP_CUDA)
    list(APPEND LIBTORCH_LIBRARIES "${torch_lib}/libtorch_cuda.so" "${torch_lib}/libc10_cuda.so")
  endif()
  file(GLOB cuda_runtime_dirs "${LIBTORCH_ROOT}/nvidia/*/lib")
  set(LIBTORCH_RUNTIME_DIRS "${torch_lib}" ${cuda_runtime_dirs})
  file(STRINGS "${LIBTORCH_ROOT}/torch/version.py" version_line REGEX "^__version__ = ")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LIBTORCH_VERSION "${version_line}")
elseif(NOT LIBTORCH_ROOT)
  find_package(Torch QUIET CONFIG)
  if(Torch_FOUND)
    set(LIBTORCH_INCLUDE_DIRS ${TORCH_INCLUDE_DIRS})
    set(LIBTORCH_LIBRARIES ${TORCH_LIBRARIES})
    set(LIBTORCH_VERSION ${Torch_VERSION})
    get_filename_component(LIBTORCH_RUNTIME_DIRS "${TORCH_LIBRARY}" DIRECTORY)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS LIBTORCH_LIBRARIES LIBTORCH_INCLUDE_DIRS VERSION_VAR LIBTORCH_VERSION
  REASON_FAILURE_MESSAGE "run tools/setup, or pass -DLIBTORCH_ROOT= or -DCMAKE_PREFIX_PATH=/path/to/libtorch")

if(Libtorch_FOUND AND NOT TARGET Libtorch::Libtorch)
  add_library(Libtorch::Libtorch INTERFACE IMPORTED)
  set_target_properties(Libtorch::Libtorch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${LIBTORCH_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${LIBTORCH_LIBRARIES}"
    INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")
endif()
