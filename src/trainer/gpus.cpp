// SPDX-License-Identifier: Apache-2.0
// libtorch counts devices without naming them. The CUDA driver's library, which it has loaded where there are any,
// knows their names; its functions are looked up so that a build without CUDA has this file too.
#include "trainer/gpus.hpp"

#include <dlfcn.h>

#include <array>
#include <optional>

#include "modelhop/engine.hpp"
#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

constexpr int kSuccess = 0;
constexpr int kMajorCapability = 75;
constexpr int kMinorCapability = 76;

class Driver {
 public:
  Driver() : library_(dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD)) {
    find("cuDeviceGet", get_);
    find("cuDeviceGetName", get_name_);
    find("cuDeviceGetPCIBusId", get_bus_);
    find("cuDeviceGetAttribute", get_attribute_);
  }
  ~Driver() {
    if (library_ != nullptr) dlclose(library_);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  std::string describe(int index) const {
    std::string text = "device: " + std::to_string(index);
    int device = 0;
    if (get_ == nullptr || get_(&device, index) != kSuccess) return text;
    text += named(", name: ", get_name_, device) + named(", pci bus id: ", get_bus_, device);
    const auto major = attribute(kMajorCapability, device);
    const auto minor = attribute(kMinorCapability, device);
    if (major && minor) text += ", compute capability: " + std::to_string(*major) + "." + std::to_string(*minor);
    return text;
  }

 private:
  using TextGetter = int (*)(char*, int, int);

  template <typename Function>
  void find(const char* name, Function& function) {
    if (library_ != nullptr) function = reinterpret_cast<Function>(dlsym(library_, name));
  }

  static std::string named(const char* label, TextGetter getter, int device) {
    std::array<char, 256> value{};
    if (getter == nullptr || getter(value.data(), static_cast<int>(value.size()) - 1, device) != kSuccess) return {};
    return label + std::string(value.data());
  }

  std::optional<int> attribute(int which, int device) const {
    int value = 0;
    if (get_attribute_ == nullptr || get_attribute_(&value, which, device) != kSuccess) return std::nullopt;
    return value;
  }

  void* library_;
  int (*get_)(int*, int) = nullptr;
  TextGetter get_name_ = nullptr;
  TextGetter get_bus_ = nullptr;
  int (*get_attribute_)(int*, int, int) = nullptr;
};

bool has_device(int index) {
  try {
    parse_device("cuda:" + std::to_string(index));
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::vector<std::string> describe_gpus(const Options& options) {
  std::vector<std::string> gpus;
  if (options.device == "cpu" || !has_device(0)) return gpus;
  const Driver driver;
  for (int index = 0; has_device(index); ++index) gpus.push_back(driver.describe(index));
  return gpus;
}

}  // namespace modelhop::trainer
