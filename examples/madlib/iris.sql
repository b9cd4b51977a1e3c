-- One network learns to tell three kinds of iris apart: MADlib's names from the first table to the last.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/iris.sql
\set example madlib_iris
\ir load_iris.sql

\echo
\echo == 1. Pack the flowers
SELECT madlib.training_preprocessor_dl('iris_train', 'iris_train_packed', 'class_text', 'attributes') \g /dev/null
SELECT madlib.validation_preprocessor_dl('iris_test', 'iris_test_packed', 'class_text', 'attributes', 'iris_train_packed') \g /dev/null
SELECT dependent_varname, class_text_class_values, num_classes FROM iris_train_packed_summary;

\echo
\echo == 2. Load a network of 4, 10, 10 and 3 neurons
\set network `cat examples/madlib/iris_mlp.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'Sophie', 'a simple model') \g /dev/null
SELECT model_id, name, description FROM model_arch_library;

\echo
\echo == 3. Train it
SELECT madlib.madlib_keras_fit(
    'iris_train_packed', 'iris_model', 'model_arch_library', 1,
    $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, $$batch_size=5, epochs=3$$, 10,
    FALSE, 'iris_test_packed', 3, FALSE, 'Sophie L.', 'Simple MLP for iris dataset') \g /dev/null
SELECT metrics_iters, array(SELECT round(m::numeric, 2) FROM unnest(training_metrics) m) AS training_accuracy,
    array(SELECT round(m::numeric, 2) FROM unnest(validation_metrics) m) AS validation_accuracy FROM iris_model_summary;

\echo
\echo == 4. Evaluate it, and let it name the flowers that it has not seen
SELECT madlib.madlib_keras_evaluate('iris_model', 'iris_test_packed', 'iris_score') \g /dev/null
SELECT round(metric::numeric, 2) AS accuracy, metrics_type, loss_type FROM iris_score;
SELECT madlib.madlib_keras_predict('iris_model', 'iris_test', 'id', 'attributes', 'iris_guess', 'prob') \g /dev/null
SELECT id, class_text, class_value, round(prob::numeric, 3) AS prob, rank FROM iris_guess JOIN iris_test USING (id) ORDER BY id, rank LIMIT 6;

\echo
\echo == 5. Train it for longer
SELECT training_loss_final AS former_loss FROM iris_model_summary \gset
SELECT madlib.madlib_keras_fit(
    'iris_train_packed', 'iris_model', 'model_arch_library', 1,
    $$loss='categorical_crossentropy', optimizer='Adam(lr=0.005)', metrics=['accuracy']$$, $$batch_size=5, epochs=3$$, 5,
    FALSE, 'iris_test_packed', 1, TRUE) \g /dev/null
SELECT round(training_metrics_final::numeric, 2) AS training_accuracy, round(validation_metrics_final::numeric, 2) AS validation_accuracy
FROM iris_model_summary;

\echo
\echo == 6. A network whose weights came from elsewhere needs no training here
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, (SELECT model_weights FROM iris_model), 'Sophie trained') \g /dev/null
SELECT madlib.madlib_keras_predict_byom('model_arch_library', 2, 'iris_test', 'id', 'attributes', 'iris_guess_byom', 'response', FALSE,
    ARRAY[ARRAY['Iris-setosa', 'Iris-versicolor', 'Iris-virginica']]) \g /dev/null
SELECT class_text, class_value, count(*) FROM iris_guess_byom JOIN iris_test USING (id) GROUP BY 1, 2 ORDER BY 1, 2;

DO $$
BEGIN
  ASSERT (SELECT count(*) FROM iris_test) = 30, 'a fifth of the flowers is for testing';
  ASSERT (SELECT count(*) FROM iris_guess) = 90, 'three classes for each of thirty flowers';
  ASSERT (SELECT abs(avg((class_value = class_text)::integer) - (SELECT metric FROM iris_score)) < 1e-6
          FROM iris_guess JOIN iris_test USING (id) WHERE rank = 1), 'predictions are right as often as the score says';
  ASSERT (SELECT validation_metrics_final FROM iris_model_summary) >= 0.9, 'nine of ten flowers are named';
  ASSERT (SELECT avg((class_value = class_text)::integer) FROM iris_guess_byom JOIN iris_test USING (id)) >= 0.9, 'whoever trained the network';
END $$;
