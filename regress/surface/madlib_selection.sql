-- Model selection on iris as scripts for MADlib do it: selection tables, then runs of them.
\getenv schema MODELHOP_SCHEMA
\getenv data MODELHOP_DATA
SELECT p || 'fit_multiple_model' AS fit_multiple, p || 'evaluate' AS evaluate, p || 'predict' AS predict
FROM (SELECT CASE :'schema' WHEN 'madlib' THEN 'madlib.madlib_keras_' ELSE 'modelhop.' END) AS v(p) \gset
SET client_min_messages = warning;
SET regress.fit_multiple = :'fit_multiple';
CREATE TABLE flower (id integer, sepal_length numeric, sepal_width numeric, petal_length numeric, petal_width numeric, class_text varchar);
SELECT format('COPY flower FROM %L CSV HEADER', :'data' || '/iris/iris.csv') AS copy \gset
:copy;
CREATE TABLE iris AS SELECT id, ARRAY[sepal_length, sepal_width, petal_length, petal_width] AS attributes, class_text,
  ARRAY[(class_text = 'Iris-setosa')::integer, (class_text = 'Iris-versicolor')::integer, (class_text = 'Iris-virginica')::integer] AS one_hot FROM flower;
SELECT setseed(0.75);
SELECT modelhop.train_test_split('iris', 'iris', 0.8, NULL, NULL, NULL, FALSE, TRUE);
CREATE SCHEMA shelf;
SELECT :schema.training_preprocessor_dl('iris_train', 'packed', 'class_text', 'attributes', 15), :schema.training_preprocessor_dl('iris_train', 'shelf.packed_hot', 'one_hot', 'attributes', 15),
  :schema.validation_preprocessor_dl('iris_test', 'packed_val', 'class_text', 'attributes', 'packed'), :schema.validation_preprocessor_dl('iris_test', 'packed_hot_val', 'one_hot', 'attributes', 'shelf.packed_hot'),
  :schema.training_preprocessor_dl('iris_train', 'packed_null', 'class_text', 'attributes', 15, NULL, ARRAY[4]);
CREATE FUNCTION layers(trainable boolean) RETURNS json LANGUAGE sql AS $$
  SELECT format('{"class_name": "Sequential", "keras_version": "2.1.6", "backend": "tensorflow", "config": [%s]}', string_agg(format('{"class_name": "Dense", "config": {"name": "d%s", "units": %s, "activation": "%s",
    "trainable": %s, "use_bias": true, "kernel_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": %s}}%s}}',
    i, units, activation, trainable::text, i, CASE i WHEN 1 THEN ', "batch_input_shape": [null, 4]' END), ', '))::json FROM (VALUES (1, 10, 'relu'), (2, 10, 'relu'), (3, 3, 'softmax')) v(i, units, activation)
$$;
SELECT :schema.load_keras_model('arch', layers(true)), :schema.load_keras_model('arch', layers(false)), :schema.load_keras_model('other_arch', layers(true));
-- 2 models x 2 optimizers x 3 rates x 2 batch sizes.
\set grid '{''loss'': [''categorical_crossentropy''], ''optimizer_params_list'': [{''optimizer'': [''Adam'', ''SGD''], ''lr'': [0.0001, 0.1, 1.0]}], ''metrics'': [''accuracy'']}'
SELECT :schema.generate_model_configs('arch', 'grid', ARRAY[1, 2], :'grid', '{''batch_size'': [8, 32], ''epochs'': [4]}');
SELECT count(*), count(DISTINCT compile_params) AS compiles, count(DISTINCT fit_params) AS fits, min(compile_params), min(fit_params), (SELECT model_arch_table FROM grid_summary) AS arch FROM grid;
-- Random ones; appended ones, also where the summary is gone.
\set ranges '{''loss'': [''categorical_crossentropy''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.0001, 0.1, ''log'']}, {''optimizer'': [''Adam''], ''lr'': [0.0001, 0.1, ''linear''], ''beta_1'': [0.8, 0.99, ''log_near_one'']}], ''metrics'': [''accuracy'']}'
SELECT :schema.generate_model_configs('arch', 'random', ARRAY[1, 2], :'ranges', '{''batch_size'': [8, 32], ''epochs'': [4, 6]}', 'rand', 8, 3);
SELECT count(*) FROM random;
DROP TABLE random_summary;
SELECT :schema.generate_model_configs('arch', 'random', ARRAY[1, 2], :'ranges', '{''batch_size'': [8, 32], ''epochs'': [4, 6]}', 'random', 7, 4);
SELECT count(*), (SELECT model_arch_table FROM random_summary) AS arch FROM random;
SELECT :schema.generate_model_configs('arch', 'random', ARRAY[1, 2], :'ranges', '{''batch_size'': [8, 32], ''epochs'': [4, 6]}', 'random', 12, 5);
SELECT count(*), count(DISTINCT (model_id, compile_params, fit_params)), max(mst_key) FROM random;
-- Lists; what means the same counts once.
\set adam 'loss=''categorical_crossentropy'',optimizer=''Adam(lr=0.01)'',metrics=[''accuracy'']'
\set adam_again 'optimizer=''Adam(lr=0.01)'',   metrics=[''accuracy''], loss=''categorical_crossentropy'''
\set sgd 'loss=''categorical_crossentropy'',optimizer=''SGD(lr=0.05)'',metrics=[''accuracy'']'
\set rmsprop 'loss=''mse'',optimizer=''RMSprop(lr=0.01)'',metrics=[''accuracy'']'
SELECT :schema.load_model_selection_table('arch', 'six', ARRAY[1], ARRAY[:'adam', :'sgd', :'rmsprop'], ARRAY['batch_size=8,epochs=1', 'batch_size=16,epochs=1']),
  :schema.load_model_selection_table('arch', 'four', ARRAY[1], ARRAY[:'adam', :'adam_again', :'sgd'], ARRAY['batch_size=8,epochs=1', 'batch_size=16,epochs=1']),
  :schema.load_model_selection_table('arch', 'two', ARRAY[1], ARRAY[:'adam_again', :'sgd', :'adam'], ARRAY['batch_size=8,epochs=1', ' epochs=1, batch_size=8 ']),
  :schema.load_model_selection_table('arch', 'one', ARRAY[1], ARRAY[:'adam'], ARRAY['batch_size=8,epochs=1']),
  :schema.load_model_selection_table('arch', 'pg_temp.temporary', ARRAY[1], ARRAY[:'adam', :'sgd'], ARRAY['batch_size=8,epochs=1']);
SELECT (SELECT count(*) FROM six) AS six, (SELECT count(*) FROM four) AS four, (SELECT count(*) FROM two) AS two;
-- More, as many and fewer configurations than segments, with and without caching.
CREATE FUNCTION run(selection text, output text, further text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  fact text;
BEGIN
  EXECUTE format('SELECT %s(''packed'', %L, %L, 4, FALSE, ''packed_val'', %s)', current_setting('regress.fit_multiple'), output, selection, further);
  EXECUTE format('SELECT concat_ws('' '', count(*), bool_and(i.compile_params = m.compile_params AND i.fit_params = m.fit_params AND i.model_id = m.model_id), '
    'bool_and(octet_length(o.model_weights) = 4 * 193 AND i.model_size = 0.75390625), min(cardinality(training_loss)), max(cardinality(validation_metrics)), '
    'bool_and(training_metrics_final BETWEEN 0 AND 1 AND validation_loss_final >= 0 AND training_loss_final >= 0 AND validation_metrics_final BETWEEN 0 AND 1), '
    'bool_and(metrics_elapsed_time = (SELECT array_agg(DISTINCT e ORDER BY e) FROM unnest(metrics_elapsed_time) e))) '
    'FROM %1$I_info i JOIN %2$s m USING (mst_key) JOIN %1$I o USING (mst_key)', output, selection) INTO fact;
  RETURN fact;
END $$;
SELECT name, run(selection, name, further) FROM (VALUES ('more', 'six', 'NULL'), ('as_many', 'two', '1, FALSE, ''a name'', ''a description'', TRUE'), ('fewer', 'one', '3, FALSE, NULL, NULL, FALSE'),
  ('of_temporary', 'pg_temp.temporary', '2')) v(name, selection, further);
SELECT name, description, metrics_iters, metrics_compute_frequency, num_classes, class_text_class_values, dependent_vartype, warm_start FROM as_many_summary
UNION ALL SELECT name, description, metrics_iters, metrics_compute_frequency, num_classes, class_text_class_values, dependent_vartype, warm_start FROM fewer_summary;
SELECT count(*) AS unlogged FROM pg_class WHERE relpersistence = 'u';
-- One-hot labels, names with a schema, more classes than there are.
SELECT :schema.load_model_selection_table('arch', 'shelf.mst', ARRAY[1], ARRAY[:'adam', :'sgd'], ARRAY['batch_size=5,epochs=3']);
SELECT :fit_multiple('shelf.packed_hot', 'shelf.model', 'shelf.mst', 6, FALSE, 'packed_val', 6) AS fit;
SELECT dependent_vartype, one_hot_class_values, metrics_iters, num_classes, source_table, model, model_info FROM shelf.model_summary;
SELECT bool_and(validation_metrics_final > 0.6) AS learned FROM shelf.model_info;
SELECT class_text_class_values FROM packed_null_summary;
-- The other way round: a validation table of one-hot labels under other names of columns, for a training table of texts.
CREATE TABLE iris_renamed AS SELECT attributes AS measures, one_hot AS kind FROM iris_test;
SELECT :schema.validation_preprocessor_dl('iris_renamed', 'packed_renamed', 'kind', 'measures', 'packed');
SELECT :fit_multiple('packed', 'validated', 'one', 6, FALSE, 'packed_val', 1) AS fit, :evaluate('validated', 'packed_renamed', 'score_renamed', FALSE, 1) AS evaluate,
  :fit_multiple('packed', 'validated_renamed', 'one', 6, FALSE, 'packed_renamed', 1) AS fit, :evaluate('validated_renamed', 'packed_val', 'score_named', FALSE, 1) AS evaluate;
SELECT abs(i.validation_loss_final - s.loss) < 1e-6 AS same_loss, i.validation_metrics_final = s.metric AS same_metric, cardinality(i.validation_loss) AS losses FROM validated_info i, score_renamed s
UNION ALL SELECT abs(i.validation_loss_final - s.loss) < 1e-6, i.validation_metrics_final = s.metric, cardinality(i.validation_loss) FROM validated_renamed_info i, score_named s;
-- Fewer classes than the network has outputs: the last one has no name, in the summary and in predictions.
CREATE TABLE iris_two AS SELECT * FROM iris_train WHERE class_text <> 'Iris-virginica';
SELECT :schema.training_preprocessor_dl('iris_two', 'packed_two', 'class_text', 'attributes', 15, NULL, ARRAY[3]);
SELECT :fit_multiple('packed_two', 'of_two', 'one', 4, FALSE) AS fit;
SELECT class_text_class_values, num_classes FROM of_two_summary;
SELECT :predict('of_two', 'iris_two', 'id', 'attributes', 'guess_two', 'prob', FALSE, 1) AS predict;
SELECT class_value, count(*) = (SELECT count(*) FROM iris_two) AS for_each_row FROM guess_two GROUP BY 1 ORDER BY 1;
-- evaluate agrees with the run; predict agrees with its metric.
SELECT mst_key AS best FROM shelf.model_info ORDER BY training_loss_final LIMIT 1 \gset
SELECT :evaluate('shelf.model', 'shelf.packed_hot', 'score', FALSE, :best) AS evaluate;
SELECT abs(loss - training_loss_final) < 1e-5 * training_loss_final AS same_loss, abs(metric - training_metrics_final) < 1e-6 AS same_metric FROM score, shelf.model_info WHERE mst_key = :best;
SELECT :predict('shelf.model', 'iris_train', 'id', 'attributes', 'guess', 'response', FALSE, :best) AS predict;
SELECT count(*), abs(avg((one_hot[class_value::integer + 1] = 1)::integer) - (SELECT training_metrics_final FROM shelf.model_info WHERE mst_key = :best)) < 1e-6 AS as_measured FROM guess JOIN iris_train USING (id);
-- A warm start: old configurations go on, new ones begin, others vanish; frozen ones stand still.
SELECT :schema.load_model_selection_table('arch', 'warm', ARRAY[1, 2], ARRAY[:'adam'], ARRAY['batch_size=8,epochs=1', 'batch_size=16,epochs=1']);
SELECT :fit_multiple('packed', 'warm_model', 'warm', 3, FALSE, NULL, 1) AS fit;
CREATE TABLE former AS SELECT * FROM warm_model_info;
DELETE FROM warm WHERE mst_key = 2;
INSERT INTO warm VALUES (5, 1, :'sgd', 'batch_size=8,epochs=1');
SELECT :fit_multiple('packed', 'warm_model', 'warm', 2, FALSE, NULL, 1, TRUE) AS fit;
SELECT i.mst_key, i.model_id, cardinality(i.training_loss) AS losses, i.training_loss[1] < f.training_loss_final AS falls_on,
  i.training_loss[1] = f.training_loss_final AND i.training_loss[2] = f.training_loss_final AS stands_still FROM warm_model_info i LEFT JOIN former f USING (mst_key) ORDER BY 1;
SELECT (SELECT array_agg(mst_key ORDER BY mst_key) FROM warm_model) AS models, warm_start FROM warm_model_summary;
-- Weights of a configuration begin another run: the loss of the frozen network is that of the trained one.
UPDATE arch SET model_weights = (SELECT model_weights FROM warm_model WHERE mst_key = 1) WHERE model_id = 2;
SELECT :schema.load_model_selection_table('arch', 'transfer', ARRAY[2], ARRAY[:'adam'], ARRAY['batch_size=8,epochs=1']);
SELECT :fit_multiple('packed', 'transferred', 'transfer', 2, FALSE, NULL, 1) AS fit;
SELECT abs(t.training_loss[1] - w.training_loss_final) < 1e-6 AND abs(t.training_loss[2] - w.training_loss_final) < 1e-6 AS same_loss, abs(t.training_metrics[2] - w.training_metrics_final) < 1e-10 AS same_metric
FROM transferred_info t, warm_model_info w WHERE w.mst_key = 1;
-- Refusals; nothing is left behind.
\set VERBOSITY sqlstate
SELECT :schema.load_model_selection_table('arch', 'bad', ARRAY[1, -1], ARRAY[:'adam'], ARRAY['batch_size=8']);
SELECT :schema.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[:'adam'], ARRAY['batchsize=8']);
SELECT :schema.generate_model_configs('arch', 'bad', ARRAY[-1], :'grid', '{''batch_size'': [8]}');
SELECT :schema.generate_model_configs('arch', 'bad', ARRAY[1], 'not a grid', '{''batch_size'': [8]}');
SELECT :schema.generate_model_configs('other_arch', 'grid', ARRAY[1], :'grid', '{''batch_size'': [64]}');
SELECT :fit_multiple(NULL, 'bad', 'six', 1, FALSE) AS fit;
SELECT :fit_multiple('packed', NULL, 'six', 1, FALSE) AS fit;
SELECT :fit_multiple('packed', 'bad', NULL, 1, FALSE) AS fit;
SELECT :fit_multiple('packed', 'bad', 'six', 1, FALSE, 'no_such_table') AS fit;
SELECT :fit_multiple('packed', 'more', 'six', 1, FALSE) AS fit;
SELECT :fit_multiple('packed_null', 'bad', 'six', 1, FALSE) AS fit;
SELECT :fit_multiple('packed', 'bad', 'six', 0, FALSE) AS fit;
SELECT :evaluate('more', 'packed_val', 'bad') AS evaluate;
SELECT :evaluate('more', 'packed_val', 'bad', FALSE, 99) AS evaluate;
SELECT :predict('more', 'iris_train', 'id', 'attributes', 'bad') AS predict;
SELECT :fit_multiple('packed', 'bad', 'six', 2, FALSE, NULL, 3) AS fit;
SELECT to_regclass('bad') IS NULL AND to_regclass('bad_summary') IS NULL AND to_regclass('bad_info') IS NULL AS nothing_left;
