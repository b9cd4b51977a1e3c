-- Model selection by model hopping: outputs, reproducibility, warm start, divergence, names.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 3, seed => 1);
SELECT modelhop.training_preprocessor_dl('flower', 'packed_one', 'class_text', 'attributes', buffer_size => 20, num_segments => 1, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "wide", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 24, "activation": "tanh", "batch_input_shape": [null, 4]}},
  {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.2}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'wide');
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1, 2],
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$,
        $$loss='categorical_crossentropy', optimizer='SGD(lr=0.05, momentum=0.9)', metrics=['accuracy']$$],
  ARRAY['batch_size=16, epochs=2']);
SELECT modelhop.fit_multiple_model('packed', 'model', 'mst', 3, FALSE, 'packed_val', 2, FALSE, 'a name', 'a description', seed => 5);

-- MADlib's columns, then ours.
SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', ' ORDER BY a.attnum) AS columns
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname IN ('model', 'model_info', 'model_summary') AND a.attnum > 0 GROUP BY c.relname ORDER BY c.relname;
SELECT mst_key, octet_length(model_weights), model_arch -> 'config' ->> 'name' AS arch, __dist_key__,
       training_state IS NOT NULL AS has_state FROM model ORDER BY mst_key;
SELECT mst_key, model_id, compile_params, fit_params, model_type, model_size, metrics_type, loss_type, status,
       cardinality(training_loss) AS losses, cardinality(validation_metrics) AS metrics, cardinality(metrics_elapsed_time) AS times
FROM model_info ORDER BY mst_key;
SELECT bool_and(training_metrics_final > 0.9) AS learned, bool_and(training_loss[2] < training_loss[1]) AS falls,
       bool_and(training_loss[2] = training_loss_final AND validation_loss[2] = validation_loss_final
                AND training_metrics[2] = training_metrics_final AND all_training_metrics = ARRAY[training_metrics_final]) AS final_is_last,
       bool_and(abs(validation_loss_final - training_loss_final) < 1e-6) AS same_rows_same_loss,
       bool_and(metrics_elapsed_time[1] <= metrics_elapsed_time[2]) AS ascending
FROM model_info;
\x on
SELECT source_table, validation_table, model, model_info, dependent_varname, independent_varname, model_arch_table,
       model_selection_table, object_table, num_iterations, metrics_compute_frequency, warm_start, name, description,
       end_training_time >= start_training_time AS time_passes, num_classes, class_text_class_values, dependent_vartype,
       normalizing_const, metrics_iters, seed, shuffle, optimizer_state, use_caching, num_segments, first_iteration,
       makespan_seconds <= elapsed_seconds AS bounded, makespan_ratio >= 1 AS not_below_bound
FROM model_summary;
\x off
-- Each configuration visits each segment once in an iteration, and two of its trainings never overlap.
SELECT mst_key, u.iteration, string_agg(u.segment::text, ' ' ORDER BY u.segment) AS segments, sum(u.examples) AS examples
FROM modelhop.unit_timeline('model') u WHERE kind = 'train' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE kind = 'evaluate_training') AS evaluations, count(*) FILTER (WHERE kind = 'evaluate_validation') AS validations
FROM modelhop.unit_timeline('model');
SELECT count(*) AS overlapping FROM modelhop.unit_timeline('model') a JOIN modelhop.unit_timeline('model') b
  ON a.mst_key = b.mst_key AND (a.iteration, a.segment) < (b.iteration, b.segment) AND a.kind = 'train' AND b.kind = 'train'
  AND a.start_seconds < b.end_seconds AND b.start_seconds < a.end_seconds;

-- The seed decides; the order of segments is part of the result, so one segment shows it.
CREATE FUNCTION fit_one(output text, iterations integer, options text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT modelhop.fit_multiple_model(''packed_one'', %L, ''mst'', %s%s)', output, iterations, options);
END $$;
CREATE FUNCTION weights(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT string_agg(md5(model_weights), '' '' ORDER BY mst_key) FROM %s', output) INTO digest;
  RETURN digest;
END $$;
SELECT fit_one('a', 4, ', seed => 11');
SELECT fit_one('b', 4, ', seed => 11');
SELECT fit_one('c', 4, ', seed => 12');
SELECT weights('a') = weights('b') AS same_seed, weights('a') = weights('c') AS other_seed;
-- Streaming gives the bits of caching.
SELECT fit_one('cached', 3, ', seed => 11, shuffle => ''buffer'', use_caching => true');
SELECT fit_one('streamed', 3, ', seed => 11, shuffle => ''buffer'', use_caching => false');
SELECT fit_one('streamed_default', 3, ', seed => 11, use_caching => false');
SELECT weights('cached') = weights('streamed') AS same_bits, weights('cached') = weights('streamed_default') AS default_is_buffer;
SELECT use_caching, shuffle FROM streamed_default_summary;
SELECT mst_key, count(*) AS units, sum((u ->> 'examples')::integer) AS examples
FROM streamed_info, jsonb_array_elements(units) u GROUP BY 1 ORDER BY 1;
SELECT fit_one('unshuffled', 2, ', seed => 11, shuffle => ''none''');
SELECT shuffle FROM unshuffled_summary;
-- Two runs are one long run.
SELECT fit_one('d', 2, ', seed => 11');
SELECT fit_one('d', 2, ', warm_start => true');
SELECT weights('a') = weights('d') AS continued;
SELECT seed, first_iteration, num_iterations, warm_start, metrics_iters FROM d_summary;
SELECT DISTINCT iteration FROM modelhop.unit_timeline('d') ORDER BY 1;
-- With optimizers dropped at each hop they are not.
SELECT fit_one('e', 4, ', seed => 11, optimizer_state => ''reset''');
SELECT weights('a') = weights('e') AS reset_is_another FROM e_summary WHERE optimizer_state = 'reset';
-- Keys that are gone vanish, new ones begin.
CREATE TABLE mst_new AS TABLE mst;
CREATE TABLE mst_new_summary AS TABLE mst_summary;
DELETE FROM mst_new WHERE mst_key IN (1, 2);
INSERT INTO mst_new VALUES (9, 1, $$loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy']$$, '');
UPDATE mst_new SET compile_params = replace(compile_params, 'SGD(lr=0.05, momentum=0.9)', 'Adam(lr=0.001)') WHERE mst_key = 4;
SELECT modelhop.fit_multiple_model('packed_one', 'd', 'mst_new', 1, warm_start => TRUE);
SELECT mst_key FROM d ORDER BY mst_key;
SELECT mst_key, status FROM d_info ORDER BY mst_key;

-- Weights of the architecture table are where training begins.
UPDATE arch SET model_weights = (SELECT model_weights FROM a WHERE mst_key = 1) WHERE model_id = 1;
SELECT fit_one('transfer', 1, ', seed => 3');
SELECT t.training_loss_final < 1.05 * a.training_loss_final AS goes_on FROM transfer_info t, a_info a WHERE t.mst_key = 1 AND a.mst_key = 1;
UPDATE arch SET model_weights = NULL;

-- A diverged configuration is retired, the others finish.
SELECT modelhop.load_model_selection_table('arch', 'mst_wild', ARRAY[1],
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy', 'top_k_categorical_accuracy']$$,
        $$loss='mse', optimizer='SGD(lr=1e38)', metrics=[]$$], ARRAY['batch_size=16']);
SELECT modelhop.fit_multiple_model('packed', 'wild', 'mst_wild', 4, metrics_compute_frequency => 1, seed => 1);
SELECT mst_key, status, training_loss[4] = 'NaN' AS last_is_nan, training_loss_final = 'NaN' AS final_is_nan, cardinality(training_loss) AS losses,
       metrics_type, cardinality(training_metrics) AS metrics, cardinality(all_training_metrics) AS kinds, validation_loss
FROM wild_info ORDER BY mst_key;
SELECT rank, mst_key, status FROM modelhop.leaderboard('wild') ORDER BY rank, mst_key;

-- Names: quoted, with schema, temporary.
CREATE SCHEMA "My Schema";
SELECT modelhop.fit_multiple_model('packed', '"My Schema"."Model X"', 'mst', 1);
SELECT count(*) FROM "My Schema"."Model X_info";
SELECT modelhop.fit_multiple_model('packed', 'pg_temp.volatile', 'mst', 1);
SELECT count(*), (SELECT relpersistence FROM pg_class WHERE oid = 'pg_temp.volatile'::regclass) FROM pg_temp.volatile_info;
-- Nothing stays of a run that is rolled back.
BEGIN;
SELECT modelhop.fit_multiple_model('packed', 'gone', 'mst', 1);
ROLLBACK;
SELECT to_regclass('gone') IS NULL AND to_regclass('gone_info') IS NULL AS nothing_left;
SET client_min_messages = error;
DROP SCHEMA "My Schema" CASCADE;
