-- Loss and metrics of a trained model.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 2, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy', 'categorical_accuracy']$$, $$loss='mse', optimizer='sgd'$$],
  ARRAY['batch_size=16']);
SELECT modelhop.fit_multiple_model('packed', 'models', 'mst', 3, FALSE, 'packed_val', seed => 3);
SELECT modelhop.evaluate('models', 'packed_val', 'score_1', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_val', 'score_2', mst_key => 2);
SELECT abs(s.loss - i.validation_loss_final) < 1e-9 AS same_loss, s.metric = i.validation_metrics_final AS same_metric,
       s.metrics_type, s.loss_type, cardinality(all_metrics) AS metrics
FROM score_1 s, models_info i WHERE i.mst_key = 1;
SELECT abs(s.loss - i.validation_loss_final) < 1e-9 AS same_loss, s.metric, s.metrics_type, s.loss_type, s.all_metrics
FROM score_2 s, models_info i WHERE i.mst_key = 2;
SELECT modelhop.fit('packed', 'single', 'arch', 1, $$loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy']$$, 'batch_size=32', 2, FALSE, 'packed_val');
SELECT modelhop.evaluate('single', 'packed_val', 'score_3');
SELECT abs(s.loss - i.validation_loss_final) < 1e-9 AS same_loss, s.metric = i.validation_metrics_final AS same_metric FROM score_3 s, single_summary i;
-- Bad calls.
CREATE TABLE wide_flower AS SELECT id, attributes || 1::real AS attributes, class_text FROM flower;
SELECT modelhop.training_preprocessor_dl('wide_flower', 'packed_wide', 'class_text', 'attributes');
CREATE TABLE other_flower AS SELECT id, attributes, upper(class_text) AS class_text FROM flower;
SELECT modelhop.training_preprocessor_dl('other_flower', 'packed_other', 'class_text', 'attributes');
SELECT modelhop.training_preprocessor_dl('flower', 'packed_scaled', 'class_text', 'attributes', normalizing_const => 2);
\set VERBOSITY terse
SELECT modelhop.evaluate(NULL, 'packed_val', 'bad');
SELECT modelhop.evaluate('no_models', 'packed_val', 'bad', FALSE, 1);
SELECT modelhop.evaluate('flower', 'packed_val', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_val', 'bad');
SELECT modelhop.evaluate('models', 'packed_val', 'bad', FALSE, 77);
SELECT modelhop.evaluate('single', 'packed_val', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'flower', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_wide', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_other', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_scaled', 'bad', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_val', 'score_1', FALSE, 1);
SELECT modelhop.evaluate('models', 'packed_val', NULL, FALSE, 1);
SELECT to_regclass('bad') IS NULL AS nothing_left;
-- Classes of types that a cast spells differently from their output: booleans and padded text.
CREATE TABLE leaf AS SELECT id, attributes, id % 3 = 0 AS is_wide, (CASE id % 3 WHEN 0 THEN 'w' ELSE 'n' END)::character(3) AS code FROM flower;
SELECT modelhop.load_keras_model('leaf_arch', $${"class_name": "Sequential", "config": {"name": "leaf", "layers": [
  {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 4]}}]}}$$);
CREATE FUNCTION fit_and_evaluate(label text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  difference double precision;
BEGIN
  PERFORM modelhop.training_preprocessor_dl('leaf', 'leaf_' || label, label, 'attributes', num_segments => 1, seed => 1);
  PERFORM modelhop.validation_preprocessor_dl('leaf', 'leaf_val_' || label, label, 'attributes', 'leaf_' || label);
  PERFORM modelhop.fit('leaf_' || label, 'leaf_model_' || label, 'leaf_arch', 1,
    'loss=''categorical_crossentropy'', optimizer=''adam''', 'batch_size=32', 1, validation_table => 'leaf_val_' || label, seed => 1);
  PERFORM modelhop.evaluate('leaf_model_' || label, 'leaf_val_' || label, 'leaf_score_' || label);
  EXECUTE format('SELECT abs(s.loss - f.validation_loss_final) FROM %I s, %I f', 'leaf_score_' || label, 'leaf_model_' || label || '_summary')
    INTO difference;
  RETURN difference;
END $$;
SELECT label, fit_and_evaluate(label) < 1e-9 AS same_loss FROM unnest('{is_wide,code}'::text[]) AS label;
SELECT is_wide_class_values FROM leaf_model_is_wide_summary;
