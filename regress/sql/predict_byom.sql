-- Predictions of models that were trained elsewhere: an architecture with weights is enough.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 2, seed => 1, normalizing_const => 2);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$,
  'batch_size=16', 5, seed => 1);
SELECT modelhop.load_keras_model('arch', model_arch, model_weights, 'trained') FROM model;
-- The same as predict, whose summary knows classes and constant.
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'guess');
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'own_guess', class_values => '{daisy,rose,tulip}', normalizing_const => 2);
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = 'own_guess'::regclass AND attnum > 0;
SELECT count(*), count(*) FILTER (WHERE o.class_value = g.class_value AND o.prob = g.prob) AS same, array_agg(DISTINCT o.class_name) AS names
FROM own_guess o JOIN guess g USING (id, rank);
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'without_constant', class_values => '{daisy,rose,tulip}');
SELECT count(*) > 0 AS other FROM without_constant o JOIN guess g USING (id, class_value) WHERE o.prob <> g.prob;
-- The best one, the best two, those above a threshold; a list of lists for one output.
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'response', 'response', FALSE, ARRAY[ARRAY['daisy', 'rose', 'tulip']], 2.0, 1);
SELECT count(*), count(*) FILTER (WHERE r.class_value = g.class_value) AS same FROM response r JOIN guess g ON g.id = r.id AND g.rank = 1;
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'response'::regclass AND attnum > 0;
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'top', 2, FALSE, ARRAY[ARRAY['daisy', 'rose', 'tulip']], 2.0);
SELECT count(*), max(rank) FROM top;
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'sure', 0.5, FALSE, ARRAY[ARRAY['daisy', 'rose', 'tulip']], 2.0);
SELECT (SELECT count(*) FROM sure) = (SELECT count(*) FROM guess WHERE prob > 0.5) AS same, (SELECT min(prob) FROM sure) > 0.5 AS above;
-- Without names, and with a class that is NULL.
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'numbered', normalizing_const => 2);
SELECT array_agg(DISTINCT n.class_value) AS classes, count(*) FILTER (WHERE g.class_value = ('{daisy,rose,tulip}'::text[])[n.class_value::integer + 1] AND n.prob = g.prob) AS same,
  count(*) FROM numbered n JOIN guess g USING (id, rank);
SELECT count(*) AS not_one FROM (SELECT sum(prob) AS total FROM numbered GROUP BY id) s WHERE abs(total - 1) > 1e-6;
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'of_null', class_values => '{NULL,rose,tulip}', normalizing_const => 2);
SELECT count(*) AS same FROM of_null n JOIN guess g USING (id, rank) WHERE n.class_value IS NOT DISTINCT FROM nullif(g.class_value, 'daisy') AND n.prob = g.prob;
-- Weights by hand: one number that is the probability of the second class; numbers; logits that are said to be classes.
CREATE FUNCTION dense(units integer, activation text, weights real[]) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  PERFORM modelhop.load_keras_model('hand', format('{"class_name": "Sequential", "config": {"name": "hand", "layers": [
    {"class_name": "Dense", "config": {"name": "d", "units": %s, "activation": "%s", "batch_input_shape": [null, 2]}}]}}', units, activation)::json,
    modelhop.convert_array_to_bytea(weights));
  RETURN (SELECT max(model_id) FROM hand);
END $$;
CREATE TABLE point (id text, x real, y real, image bytea, xy smallint[]);
INSERT INTO point VALUES ('left', -3, 0, '\x0400', '{-3,0}'), ('right', 3, 1, '\xff08', '{3,1}');
SELECT dense(1, 'sigmoid', '{1,0,0}') AS half, dense(2, 'linear', '{1,0,0,2,0.5,0}') AS numbers, dense(1, 'linear', '{2,2,0}') AS number \gset
SELECT modelhop.predict_byom('hand', :half, 'point', 'id', 'xy', 'side', 'response', class_values => '{left,right}');
SELECT id, class_value, prob > 0.9 AS sure FROM side ORDER BY id;
SELECT modelhop.predict_byom('hand', :half, 'point', 'id', 'xy', 'one', class_values => '{right}');
SELECT id, class_value, rank, prob > 0.9 AS likely FROM one ORDER BY id;
SELECT modelhop.predict_byom('hand', :numbers, 'point', 'id', 'xy', 'line');
SELECT * FROM line ORDER BY id;
SELECT modelhop.predict_byom('hand', :number, 'point', 'id', 'xy', 'sum', 'response');
SELECT id, class_name, class_value, prob, predicted FROM sum ORDER BY id;
SELECT modelhop.predict_byom('hand', :numbers, 'point', 'id', 'image', 'bytes', normalizing_const => 0.5);
SELECT id, predicted FROM bytes ORDER BY id;
SELECT modelhop.predict_byom('hand', :numbers, 'point', 'id', 'xy', 'logits', 1, class_values => '{a,b}');
SELECT id, class_value, rank FROM logits ORDER BY id;
-- Several inputs and outputs; shorter lists are filled up with NULL.
SELECT modelhop.load_keras_model('two', $${"class_name": "Functional", "config": {"name": "two", "layers": [
  {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [null, 1], "dtype": "float32"}, "inbound_nodes": []},
  {"class_name": "InputLayer", "name": "y", "config": {"name": "y", "batch_input_shape": [null, 1], "dtype": "float32"}, "inbound_nodes": []},
  {"class_name": "Dense", "name": "a", "config": {"name": "a", "units": 3, "activation": "softmax"}, "inbound_nodes": [[["x", 0, 0, {}]]]},
  {"class_name": "Dense", "name": "b", "config": {"name": "b", "units": 2, "activation": "softmax"}, "inbound_nodes": [[["y", 0, 0, {}]]]}],
  "input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["a", 0, 0], ["b", 0, 0]]}}$$,
  modelhop.convert_array_to_bytea('{-1,0,1,0,0,0,0,4,0,-2}'::real[]));
SELECT modelhop.predict_byom('two', 1, 'point', 'id', 'x, y', 'pair', 'response', class_values => '{{left,middle,right},{low,high,NULL}}', dependent_count => 2);
SELECT id, class_name, class_value FROM pair ORDER BY id, class_name;
SELECT modelhop.predict_byom('two', 1, 'point', 'id', 'x, y', 'pair_numbered', 1, dependent_count => NULL);
SELECT id, class_name, class_value, rank FROM pair_numbered ORDER BY id, class_name;
-- Bad calls.
\set VERBOSITY terse
SELECT modelhop.predict_byom(NULL, 1, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('nothing', 1, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('point', 1, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', NULL, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 77, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('arch', 1, 'flower', 'id', 'attributes', 'bad');
SELECT modelhop.predict_byom('hand', 1, NULL, 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'nothing', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', NULL, 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'nr', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', NULL, 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'x', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'x, y', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', NULL);
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'side');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', 'best');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', 0);
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', 1.5);
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'bad', class_values => '{daisy,rose}');
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'bad', class_values => '{daisy,rose,tulip,lily}');
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'bad', class_values => '{{daisy,rose,tulip},{a,b,c}}');
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'bad', class_values => '{}');
SELECT modelhop.predict_byom('arch', 2, 'flower', 'id', 'attributes', 'bad', class_values => '{{{daisy},{rose},{tulip}}}');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', class_values => '{a,b,c}');
SELECT modelhop.predict_byom('two', 1, 'point', 'id', 'x, y', 'bad', class_values => '{a,b,c}', dependent_count => 2);
SELECT modelhop.predict_byom('two', 1, 'point', 'id', 'x, y', 'bad', class_values => '{{a,b,c},{a,b,c}}', dependent_count => 2);
SELECT modelhop.predict_byom('two', 1, 'point', 'id', 'x, y', 'bad');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', dependent_count => 0);
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', normalizing_const => 0);
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', normalizing_const => -255);
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', normalizing_const => 'NaN');
SELECT modelhop.predict_byom('hand', 1, 'point', 'id', 'xy', 'bad', normalizing_const => 'Infinity');
INSERT INTO hand (model_id, model_arch, model_weights) VALUES (10, '{"a": 1}', '\x'), (11, NULL, '\x');
INSERT INTO hand (model_id, model_arch, model_weights) SELECT 12, model_arch, '\x00000000' FROM hand WHERE model_id = 1;
SELECT modelhop.predict_byom('hand', 10, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 11, 'point', 'id', 'xy', 'bad');
SELECT modelhop.predict_byom('hand', 12, 'point', 'id', 'xy', 'bad');
SELECT to_regclass('bad') IS NULL AS nothing_left;
