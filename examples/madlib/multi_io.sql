-- A network with two inputs and two outputs: the measures of a flower and their squares, its class twice.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/multi_io.sql
\set example madlib_multi_io
\ir load_iris.sql
CREATE TABLE iris_mult AS SELECT id, attributes, madlib.array_square(attributes) AS squares, class_text, (class_text = 'Iris-setosa') AS is_setosa FROM iris_train;
CREATE TABLE iris_mult_test AS SELECT id, attributes, madlib.array_square(attributes) AS squares, class_text, (class_text = 'Iris-setosa') AS is_setosa FROM iris_test;

\echo
\echo == 1. Pack: lists of columns, in the order of inputs and outputs of the network
SELECT madlib.training_preprocessor_dl('iris_mult', 'iris_mult_packed', 'class_text, is_setosa', 'attributes, squares', NULL, 10) \g /dev/null
SELECT madlib.validation_preprocessor_dl('iris_mult_test', 'iris_mult_test_packed', 'class_text, is_setosa', 'attributes, squares', 'iris_mult_packed') \g /dev/null
SELECT independent_varname, dependent_varname, num_classes, is_setosa_class_values FROM iris_mult_packed_summary;

\echo
\echo == 2. Train
\set network `cat examples/madlib/iris_two_inputs.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'two by two') \g /dev/null
SELECT madlib.madlib_keras_fit(
    'iris_mult_packed', 'iris_mult_model', 'model_arch_library', 1,
    $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, $$batch_size=8, epochs=3$$, 20,
    FALSE, 'iris_mult_test_packed', 10) \g /dev/null
SELECT metrics_type, loss_type, num_classes, metrics_iters FROM iris_mult_model_summary;

\echo
\echo == 3. Predict: rows for each output
SELECT madlib.madlib_keras_predict('iris_mult_model', 'iris_mult_test', 'id', 'attributes, squares', 'iris_mult_guess', 0.5) \g /dev/null
SELECT id, class_name, class_value, round(prob::numeric, 3) AS prob, rank FROM iris_mult_guess ORDER BY id, class_name LIMIT 6;

\echo
\echo == 4. Several such networks at once
SELECT madlib.load_model_selection_table('model_arch_library', 'mst_table', ARRAY[1],
    ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$,
          $$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$$], ARRAY['batch_size=8, epochs=3']) \g /dev/null
SELECT madlib.madlib_keras_fit_multiple_model('iris_mult_packed', 'iris_mult_models', 'mst_table', 10, FALSE, 'iris_mult_test_packed') \g /dev/null
SELECT mst_key, compile_params, round(validation_loss_final::numeric, 2) AS loss FROM iris_mult_models_info ORDER BY mst_key;

DO $$
BEGIN
  ASSERT (SELECT avg((g.class_value = t.class_text)::integer) FROM iris_mult_guess g JOIN iris_mult_test t USING (id) WHERE class_name = 'class_text') >= 0.9,
    'nine of ten kinds are right';
  ASSERT (SELECT avg((g.class_value::boolean = t.is_setosa)::integer) FROM iris_mult_guess g JOIN iris_mult_test t USING (id) WHERE class_name = 'is_setosa') >= 0.95,
    'setosa is easy to tell';
  ASSERT (SELECT count(*) FROM iris_mult_models_info) = 2, 'MADlib refuses several inputs here';
END $$;
