-- What a search refuses: before anything is written, naming argument and value.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 2, seed => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "narrow", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 3, "activation": "softmax", "batch_input_shape": [null, 7]}}]}}$$, NULL, 'narrow');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "large", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 2000, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'large');
CREATE TABLE taken (x integer);
-- A call whose arguments are good but those given as name => expression, and what it says.
CREATE FUNCTION refused(VARIADIC changed text[]) RETURNS SETOF text LANGUAGE plpgsql AS $f$
DECLARE
  good jsonb := jsonb_build_object('source_table', '''packed''', 'model_output_table', '''out''', 'model_arch_table', '''arch''',
    'model_selection_table', '''mst''', 'model_id_list', 'ARRAY[1]', 'fit_params_grid', $$'{"batch_size": [8, 16, 32], "epochs": [1, 2]}'$$,
    'compile_params_grid', $$'{"loss": ["categorical_crossentropy"], "metrics": ["accuracy"], "optimizer_params_list": [{"optimizer": ["SGD"], "lr": [0.1, 0.2]}]}'$$);
  advice text;
BEGIN
  EXECUTE (SELECT format('SELECT modelhop.automl(%s)', string_agg(format('%I => %s', key, value), ', '))
           FROM jsonb_each_text(good || coalesce(jsonb_object(changed), '{}')));
  RETURN NEXT 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS advice = PG_EXCEPTION_HINT;
  RETURN NEXT SQLSTATE || ' ' || SQLERRM;
  IF advice <> '' THEN RETURN NEXT '      ' || advice; END IF;
END $f$;
\pset tuples_only on
-- Tables.
SELECT refused('source_table', $$'missing'$$);
SELECT refused('source_table', 'NULL');
SELECT refused('model_output_table', $$'taken'$$);
SELECT refused('model_output_table', 'NULL');
SELECT refused('model_selection_table', $$'taken'$$);
SELECT refused('model_selection_table', 'NULL');
SELECT refused('model_selection_table', $$''$$);
SELECT refused('model_selection_table', $$'out'$$);
SELECT refused('model_selection_table', $$'out_info'$$);
SELECT refused('model_arch_table', $$'missing'$$);
SELECT refused('model_arch_table', 'NULL');
SELECT refused('object_table', $$'missing'$$);
SELECT refused('validation_table', $$'missing'$$);
-- Models.
SELECT refused('model_id_list', 'ARRAY[-1]');
SELECT refused('model_id_list', 'ARRAY[1, 9]');
SELECT refused('model_id_list', 'NULL');
SELECT refused('model_id_list', $$'{}'$$);
SELECT refused('model_id_list', 'ARRAY[1, NULL]');
SELECT refused('model_id_list', 'ARRAY[1, 2]');
-- Methods and their parameters.
SELECT refused('automl_method', $$'hyper'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'automl_params', $$'num_configs=-2'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'automl_params', $$'num_iterations=0'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'automl_params', $$'algorithm=random'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'automl_params', $$'R=9'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'automl_params', $$'num_configs=2000000'$$);
SELECT refused('automl_params', $$'R=2, eta=3, skip_last=0'$$);
SELECT refused('automl_params', $$'R=9, eta=1, skip_last=0'$$);
SELECT refused('automl_params', $$'R=9, eta=3, skip_last=3'$$);
SELECT refused('automl_params', $$'R=9, eta=3, skip_last=-1'$$);
SELECT refused('automl_params', $$'R=9, eta'$$);
SELECT refused('automl_params', $$'num_configs=5'$$);
SELECT refused('automl_params', $$'R=2000000000, eta=2'$$);
SELECT refused('metrics_compute_frequency', '0');
SELECT refused('metrics_compute_frequency', '7');
SELECT refused('shuffle', $$'sometimes'$$);
SELECT refused('use_caching', 'FALSE', 'shuffle', $$'segment'$$);
-- Spaces: each value is tried before anything is written, wherever it stands.
SELECT refused('compile_params_grid', 'NULL');
SELECT refused('fit_params_grid', 'NULL');
SELECT refused('compile_params_grid', $$'{}'$$);
SELECT refused('automl_method', $$'hyperopt'$$, 'compile_params_grid', $$'{"loss": ["mse"], "optimizer_params_list": [{"optimizer": ["SGD"], "momentum": [0.1, 0.9, "log_near_one"]}]}'$$);
SELECT refused('compile_params_grid', $$'{"loss": ["mse", "nobody"], "optimizer_params_list": [{"optimizer": ["SGD"], "lr": [0.1]}]}'$$);
SELECT refused('compile_params_grid', $$'{"loss": ["mse"], "optimizer_params_list": [{"optimizer": ["SGD"], "lr": [0.1]}, {"optimizer": ["Adam"], "beta_1": [0.5, 1.5, "linear"]}]}'$$);
SELECT refused('fit_params_grid', $$'{"batch_size": [8, 100, "linear"]}'$$);
SELECT refused('fit_params_grid', $$'{"batch_size": [8], "callbacks": ["[TerminateOnNaN()]", "[EarlyStopping(monitor=''val_loss'')]"]}'$$);
-- Memory: all configurations side by side, also those that are not drawn yet.
SET modelhop.run_memory_limit = '1MB';
SELECT refused('model_id_list', 'ARRAY[3]', 'automl_params', $$'R=81, eta=3'$$, 'compile_params_grid', $$'{"loss": ["mse"], "optimizer_params_list": [{"optimizer": ["SGD"], "lr": [0.1, 0.2, "linear"]}]}'$$);
SELECT refused('model_id_list', 'ARRAY[1, 3]', 'seed', '1', 'automl_method', $$'hyperopt'$$, 'automl_params', $$'num_configs=500, num_iterations=1'$$, 'compile_params_grid', $$'{"loss": ["mse"], "optimizer_params_list": [{"optimizer": ["SGD"], "lr": [0.1, 0.2, "linear"]}]}'$$);
RESET modelhop.run_memory_limit;
BEGIN READ ONLY;
SELECT refused('source_table', $$'packed'$$);
ROLLBACK;
SELECT relname FROM pg_class WHERE relname ~ '^(out|mst)';
-- The same arguments without a change are good.
SELECT refused('automl_params', $$'R=2, eta=2'$$);
SELECT count(*) FROM mst;
