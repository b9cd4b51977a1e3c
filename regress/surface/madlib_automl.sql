-- Searches as scripts for MADlib do them: their tables, what the summary repeats, repeated draws, schedules, refusals.
\getenv schema MODELHOP_SCHEMA
SELECT p || 'automl' AS automl, p || 'evaluate' AS evaluate, p || 'predict' AS predict
FROM (SELECT CASE :'schema' WHEN 'madlib' THEN 'madlib.madlib_keras_' ELSE 'modelhop.' END) AS v(p) \gset
\getenv data MODELHOP_DATA
SET client_min_messages = warning;
CREATE TABLE flower (id integer, sepal_length numeric, sepal_width numeric, petal_length numeric, petal_width numeric, class_text varchar);
SELECT format('COPY flower FROM %L CSV HEADER', :'data' || '/iris/iris.csv') AS copy \gset
:copy;
CREATE TABLE iris AS SELECT id, ARRAY[sepal_length, sepal_width, petal_length, petal_width] AS attributes, class_text FROM flower;
SELECT setseed(0.25);
SELECT :schema.training_preprocessor_dl('iris', 'packed', 'class_text', 'attributes', 15), :schema.validation_preprocessor_dl('iris', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT :schema.load_keras_model('arch', '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "a", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "b", "units": 3, "activation": "softmax"}}]}}'),
  :schema.load_keras_model('arch', '{"class_name": "Sequential", "config": {"name": "t", "layers": [{"class_name": "Dense", "config": {"name": "a", "units": 16, "activation": "tanh", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "b", "units": 3, "activation": "softmax"}}]}}');
\set grid '{''loss'': [''categorical_crossentropy''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.01, 0.1, ''log'']}, {''optimizer'': [''Adam''], ''lr'': [0.001, 0.05, ''log'']}], ''metrics'': [''accuracy'']}'
\set fit '{''batch_size'': [16, 32], ''epochs'': [1]}'
-- How many rows each table of a search has: the winner's, two summaries, models, and what became of them.
CREATE FUNCTION counts(model text, mst text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  fact text;
BEGIN
  EXECUTE format('SELECT concat_ws(''/'', (SELECT count(*) FROM %1$I), (SELECT count(*) FROM %2$I), (SELECT count(*) FROM %3$I), (SELECT count(*) FROM %4$I), (SELECT count(*) FROM %5$I))',
    mst, mst || '_summary', model || '_summary', model, model || '_info') INTO fact;
  RETURN fact;
END $$;
-- Hyperopt by chance: all arguments, and what the summary says of them.
SELECT :automl('packed', 'rand', 'arch', 'rand_mst', ARRAY[1, 2], :'grid', :'fit', 'hyperopt', 'num_configs=5, num_iterations=6, algorithm=rand', NULL, NULL, FALSE, 'packed_val', 1, 'a name', 'a description', FALSE) AS automl;
SELECT counts('rand', 'rand_mst');
\x on
SELECT source_table, validation_table, model, model_info, dependent_varname, independent_varname, model_arch_table, model_selection_table, automl_method, automl_params, random_state, object_table,
  use_gpus, metrics_compute_frequency, name, description, start_training_time < end_training_time AS takes_time, num_classes, class_text_class_values, dependent_vartype, normalizing_const,
  pg_typeof(random_state) AS type_of_state FROM rand_summary;
\x off
SELECT DISTINCT metrics_iters, cardinality(training_loss) AS losses, cardinality(validation_metrics) AS metrics, cardinality(metrics_elapsed_time) AS times FROM rand_info;
SELECT i.training_loss[6] < i.training_loss[1] AS improves, i.validation_loss_final = (SELECT min(validation_loss_final) FROM rand_info) AS is_best,
  i.model_id = w.model_id AND i.compile_params = w.compile_params AND i.fit_params = w.fit_params AS is_its_row FROM rand_info i JOIN rand_mst w USING (mst_key);
SELECT * FROM rand_mst_summary;
SELECT mst_key AS best FROM rand_mst \gset
SELECT :evaluate('rand', 'packed_val', 'score', FALSE, :best) AS evaluate, :predict('rand', 'iris', 'id', 'attributes', 'guess', 'response', FALSE, :best) AS predict;
SELECT abs(loss - validation_loss_final) < 1e-6 AS same_loss, (SELECT abs(avg((class_value = class_text)::integer) - s.metric) < 1e-6 FROM guess JOIN iris USING (id)) AS as_measured
FROM score s, rand_info WHERE mst_key = :best;
-- Hyperopt by what it has learnt.
SELECT :automl('packed', 'tpe', 'arch', 'tpe_mst', ARRAY[1], :'grid', :'fit', 'HyperOpt', 'num_configs=4, num_iterations=1, algorithm=tpe') AS automl;
SELECT counts('tpe', 'tpe_mst');
-- Hyperband as it is without parameters: five configurations, one of three goes on.
SELECT :automl('packed', 'band', 'arch', 'band_mst', ARRAY[1, 2], :'grid', :'fit') AS automl;
SELECT counts('band', 'band_mst');
SELECT automl_method, automl_params, metrics_compute_frequency, validation_table, use_gpus FROM band_summary;
SELECT s, i, count(*), bool_and(cardinality(metrics_elapsed_time) = cardinality(metrics_iters) AND cardinality(training_loss) = cardinality(metrics_iters)) AS as_many,
  bool_and(metrics_elapsed_time = (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(metrics_elapsed_time) e)) AS ascend FROM band_info GROUP BY 1, 2 ORDER BY 1, 2;
SELECT i.training_loss_final = (SELECT min(training_loss_final) FROM band_info) AS is_best FROM band_info i JOIN band_mst USING (mst_key);
-- Other schedules: elapsed times go on from round to round.
SELECT :automl('packed', 'five', 'arch', 'five_mst', ARRAY[1], :'grid', :'fit', 'hyperband', 'R=5, eta=5, skip_last=0', NULL, NULL, FALSE, NULL, 1) AS automl,
  :automl('packed', 'skipped', 'arch', 'skipped_mst', ARRAY[1], :'grid', :'fit', 'hyperband', 'R=5, eta=5, skip_last=1') AS automl;
SELECT counts('five', 'five_mst'), counts('skipped', 'skipped_mst');
SELECT s, i, metrics_iters, count(*), bool_and(metrics_elapsed_time = (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(metrics_elapsed_time) e)) AS ascend FROM five_info GROUP BY 1, 2, 3 ORDER BY 1, 2;
-- A random_state draws the same again.
SELECT :automl('packed', 'state_' || n, 'arch', 'state_mst_' || n, ARRAY[1, 2], :'grid', :'fit', 'hyperopt', 'num_configs=4, num_iterations=1, algorithm=rand', 42) AS automl FROM generate_series(1, 3) n;
SELECT count(DISTINCT (model_id, compile_params, fit_params)) AS configurations, count(*) FROM (TABLE state_1_info UNION ALL TABLE state_2_info UNION ALL TABLE state_3_info) i WHERE mst_key = 3;
SELECT :automl('packed', 'band_' || n, 'arch', 'band_mst_' || n, ARRAY[1, 2], :'grid', :'fit', 'hyperband', 'R=3, eta=2, skip_last=1', 42) AS automl FROM generate_series(1, 3) n;
SELECT count(DISTINCT (model_id, compile_params, fit_params)) AS configurations, count(*) FROM (TABLE band_1_info UNION ALL TABLE band_2_info UNION ALL TABLE band_3_info) i WHERE mst_key = 2;
SELECT random_state FROM band_3_summary;
-- Functions of the user's own.
CREATE SCHEMA shelf;
SELECT :schema.load_custom_function('shelf.functions', 'def own_loss(y_true, y_pred): return K.square(y_pred - y_true)'::text, 'own_loss'), :schema.load_top_k_accuracy_function('shelf.functions', 2);
SELECT :automl('packed', 'shelf.own', 'arch', 'shelf.own_mst', ARRAY[1], '{''loss'': [''own_loss''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.1]}], ''metrics'': [''top_2_accuracy'']}', :'fit',
  'hyperband', 'R=2, eta=2, skip_last=1', NULL, 'shelf.functions') AS automl;
SELECT DISTINCT loss_type, metrics_type, object_table FROM shelf.own_info, shelf.own_summary;
-- The rounds of hyperband.
SELECT :schema.hyperband_schedule('schedule', 81, 3, 0), :schema.hyperband_schedule('nine', 9);
SELECT (SELECT count(*) FROM schedule), string_agg(format('(%s,%s,%s,%s)', s, i, n_i, r_i), ' ' ORDER BY s DESC, i) FROM nine;
-- Refusals, with the words that scripts look for; nothing is left behind.
CREATE FUNCTION refused(call text, words text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  RETURN concat_ws(' ', SQLSTATE, CASE WHEN SQLERRM ~ words THEN words ELSE SQLERRM END);
END $$;
CREATE FUNCTION search(source text, output text, mst text, ids integer[], grid text, method text, params text, object_table text DEFAULT NULL, validation text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
  SELECT format('%s(%L, %L, ''arch'', %L, %L, %L, ''{"batch_size": [16]}'', %L, %L, NULL, %L, FALSE, %L)', current_setting('regress.automl'), source, output, mst, ids, grid, method, params, object_table, validation)
$$;
SET regress.automl = :'automl';
SELECT n, refused(call, words) FROM (VALUES
  (1, search(NULL, 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', NULL), 'NULL/empty input table name'), (2, search('no_such_table', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', NULL), 'does not exist'),
  (3, search('packed', NULL, 'bad_mst', '{1}', :'grid', 'hyperband', NULL), 'NULL/empty output table name'), (4, search('packed', 'rand', 'bad_mst', '{1}', :'grid', 'hyperband', NULL), 'already exists'),
  (5, search('packed', 'bad', 'rand_mst', '{1}', :'grid', 'hyperband', NULL), 'already exists'), (6, search('packed', 'bad', 'bad_mst', '{1,-1}', :'grid', 'hyperband', NULL), 'model_id -1'),
  (7, search('packed', 'bad', 'bad_mst', '{1}', 'no grid', 'hyperband', NULL), 'compile_params_grid'), (8, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyper', NULL), 'automl_method'),
  (9, search('packed', 'bad', 'bad_mst', '{1}', replace(:'grid', '''log''', '''log_near_one'''), 'hyperopt', NULL), 'log_near_one'),
  (10, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperopt', 'num_configs=-2, num_iterations=6, algorithm=rand'), 'num_configs'),
  (11, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperopt', 'num_configs=2, num_iterations=0, algorithm=rand'), 'num_iterations'),
  (12, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperopt', 'num_configs=2, num_iterations=6, algorithm=random'), 'algorithm'),
  (13, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', 'R=2, eta=3, skip_last=0'), 'eta'), (14, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', 'R=9, eta=1, skip_last=0'), 'eta'),
  (15, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', 'R=9, eta=3, skip_last=3'), 'skip_last'),
  (16, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', NULL, 'no_such_table'), 'does not exist'), (17, search('packed', 'bad', 'bad_mst', '{1}', :'grid', 'hyperband', NULL, NULL, 'no_such_table'), 'does not exist'),
  (18, search('packed', 'bad', 'bad_mst', '{1}', replace(:'grid', 'categorical_crossentropy', 'own_loss'), 'hyperband', NULL), 'own_loss'),
  (19, format('%s.hyperband_schedule(''schedule'', 81)', :'schema'), 'already exists'), (20, format('%s.hyperband_schedule(''bad'', 2, 3)', :'schema'), 'eta')) v(n, call, words) ORDER BY n;
SELECT count(*) AS left_behind FROM pg_class WHERE relname LIKE 'bad%' AND relkind = 'r';
