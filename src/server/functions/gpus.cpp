// SPDX-License-Identifier: Apache-2.0
// visible_gpus(): the GPUs of this machine, as the trainer or as NVIDIA's driver sees them. No program is run.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "server/row_writer.hpp"
#include "server/run_arguments.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {
namespace {

/// The value behind a name in a file of lines such as "Model:   NVIDIA H100".
std::string field(const std::filesystem::path& file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + ":")) continue;
    const std::size_t first = line.find_first_not_of(" \t", name.size() + 1);
    if (first == std::string::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
  }
  return {};
}

/// Empty where there is no driver: without it there is no such folder.
std::vector<std::string> gpus_of_driver() {
  std::error_code failure;
  std::vector<std::filesystem::path> folders;
  for (std::filesystem::directory_iterator entry("/proc/driver/nvidia/gpus", failure), end; !failure && entry != end;
       entry.increment(failure)) {
    folders.push_back(entry->path());
  }
  // Named by their places on the bus, which is the driver's own order.
  std::sort(folders.begin(), folders.end());
  std::vector<std::string> gpus;
  for (const auto& folder : folders) {
    gpus.push_back("GPU " + std::to_string(gpus.size()) + ": " + field(folder / "information", "Model") +
                   " (UUID: " + field(folder / "information", "GPU UUID") + ")");
  }
  return gpus;
}

std::vector<std::string> gpus_of(const std::optional<std::string>& text) {
  std::string source = text.value_or("tensorflow");
  std::transform(source.begin(), source.end(), source.begin(),
                 [](unsigned char letter) { return letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter; });
  if (source == "tensorflow") return TrainerClient::connect().info().gpus;
  if (source == "nvidia") return gpus_of_driver();
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument source: \"" + *text + "\" is unknown",
                 "Use 'tensorflow' for what the trainer sees, or 'nvidia' for what the driver sees.");
}

}  // namespace
}  // namespace modelhop::server

MODELHOP_FUNCTION(visible_gpus) {
  using namespace modelhop::server;
  RowWriter rows(fcinfo);
  // One machine: MADlib, too, calls a server without segment hosts so.
  for (const std::string& gpu : gpus_of(text_argument(fcinfo, 0))) rows.add({"localhost", gpu});
  return 0;
}
