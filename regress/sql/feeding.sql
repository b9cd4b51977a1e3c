-- Units start while other segments are still to come. Views stand for tables that are slow to read: of some rows they give no value
-- before so many units of this session's run have ended.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, cos(i) / 4]::real[] AS attributes, ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 120) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', 20, num_segments => 2, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed', 20);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 6, "activation": "relu", "batch_input_shape": [null, 2]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$],
  ARRAY['batch_size=4', 'batch_size=5', 'batch_size=6', 'batch_size=7', 'batch_size=8', 'batch_size=9']);
CREATE FUNCTION when_units_have_ended(value bytea, units bigint) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
  FOR attempt IN 1..6000 LOOP
    IF (SELECT units_done >= units FROM modelhop.progress WHERE pid = pg_backend_pid()) IS DISTINCT FROM false THEN
      RETURN value;
    END IF;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RAISE EXCEPTION 'the run does not go on before all segments have come';
END $$;
CREATE FUNCTION weights(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT string_agg(md5(model_weights) || md5(training_state), '' '' ORDER BY mst_key) FROM %s', output) INTO digest;
  RETURN digest;
END $$;
CREATE VIEW slow AS SELECT CASE WHEN buffer_id % 2 = 0 THEN attributes ELSE when_units_have_ended(attributes, 1) END AS attributes,
  class_text, attributes_shape, class_text_shape, buffer_id FROM packed;
CREATE VIEW slow_summary AS SELECT * FROM packed_summary;
SELECT modelhop.fit_multiple_model('packed', 'from_table', 'mst', 2, FALSE, 'packed_val', 1, use_caching => TRUE, seed => 4);
SELECT modelhop.fit_multiple_model('slow', 'from_view', 'mst', 2, FALSE, 'packed_val', 1, use_caching => TRUE, seed => 4);
SELECT weights('from_view') = weights('from_table') AS same_bits FROM from_view LIMIT 1;
SELECT count(*) AS configurations, bool_and(v.training_loss = t.training_loss AND v.validation_loss = t.validation_loss) AS same_losses
FROM from_view_info v JOIN from_table_info t USING (mst_key);
-- Each configuration has its own order of the segments, which does not depend on when they come.
SELECT count(*) AS differences FROM (
  SELECT mst_key, iteration, array_agg(segment ORDER BY start_seconds) FROM modelhop.unit_timeline('from_view') WHERE kind = 'train' GROUP BY 1, 2 EXCEPT
  SELECT mst_key, iteration, array_agg(segment ORDER BY start_seconds) FROM modelhop.unit_timeline('from_table') WHERE kind = 'train' GROUP BY 1, 2) other;
SELECT feed_bytes > 0 AS fed, min(start_seconds) < feed_seconds AS during_feeding, makespan_ratio >= 1 AS bounded
FROM from_view_summary, modelhop.unit_timeline('from_view') GROUP BY feed_bytes, feed_seconds, makespan_ratio;
-- Between the buffers the run goes on: three iterations, each with a rate of its own, while six segments of the validation table come.
SELECT modelhop.load_model_selection_table('arch', 'one_mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$],
  ARRAY[$$batch_size=4, callbacks=[LearningRateScheduler(ExponentialDecay(0.02, decay_steps=1, decay_rate=0.5))]$$]);
CREATE TABLE six_val AS SELECT * FROM packed_val;
CREATE TABLE six_val_summary AS SELECT * FROM packed_val_summary;
UPDATE six_val_summary SET num_segments = 6;
CREATE VIEW slow_val AS SELECT when_units_have_ended(attributes, buffer_id + 1) AS attributes, class_text, attributes_shape, class_text_shape, buffer_id FROM six_val;
CREATE VIEW slow_val_summary AS SELECT * FROM six_val_summary;
SELECT modelhop.fit_multiple_model('packed', 'one_from_table', 'one_mst', 3, FALSE, 'six_val', 3, use_caching => TRUE, seed => 4);
SELECT modelhop.fit_multiple_model('packed', 'one_from_view', 'one_mst', 3, FALSE, 'slow_val', 3, use_caching => TRUE, seed => 4);
SELECT weights('one_from_view') = weights('one_from_table') AS same_bits FROM one_from_view;
SELECT v.validation_loss = t.validation_loss AS same_loss, v.callback_events = t.callback_events AS same_events, jsonb_array_length(v.callback_events) AS events
FROM one_from_view_info v JOIN one_from_table_info t USING (mst_key);
SELECT count(*) AS trainings, count(*) FILTER (WHERE start_seconds < feed_seconds) AS during_feeding
FROM one_from_view_summary, modelhop.unit_timeline('one_from_view') WHERE kind = 'train';
-- A unit that fails meanwhile ends the statement with its own error, not with one about the query that reads rows.
CREATE TABLE text_rows AS SELECT i AS id, ARRAY[i % 3, 7]::integer[] AS words, i % 2 AS class FROM generate_series(1, 40) AS i;
SELECT modelhop.training_preprocessor_dl('text_rows', 'text_packed', 'class', 'words', 5, num_segments => 2, seed => 1);
SELECT modelhop.load_keras_model('text_arch', $${"class_name": "Sequential", "config": {"name": "text", "layers": [
  {"class_name": "Embedding", "config": {"name": "e", "input_dim": 5, "output_dim": 2, "batch_input_shape": [null, 2]}},
  {"class_name": "Flatten", "config": {"name": "f"}},
  {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax"}}]}}$$);
SELECT modelhop.load_model_selection_table('text_arch', 'text_mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$$], ARRAY['batch_size=4']);
CREATE VIEW text_slow AS SELECT CASE WHEN buffer_id % 2 = 0 THEN words ELSE when_units_have_ended(words, 1) END AS words,
  class, words_shape, class_shape, buffer_id FROM text_packed;
CREATE VIEW text_slow_summary AS SELECT * FROM text_packed_summary;
SELECT modelhop.fit_multiple_model('text_slow', 'text_out', 'text_mst', 1, seed => 4);
SELECT to_regclass('text_out') IS NULL AS nothing_is_left;
