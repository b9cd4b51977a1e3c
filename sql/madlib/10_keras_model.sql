-- Wrappers: MADlib's names and arguments, modelhop's functions. They have no settings of their own, so that the names
-- of tables mean what they mean to the caller.

CREATE FUNCTION load_keras_model(keras_model_arch_table varchar, model_arch json, model_weights bytea DEFAULT NULL,
                                 name text DEFAULT NULL, description text DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.load_keras_model($1, $2, $3, $4, $5) $$;
COMMENT ON FUNCTION load_keras_model(varchar, json, bytea, text, text) IS
'Stores an architecture (Keras JSON), with weights if given: modelhop.load_keras_model.';

CREATE FUNCTION delete_keras_model(keras_model_arch_table varchar, model_id integer) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.delete_keras_model($1, $2) $$;
COMMENT ON FUNCTION delete_keras_model(varchar, integer) IS
'Deletes an architecture from its table: modelhop.delete_keras_model.';

CREATE FUNCTION training_preprocessor_dl(
  source_table varchar, output_table varchar, dependent_varname varchar, independent_varname varchar,
  buffer_size integer DEFAULT NULL, normalizing_const real DEFAULT 1.0, num_classes integer[] DEFAULT NULL,
  distribution_rules text DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.training_preprocessor_dl($1, $2, $3, $4, $5, $6, $7, $8) $$;
COMMENT ON FUNCTION training_preprocessor_dl(varchar, varchar, varchar, varchar, integer, real, integer[], text) IS
'Packs a table of examples, shuffled, into buffers for training: modelhop.training_preprocessor_dl.';

CREATE FUNCTION validation_preprocessor_dl(
  source_table varchar, output_table varchar, dependent_varname varchar, independent_varname varchar,
  training_preprocessor_table varchar, buffer_size integer DEFAULT NULL, distribution_rules text DEFAULT NULL)
RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.validation_preprocessor_dl($1, $2, $3, $4, $5, $6, $7) $$;
COMMENT ON FUNCTION validation_preprocessor_dl(varchar, varchar, varchar, varchar, varchar, integer, text) IS
'Packs a table of examples, encoded as the training table is: modelhop.validation_preprocessor_dl.';

CREATE FUNCTION load_model_selection_table(
  model_arch_table varchar, model_selection_table varchar, model_id_list integer[], compile_params_list varchar[],
  fit_params_list varchar[], object_table varchar DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.load_model_selection_table($1, $2, $3, $4, $5, this_schema.object_table_name($6)) $$;
COMMENT ON FUNCTION load_model_selection_table(varchar, varchar, integer[], varchar[], varchar[], varchar) IS
'Makes a model selection table with all combinations of its lists: modelhop.load_model_selection_table.';

CREATE FUNCTION generate_model_configs(
  model_arch_table varchar, model_selection_table varchar, model_id_list integer[], compile_params_grid varchar,
  fit_params_grid varchar, search_type varchar DEFAULT 'grid', num_configs integer DEFAULT NULL,
  random_state integer DEFAULT NULL, object_table varchar DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.generate_model_configs($1, $2, $3, $4, $5, $6, $7, $8, this_schema.object_table_name($9)) $$;
COMMENT ON FUNCTION generate_model_configs(varchar, varchar, integer[], varchar, varchar, varchar, integer, integer,
  varchar) IS
'Adds the configurations of a grid, or random ones of it, to a model selection table: modelhop.generate_model_configs.';
