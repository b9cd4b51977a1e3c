-- Segments with different numbers of buffers, and segments with none: by the preprocessor, by distribution_rules, or because
-- somebody deleted buffers. regress/tap/100_contract.pl compares the bits of such a run with sequential training.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 120) AS i;
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 6, "activation": "relu", "batch_input_shape": [null, 2]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$$],
  ARRAY['batch_size=8', 'batch_size=30, epochs=2']);
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', 10, num_segments => 4, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed', 10);
CREATE FUNCTION weights(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT string_agg(md5(model_weights) || md5(training_state), '' '' ORDER BY mst_key) FROM %s', output) INTO digest;
  RETURN digest;
END $$;
-- Segment 1 keeps one buffer, segment 2 none; of the validation table only segment 3 is left.
DELETE FROM packed WHERE buffer_id % 4 = 2 OR buffer_id % 4 = 1 AND buffer_id > 1;
DELETE FROM packed_val WHERE buffer_id % 4 < 3;
SELECT buffer_id % 4 AS segment, count(*) AS buffers, sum(attributes_shape[1]) AS rows FROM packed GROUP BY 1 ORDER BY 1;
SELECT modelhop.fit_multiple_model('packed', 'cached', 'mst', 2, FALSE, 'packed_val', 1, shuffle => 'buffer', seed => 5, use_caching => TRUE);
SELECT modelhop.fit_multiple_model('packed', 'streamed', 'mst', 2, FALSE, 'packed_val', 1, shuffle => 'buffer', seed => 5, use_caching => FALSE);
SELECT mst_key, kind, array_agg(DISTINCT segment) AS segments, count(*) AS units, sum(examples) AS examples
FROM modelhop.unit_timeline('cached') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT mst_key, kind, array_agg(DISTINCT segment) AS segments, count(*) AS units, sum(examples) AS examples
FROM modelhop.unit_timeline('streamed') WHERE mst_key = 2 GROUP BY 1, 2 ORDER BY 1, 2;
-- Losses are over all rows that are left: as an evaluation of the same rows on one segment says.
CREATE TABLE left_over AS SELECT * FROM packed;
CREATE TABLE left_over_summary AS SELECT * FROM packed_summary;
UPDATE left_over SET buffer_id = n FROM (SELECT buffer_id AS old, (row_number() OVER (ORDER BY buffer_id) - 1)::integer AS n FROM packed) renumbered WHERE buffer_id = old;
UPDATE left_over_summary SET num_segments = 1;
SELECT modelhop.evaluate('cached', 'left_over', 'whole', mst_key => 2);
SELECT modelhop.evaluate('cached', 'packed', 'parts', mst_key => 2);
SELECT abs(w.loss - i.training_loss_final) < 1e-6 AS same_loss, abs(p.loss - i.training_loss_final) < 1e-6 AS same_by_parts, w.metric = i.training_metrics_final AS same_metric
FROM whole w, parts p, cached_info i WHERE i.mst_key = 2;
SELECT modelhop.evaluate('cached', 'packed_val', 'validated', mst_key => 2);
SELECT abs(v.loss - i.validation_loss_final) < 1e-6 AS same_loss FROM validated v, cached_info i WHERE i.mst_key = 2;
-- Two runs of one iteration are one of two.
SELECT modelhop.fit_multiple_model('packed', 'permuted', 'mst', 2, seed => 5);
SELECT modelhop.fit_multiple_model('packed', 'permuted_again', 'mst', 1, seed => 5);
SELECT modelhop.fit_multiple_model('packed', 'permuted_again', 'mst', 1, warm_start => TRUE);
SELECT weights('permuted') = weights('permuted_again') AS continued, weights('permuted') = weights('cached') AS other_order;
-- One segment of four: caching and streaming give the same bits.
CREATE TABLE lone AS SELECT * FROM packed WHERE buffer_id % 4 = 3;
CREATE TABLE lone_summary AS TABLE packed_summary;
SELECT modelhop.fit_multiple_model('lone', 'lone_cached', 'mst', 2, FALSE, 'packed_val', 1, shuffle => 'buffer', seed => 5, use_caching => TRUE);
SELECT modelhop.fit_multiple_model('lone', 'lone_streamed', 'mst', 2, FALSE, 'packed_val', 1, shuffle => 'buffer', seed => 5, use_caching => FALSE);
SELECT weights('lone_cached') = weights('lone_streamed') AS same_bits;
SELECT bool_and(c.training_loss = s.training_loss AND c.validation_loss = s.validation_loss) AS same_losses FROM lone_cached_info c JOIN lone_streamed_info s USING (mst_key);
-- What the plan says of it.
SELECT units, warning FROM modelhop.plan('packed', 'out', 'mst', 2, FALSE, 'packed_val') WHERE mst_key IS NULL OR mst_key = 1 ORDER BY mst_key;
-- Many more segments than buffers.
SELECT modelhop.training_preprocessor_dl('flower', 'sparse', 'class_text', 'attributes', 40, num_segments => 1000, seed => 1);
SELECT count(*) AS buffers FROM sparse;
DELETE FROM sparse WHERE buffer_id % 30 <> 7;
SELECT modelhop.fit('sparse', 'sparse_model', 'arch', 1, $$loss='mse', optimizer='sgd'$$, 'batch_size=2', 2, seed => 1);
SELECT jsonb_array_length(units) AS units, num_segments FROM sparse_model_summary;
-- One buffer in all.
DELETE FROM sparse WHERE buffer_id <> 7;
SELECT modelhop.fit('sparse', 'last_model', 'arch', 1, $$loss='mse', optimizer='sgd'$$, 'batch_size=1', 2, seed => 1, use_caching => FALSE);
SELECT DISTINCT u->'segment' AS segment, u->'examples' AS examples FROM last_model_summary, jsonb_array_elements(units) u;
DELETE FROM sparse;
\set VERBOSITY sqlstate
SELECT modelhop.fit('sparse', 'nothing_model', 'arch', 1, $$loss='mse', optimizer='sgd'$$, 'batch_size=1', 2);
