-- Custom losses and metrics: object tables, and training with what they hold.
SET client_min_messages = warning;
CREATE SCHEMA regress_custom;
SET search_path = regress_custom, public;
\set focal 'def focal(y_true, y_pred):\n    import tensorflow as tf\n    pt1 = tf.where(tf.equal(y_true, 1), y_pred, tf.ones_like(y_pred))\n    pt0 = tf.where(tf.equal(y_true, 0), y_pred, tf.zeros_like(y_pred))\n    return (pt1 - pt0) / 10\n'
-- Texts, bytes, and a literal of bytea whose type nobody wrote.
SELECT modelhop.load_custom_function('objects', convert_to('K.square(y_pred - y_true)', 'UTF8'), 'squared_error', 'squares');
SELECT modelhop.load_custom_function('objects', 'def rmse(y_true, y_pred): return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))'::bytea, 'rmse');
SELECT modelhop.load_custom_function('objects', 'K.mean(K.abs(y_pred - y_true), axis=-1)', 'my_mae', 'as the built-in one');
SELECT modelhop.load_custom_function('objects', '\x795f70726564202d20795f74727565', 'difference', NULL);
SELECT modelhop.load_custom_function(object_table => 'objects', object => E'# the share of hits \u00e9\nK.equal(K.argmax(y_true), K.argmax(y_pred))', name => 'My_Accuracy');
SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'objects'::regclass AND attnum > 0 ORDER BY attnum;
SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'objects'::regclass;
SELECT id, name, description, convert_from(object, 'UTF8') AS text FROM objects ORDER BY id;
-- Top-k accuracies, one after the other.
SELECT modelhop.load_top_k_accuracy_function('top', 3), modelhop.load_top_k_accuracy_function('top', 8), modelhop.load_top_k_accuracy_function('top', 4);
SELECT id, name, description, convert_from(object, 'UTF8') AS text FROM top ORDER BY id;
-- Deleting by id and by name; the table goes with its last row.
SELECT modelhop.delete_custom_function('top', 2), modelhop.delete_custom_function('top', 'top_3_accuracy');
SELECT id, name FROM top;
SELECT modelhop.delete_custom_function('top', 3);
SELECT to_regclass('top');
-- Any schema and any name that the caller may write to; nothing in a name is run.
CREATE SCHEMA "Other ""schema";
SELECT modelhop.load_custom_function('"Other ""schema"."my; DROP TABLE objects"', 'y_pred - y_true', 'f');
SELECT modelhop.load_custom_function('"Other ""schema"."my; DROP TABLE objects"', 'y_pred + y_true', 'g');
SELECT id, name FROM "Other ""schema"."my; DROP TABLE objects";
SELECT modelhop.delete_custom_function('"Other ""schema"."my; DROP TABLE objects"', 'f'), modelhop.delete_custom_function('"Other ""schema"."my; DROP TABLE objects"', 2);
SELECT to_regclass('"Other ""schema"."my; DROP TABLE objects"');
SELECT modelhop.load_custom_function('pg_temp.mine', 'y_pred - y_true', 'f'), modelhop.delete_custom_function('pg_temp.mine', 'f');
-- Refusals; nothing is left behind.
\set VERBOSITY terse
SELECT modelhop.load_custom_function('objects', 'y_pred', 'squared_error');
SELECT modelhop.load_custom_function('objects', 'y_pred', NULL);
SELECT modelhop.load_custom_function('objects', NULL, 'f');
SELECT modelhop.load_custom_function('bad', NULL::bytea, 'f');
SELECT modelhop.load_custom_function('bad', 'y_pred', '');
SELECT modelhop.load_custom_function('bad', 'y_pred', 'two words');
SELECT modelhop.load_custom_function('bad', 'y_pred', 'mse');
SELECT modelhop.load_custom_function('bad', 'y_pred', 'Categorical_Accuracy');
SELECT modelhop.load_custom_function('bad', 'y_pred', 'top_3_accuracy');
SELECT modelhop.load_custom_function('bad', '\x80049500'::bytea, 'f');
SELECT modelhop.load_custom_function('bad', E'cdill._dill\n_create_function\np0\n', 'f');
SELECT modelhop.load_custom_function('bad', 'invalid_object', 'f');
SELECT modelhop.load_custom_function('bad', E'import os\nos.system("true")', 'f');
SELECT modelhop.load_custom_function('bad', '__import__("os").system("true")', 'f');
SELECT modelhop.load_custom_function('bad', E'def f(y_true, y_pred):\n    return K.meen(y_pred, axis=-1)', 'f');
SELECT modelhop.load_custom_function('bad', '', 'f');
SELECT modelhop.load_custom_function(NULL, 'y_pred', 'f');
SELECT modelhop.load_custom_function('', 'y_pred', 'f');
SELECT modelhop.load_custom_function('no_such_schema.bad', 'y_pred', 'f');
SELECT modelhop.load_custom_function('objects UNION SELECT 1', 'y_pred', 'f');
SELECT modelhop.load_custom_function('regress_custom', 'y_pred', 'squared_error UNION SELECT 1');
CREATE TABLE no_objects (id integer, name text);
SELECT modelhop.load_custom_function('no_objects', 'y_pred', 'f');
SELECT modelhop.delete_custom_function('no_objects', 1);
SELECT modelhop.delete_custom_function('bad', 1);
SELECT modelhop.delete_custom_function('objects', 99);
SELECT modelhop.delete_custom_function('objects', 'no_such_function');
SELECT modelhop.delete_custom_function('objects', NULL);
SELECT modelhop.delete_custom_function('objects', NULL::integer);
SELECT modelhop.delete_custom_function('objects UNION SELECT 1', 1);
SELECT modelhop.load_top_k_accuracy_function('objects', 0);
SELECT modelhop.load_top_k_accuracy_function('objects', NULL);
SELECT modelhop.load_top_k_accuracy_function('no_objects', 3);
SELECT to_regclass('bad'), count(*) FROM objects;
\set VERBOSITY default
SELECT modelhop.load_custom_function('bad', '\x8004950000'::bytea, 'f');
-- Roles without rights on the table.
CREATE ROLE regress_custom_reader;
GRANT USAGE ON SCHEMA regress_custom TO regress_custom_reader;
SET ROLE regress_custom_reader;
\set VERBOSITY terse
SELECT modelhop.load_custom_function('objects', 'y_pred', 'f');
SELECT modelhop.load_custom_function('mine', 'y_pred', 'f');
RESET ROLE;

-- Training.
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 2, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.load_custom_function('objects', :'focal', 'focal');
SELECT modelhop.load_top_k_accuracy_function('objects', 2);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[$$loss='squared_error', optimizer='Adam(lr=0.02)', metrics=['my_mae']$$, $$loss='mse', optimizer='Adam(lr=0.02)', metrics=['mae']$$,
        $$loss='RMSE', optimizer='Adam(lr=0.02)', metrics=['my_accuracy']$$, $$loss='focal', optimizer='sgd'$$,
        $$loss='squared_error', optimizer='sgd', metrics=['top_2_accuracy']$$, $$loss='mse', optimizer='sgd', metrics=['categorical_accuracy', 'My_Accuracy']$$],
  ARRAY['batch_size=16'], 'objects');
SELECT * FROM mst_summary;
SELECT modelhop.fit_multiple_model('packed', 'models', 'mst', 3, FALSE, 'packed_val', 1, seed => 3);
SELECT mst_key, loss_type, metrics_type, metrics_goal, status, training_loss[3] < training_loss[1] AS falls FROM models_info ORDER BY mst_key;
SELECT object_table, array_agg(key ORDER BY key) AS kept FROM models_summary, jsonb_object_keys(custom_functions) AS key GROUP BY 1;
-- The hits that the built-in metric counts.
SELECT all_validation_metrics[1] = all_validation_metrics[2] AS same FROM models_info WHERE mst_key = 6;
SELECT modelhop.evaluate('models', 'packed_val', 'score_1', mst_key => 1), modelhop.evaluate('models', 'packed_val', 'score_3', mst_key => 3);
SELECT abs(s.loss - i.validation_loss_final) < 1e-9 AS same_loss, abs(s.metric - i.validation_metrics_final) < 1e-9 AS same_metric, s.metrics_type, s.loss_type
FROM score_1 s, models_info i WHERE i.mst_key = 1 UNION ALL
SELECT abs(s.loss - i.validation_loss_final) < 1e-9, abs(s.metric - i.validation_metrics_final) < 1e-9, s.metrics_type, s.loss_type
FROM score_3 s, models_info i WHERE i.mst_key = 3;
SELECT modelhop.predict('models', 'flower', 'id', 'attributes', 'guess', pred_type => 'response', mst_key => 1);
SELECT count(*) FROM guess;
SELECT count(*), bool_and(validation_metric IS NOT NULL) FROM modelhop.leaderboard('models') WHERE mst_key IN (1, 2);
-- Squares as a custom loss give what the built-in loss gives; the seed of a single fit is the same for both.
SELECT modelhop.fit('packed', 'own', 'arch', 1, $$loss='squared_error', optimizer='Adam(lr=0.02)', metrics=['my_mae']$$, 'batch_size=16', 3, seed => 7, object_table => 'objects'),
  modelhop.fit('packed', 'keras', 'arch', 1, $$loss='mse', optimizer='Adam(lr=0.02)', metrics=['mae']$$, 'batch_size=16', 3, seed => 7);
SELECT abs(o.training_loss_final - k.training_loss_final) < 1e-4 AS same_loss, abs(o.training_metrics_final - k.training_metrics_final) < 1e-4 AS same_metric,
       o.object_table, o.custom_functions, k.custom_functions IS NULL AS none FROM own_summary o, keras_summary k;
-- Without metrics, with weights of classes, and continued.
SELECT modelhop.fit('packed', 'plain', 'arch', 1, $$loss='focal', optimizer='sgd'$$, $$batch_size=16, class_weight={0: 1, 1: 2, 2: 1}$$, 2, seed => 7, object_table => 'objects');
SELECT metrics_type, training_metrics, training_loss_final > 0 AS has_loss FROM plain_summary;
SELECT modelhop.fit_multiple_model('packed', 'models', 'mst', 2, FALSE, 'packed_val', 1, TRUE);
SELECT bool_and(status = 'finished'), min(cardinality(training_loss)) FROM models_info;
-- A selection table of some configurations keeps the object table.
SELECT modelhop.select_models('models', 'finalists', ARRAY[1, 3]);
SELECT * FROM finalists_summary;
-- Grids; what is appended later is of the same object table.
\set grid '{''loss'': [''squared_error'', ''mse''], ''metrics'': [''my_mae''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.1]}]}'
SELECT modelhop.generate_model_configs('arch', 'grid', ARRAY[1], :'grid', $${'batch_size': [16]}$$, object_table => 'objects');
SELECT modelhop.generate_model_configs('arch', 'grid', ARRAY[1], :'grid', $${'batch_size': [32]}$$);
SELECT compile_params FROM grid ORDER BY mst_key;
SELECT * FROM grid_summary;
CREATE TABLE others AS TABLE objects;
SELECT modelhop.generate_model_configs('arch', 'grid', ARRAY[1], :'grid', $${'batch_size': [48]}$$, object_table => 'others');
SELECT modelhop.generate_model_configs('arch', 'later', ARRAY[1], $${'loss': ['mse'], 'optimizer_params_list': [{'optimizer': ['SGD']}]}$$, $${'batch_size': [16]}$$);
SELECT modelhop.generate_model_configs('arch', 'later', ARRAY[1], :'grid', $${'batch_size': [16]}$$, object_table => 'objects');
SELECT * FROM later_summary;
-- What is evaluated is the function that trained, even when the table has changed or is gone.
UPDATE objects SET object = 'y_true - y_pred' WHERE name = 'squared_error';
SELECT modelhop.evaluate('own', 'packed', 'score_own');
SELECT abs(s.loss - o.training_loss_final) < 1e-9 AS same_loss FROM score_own s, own_summary o;
ALTER TABLE objects RENAME TO gone;
SELECT modelhop.evaluate('models', 'packed_val', 'score_gone', mst_key => 3);
SELECT abs(s.loss - i.validation_loss_final) < 1e-9 AS same_loss FROM score_gone s, models_info i WHERE mst_key = 3;
SELECT modelhop.predict('models', 'flower', 'id', 'attributes', 'guess_gone', pred_type => 'response', mst_key => 3);
-- Refusals before anything is written.
SELECT modelhop.fit_multiple_model('packed', 'bad', 'mst', 1);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='squared_error', optimizer='sgd'$$, NULL, 1);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='squared_error', optimizer='sgd'$$, NULL, 1, object_table => 'objects');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='squared_error', optimizer='sgd'$$, NULL, 1, object_table => 'no_objects');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='my_accuracy', optimizer='sgd'$$, NULL, 1, object_table => 'gone');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='mse', optimizer='sgd', metrics=['my_mea']$$, NULL, 1, object_table => 'gone');
INSERT INTO gone (name, object) VALUES ('pickled', '\x80049500'), ('wide', 'y_pred - K.mean(y_true, axis=-1)'), ('dark', '\xff00'), ('long', repeat('#', 20000)::bytea);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='mse', optimizer='sgd', metrics=['pickled']$$, NULL, 1, object_table => 'gone');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='wide', optimizer='sgd'$$, NULL, 1, object_table => 'gone');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='dark', optimizer='sgd'$$, NULL, 1, object_table => 'gone');
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='long', optimizer='sgd'$$, NULL, 1, object_table => 'gone');
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[$$loss='squared_error', optimizer='sgd'$$], ARRAY['batch_size=16'], 'no_such_table');
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[$$loss='unknown_error', optimizer='sgd'$$], ARRAY['batch_size=16'], 'gone');
CREATE TABLE doubled AS SELECT name, object FROM gone UNION ALL SELECT 'my_mae', 'K.square(y_pred - y_true)'::bytea;
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='my_mae', optimizer='sgd'$$, NULL, 1, object_table => 'doubled');
SELECT to_regclass('bad'), to_regclass('bad_summary');
\set VERBOSITY default
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='my_mea', optimizer='sgd'$$, NULL, 1, object_table => 'gone');
RESET search_path;
DROP SCHEMA regress_custom, "Other ""schema" CASCADE;
DROP ROLE regress_custom_reader;
