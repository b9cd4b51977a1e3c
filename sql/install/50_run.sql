CREATE FUNCTION modelhop.fit_multiple_model(
    source_table varchar,
    model_output_table varchar,
    model_selection_table varchar,
    num_iterations integer,
    use_gpus boolean DEFAULT false,
    validation_table varchar DEFAULT NULL,
    metrics_compute_frequency integer DEFAULT NULL,
    warm_start boolean DEFAULT false,
    name varchar DEFAULT NULL,
    description varchar DEFAULT NULL,
    use_caching boolean DEFAULT NULL,
    seed bigint DEFAULT NULL,
    shuffle text DEFAULT NULL,
    optimizer_state text DEFAULT 'carry'
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_fit_multiple_model';
COMMENT ON FUNCTION modelhop.fit_multiple_model(varchar, varchar, varchar, integer, boolean, varchar, integer, boolean,
    varchar, varchar, boolean, bigint, text, text) IS
'Trains every configuration of a model selection table on a packed table by model hopping';

CREATE FUNCTION modelhop.fit(
    source_table varchar,
    model varchar,
    model_arch_table varchar,
    model_id integer,
    compile_params varchar,
    fit_params varchar,
    num_iterations integer,
    use_gpus boolean DEFAULT false,
    validation_table varchar DEFAULT NULL,
    metrics_compute_frequency integer DEFAULT NULL,
    warm_start boolean DEFAULT NULL,
    name varchar DEFAULT NULL,
    description varchar DEFAULT NULL,
    object_table varchar DEFAULT NULL,
    use_caching boolean DEFAULT NULL,
    seed bigint DEFAULT NULL,
    shuffle text DEFAULT NULL,
    optimizer_state text DEFAULT 'carry',
    parallel text DEFAULT 'hop'
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_fit';
COMMENT ON FUNCTION modelhop.fit(varchar, varchar, varchar, integer, varchar, varchar, integer, boolean, varchar,
    integer, boolean, varchar, varchar, varchar, boolean, bigint, text, text, text) IS
'Trains one architecture with one set of compile and fit parameters on a packed table: hopping over its segments, or as the average of a copy on each (parallel)';

CREATE FUNCTION modelhop.evaluate(
    model_table varchar,
    test_table varchar,
    output_table varchar,
    use_gpus boolean DEFAULT false,
    mst_key integer DEFAULT NULL
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_evaluate';
COMMENT ON FUNCTION modelhop.evaluate(varchar, varchar, varchar, boolean, integer) IS
'Writes loss and metrics of a trained model on a packed validation table';

CREATE FUNCTION modelhop.predict(
    model_table varchar,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type varchar DEFAULT 'prob',
    use_gpus boolean DEFAULT false,
    mst_key integer DEFAULT NULL
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict';
COMMENT ON FUNCTION modelhop.predict(varchar, varchar, varchar, varchar, varchar, varchar, boolean, integer) IS
'Writes the predictions of a trained model for the rows of an unpacked table: all classes (prob) or the best (response)';

CREATE FUNCTION modelhop.predict(
    model_table varchar,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type integer,
    use_gpus boolean DEFAULT false,
    mst_key integer DEFAULT NULL
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict_top_k';
COMMENT ON FUNCTION modelhop.predict(varchar, varchar, varchar, varchar, varchar, integer, boolean, integer) IS
'Writes the most probable classes, pred_type of them, for the rows of an unpacked table';

CREATE FUNCTION modelhop.predict(
    model_table varchar,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type double precision,
    use_gpus boolean DEFAULT false,
    mst_key integer DEFAULT NULL
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict_threshold';
COMMENT ON FUNCTION modelhop.predict(varchar, varchar, varchar, varchar, varchar, double precision, boolean, integer) IS
'Writes the classes whose probability is above pred_type for the rows of an unpacked table';

CREATE FUNCTION modelhop.model_weights(model_table varchar, mst_key integer DEFAULT NULL) RETURNS bytea
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'modelhop_model_weights';
COMMENT ON FUNCTION modelhop.model_weights(varchar, integer) IS
'The trained weights of a model: the float32 of get_weights(), one array behind the other.';

CREATE FUNCTION modelhop.model_safetensors(model_table varchar, mst_key integer DEFAULT NULL) RETURNS bytea
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'modelhop_model_safetensors';
COMMENT ON FUNCTION modelhop.model_safetensors(varchar, integer) IS
'The trained weights of a model as a safetensors file: with names, which begin with the place in get_weights(), and shapes.';

CREATE FUNCTION modelhop.plan(
    source_table varchar,
    model_output_table varchar,
    model_selection_table varchar,
    num_iterations integer,
    use_gpus boolean DEFAULT false,
    validation_table varchar DEFAULT NULL,
    metrics_compute_frequency integer DEFAULT NULL,
    warm_start boolean DEFAULT false,
    name varchar DEFAULT NULL,
    description varchar DEFAULT NULL,
    use_caching boolean DEFAULT NULL,
    seed bigint DEFAULT NULL,
    shuffle text DEFAULT NULL,
    optimizer_state text DEFAULT 'carry'
) RETURNS TABLE (
    mst_key integer,
    model_id integer,
    parameters bigint,
    forward_mflops double precision,
    units bigint,
    state_mb double precision,
    workspace_mb double precision,
    estimated_seconds double precision,
    warning text
)
LANGUAGE c VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'modelhop_plan';
COMMENT ON FUNCTION modelhop.plan(varchar, varchar, varchar, integer, boolean, varchar, integer, boolean, varchar,
    varchar, boolean, bigint, text, text) IS
'Tells what fit_multiple_model would run, one row a configuration and one for the whole, and writes nothing';
