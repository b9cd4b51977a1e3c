-- What would run.
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
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$, $$loss='mse', optimizer='sgd'$$],
  ARRAY['batch_size=16', 'batch_size=200, epochs=3']);
SELECT mst_key, model_id, parameters, round(forward_mflops::numeric, 6) AS forward_mflops, units, state_mb > 0 AS has_state, workspace_mb > 0 AS has_workspace,
       estimated_seconds > 0 AS has_time, warning
FROM modelhop.plan('packed', 'model', 'mst', 3, FALSE, 'packed_val', 1) ORDER BY mst_key;
-- It writes nothing, so it may run where nothing may be written.
BEGIN READ ONLY;
SELECT count(*) FROM modelhop.plan('packed', 'model', 'mst', 3);
COMMIT;
SELECT to_regclass('model') IS NULL AS nothing_written;
SELECT warning FROM modelhop.plan('packed', 'flower', 'mst', 3, use_caching => FALSE) WHERE mst_key IS NULL;
-- More epochs cost more; streaming is told.
SELECT max(estimated_seconds) > 2.5 * min(estimated_seconds) AS epochs_count FROM modelhop.plan('packed', 'model', 'mst', 3) WHERE mst_key IN (1, 2);
-- Weights that callbacks keep are counted.
SELECT modelhop.load_model_selection_table('arch', 'mst_kept', ARRAY[1], ARRAY[$$loss='mse', optimizer='sgd'$$],
  ARRAY['batch_size=16', $$batch_size=16, callbacks=[EarlyStopping(monitor='loss', restore_best_weights=True), ModelCheckpoint('x', monitor='loss', save_best_only=True)]$$]);
SELECT array_agg(round((state_mb * 1048576 / 4)::numeric) ORDER BY state_mb) AS numbers FROM modelhop.plan('packed', 'model', 'mst_kept', 3) WHERE mst_key IS NOT NULL;
-- It refuses what the fit would refuse.
\set VERBOSITY sqlstate
SELECT * FROM modelhop.plan('packed', 'model', 'mst', 0);
SELECT * FROM modelhop.plan('packed', 'model', 'nothing', 1);
