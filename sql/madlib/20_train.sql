-- Training, evaluation and prediction under MADlib's names.

CREATE FUNCTION madlib_keras_fit(
  source_table varchar, model varchar, model_arch_table varchar, model_id integer, compile_params varchar,
  fit_params varchar, num_iterations integer, use_gpus boolean DEFAULT false, validation_table varchar DEFAULT NULL,
  metrics_compute_frequency integer DEFAULT NULL, warm_start boolean DEFAULT NULL, name varchar DEFAULT NULL,
  description varchar DEFAULT NULL, object_table varchar DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$
  SELECT modelhop.fit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, this_schema.object_table_name($14))
$$;
COMMENT ON FUNCTION madlib_keras_fit(varchar, varchar, varchar, integer, varchar, varchar, integer, boolean, varchar,
  integer, boolean, varchar, varchar, varchar) IS 'Trains one architecture on a packed table: modelhop.fit.';

-- Not to cache is MADlib's default, not a wish of the caller: false leaves the choice to modelhop, true insists.
CREATE FUNCTION madlib_keras_fit_multiple_model(
  source_table varchar, model_output_table varchar, model_selection_table varchar, num_iterations integer,
  use_gpus boolean, validation_table varchar DEFAULT NULL, metrics_compute_frequency integer DEFAULT NULL,
  warm_start boolean DEFAULT NULL, name varchar DEFAULT NULL, description varchar DEFAULT NULL,
  use_caching boolean DEFAULT false) RETURNS void
LANGUAGE sql
AS $$
  SELECT modelhop.fit_multiple_model($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $11 THEN true END)
$$;
COMMENT ON FUNCTION madlib_keras_fit_multiple_model(varchar, varchar, varchar, integer, boolean, varchar, integer,
  boolean, varchar, varchar, boolean) IS
'Trains every configuration of a model selection table on a packed table by model hopping: modelhop.fit_multiple_model.';

CREATE FUNCTION madlib_keras_evaluate(model_table varchar, test_table varchar, output_table varchar,
                                      use_gpus boolean DEFAULT false, mst_key integer DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.evaluate($1, $2, $3, $4, $5) $$;
COMMENT ON FUNCTION madlib_keras_evaluate(varchar, varchar, varchar, boolean, integer) IS
'Writes loss and metrics of a trained model on a packed validation table: modelhop.evaluate.';

CREATE FUNCTION madlib_keras_predict(
  model_table varchar, test_table varchar, id_col varchar, independent_varname varchar, output_table varchar,
  pred_type varchar DEFAULT 'prob', use_gpus boolean DEFAULT false, mst_key integer DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict($1, $2, $3, $4, $5, $6, $7, $8) $$;
COMMENT ON FUNCTION madlib_keras_predict(varchar, varchar, varchar, varchar, varchar, varchar, boolean, integer) IS
'Writes the predictions of a trained model for the rows of an unpacked table, all classes or the best: modelhop.predict.';
CREATE FUNCTION madlib_keras_predict(
  model_table varchar, test_table varchar, id_col varchar, independent_varname varchar, output_table varchar,
  pred_type integer, use_gpus boolean DEFAULT false, mst_key integer DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict($1, $2, $3, $4, $5, $6, $7, $8) $$;
COMMENT ON FUNCTION madlib_keras_predict(varchar, varchar, varchar, varchar, varchar, integer, boolean, integer) IS
'Writes the most probable classes, pred_type of them: modelhop.predict.';
CREATE FUNCTION madlib_keras_predict(
  model_table varchar, test_table varchar, id_col varchar, independent_varname varchar, output_table varchar,
  pred_type double precision, use_gpus boolean DEFAULT false, mst_key integer DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict($1, $2, $3, $4, $5, $6, $7, $8) $$;
COMMENT ON FUNCTION madlib_keras_predict(varchar, varchar, varchar, varchar, varchar, double precision, boolean, integer)
IS 'Writes the classes whose probability is above pred_type: modelhop.predict.';

CREATE FUNCTION madlib_keras_predict_byom(
  model_arch_table varchar, model_id integer, test_table varchar, id_col varchar, independent_varname varchar,
  output_table varchar, pred_type varchar DEFAULT 'prob', use_gpus boolean DEFAULT NULL, class_values text[] DEFAULT NULL,
  normalizing_const double precision DEFAULT NULL, dependent_count integer DEFAULT 1) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict_byom($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) $$;
COMMENT ON FUNCTION madlib_keras_predict_byom(varchar, integer, varchar, varchar, varchar, varchar, varchar, boolean,
  text[], double precision, integer) IS
'Predicts with an architecture and weights that were trained elsewhere: modelhop.predict_byom.';
CREATE FUNCTION madlib_keras_predict_byom(
  model_arch_table varchar, model_id integer, test_table varchar, id_col varchar, independent_varname varchar,
  output_table varchar, pred_type integer, use_gpus boolean DEFAULT NULL, class_values text[] DEFAULT NULL,
  normalizing_const double precision DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict_byom($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) $$;
COMMENT ON FUNCTION madlib_keras_predict_byom(varchar, integer, varchar, varchar, varchar, varchar, integer, boolean,
  text[], double precision) IS
'The same, the most probable classes, pred_type of them: modelhop.predict_byom.';
CREATE FUNCTION madlib_keras_predict_byom(
  model_arch_table varchar, model_id integer, test_table varchar, id_col varchar, independent_varname varchar,
  output_table varchar, pred_type double precision, use_gpus boolean DEFAULT NULL, class_values text[] DEFAULT NULL,
  normalizing_const double precision DEFAULT NULL) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.predict_byom($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) $$;
COMMENT ON FUNCTION madlib_keras_predict_byom(varchar, integer, varchar, varchar, varchar, varchar, double precision,
  boolean, text[], double precision) IS
'The same, the classes whose probability is above pred_type: modelhop.predict_byom.';

CREATE FUNCTION gpu_configuration(output_table text, source text DEFAULT 'tensorflow') RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.gpu_configuration($1, $2) $$;
COMMENT ON FUNCTION gpu_configuration(text, text) IS 'Writes the GPUs of the server: modelhop.gpu_configuration.';
