// SPDX-License-Identifier: Apache-2.0
#include "server/stored_architecture.hpp"

#include "server/bridge.hpp"
#include "server/keras_semantics.hpp"
#include "server/run_input.hpp"

namespace modelhop::server {

std::string StoredArchitecture::condition() const {
  return " WHERE model_id = " + std::to_string(model_id);
}

StoredArchitecture read_stored_architecture(const char* argument, const std::optional<std::string>& table,
                                            std::optional<std::int32_t> model_id) {
  StoredArchitecture stored;
  stored.text = given_name(argument, table, TableRole::kInput);
  const Oid relation = existing_table(argument, stored.text);
  check_columns(argument, stored.text, relation, {"model_id", "model_arch"});
  if (!model_id) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument model_id must not be NULL");
  stored.table = table_name(relation);
  stored.model_id = *model_id;
  const auto rows = query("SELECT model_arch::text, " + semantics_expression(relation) + " FROM " +
                          stored.table.quoted() + stored.condition());
  const std::string subject = "argument model_id: \"" + stored.text + "\" has ";
  if (rows.empty() || !rows[0][0]) {
    throw SqlError(ERRCODE_UNDEFINED_OBJECT, subject + "no architecture with model_id " + std::to_string(*model_id),
                   "SELECT model_id, name FROM the table shows the models there are.");
  }
  if (rows.size() > 1) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   subject + "more than one architecture with model_id " + std::to_string(*model_id));
  }
  stored.json = *rows[0][0];
  stored.profile = keras_semantics(rows[0][1]);
  return stored;
}

}  // namespace modelhop::server
