-- Many networks at once: a grid of two architectures, two optimizers, three rates and two batch sizes, all trained side by side
-- by model hopping, here without Greenplum.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/model_selection.sql
\set example madlib_model_selection
\ir load_iris.sql
SELECT madlib.training_preprocessor_dl('iris_train', 'iris_train_packed', 'class_text', 'attributes', 15) \g /dev/null
SELECT madlib.validation_preprocessor_dl('iris_test', 'iris_test_packed', 'class_text', 'attributes', 'iris_train_packed') \g /dev/null
\set network `cat examples/madlib/iris_mlp.json`
\set wide_network `cat examples/madlib/iris_wide_mlp.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'narrow', '10 and 10 neurons') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'wide_network'::json, NULL, 'wide', '24 and 24 neurons') \g /dev/null

\echo
\echo == 1. The configurations
SELECT madlib.generate_model_configs(
    'model_arch_library', 'mst_table', ARRAY[1, 2],
    $$ {'loss': ['categorical_crossentropy'],
        'optimizer_params_list': [{'optimizer': ['Adam', 'SGD'], 'lr': [0.001, 0.01, 0.1]}],
        'metrics': ['accuracy']} $$,
    $$ {'batch_size': [4, 8], 'epochs': [1]} $$) \g /dev/null
SELECT * FROM mst_table ORDER BY mst_key LIMIT 5;

\echo
\echo == 2. Train them all
SELECT madlib.madlib_keras_fit_multiple_model(
    'iris_train_packed', 'iris_multi_model', 'mst_table', 10, FALSE, 'iris_test_packed', 1, FALSE, 'Sophie L.', 'iris grid') \g /dev/null
SELECT mst_key, model_id, compile_params, fit_params, round(validation_metrics_final::numeric, 2) AS accuracy, round(validation_loss_final::numeric, 3) AS loss
FROM iris_multi_model_info ORDER BY validation_metrics_final DESC, validation_loss_final LIMIT 5;

\echo
\echo == 3. Ask the best one
SELECT mst_key AS best FROM iris_multi_model_info ORDER BY validation_metrics_final DESC, validation_loss_final LIMIT 1 \gset
SELECT madlib.madlib_keras_evaluate('iris_multi_model', 'iris_test_packed', 'iris_score', NULL, :best) \g /dev/null
SELECT madlib.madlib_keras_predict('iris_multi_model', 'iris_test', 'id', 'attributes', 'iris_guess', 'response', NULL, :best) \g /dev/null
SELECT class_text, count(*) FILTER (WHERE class_text = class_value) AS right, count(*) AS of FROM iris_guess JOIN iris_test USING (id) GROUP BY 1 ORDER BY 1;

\echo
\echo == 4. Keep the three best, add a new one, train on
CREATE TABLE mst_warm AS SELECT mst_key, model_id, compile_params::varchar, fit_params::varchar FROM iris_multi_model_info
    ORDER BY validation_metrics_final DESC, validation_loss_final LIMIT 3;
INSERT INTO mst_warm VALUES (100, 2, $$loss='categorical_crossentropy', optimizer='RMSprop(lr=0.01)', metrics=['accuracy']$$, 'batch_size=8, epochs=1');
CREATE TABLE mst_warm_summary AS SELECT * FROM mst_table_summary;
SELECT madlib.madlib_keras_fit_multiple_model(
    'iris_train_packed', 'iris_multi_model', 'mst_warm', 5, FALSE, 'iris_test_packed', 1, TRUE) \g /dev/null
SELECT mst_key, model_id, round(training_metrics_final::numeric, 2) AS training_accuracy, round(validation_metrics_final::numeric, 2) AS accuracy FROM iris_multi_model_info ORDER BY 1;

DO $$
BEGIN
  ASSERT (SELECT count(*) FROM mst_table) = 24, 'two architectures, two optimizers, three rates, two batch sizes';
  ASSERT (SELECT count(*) FROM iris_multi_model_info) = 4 AND (SELECT count(*) FROM iris_multi_model) = 4, 'three went on, one is new, the others are gone';
  ASSERT (SELECT max(validation_metrics_final) FROM iris_multi_model_info) >= 0.9, 'nine of ten flowers are named';
  ASSERT (SELECT avg((class_text = class_value)::integer) FROM iris_guess JOIN iris_test USING (id)) >= 0.9, 'and predicted';
END $$;
