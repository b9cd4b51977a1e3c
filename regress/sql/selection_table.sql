-- Model selection tables: all combinations, and parts of a run.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_mst;
SET search_path = regress_mst, public;
\set dense '{"class_name":"Sequential","config":{"name":"s","layers":[{"class_name":"Dense","config":{"name":"d","units":2,"activation":"softmax","use_bias":true,"batch_input_shape":[null,3]}}]},"keras_version":"2.10.0","backend":"tensorflow"}'
SELECT modelhop.load_keras_model('arch', :'dense'), modelhop.load_keras_model('arch', :'dense');
\set sgd 'optimizer=''SGD(lr=0.1)'', loss=''mse'', metrics=[''accuracy'']'
\set adam 'optimizer=''Adam(lr=0.01)'', loss=''mse'', metrics=[''accuracy'']'
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[2, 1, 2], ARRAY[:'sgd', :'adam'], ARRAY['batch_size=8, epochs=1', 'batch_size=16']);
SELECT mst_key, model_id, substring(compile_params FOR 16) AS compile_params, fit_params FROM mst ORDER BY mst_key;
SELECT * FROM mst_summary;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'mst'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'mst_summary'::regclass AND attnum > 0 ORDER BY attnum;
SELECT contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'mst'::regclass;
-- Texts that mean the same count once; the last one stays.
SELECT modelhop.load_model_selection_table('arch', 'same', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8,epochs=1', ' batch_size = 8, epochs=1']);
SELECT mst_key, fit_params FROM same;
-- NULL is no object table; one that does not exist is an error.
SELECT modelhop.load_model_selection_table('arch', 'with_null', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8'], NULL);
SELECT modelhop.load_model_selection_table('arch', 'with_object', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8'], 'objects');
-- Names.
SELECT modelhop.load_model_selection_table('regress_mst.arch', 'regress_mst."special-char?"', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT count(*) FROM "special-char?";
SELECT * FROM "special-char?_summary";
SELECT modelhop.load_model_selection_table('arch', 'pg_temp.mst', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT count(*) FROM pg_temp.mst;
DROP TABLE pg_temp.mst, pg_temp.mst_summary;
BEGIN;
SELECT modelhop.load_model_selection_table('arch', 'gone', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
ROLLBACK;
-- Refusals; nothing is left behind.
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1, 7], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', NULL, ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1, NULL], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', '{}', ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], '{}', ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], NULL, ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[:'sgd'], NULL);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY['optimizer=''NoSuch()'', loss=''mse'''], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY['optimizer=''SGD(speed=1)'', loss=''mse'''], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY['optimizer=''SGD(lr=1'', loss=''mse'''], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY['loss=''mse'''], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=0']);
SELECT modelhop.load_model_selection_table('arch', 'bad', ARRAY[1], ARRAY[:'sgd'], ARRAY['batches=8']);
SELECT modelhop.load_model_selection_table('mst', 'bad', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('no_such_table', 'bad', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table(NULL, 'bad', ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT modelhop.load_model_selection_table('arch', NULL, ARRAY[1], ARRAY[:'sgd'], ARRAY['batch_size=8']);
SELECT to_regclass('bad'), to_regclass('bad_summary'), to_regclass('gone');
-- Finalists of a run keep their keys; new ones count on.
CREATE TABLE run_info AS SELECT mst_key, model_id, compile_params, fit_params FROM mst;
CREATE TABLE run_summary AS SELECT 'arch'::text AS model_arch_table;
SELECT modelhop.select_models('run', 'finalists', ARRAY[7, 3, 7]);
SELECT mst_key, model_id, fit_params FROM finalists ORDER BY mst_key;
SELECT * FROM finalists_summary;
SELECT nextval(pg_get_serial_sequence('finalists', 'mst_key'));
SELECT modelhop.select_models('run', 'finalists', ARRAY[3]);
SELECT modelhop.select_models('run', 'others', ARRAY[3, 99]);
SELECT modelhop.select_models('run', 'others', ARRAY[3, NULL]);
SELECT modelhop.select_models('run', 'others', '{}');
SELECT modelhop.select_models('run', 'others', NULL);
SELECT modelhop.select_models('no_such_run', 'others', ARRAY[3]);
SELECT modelhop.select_models(NULL, 'others', ARRAY[3]);
SELECT to_regclass('others');
SET client_min_messages = error;
DROP SCHEMA regress_mst CASCADE;
