-- A search spends its iterations on the configurations that promise most: Hyperband, then Hyperopt's TPE, on iris.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/automl.sql
\set example madlib_automl
\ir load_iris.sql
SELECT madlib.training_preprocessor_dl('iris_train', 'iris_train_packed', 'class_text', 'attributes', 15) \g /dev/null
SELECT madlib.validation_preprocessor_dl('iris_test', 'iris_test_packed', 'class_text', 'attributes', 'iris_train_packed') \g /dev/null
\set network `cat examples/madlib/iris_mlp.json`
\set wide_network `cat examples/madlib/iris_wide_mlp.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'narrow', '10 and 10 neurons') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'wide_network'::json, NULL, 'wide', '24 and 24 neurons') \g /dev/null

\echo
\echo == 1. What Hyperband will do
SELECT madlib.hyperband_schedule('schedule', 9, 3, 0) \g /dev/null
SELECT * FROM schedule ORDER BY s DESC, i;

\echo
\echo == 2. Hyperband
\set compile_grid '{''loss'': [''categorical_crossentropy''], ''optimizer_params_list'': [{''optimizer'': [''Adam''], ''lr'': [0.001, 0.1, ''log'']}, {''optimizer'': [''SGD''], ''lr'': [0.001, 0.1, ''log''], ''momentum'': [0.9]}], ''metrics'': [''accuracy'']}'
\set fit_grid '{''batch_size'': [4, 8], ''epochs'': [1]}'
SELECT madlib.madlib_keras_automl(
    'iris_train_packed', 'hyperband_model', 'model_arch_library', 'hyperband_best', ARRAY[1, 2], :'compile_grid', :'fit_grid',
    'hyperband', 'R=9, eta=3, skip_last=0', 1, NULL, FALSE, 'iris_test_packed', 1, 'Sophie L.', 'iris search') \g /dev/null
SELECT mst_key, s, i, metrics_iters, round(validation_loss_final::numeric, 3) AS loss, round(validation_metrics_final::numeric, 2) AS accuracy
FROM hyperband_model_info ORDER BY validation_loss_final LIMIT 5;
SELECT * FROM hyperband_best;

\echo
\echo == 3. Hyperopt
SELECT madlib.madlib_keras_automl(
    'iris_train_packed', 'hyperopt_model', 'model_arch_library', 'hyperopt_best', ARRAY[1, 2], :'compile_grid', :'fit_grid',
    'hyperopt', 'num_configs=10, num_iterations=5, algorithm=tpe', 2, NULL, FALSE, 'iris_test_packed', 5) \g /dev/null
SELECT mst_key, model_id, compile_params, round(validation_loss_final::numeric, 3) AS loss FROM hyperopt_model_info ORDER BY validation_loss_final LIMIT 3;

\echo
\echo == 4. The best one names the flowers
SELECT mst_key AS best FROM hyperband_best \gset
SELECT madlib.madlib_keras_predict('hyperband_model', 'iris_test', 'id', 'attributes', 'guess', 'response', FALSE, :best) \g /dev/null

DO $$
BEGIN
  ASSERT (SELECT count(*) FROM schedule) = 6, 'three brackets, of three, two rounds and one';
  ASSERT (SELECT count(*) FROM hyperband_model_info) = 9 + 3 + 3, 'as many as the brackets begin with';
  ASSERT (SELECT count(*) FROM hyperopt_model_info) = 10, 'ten trials';
  ASSERT (SELECT count(*) FROM hyperband_best) = 1 AND (SELECT count(*) FROM hyperopt_best) = 1, 'one winner each';
  ASSERT (SELECT validation_loss_final FROM hyperband_model_info JOIN hyperband_best USING (mst_key)) = (SELECT min(validation_loss_final) FROM hyperband_model_info), 'the lowest loss wins';
  ASSERT (SELECT avg((class_value = class_text)::integer) FROM guess JOIN iris_test USING (id)) >= 0.85, 'and knows flowers';
END $$;
