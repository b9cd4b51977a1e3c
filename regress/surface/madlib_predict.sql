-- Evaluation and prediction with a single model as scripts for MADlib do it.
\getenv schema MODELHOP_SCHEMA
\getenv data MODELHOP_DATA
SELECT p || 'fit' AS fit, p || 'evaluate' AS evaluate, p || 'predict' AS predict, p || 'predict_byom' AS byom FROM (SELECT CASE :'schema' WHEN 'madlib' THEN 'madlib.madlib_keras_' ELSE 'modelhop.' END) AS v(p) \gset
SET client_min_messages = warning;
CREATE TABLE flower (id integer, sepal_length numeric, sepal_width numeric, petal_length numeric, petal_width numeric, class_text varchar);
SELECT format('COPY flower FROM %L CSV HEADER', :'data' || '/iris/iris.csv') AS copy \gset
:copy;
CREATE TABLE iris AS SELECT id, ARRAY[sepal_length, sepal_width, petal_length, petal_width] AS attributes, class_text FROM flower;
CREATE FUNCTION columns_of(relation text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = to_regclass(relation) AND attnum > 0
$$;
SELECT setseed(0.125);
SELECT :schema.training_preprocessor_dl('iris', 'packed', 'class_text', 'attributes', 30), :schema.validation_preprocessor_dl('iris', 'packed_val', 'class_text', 'attributes', 'packed', 30);
SELECT :schema.load_keras_model('arch', '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "a", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "b", "units": 10, "activation": "relu"}}, {"class_name": "Dense", "config": {"name": "c", "units": 3, "activation": "softmax"}}]}}');
SELECT :fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.05)', metrics=['mae']$$, 'batch_size=10, epochs=2', 20) AS fit;
-- Evaluation: with three arguments, too.
SELECT :evaluate('model', 'packed_val', 'score') AS evaluate, :evaluate('model', 'packed', 'score_of_training', FALSE) AS evaluate;
SELECT a.loss >= 0 AND a.metric >= 0 AS not_negative, a.metrics_type, a.loss_type, abs(a.loss - b.loss) < 1e-5 AS order_does_not_matter FROM score a, score_of_training b;
-- Each kind of prediction.
SELECT :predict('model', 'iris', 'id', 'attributes', 'every') AS predict, :predict('model', 'iris', 'id', 'attributes', 'every_null', NULL) AS predict,
  :predict('model', 'iris', 'id', 'attributes', 'best', 'response') AS predict, :predict('model', 'iris', 'id', 'attributes', 'best_two', 2, FALSE) AS predict, :predict('model', 'iris', 'id', 'attributes', 'likely', 0.2) AS predict;
SELECT columns_of('every') = columns_of('best_two') AND columns_of('every') = columns_of('likely') AS same_columns, columns_of('every'), columns_of('best');
SELECT count(*), count(DISTINCT id) AS ids, array_agg(DISTINCT class_name) AS names, array_agg(DISTINCT class_value) AS classes, array_agg(DISTINCT rank) AS ranks, (SELECT count(*) FROM every_null) AS of_null FROM every;
SELECT bool_and(abs(total - 1) < 1e-6) AS add_up FROM (SELECT sum(prob) AS total FROM every GROUP BY id) s;
SELECT (SELECT count(*) FROM best_two) AS two, (SELECT count(*) FROM best b JOIN every e USING (id, class_value, prob) WHERE e.rank = 1) AS best,
  (SELECT count(*) FROM likely) = (SELECT count(*) FROM every WHERE prob > 0.2) AND (SELECT min(prob) FROM likely) > 0.2 AS likely;
SELECT avg((class_value = class_text)::integer) > 0.9 AS knows_flowers FROM best JOIN iris USING (id);
-- A model from elsewhere: an architecture with these weights names the same classes.
SELECT :schema.load_keras_model('arch', (SELECT model_arch FROM model), (SELECT model_weights FROM model), 'trained elsewhere');
SELECT :byom('arch', 2, 'iris', 'id', 'attributes', 'foreign_best', 'response', FALSE, ARRAY[ARRAY['Iris-setosa', 'Iris-versicolor', 'Iris-virginica']]) AS byom,
  :byom('arch', 2, 'iris', 'id', 'attributes', 'foreign_every', 'prob') AS byom, :byom('arch', 2, 'iris', 'id', 'attributes', 'foreign_two', 2) AS byom, :byom('arch', 2, 'iris', 'id', 'attributes', 'foreign_likely', 0.2) AS byom;
SELECT count(*) AS same FROM foreign_best JOIN best USING (id, class_value);
SELECT columns_of('foreign_every') = columns_of('every') AS same_columns, array_agg(DISTINCT class_name) AS names, array_agg(DISTINCT class_value) AS classes, count(*), (SELECT count(*) FROM foreign_two) AS two,
  (SELECT count(*) FROM foreign_likely) = (SELECT count(*) FROM likely) AS same_likely FROM foreign_every;
SELECT bool_and(abs(total - 1) < 1e-6) AS add_up FROM (SELECT sum(prob) AS total FROM foreign_every GROUP BY id) s;
-- The architecture's table is not needed any more; without class values classes are numbered.
ALTER TABLE arch RENAME TO renamed_arch;
UPDATE model_summary SET class_text_class_values = NULL;
SELECT :predict('model', 'iris', 'id', 'attributes', 'numbered') AS predict;
SELECT array_agg(DISTINCT class_value ORDER BY class_value) AS classes FROM numbered;
SELECT count(*) AS same FROM numbered n JOIN every e USING (id, rank) WHERE e.class_value = ('{Iris-setosa,Iris-versicolor,Iris-virginica}'::text[])[n.class_value::integer + 1];
-- Refusals; nothing is left behind.
\set VERBOSITY sqlstate
SELECT :evaluate(NULL, 'packed_val', 'bad') AS evaluate;
SELECT :evaluate('model', NULL, 'bad') AS evaluate;
SELECT :evaluate('model', 'packed_val', NULL) AS evaluate;
SELECT :evaluate('model', 'packed_val', 'bad', FALSE, 1) AS evaluate;
SELECT :evaluate('model', 'iris', 'bad') AS evaluate;
SELECT :predict(NULL, 'iris', 'id', 'attributes', 'bad') AS predict;
SELECT :predict('model', NULL, 'id', 'attributes', 'bad') AS predict;
SELECT :predict('model', 'iris', NULL, 'attributes', 'bad') AS predict;
SELECT :predict('model', 'iris', 'id', NULL, 'bad') AS predict;
SELECT :predict('model', 'iris', 'id', 'attributes', NULL) AS predict;
SELECT :predict('model', 'packed', 'buffer_id', 'attributes', 'bad') AS predict;
SELECT :predict('model', 'iris', 'id', 'attributes', 'bad', 'probability') AS predict;
SELECT :predict('model', 'iris', 'id', 'attributes', 'bad', 1.0) AS predict;
SELECT :predict('model', 'iris', 'id', 'attributes', 'bad', -1) AS predict;
SELECT :predict('model', 'iris', 'id', 'attributes', 'bad', 'prob', FALSE, 1) AS predict;
SELECT :byom(NULL, 2, 'iris', 'id', 'attributes', 'bad') AS byom;
SELECT :byom('renamed_arch', 2, NULL, 'id', 'attributes', 'bad') AS byom;
SELECT :byom('renamed_arch', 2, 'iris', 'id', 'attributes', NULL) AS byom;
SELECT :byom('renamed_arch', 1, 'iris', 'id', 'attributes', 'bad') AS byom;
SELECT :byom('renamed_arch', 2, 'iris', 'id', 'attributes', 'bad', normalizing_const => -1) AS byom;
SELECT :byom('renamed_arch', 2, 'iris', 'id', 'attributes', 'bad', class_values => ARRAY[ARRAY['a', 'b']]) AS byom;
CREATE TABLE short AS SELECT id, attributes[1:3] AS attributes FROM iris;
SELECT :predict('model', 'short', 'id', 'attributes', 'bad') AS predict;
ALTER TABLE model DROP COLUMN model_arch;
SELECT :evaluate('model', 'packed_val', 'bad') AS evaluate;
SELECT to_regclass('bad') IS NULL AS nothing_left;
