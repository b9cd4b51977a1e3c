-- modelhop.run_slots: how many of the trainer's slots a run uses. The cluster of these tests has two.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, cos(i) / 4]::real[] AS attributes, ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', 20, num_segments => 2, seed => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 64, "activation": "relu", "batch_input_shape": [null, 2]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$],
  ARRAY['batch_size=2', 'batch_size=3', 'batch_size=4', 'batch_size=5']);
-- Units of a run that were in slots at one time.
CREATE FUNCTION most_at_once(output text) RETURNS bigint LANGUAGE sql AS $$
  SELECT max(n) FROM (SELECT count(*) AS n FROM modelhop.unit_timeline(output) a JOIN modelhop.unit_timeline(output) b
    ON b.start_seconds <= a.start_seconds AND b.end_seconds > a.start_seconds GROUP BY a.mst_key, a.kind, a.iteration, a.segment) counted
$$;
CREATE FUNCTION weights(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT string_agg(md5(model_weights) || md5(training_state), '' '' ORDER BY mst_key) FROM %s', output) INTO digest;
  RETURN digest;
END $$;
SHOW modelhop.run_slots;
SELECT modelhop.fit_multiple_model('packed', 'all_slots', 'mst', 3, metrics_compute_frequency => 1, seed => 4);
SET modelhop.run_slots = 1;
SELECT modelhop.fit_multiple_model('packed', 'single', 'mst', 3, metrics_compute_frequency => 1, seed => 4);
SELECT b.slots AS without, s.slots AS with_setting, weights('all_slots') = weights('single') AS same_bits FROM all_slots_summary b, single_summary s;
SELECT most_at_once('single') AS at_once;
-- Streaming as well.
SELECT modelhop.fit_multiple_model('packed', 'single_streamed', 'mst', 3, seed => 4, use_caching => FALSE);
SELECT slots FROM single_streamed_summary;
RESET modelhop.run_slots;
SELECT modelhop.fit_multiple_model('packed', 'both_streamed', 'mst', 3, seed => 4, use_caching => FALSE);
SELECT weights('both_streamed') = weights('single_streamed') AS same_bits;
-- The plan tells it; more than the trainer has changes nothing.
SELECT warning FROM modelhop.plan('packed', 'out', 'mst', 3) WHERE mst_key IS NULL;
SELECT estimated_seconds AS both FROM modelhop.plan('packed', 'out', 'mst', 3) WHERE mst_key IS NULL \gset
SET modelhop.run_slots = 1;
SELECT warning, estimated_seconds > 1.5 * :both AS takes_longer FROM modelhop.plan('packed', 'out', 'mst', 3) WHERE mst_key IS NULL;
SET modelhop.run_slots = 1000;
SELECT modelhop.fit_multiple_model('packed', 'many', 'mst', 3, seed => 4);
SELECT slots, weights('many') = weights('all_slots') AS same_bits FROM many_summary;
SELECT modelhop.evaluate('many', 'packed', 'evaluated', mst_key => 1);
SELECT count(*) FROM evaluated;
SET modelhop.run_slots = -1;
