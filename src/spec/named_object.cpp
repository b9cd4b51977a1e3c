// SPDX-License-Identifier: Apache-2.0
// Reads objects of Keras's modules.
#include "spec/named_object.hpp"

#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {

NamedObject named_object(const LayerConfig& config, const std::string& key, const Json& value) {
  if (value.is_string()) return {value.get<std::string>(), Json::object()};
  if (!value.is_object()) config.refuse_value(key, "a name or an object with \"class_name\"");
  const auto class_name = value.find("class_name");
  if (class_name == value.end() || !class_name->is_string()) config.refuse_value(key, "an object with \"class_name\"");
  const auto arguments = value.find("config");
  if (arguments == value.end() || arguments->is_null()) return {class_name->get<std::string>(), Json::object()};
  if (class_name->get_ref<const std::string&>() == "function" && arguments->is_string()) {
    return {arguments->get<std::string>(), Json::object()};
  }
  if (!arguments->is_object()) config.refuse_value(key, "an object whose \"config\" is an object");
  return {class_name->get<std::string>(), *arguments};
}

double argument(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                double fallback, NumberRange range) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return fallback;
  if (!found->is_number()) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " must be a number, not " +
           shown(*found));
  }
  const double number = found->get<double>();
  if (!(number >= range.low && number <= range.high) || number - number != 0.0) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " is out of range: " + shown(*found));
  }
  return number;
}

std::string word(const LayerConfig& config, const std::string& key, const Json& arguments, const char* name,
                 std::string fallback) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) return fallback;
  if (!found->is_string()) {
    refuse(config.where() + ": " + in_quotes(name) + " of " + in_quotes(key) + " must be a name, not " + shown(*found));
  }
  return found->get<std::string>();
}

}  // namespace modelhop::spec
