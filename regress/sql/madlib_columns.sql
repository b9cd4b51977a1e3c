-- Output tables have MADlib's columns by name, type and order; ours come behind them, or are left out under a setting.
SET client_min_messages = warning;
CREATE EXTENSION modelhop_madlib;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ARRAY[i % 3, 1, 0, 7 * i] AS counts, ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text,
       ARRAY[(i % 3 = 0)::integer, (i % 3 = 1)::integer, (i % 3 = 2)::integer] AS one_hot, ARRAY[i / 7.0]::float8[] AS size
FROM generate_series(1, 60) AS i;
-- What MADlib's tables have, as "name type" in order.
CREATE TABLE madlib_table (suffix text, columns text);
INSERT INTO madlib_table VALUES
('arch', 'model_id integer, model_arch json, model_weights bytea, name text, description text, __internal_madlib_id__ text'),
('packed', 'attributes bytea, class_text bytea, attributes_shape integer[], class_text_shape integer[], buffer_id integer'),
('packed_summary', 'source_table text, output_table text, dependent_varname text[], independent_varname text[], dependent_vartype text[], '
  'class_text_class_values text[], buffer_size integer, normalizing_const real, num_classes integer[], distribution_rules text, __internal_gpu_config__ text'),
('two', 'attributes bytea, counts bytea, one_hot bytea, class_text bytea, attributes_shape integer[], counts_shape integer[], one_hot_shape integer[], '
  'class_text_shape integer[], buffer_id integer'),
('two_summary', 'source_table text, output_table text, dependent_varname text[], independent_varname text[], dependent_vartype text[], '
  'one_hot_class_values integer[], class_text_class_values text[], buffer_size integer, normalizing_const real, num_classes integer[], '
  'distribution_rules text, __internal_gpu_config__ text'),
('val', 'attributes bytea, class_text bytea, attributes_shape integer[], class_text_shape integer[], buffer_id integer'),
('val_summary', 'source_table text, output_table text, dependent_varname text[], independent_varname text[], dependent_vartype text[], '
  'class_text_class_values text[], buffer_size integer, normalizing_const real, num_classes integer[], distribution_rules text, __internal_gpu_config__ text'),
('mst', 'mst_key integer, model_id integer, compile_params character varying, fit_params character varying'),
('mst_summary', 'model_arch_table character varying, object_table character varying'),
('grid', 'mst_key integer, model_id integer, compile_params character varying, fit_params character varying'),
('grid_summary', 'model_arch_table character varying, object_table character varying'),
('single', 'model_weights bytea, model_arch json'),
('single_summary', 'source_table text, model text, dependent_varname text[], independent_varname text[], model_arch_table text, model_id integer, '
  'compile_params text, fit_params text, num_iterations integer, validation_table text, object_table text, metrics_compute_frequency integer, '
  'name text, description text, model_type text, model_size double precision, start_training_time timestamp without time zone, '
  'end_training_time timestamp without time zone, metrics_elapsed_time double precision[], madlib_version text, num_classes integer[], '
  'dependent_vartype text[], normalizing_const real, metrics_type text[], loss_type text, training_metrics_final double precision, '
  'training_loss_final double precision, training_metrics double precision[], training_loss double precision[], '
  'validation_metrics_final double precision, validation_loss_final double precision, validation_metrics double precision[], '
  'validation_loss double precision[], metrics_iters integer[], class_text_class_values text[]'),
('multi', 'mst_key integer, model_weights bytea, model_arch json, __dist_key__ integer'),
('multi_info', 'mst_key integer, model_id integer, compile_params text, fit_params text, model_type text, model_size double precision, '
  'metrics_elapsed_time double precision[], metrics_type text[], loss_type text, training_metrics_final double precision, '
  'training_loss_final double precision, training_metrics double precision[], training_loss double precision[], '
  'validation_metrics_final double precision, validation_loss_final double precision, validation_metrics double precision[], '
  'validation_loss double precision[]'),
('multi_summary', 'source_table text, validation_table text, model text, model_info text, dependent_varname text[], independent_varname text[], '
  'model_arch_table text, model_selection_table text, object_table text, num_iterations integer, metrics_compute_frequency integer, '
  'warm_start boolean, name text, description text, start_training_time timestamp without time zone, '
  'end_training_time timestamp without time zone, madlib_version text, num_classes integer[], class_text_class_values text[], '
  'dependent_vartype text[], normalizing_const real, metrics_iters integer[]'),
('score', 'loss double precision, metric double precision, metrics_type text[], loss_type text'),
('guess', 'id integer, class_name text, class_value text, prob double precision, rank integer'),
('response', 'id integer, class_name text, class_value text, prob double precision'),
('byom', 'id integer, class_name text, class_value text, prob double precision, rank integer'),
('gpus', 'hostname text, gpu_descr text'),
('band', 'mst_key integer, model_weights bytea, model_arch json, __dist_key__ integer'),
('band_info', 'mst_key integer, model_id integer, compile_params text, fit_params text, model_type text, model_size double precision, '
  'metrics_elapsed_time double precision[], metrics_type text[], loss_type text, training_metrics_final double precision, '
  'training_loss_final double precision, training_metrics double precision[], training_loss double precision[], '
  'validation_metrics_final double precision, validation_loss_final double precision, validation_metrics double precision[], '
  'validation_loss double precision[], metrics_iters integer[], s integer, i integer'),
('band_summary', 'source_table text, validation_table text, model text, model_info text, dependent_varname text[], independent_varname text[], '
  'model_arch_table text, model_selection_table text, automl_method text, automl_params text, random_state text, object_table text, '
  'use_gpus boolean, metrics_compute_frequency integer, name text, description text, start_training_time timestamp without time zone, '
  'end_training_time timestamp without time zone, madlib_version text, num_classes integer[], class_text_class_values text[], '
  'dependent_vartype text[], normalizing_const real'),
('band_mst', 'mst_key integer, model_id integer, compile_params text, fit_params text'),
('band_mst_summary', 'model_arch_table character varying, object_table character varying'),
('tpe', 'mst_key integer, model_weights bytea, model_arch json, __dist_key__ integer'),
('tpe_info', 'mst_key integer, model_id integer, compile_params text, fit_params text, model_type text, model_size double precision, '
  'metrics_elapsed_time double precision[], metrics_type text[], loss_type text, training_metrics_final double precision, '
  'training_loss_final double precision, training_metrics double precision[], training_loss double precision[], '
  'validation_metrics_final double precision, validation_loss_final double precision, validation_metrics double precision[], '
  'validation_loss double precision[], metrics_iters integer[]'),
('tpe_summary', 'source_table text, validation_table text, model text, model_info text, dependent_varname text[], independent_varname text[], '
  'model_arch_table text, model_selection_table text, automl_method text, automl_params text, random_state text, object_table text, '
  'use_gpus boolean, metrics_compute_frequency integer, name text, description text, start_training_time timestamp without time zone, '
  'end_training_time timestamp without time zone, madlib_version text, num_classes integer[], class_text_class_values text[], '
  'dependent_vartype text[], normalizing_const real'),
('tpe_mst', 'mst_key integer, model_id integer, compile_params text, fit_params text'),
('tpe_mst_summary', 'model_arch_table character varying, object_table character varying'),
('schedule', 's integer, i integer, n_i integer, r_i integer'),
('functions', 'id integer, name text, description text, object bytea');
CREATE FUNCTION make_tables(prefix text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  dense json := '{"class_name": "Sequential", "config": {"name": "small", "layers": [{"class_name": "Dense", "config": {"name": "d1", "units": 10,
    "activation": "relu", "batch_input_shape": [null, 4]}}, {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}';
  compile text := 'loss=''categorical_crossentropy'', optimizer=''Adam(lr=0.02)'', metrics=[''accuracy'']';
  grid text := '{''loss'': [''mse''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.01, 0.1, ''log'']}], ''metrics'': [''accuracy'']}';
BEGIN
  PERFORM madlib.load_keras_model(prefix || 'arch', dense);
  PERFORM madlib.training_preprocessor_dl('flower', prefix || 'packed', 'class_text', 'attributes', 10);
  PERFORM madlib.training_preprocessor_dl('flower', prefix || 'two', 'one_hot, class_text', 'attributes, counts', 10);
  PERFORM madlib.validation_preprocessor_dl('flower', prefix || 'val', 'class_text', 'attributes', prefix || 'packed');
  PERFORM madlib.load_model_selection_table(prefix || 'arch', prefix || 'mst', ARRAY[1], ARRAY[compile], ARRAY['batch_size=8', 'batch_size=20']);
  PERFORM madlib.generate_model_configs(prefix || 'arch', prefix || 'grid', ARRAY[1], grid, '{''batch_size'': [8]}', 'random', 1);
  PERFORM madlib.madlib_keras_fit(prefix || 'packed', prefix || 'single', prefix || 'arch', 1, compile, 'batch_size=8', 2, false, prefix || 'val');
  PERFORM madlib.madlib_keras_fit_multiple_model(prefix || 'packed', prefix || 'multi', prefix || 'mst', 2, false, prefix || 'val');
  PERFORM madlib.madlib_keras_evaluate(prefix || 'multi', prefix || 'val', prefix || 'score', mst_key => 1);
  PERFORM madlib.madlib_keras_predict(prefix || 'single', 'flower', 'id', 'attributes', prefix || 'guess');
  PERFORM madlib.madlib_keras_predict(prefix || 'single', 'flower', 'id', 'attributes', prefix || 'response', 'response');
  EXECUTE format('UPDATE %I SET model_weights = (SELECT model_weights FROM %I)', prefix || 'arch', prefix || 'single');
  PERFORM madlib.madlib_keras_predict_byom(prefix || 'arch', 1, 'flower', 'id', 'attributes', prefix || 'byom');
  PERFORM madlib.madlib_keras_automl(prefix || 'packed', prefix || 'band', prefix || 'arch', prefix || 'band_mst', ARRAY[1], grid,
    '{''batch_size'': [8, 20]}', 'hyperband', 'R=2, eta=2, skip_last=0');
  PERFORM madlib.madlib_keras_automl(prefix || 'packed', prefix || 'tpe', prefix || 'arch', prefix || 'tpe_mst', ARRAY[1], grid,
    '{''batch_size'': [8, 20]}', 'hyperopt', 'num_configs=2, num_iterations=1, algorithm=tpe', validation_table => prefix || 'val');
  PERFORM madlib.hyperband_schedule(prefix || 'schedule', 9);
  PERFORM madlib.gpu_configuration(prefix || 'gpus', 'nvidia');
  PERFORM madlib.load_top_k_accuracy_function('public.' || prefix || 'functions', 2);
END $$;
CREATE FUNCTION columns_of(relation text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute
  WHERE attrelid = to_regclass(relation) AND attnum > 0
$$;
-- By default every table begins with MADlib's columns.
SELECT make_tables('our_');
SELECT suffix, columns_of('our_' || suffix) FROM madlib_table WHERE NOT starts_with(columns_of('our_' || suffix) || ',', columns || ',') IS NOT FALSE;
-- Under the setting they are all there is.
SET modelhop.madlib_columns = on;
SELECT make_tables('bare_');
SELECT suffix, columns_of('bare_' || suffix) FROM madlib_table WHERE columns_of('bare_' || suffix) IS DISTINCT FROM columns;
SELECT count(*) FROM madlib_table JOIN pg_class ON relname = 'bare_' || suffix;
-- No table of the extension is unlogged, and keys are MADlib's.
SELECT count(*) FROM pg_class WHERE relname LIKE 'bare\_%' AND relkind = 'r' AND relpersistence <> 'p';
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'bare\_%' ORDER BY 1, 2;
-- Values are float32, whatever the column holds, so that scripts may read the bytes.
SELECT octet_length(attributes) = 4 * 4 * attributes_shape[1] AND octet_length(counts) = 4 * 4 * counts_shape[1]
  AND octet_length(one_hot) = 2 * 3 * one_hot_shape[1] AS as_madlib_has_them FROM bare_two WHERE buffer_id = 0;
SELECT (SELECT array_agg(v ORDER BY v) FROM unnest(madlib.agg_array_concat(madlib.convert_bytea_to_real_array(attributes))) v) =
  (SELECT array_agg(v ORDER BY v) FROM flower, unnest(flower.attributes) v) AS same_attributes,
  (SELECT array_agg(v ORDER BY v) FROM unnest(madlib.agg_array_concat(madlib.convert_bytea_to_real_array(counts))) v) =
  (SELECT array_agg(v ORDER BY v) FROM flower, unnest(flower.counts) v)::real[] AS same_counts,
  (SELECT sum(v) FROM unnest(madlib.agg_array_concat(madlib.convert_bytea_to_smallint_array(one_hot))) v) AS ones,
  bool_and(madlib.convert_array_to_bytea(madlib.convert_bytea_to_real_array(attributes)) = attributes) AS there_and_back
FROM bare_two;
-- Whatever reads such tables goes by the columns that are there, not by the setting.
RESET modelhop.madlib_columns;
SELECT madlib.madlib_keras_evaluate('bare_multi', 'our_val', 'score_1', mst_key => 1);
SELECT abs(s.loss - i.validation_loss_final) < 1e-6 AS same_loss, s.metric = i.validation_metrics_final AS same_metric FROM score_1 s, bare_multi_info i WHERE mst_key = 1;
SELECT madlib.madlib_keras_evaluate('bare_single', 'bare_val', 'score_2');
SELECT abs(s.loss - i.validation_loss_final) < 1e-6 AS same_loss FROM score_2 s, bare_single_summary i;
SELECT madlib.madlib_keras_predict('bare_multi', 'flower', 'id', 'attributes', 'guess_1', 1, mst_key => 2);
SELECT count(*) AS rows, abs(avg((g.class_value = f.class_text)::integer) - (SELECT training_metrics_final FROM bare_multi_info WHERE mst_key = 2)) < 1e-6 AS as_measured
FROM guess_1 g JOIN flower f USING (id);
SELECT madlib.validation_preprocessor_dl('flower', 'val_of_bare', 'class_text', 'attributes', 'bare_packed');
SELECT (SELECT string_agg(encode(attributes, 'hex'), '' ORDER BY buffer_id) FROM val_of_bare) = (SELECT string_agg(encode(attributes, 'hex'), '' ORDER BY buffer_id) FROM our_val) AS same_values,
  (SELECT string_agg(encode(class_text, 'hex'), '' ORDER BY buffer_id) FROM val_of_bare) = (SELECT string_agg(encode(class_text, 'hex'), '' ORDER BY buffer_id) FROM our_val) AS same_labels;
SELECT madlib.madlib_keras_evaluate('bare_tpe', 'bare_val', 'score_3', mst_key => (SELECT mst_key FROM bare_tpe_mst));
SELECT abs(s.loss - i.validation_loss_final) < 1e-6 AS same_loss FROM score_3 s, bare_tpe_info i JOIN bare_tpe_mst USING (mst_key);
-- A warm start keeps the tables' form and begins with a fresh optimizer.
SELECT training_loss_final AS former_loss FROM bare_single_summary \gset
SELECT madlib.madlib_keras_fit('bare_packed', 'bare_single', 'bare_arch', 1, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.0000001)', metrics=['accuracy']$$, 'batch_size=8', 1, warm_start => true);
SELECT abs(training_loss_final - :former_loss) < 1e-3 AS goes_on FROM bare_single_summary;
SELECT training_loss_final AS former_loss FROM bare_multi_info WHERE mst_key = 1 \gset
SELECT madlib.madlib_keras_fit_multiple_model('bare_packed', 'bare_multi', 'bare_mst', 3, false, NULL, 1, true);
SELECT training_loss[1] < :former_loss AS goes_on, cardinality(training_loss) FROM bare_multi_info WHERE mst_key = 1;
SELECT suffix FROM madlib_table WHERE columns_of('bare_' || suffix) IS DISTINCT FROM columns;
SET modelhop.madlib_columns = on;
SELECT madlib.madlib_keras_fit_multiple_model('our_packed', 'our_multi', 'our_mst', 1, false, NULL, 1, true);
SELECT count(*) AS states FROM our_multi WHERE training_state IS NOT NULL;
-- Numbers keep their precision: the bytes tell how they are stored. Predicted they are numbered like classes, as MADlib does.
SELECT modelhop.training_preprocessor_dl('flower', 'sized', 'size', 'attributes'), modelhop.validation_preprocessor_dl('flower', 'sized_val', 'size', 'attributes', 'sized');
SELECT octet_length(size) = 4 * size_shape[1] AS is_float, columns_of('sized') FROM sized WHERE buffer_id = 0;
SELECT modelhop.load_keras_model('line_arch', '{"class_name": "Sequential", "config": {"name": "line", "layers": [{"class_name": "Dense", "config": {"name": "d1", "units": 1, "activation": "linear", "batch_input_shape": [null, 4]}}]}}');
SELECT madlib.madlib_keras_fit('sized', 'line', 'line_arch', 1, $$loss='mse', optimizer='Adam(lr=0.1)'$$, 'batch_size=60', 1, validation_table => 'sized_val');
SELECT abs(validation_loss_final - training_loss_final) < 1e-6 AS same_rows_same_loss, size_class_values FROM line_summary;
SELECT madlib.madlib_keras_predict('line', 'flower', 'id', 'attributes', 'line_guess');
SELECT columns_of('line_guess'), (SELECT array_agg(DISTINCT class_value) FROM line_guess) AS classes;
-- A loss of the user's own is found again by the table that MADlib's column names.
SELECT madlib.load_custom_function('public.own_functions', convert_to('def own_loss(y_true, y_pred): return K.square(y_pred - y_true)', 'UTF8'), 'own_loss');
SELECT madlib.madlib_keras_fit('bare_packed', 'own', 'bare_arch', 1, $$loss='own_loss', optimizer='sgd'$$, 'batch_size=8', 1, validation_table => 'bare_val', object_table => 'public.own_functions');
SELECT madlib.madlib_keras_evaluate('own', 'bare_val', 'own_score');
SELECT abs(s.loss - i.validation_loss_final) < 1e-6 AS same_loss, s.loss_type FROM own_score s, own_summary i;
-- What needs a column of ours is refused, as is what reads one.
\set VERBOSITY sqlstate
SELECT modelhop.training_preprocessor_dl('flower', 'bad', 'class_text', 'attributes', num_segments => 2);
SELECT modelhop.training_preprocessor_dl('flower', 'bad', 'class_text', 'attributes', dependent_encoding => 'class_id');
SELECT modelhop.training_preprocessor_dl('flower', 'bad', 'class_text', 'attributes', normalizing_consts => '{2}');
SELECT modelhop.training_preprocessor_dl('flower', 'bad', 'class_text', 'attributes', sample_weight_varname => 'id');
SELECT modelhop.leaderboard('bare_multi');
SELECT to_regclass('bad') IS NULL AS nothing_left;
