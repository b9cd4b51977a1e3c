-- Predictions of models that somebody else trained: an architecture with weights is enough.

CREATE FUNCTION modelhop.predict_byom(
    model_arch_table varchar,
    model_id integer,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type varchar DEFAULT 'prob',
    use_gpus boolean DEFAULT NULL,
    class_values text[] DEFAULT NULL,
    normalizing_const double precision DEFAULT NULL,
    dependent_count integer DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict_byom';
COMMENT ON FUNCTION modelhop.predict_byom(varchar, integer, varchar, varchar, varchar, varchar, varchar, boolean,
    text[], double precision, integer) IS
'Writes the predictions of a stored architecture with weights for the rows of an unpacked table: all classes (prob) or the best (response)';

CREATE FUNCTION modelhop.predict_byom(
    model_arch_table varchar,
    model_id integer,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type integer,
    use_gpus boolean DEFAULT NULL,
    class_values text[] DEFAULT NULL,
    normalizing_const double precision DEFAULT NULL,
    dependent_count integer DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict_byom_top_k';
COMMENT ON FUNCTION modelhop.predict_byom(varchar, integer, varchar, varchar, varchar, varchar, integer, boolean,
    text[], double precision, integer) IS
'Writes the most probable classes, pred_type of them, that a stored architecture with weights finds in the rows of an unpacked table';

CREATE FUNCTION modelhop.predict_byom(
    model_arch_table varchar,
    model_id integer,
    test_table varchar,
    id_col varchar,
    independent_varname varchar,
    output_table varchar,
    pred_type double precision,
    use_gpus boolean DEFAULT NULL,
    class_values text[] DEFAULT NULL,
    normalizing_const double precision DEFAULT NULL,
    dependent_count integer DEFAULT 1
) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_predict_byom_threshold';
COMMENT ON FUNCTION modelhop.predict_byom(varchar, integer, varchar, varchar, varchar, varchar, double precision, boolean,
    text[], double precision, integer) IS
'Writes the classes whose probability is above pred_type that a stored architecture with weights finds in the rows of an unpacked table';
