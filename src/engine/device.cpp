// SPDX-License-Identifier: Apache-2.0
// Devices by name, and the process-wide start of the engine.
#include "engine/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <charconv>
#include <string_view>

#include "engine/allocator.hpp"
#include "engine/guard.hpp"

// libtorch's MKL asks this function of its own whether to take its fastest kernels, and the answer is yes for one
// maker's processors alone; a definition in the program comes before the library's. What the processor can do MKL asks
// cpuid. On AMD's Zen 5 a product of matrices is twice as fast (docs/performance.md).
extern "C" __attribute__((visibility("default"))) int mkl_serv_intel_cpu_true() {
  return 1;
}

namespace modelhop {
namespace {

int cuda_device_count() {
  if (!c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) return 0;
  return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount();
}

Device cuda_device(const std::string& text, int index) {
  const int count = engine::guarded(cuda_device_count);
  if (index < count) return {Device::Kind::kCuda, index};
  throw Error(ErrorCode::kNotSupported,
              "device \"" + text + "\" does not exist: " + std::to_string(count) + " CUDA devices found",
              "Use \"cpu\" or \"auto\", or a build for CUDA on a machine with such a device.");
}

}  // namespace

Device parse_device(const std::string& text) {
  constexpr std::string_view kPrefix = "cuda:";
  if (text == "cpu") return {};
  if (text == "auto") return engine::guarded(cuda_device_count) > 0 ? Device{Device::Kind::kCuda, 0} : Device{};
  if (text == "cuda") return cuda_device(text, 0);
  if (text.starts_with(kPrefix)) {
    int index = -1;
    const char* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + kPrefix.size(), end, index);
    if (failure == std::errc{} && stop == end && index >= 0) return cuda_device(text, index);
  }
  throw Error(ErrorCode::kInvalidArgument, "device \"" + text + "\" is unknown",
              "Devices are \"cpu\", \"cuda\", \"cuda:N\" and \"auto\".");
}

std::string to_string(Device device) {
  return device.kind == Device::Kind::kCpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

void initialize_engine(const EngineOptions& options) {
  engine::guarded([&] {
    engine::install_allocator(options.memory_limit);
    engine::prepare_compute_thread();
  });
}

EngineMemory engine_memory() {
  return engine::allocator_memory();
}

std::string engine_version() {
  return engine::guarded([] { return std::string("libtorch " TORCH_VERSION ", ") + at::get_cpu_capability(); });
}

namespace engine {

c10::Device torch_device(Device device) {
  if (device.kind == Device::Kind::kCpu) return c10::Device(c10::DeviceType::CPU);
  return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device.index));
}

void prepare_compute_thread() {
  at::set_num_threads(1);
  at::globalContext().setFlushDenormal(true);
}

}  // namespace engine
}  // namespace modelhop
