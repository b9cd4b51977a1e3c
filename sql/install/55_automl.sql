-- Searches: configurations are drawn from a grid or from distributions, trained, and judged by their losses.

CREATE FUNCTION modelhop.automl(
    source_table varchar,
    model_output_table varchar,
    model_arch_table varchar,
    model_selection_table varchar,
    model_id_list integer[],
    compile_params_grid varchar,
    fit_params_grid varchar,
    automl_method varchar DEFAULT 'hyperband',
    automl_params varchar DEFAULT NULL,
    random_state integer DEFAULT NULL,
    object_table varchar DEFAULT NULL,
    use_gpus boolean DEFAULT false,
    validation_table varchar DEFAULT NULL,
    metrics_compute_frequency integer DEFAULT NULL,
    name varchar DEFAULT NULL,
    description varchar DEFAULT NULL,
    use_caching boolean DEFAULT NULL,
    seed bigint DEFAULT NULL,
    shuffle text DEFAULT NULL
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_automl';
COMMENT ON FUNCTION modelhop.automl(varchar, varchar, varchar, varchar, integer[], varchar, varchar, varchar, varchar,
    integer, varchar, boolean, varchar, integer, varchar, varchar, boolean, bigint, text) IS
'Searches a space of configurations by hyperband or hyperopt, trains them by model hopping and writes the winner into a model selection table';

CREATE FUNCTION modelhop.hyperband_rows(r integer, eta integer, skip_last integer)
RETURNS TABLE (s integer, i integer, n_i integer, r_i integer)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_hyperband_rows';
COMMENT ON FUNCTION modelhop.hyperband_rows(integer, integer, integer) IS
'The rungs of hyperband: n_i configurations of bracket s are trained until they have had r_i iterations.';

CREATE FUNCTION modelhop.write_hyperband_schedule(output text, r integer, eta integer, skip_last integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing text := CASE WHEN r IS NULL THEN 'r' WHEN eta IS NULL THEN 'eta' WHEN skip_last IS NULL THEN 'skip_last' END;
BEGIN
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = format('argument %s must not be NULL', missing);
  END IF;
  EXECUTE format('CREATE TABLE %s (s integer, i integer, n_i integer, r_i integer, UNIQUE (s, i))', output);
  EXECUTE format('INSERT INTO %s SELECT h.s, h.i, h.n_i, h.r_i FROM modelhop.hyperband_rows($1, $2, $3) h', output)
    USING r, eta, skip_last;
END $$;
COMMENT ON FUNCTION modelhop.write_hyperband_schedule(text, integer, integer, integer) IS
'Makes and fills the table of hyperband_schedule.';

CREATE FUNCTION modelhop.hyperband_schedule(schedule_table varchar, r integer, eta integer DEFAULT 3,
                                            skip_last integer DEFAULT 0) RETURNS void
LANGUAGE sql
AS $$
  SELECT modelhop.write_hyperband_schedule(modelhop.free_output_table('schedule_table', schedule_table), r, eta, skip_last)
$$;
COMMENT ON FUNCTION modelhop.hyperband_schedule(varchar, integer, integer, integer) IS
'Writes which rungs hyperband has for r iterations at most, where one in eta configurations goes on, without the last skip_last.';
