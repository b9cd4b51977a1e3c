-- Search for configurations, and functions of the user's own, under MADlib's names.

CREATE FUNCTION madlib_keras_automl(
  source_table varchar, model_output_table varchar, model_arch_table varchar, model_selection_table varchar,
  model_id_list integer[], compile_params_grid varchar, fit_params_grid varchar, automl_method varchar DEFAULT 'hyperband',
  automl_params varchar DEFAULT NULL, random_state integer DEFAULT NULL, object_table varchar DEFAULT NULL,
  use_gpus boolean DEFAULT false, validation_table varchar DEFAULT NULL, metrics_compute_frequency integer DEFAULT NULL,
  name varchar DEFAULT NULL, description varchar DEFAULT NULL, use_caching boolean DEFAULT false) RETURNS void
LANGUAGE sql
AS $$
  SELECT modelhop.automl($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, this_schema.object_table_name($11), $12, $13, $14,
                         $15, $16, CASE WHEN $17 THEN true END)
$$;
COMMENT ON FUNCTION madlib_keras_automl(varchar, varchar, varchar, varchar, integer[], varchar, varchar, varchar, varchar,
  integer, varchar, boolean, varchar, integer, varchar, varchar, boolean) IS
'Searches for the best configuration: modelhop.automl.';

CREATE FUNCTION hyperband_schedule(schedule_table varchar, r integer, eta integer DEFAULT 3, skip_last integer DEFAULT 0)
RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.hyperband_schedule($1, $2, $3, $4) $$;
COMMENT ON FUNCTION hyperband_schedule(varchar, integer, integer, integer) IS
'Writes the rounds of hyperband: modelhop.hyperband_schedule.';

-- MADlib keeps its tables of functions in its own schema and lets everybody read them. So do these, where the caller may make
-- tables there and names no schema.
CREATE FUNCTION load_custom_function(object_table varchar, object bytea, name text, description text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  place pg_catalog.varchar := this_schema.object_table_name(object_table, true);
  is_made_here pg_catalog.bool := place OPERATOR(pg_catalog.<>) object_table
    AND modelhop.find_table('object_table', place) IS NULL;
BEGIN
  PERFORM modelhop.load_custom_function(place, object, name, description);
  IF is_made_here THEN
    PERFORM this_schema.let_everybody_read(place);
  END IF;
END $$;
COMMENT ON FUNCTION load_custom_function(varchar, bytea, text, text) IS
'Stores a loss or metric of the user''s own: modelhop.load_custom_function.';

-- MADlib has pickles, so bytea alone. Here a literal is text: as bytea its backslashes would mean something else.
CREATE FUNCTION load_custom_function(object_table varchar, object text, name text, description text DEFAULT NULL)
RETURNS void
LANGUAGE sql
AS $$ SELECT this_schema.load_custom_function($1, modelhop.object_bytes($2), $3, $4) $$;
COMMENT ON FUNCTION load_custom_function(varchar, text, text, text) IS
'Stores a loss or metric of the user''s own, given as text: modelhop.load_custom_function.';

CREATE FUNCTION delete_custom_function(object_table varchar, id integer) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.delete_custom_function(this_schema.object_table_name($1), $2) $$;
COMMENT ON FUNCTION delete_custom_function(varchar, integer) IS
'Deletes a function of the user''s own by its id: modelhop.delete_custom_function.';
CREATE FUNCTION delete_custom_function(object_table varchar, name text) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.delete_custom_function(this_schema.object_table_name($1), $2) $$;
COMMENT ON FUNCTION delete_custom_function(varchar, text) IS
'Deletes a function of the user''s own by its name: modelhop.delete_custom_function.';

CREATE FUNCTION load_top_k_accuracy_function(object_table varchar, k integer) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  place pg_catalog.varchar := this_schema.object_table_name(object_table, true);
  is_made_here pg_catalog.bool := place OPERATOR(pg_catalog.<>) object_table
    AND modelhop.find_table('object_table', place) IS NULL;
BEGIN
  PERFORM modelhop.load_top_k_accuracy_function(place, k);
  IF is_made_here THEN
    PERFORM this_schema.let_everybody_read(place);
  END IF;
END $$;
COMMENT ON FUNCTION load_top_k_accuracy_function(varchar, integer) IS
'Stores the metric of the k best classes: modelhop.load_top_k_accuracy_function.';
