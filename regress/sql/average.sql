-- fit(parallel => 'average'): a copy on each segment, averaged after each iteration.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "keras_version": "2.10.0", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "BatchNormalization", "config": {"name": "norm", "axis": [1]}},
  {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.2}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
SELECT modelhop.training_preprocessor_dl('flower', 'one', 'class_text', 'attributes', 20, num_segments => 1, seed => 1);
SELECT modelhop.training_preprocessor_dl('flower', 'three', 'class_text', 'attributes', 20, num_segments => 3, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'val', 'class_text', 'attributes', 'three', 30, NULL, 2);
CREATE FUNCTION train(source text, model text, iterations integer, more text DEFAULT '', optimizer text DEFAULT 'Adam(lr=0.02)', fit_params text DEFAULT 'batch_size=16, epochs=2')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT modelhop.fit(%L, %L, ''arch'', 1, %L, %L, %s, FALSE, ''val'', 1 %s)', source, model,
    format($p$loss='categorical_crossentropy', optimizer='%s', metrics=['accuracy']$p$, optimizer), fit_params, iterations, more);
END $$;
CREATE FUNCTION digest(model text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT md5(model_weights) || md5(training_state) FROM %I', model) INTO digest;
  RETURN digest;
END $$;
-- With one segment there is nothing to average: the same bits as hopping, weights and optimizer.
SELECT train('one', 'one_hop', 3, ', seed => 7');
SELECT train('one', 'one_average', 3, ', seed => 7, parallel => ''average''');
SELECT digest('one_hop') = digest('one_average') AS same_bits;
SELECT h.parallel AS hop, a.parallel AS average, h.training_loss = a.training_loss AS same_losses, h.validation_loss = a.validation_loss AS same_validation
FROM one_hop_summary h, one_average_summary a;
-- With three it is something else, and learns.
SELECT train('three', 'hop', 3, ', seed => 7');
SELECT train('three', 'average', 3, ', seed => 7, parallel => ''average''');
SELECT digest('hop') <> digest('average') AS differs;
SELECT training_loss[3] < training_loss[1] AS falls, cardinality(validation_loss) AS losses, num_segments, status FROM average_summary;
SELECT u->>'kind' AS kind, u->'iteration' AS iteration, array_agg(u->'segment' ORDER BY u->'segment') AS segments, sum((u->>'examples')::integer) AS examples
FROM average_summary, jsonb_array_elements(units) u GROUP BY 1, 2 ORDER BY 2, 1;
-- The losses are those of the weights that are written.
SELECT modelhop.evaluate('average', 'val', 'evaluated');
SELECT abs(e.loss - s.validation_loss_final) < 1e-6 AS same_loss, e.metric = s.validation_metrics_final AS same_metric FROM evaluated e, average_summary s;
-- The same bits at any number of slots, and streaming.
SET modelhop.run_slots = 1;
SELECT train('three', 'average_1', 3, ', seed => 7, parallel => ''average''');
RESET modelhop.run_slots;
SELECT digest('average') = digest('average_1') AS same_bits, (SELECT slots FROM average_1_summary) AS slots;
SELECT train('three', 'average_cached', 2, ', seed => 7, shuffle => ''buffer'', parallel => ''average''');
SELECT train('three', 'average_streamed', 2, ', seed => 7, use_caching => FALSE, parallel => ''average''');
SELECT digest('average_cached') = digest('average_streamed') AS same_bits, (SELECT use_caching FROM average_streamed_summary) AS use_caching;
SELECT c.training_loss = s.training_loss AND c.validation_loss = s.validation_loss AS same_losses FROM average_cached_summary c, average_streamed_summary s;
-- After one iteration it is the mean of what each segment makes of the same weights, weighted by rows: batch-norm
-- statistics too. No order and no dropout, so that a segment alone gives what it gives beside others.
SELECT modelhop.load_keras_model('plain', $${"class_name": "Sequential", "keras_version": "2.10.0", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "BatchNormalization", "config": {"name": "norm", "axis": [1]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
CREATE FUNCTION train_plain(source text, model text, more text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT modelhop.fit(%L, %L, ''plain'', 1, %L, ''batch_size=16'', 1, seed => 3, shuffle => ''none'' %s)', source, model,
    $p$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)'$p$, more);
END $$;
CREATE FUNCTION numbers(weights bytea) RETURNS TABLE(place integer, value double precision) LANGUAGE sql AS $$
  SELECT i, (1 - 2 * (b >> 31)) * CASE WHEN (b >> 23) & 255 = 0 THEN 0 ELSE (1 + (b & 8388607) / 8388608.0) * 2.0 ^ (((b >> 23) & 255) - 127) END::double precision
  FROM generate_series(0, octet_length(weights) / 4 - 1) i,
    LATERAL (SELECT get_byte(weights, 4 * i) + (get_byte(weights, 4 * i + 1)::bigint << 8)
             + (get_byte(weights, 4 * i + 2)::bigint << 16) + (get_byte(weights, 4 * i + 3)::bigint << 24) AS b) v
$$;
CREATE TABLE two AS SELECT * FROM three WHERE buffer_id IN (0, 1, 3);
CREATE TABLE two_summary AS TABLE three_summary;
UPDATE two_summary SET num_segments = 2;
UPDATE two SET buffer_id = 2 WHERE buffer_id = 3;
CREATE TABLE left_half AS SELECT * FROM two WHERE buffer_id % 2 = 0;
CREATE TABLE right_half AS SELECT * FROM two WHERE buffer_id % 2 = 1;
CREATE TABLE left_half_summary AS TABLE two_summary;
CREATE TABLE right_half_summary AS TABLE two_summary;
SELECT train_plain('two', 'mean', ', parallel => ''average''');
SELECT train_plain('left_half', 'left_model');
SELECT train_plain('right_half', 'right_model');
SELECT count(*), max(abs(m.value - (40 * l.value + 20 * r.value) / 60)) < 1e-6 AS is_the_mean, max(abs(l.value - r.value)) > 1e-3 AS halves_differ
FROM numbers(modelhop.model_weights('mean')) m JOIN numbers(modelhop.model_weights('left_model')) l USING (place)
  JOIN numbers(modelhop.model_weights('right_model')) r USING (place);
-- A warm start begins with the averaged weights: at rate 0 its first loss is the last one before it.
SELECT modelhop.load_keras_model('dense', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$);
CREATE FUNCTION continue_dense(rate text, iterations integer, more text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT modelhop.fit(''three'', ''continued'', ''dense'', 1, %L, ''batch_size=16'', %s, FALSE, ''val'', 1, parallel => ''average'' %s)',
    format($p$loss='categorical_crossentropy', optimizer='SGD(lr=%s)', metrics=['accuracy']$p$, rate), iterations, more);
END $$;
SELECT continue_dense('0.1', 2, ', seed => 3');
CREATE TABLE before AS SELECT training_loss_final AS loss, validation_loss_final AS validation_loss, m.model_weights FROM continued_summary, continued m;
SELECT continue_dense('0.0', 2, ', warm_start => TRUE');
SELECT abs(s.training_loss[1] - b.loss) < 1e-6 AS same_loss, abs(s.validation_loss[2] - b.validation_loss) < 1e-6 AS same_validation_loss,
       m.model_weights = b.model_weights AS same_weights, s.first_iteration FROM continued_summary s, continued m, before b;
SELECT continue_dense('0.1', 2, ', warm_start => TRUE');
SELECT s.training_loss[2] < b.loss AS goes_on, s.first_iteration FROM continued_summary s, before b;
-- Runs may change from one way to the other.
SELECT modelhop.fit('three', 'continued', 'dense', 1, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$$, 'batch_size=16', 1, warm_start => TRUE);
SELECT parallel, first_iteration, status FROM continued_summary;
-- Callbacks act on all copies.
SELECT train('three', 'stopped', 5, ', seed => 7, parallel => ''average''', 'SGD(lr=0.1)', $$batch_size=16, callbacks=[EarlyStopping(monitor='loss', patience=0, min_delta=1000.0), ReduceLROnPlateau(monitor='loss', factor=0.5, patience=1, min_delta=1000.0)]$$);
SELECT status, stopped_iteration, cardinality(training_loss) AS losses FROM stopped_summary;
SELECT modelhop.fit('three', 'scheduled', 'dense', 1, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)'$$,
  $$batch_size=16, callbacks=[LearningRateScheduler(ExponentialDecay(0.0, decay_steps=1, decay_rate=0.5))]$$, 3, metrics_compute_frequency => 1, seed => 7, parallel => 'average');
SELECT callback_events->0->>'callback' AS callback, abs(training_loss[1] - training_loss[3]) < 1e-6 AS no_copy_moves FROM scheduled_summary;
-- A copy that diverges takes the model with it.
SELECT train('three', 'wild', 3, ', seed => 7, parallel => ''average''', 'SGD(lr=1e38)');
SELECT status, training_loss_final = 'NaN' AS no_loss FROM wild_summary;
-- Each copy keeps its optimizer over the iterations, unless it is reset at each visit.
SELECT train('three', 'kept', 2, ', seed => 7, parallel => ''average''');
SELECT train('three', 'reset', 2, ', seed => 7, parallel => ''average'', optimizer_state => ''reset''');
SELECT (r.training_loss[1] = k.training_loss[1]) AS same_at_first, (r.training_loss[2] <> k.training_loss[2]) AS then_other FROM reset_summary r, kept_summary k;
-- Refusals.
SELECT train('three', 'refused', 1, ', parallel => ''both''');
SELECT train('three', 'refused', 1, ', parallel => ''average''', 'SGD(lr=0.1, use_ema=True)');
-- What a run is allowed suffices to its end: a copy that is given the mean has two states for a moment.
SELECT modelhop.load_keras_model('wide', $${"class_name": "Sequential", "config": {"name": "wide", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 1500, "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 1500}}, {"class_name": "Dense", "config": {"name": "d3", "units": 3, "activation": "softmax"}}]}}$$);
CREATE FUNCTION train_wide() RETURNS void LANGUAGE sql AS $$
  SELECT modelhop.fit('three', 'tight', 'wide', 1, 'loss=''categorical_crossentropy'', optimizer=''Adam()''', 'batch_size=16', 2, parallel => 'average')
$$;
CREATE FUNCTION needed_memory() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL modelhop.run_memory_limit = '16MB';
  PERFORM train_wide();
EXCEPTION WHEN out_of_memory THEN
  RETURN substring(SQLERRM FROM 'the run needs (\d+) MB') || 'MB';
END $$;
SELECT set_config('modelhop.run_memory_limit', needed_memory(), FALSE) <> '' AS is_limited;
SELECT train_wide();
SELECT status FROM tight_summary;
RESET modelhop.run_memory_limit;
