-- A loss and metrics of one's own, as text: what MADlib takes as pickled Python.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/custom_metrics.sql
\set example madlib_custom_metrics
\ir load_iris.sql
SELECT madlib.training_preprocessor_dl('iris_train', 'iris_train_packed', 'class_text', 'attributes', 15) \g /dev/null
SELECT madlib.validation_preprocessor_dl('iris_test', 'iris_test_packed', 'class_text', 'attributes', 'iris_train_packed') \g /dev/null
\set network `cat examples/madlib/iris_mlp.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'narrow', '10 and 10 neurons') \g /dev/null

\echo
\echo == 1. Store the functions
SELECT madlib.load_custom_function('madlib_example_functions', convert_to('def squared_error(y_true, y_pred): return K.square(y_pred - y_true)', 'UTF8'), 'squared_error', 'the square of each difference') \g /dev/null
SELECT madlib.load_custom_function('madlib_example_functions', convert_to('def rmse(y_true, y_pred): return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))', 'UTF8'), 'rmse', 'the root of their mean') \g /dev/null
SELECT madlib.load_top_k_accuracy_function('madlib_example_functions', 2) \g /dev/null
SELECT id, name, description FROM madlib.madlib_example_functions ORDER BY id;

\echo
\echo == 2. Train with them
SELECT madlib.load_model_selection_table('model_arch_library', 'mst_table', ARRAY[1],
    ARRAY[$$loss='squared_error', optimizer='Adam(lr=0.01)', metrics=['rmse']$$,
          $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['top_2_accuracy']$$],
    ARRAY['batch_size=8, epochs=2'], 'madlib_example_functions') \g /dev/null
SELECT madlib.madlib_keras_fit_multiple_model('iris_train_packed', 'iris_model', 'mst_table', 10, FALSE, 'iris_test_packed', 1) \g /dev/null
SELECT mst_key, loss_type, metrics_type, round(validation_loss_final::numeric, 3) AS loss, round(validation_metrics_final::numeric, 3) AS metric FROM iris_model_info ORDER BY mst_key;

DO $$
BEGIN
  ASSERT (SELECT array_agg(id ORDER BY id) FROM madlib.madlib_example_functions) = '{1,2,3}', 'three functions';
  ASSERT (SELECT validation_metrics_final < validation_metrics[1] FROM iris_model_info WHERE metrics_type = '{rmse}'), 'the error falls';
  ASSERT (SELECT validation_metrics_final >= 0.95 FROM iris_model_info WHERE metrics_type = '{top_2_accuracy}'), 'the kind is among the two best guesses';
END $$;

\echo
\echo == 3. Delete them; the table goes with the last one
SELECT madlib.delete_custom_function('madlib_example_functions', 'rmse') \g /dev/null
SELECT madlib.delete_custom_function('madlib_example_functions', 1) \g /dev/null
SELECT madlib.delete_custom_function('madlib_example_functions', 3) \g /dev/null
DO $$ BEGIN ASSERT to_regclass('madlib.madlib_example_functions') IS NULL, 'nothing is left'; END $$;
