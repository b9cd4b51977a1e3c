-- Searches: hyperband and hyperopt, their outputs, reproducibility, the contract, callbacks, several columns, streaming.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', buffer_size => 20, num_segments => 3, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'small');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "wide", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 24, "activation": "tanh", "batch_input_shape": [null, 4]}},
  {"class_name": "Dropout", "config": {"name": "drop", "rate": 0.2}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax"}}]}}$$, NULL, 'wide');
SELECT $${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'],
  'optimizer_params_list': [{'optimizer': ['Adam', 'SGD'], 'lr': [0.001, 0.1, 'log']}, {'optimizer': ['RMSprop'], 'lr': [0.001, 0.01]}]}$$ AS compile \gset
SELECT $${'batch_size': [8, 16, 32], 'epochs': [1, 2]}$$ AS fit \gset

-- Hyperband with MADlib's defaults: five configurations, one of three goes on.
SELECT modelhop.automl('packed', 'hb', 'arch', 'hb_mst', ARRAY[1, 2], :'compile', :'fit', seed => 5);
SELECT (SELECT count(*) FROM hb_mst) AS mst, (SELECT count(*) FROM hb_mst_summary) AS mst_summary, (SELECT count(*) FROM hb_summary) AS summary,
  (SELECT count(*) FROM hb) AS models, (SELECT count(*) FROM hb_info) AS infos;
SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', ' ORDER BY a.attnum) AS columns
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname IN ('hb', 'hb_info', 'hb_summary', 'hb_mst', 'hb_mst_summary') AND a.attnum > 0 GROUP BY c.relname ORDER BY c.relname;
SELECT s, i, metrics_iters, count(*) FROM hb_info GROUP BY 1, 2, 3 ORDER BY s DESC, i, 3;
SELECT bool_and(status = 'finished') AS finished, bool_and(cardinality(training_loss) = cardinality(metrics_iters)) AS a_loss_for_each,
  bool_and(cardinality(metrics_elapsed_time) = cardinality(metrics_iters)) AS a_time_for_each,
  bool_and(metrics_elapsed_time[1] > 0 AND metrics_elapsed_time[1] < coalesce(metrics_elapsed_time[2], 'infinity')) AS cumulative,
  bool_and(training_loss[cardinality(training_loss)] = training_loss_final) AS final_is_last, bool_and(validation_loss IS NULL) AS no_validation
FROM hb_info;
\x on
SELECT source_table, validation_table, model, model_info, dependent_varname, independent_varname, model_arch_table, model_selection_table,
  automl_method, automl_params, random_state, object_table, use_gpus, metrics_compute_frequency, name, description,
  end_training_time >= start_training_time AS time_passes, num_classes, class_text_class_values, dependent_vartype, normalizing_const, seed, shuffle,
  use_caching, makespan_ratio >= 1 AS not_below_bound FROM hb_summary;
\x off
SELECT * FROM hb_mst_summary;
-- The winner has the lowest loss; the promoted one of bracket 1 had the lowest of its rung, and its curve falls.
SELECT w.mst_key = (SELECT i.mst_key FROM hb_info i ORDER BY training_loss_final, mst_key LIMIT 1) AS is_best,
  w.model_id = i.model_id AND w.compile_params = i.compile_params AND w.fit_params = i.fit_params AS is_its_row
FROM hb_mst w JOIN hb_info i USING (mst_key);
SELECT (SELECT training_loss[1] FROM hb_info WHERE s = 1 AND i = 1) = (SELECT min(training_loss[1]) FROM hb_info WHERE s = 1) AS best_goes_on;
-- Each trains what it was asked for, and nothing twice.
SELECT s, i, u.kind, count(*) AS units, count(DISTINCT (u.iteration, u.segment)) AS distinct_units
FROM hb_info JOIN modelhop.unit_timeline('hb') u USING (mst_key) GROUP BY mst_key, 1, 2, 3 ORDER BY s DESC, i, 3, 4;
-- A configuration of a search equals the same one trained alone, with the same seed and for as long: bit for bit.
SELECT string_agg(mst_key::text, ',' ORDER BY mst_key) AS short FROM hb_info WHERE i = 0 AND s = 1 \gset
SELECT string_agg(mst_key::text, ',' ORDER BY mst_key) AS long FROM hb_info WHERE metrics_iters @> '{6}' \gset
SELECT modelhop.select_models('hb', 'short_mst', ARRAY[:short]);
SELECT modelhop.select_models('hb', 'long_mst', ARRAY[:long]);
SELECT modelhop.fit_multiple_model('packed', 'short_out', 'short_mst', 2, seed => 5);
SELECT modelhop.fit_multiple_model('packed', 'long_out', 'long_mst', 6, seed => 5);
SELECT count(*) AS configurations, bool_and(o.model_weights = h.model_weights AND o.training_state = h.training_state) AS same_bits
FROM hb h JOIN (TABLE short_out UNION ALL TABLE long_out) o USING (mst_key);
SELECT bool_and(o.training_loss_final = h.training_loss_final) AS same_losses
FROM hb_info h JOIN (SELECT mst_key, training_loss_final FROM short_out_info UNION ALL SELECT mst_key, training_loss_final FROM long_out_info) o USING (mst_key);
-- What works on the output of fit_multiple_model works on this.
SELECT count(*), min(rank), max(rank) FROM modelhop.leaderboard('hb');
SELECT plot LIKE '<svg%' AS is_svg, plot LIKE '%polyline%' OR plot LIKE '%path%' AS has_curves FROM modelhop.plot_curves('hb', 'loss') plot;
SELECT modelhop.plot_timeline('hb') LIKE '<svg%' AS is_svg;
SELECT mst_key AS best FROM hb_mst \gset
SELECT modelhop.evaluate('hb', 'packed', 'evaluated', mst_key => :best);
SELECT abs(e.loss - i.training_loss_final) < 1e-6 AS same_loss FROM evaluated e, hb_info i WHERE i.mst_key = :best;
SELECT modelhop.predict('hb', 'flower', 'id', 'attributes', 'predicted', 'response', mst_key => :best);
SELECT count(*) FROM predicted;
SELECT octet_length(modelhop.model_weights('hb', :best)) = octet_length(model_weights) AS has_weights FROM hb WHERE mst_key = :best;

-- The schedule decides how many there are; elapsed times go on over the rungs of one run.
SELECT modelhop.automl('packed', 'hb5', 'arch', 'hb5_mst', ARRAY[1], :'compile', :'fit', 'HyperBand', 'R=5, eta=5, skip_last=0',
  metrics_compute_frequency => 1, validation_table => 'packed_val', name => 'a name', description => 'a description');
SELECT modelhop.automl('packed', 'hb5_skip', 'arch', 'hb5_skip_mst', ARRAY[1], :'compile', :'fit', automl_params => 'R=5, eta=5, skip_last=1');
SELECT (SELECT count(*) FROM hb5_info) AS without_skipping, (SELECT count(*) FROM hb5_skip_info) AS with_skipping;
SELECT automl_method, automl_params, metrics_compute_frequency, validation_table, name, description FROM hb5_summary;
SELECT s, i, metrics_iters, count(*), bool_and(cardinality(validation_loss) = cardinality(metrics_iters)) AS losses,
  bool_and((SELECT bool_and(t > coalesce(before, 0)) FROM (SELECT t, lag(t) OVER (ORDER BY n) AS before FROM unnest(metrics_elapsed_time) WITH ORDINALITY u(t, n)) o)) AS cumulative
FROM hb5_info GROUP BY 1, 2, 3 ORDER BY s DESC, i;
-- With a validation table its loss is what counts.
SELECT w.mst_key = (SELECT i.mst_key FROM hb5_info i ORDER BY validation_loss_final, mst_key LIMIT 1) AS is_best FROM hb5_mst w;
SELECT modelhop.automl('packed', 'hb_some', 'arch', 'hb_some_mst', ARRAY[1], :'compile', :'fit', automl_params => 'R=4, eta=4', metrics_compute_frequency => 3);
SELECT s, i, metrics_iters, count(*) FROM hb_some_info GROUP BY 1, 2, 3 ORDER BY s DESC, i;

-- Hyperopt: random draws and TPE, which learns from those that have ended.
SELECT modelhop.automl('packed', 'rand', 'arch', 'rand_mst', ARRAY[1, 2], :'compile', :'fit', 'hyperopt', 'num_configs=5, num_iterations=6, algorithm=rand',
  NULL, NULL, FALSE, 'packed_val', 1, 'search', 'by chance', FALSE);
SELECT (SELECT count(*) FROM rand_mst) AS mst, (SELECT count(*) FROM rand_mst_summary) AS mst_summary, (SELECT count(*) FROM rand_summary) AS summary,
  (SELECT count(*) FROM rand) AS models, (SELECT count(*) FROM rand_info) AS infos;
SELECT automl_method, automl_params, random_state, use_gpus, metrics_compute_frequency, name, description, use_caching FROM rand_summary;
SELECT DISTINCT metrics_iters, cardinality(validation_loss) FROM rand_info;
SELECT i.validation_loss[6] < i.validation_loss[1] AS improves FROM rand_info i JOIN rand_mst USING (mst_key);
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'rand_info'::regclass AND attname IN ('metrics_iters', 's', 'i');
SELECT modelhop.automl('packed', 'tpe', 'arch', 'tpe_mst', ARRAY[1, 2], :'compile', :'fit', 'hyperopt', 'num_configs=4, num_iterations=1, algorithm=tpe');
SELECT (SELECT count(*) FROM tpe_mst) AS mst, (SELECT count(*) FROM tpe_mst_summary) AS mst_summary, (SELECT count(*) FROM tpe_summary) AS summary,
  (SELECT count(*) FROM tpe) AS models, (SELECT count(*) FROM tpe_info) AS infos;
-- More than TPE begins with, so that configurations come while others train.
SELECT modelhop.automl('packed', 'tpe_long', 'arch', 'tpe_long_mst', ARRAY[1, 2], :'compile', :'fit', 'hyperopt', 'num_configs=28, num_iterations=2', 3, seed => 4);
SELECT count(*), count(DISTINCT compile_params || fit_params || model_id) AS distinct_configurations, bool_and(status = 'finished') AS finished FROM tpe_long_info;

-- random_state fixes the draws, zero as any other; the seed fixes the training; both give the same weights.
CREATE FUNCTION weights(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  EXECUTE format('SELECT string_agg(md5(model_weights), '' '' ORDER BY mst_key) FROM %s', output) INTO digest;
  RETURN digest;
END $$;
CREATE FUNCTION draws(output text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  list text;
BEGIN
  EXECUTE format('SELECT string_agg(concat_ws('' '', model_id, compile_params, fit_params), ''; '' ORDER BY mst_key) FROM %s_info', output) INTO list;
  RETURN list;
END $$;
SELECT modelhop.automl('packed', 'r' || n, 'arch', 'r_mst' || n, ARRAY[1, 2], :'compile', :'fit', 'hyperband', 'R=3, eta=2, skip_last=1', state, seed => seed)
FROM (VALUES (1, 42, 1), (2, 42, 1), (3, 42, 2), (4, 0, 1), (5, 0, 1), (6, 43, 1)) AS v(n, state, seed);
SELECT draws('r1') = draws('r2') AS same_draws, draws('r1') = draws('r3') AS whatever_the_seed, draws('r4') = draws('r5') AS zero_is_a_seed,
  draws('r1') <> draws('r4') AND draws('r1') <> draws('r6') AS other_states_draw_others, weights('r1') = weights('r2') AS same_weights, weights('r1') <> weights('r3') AS other_seed;
SELECT random_state FROM r4_summary;
SELECT modelhop.automl('packed', 'h' || n, 'arch', 'h_mst' || n, ARRAY[1], :'compile', :'fit', 'hyperopt', 'num_configs=4, num_iterations=1, algorithm=rand', 42) FROM generate_series(1, 3) n;
SELECT draws('h1') = draws('h2') AND draws('h2') = draws('h3') AS same_draws;
-- Without a random_state the seed repeats everything.
SELECT modelhop.automl('packed', 's' || n, 'arch', 's_mst' || n, ARRAY[1], :'compile', :'fit', seed => 8) FROM generate_series(1, 2) n;
SELECT draws('s1') = draws('s2') AS same_draws, weights('s1') = weights('s2') AS same_weights, (SELECT mst_key FROM s_mst1) = (SELECT mst_key FROM s_mst2) AS same_winner;

-- Streaming: the same bits as cached.
SELECT modelhop.training_preprocessor_dl('flower', 'one_segment', 'class_text', 'attributes', buffer_size => 20, num_segments => 1, seed => 1);
SELECT modelhop.automl('one_segment', 'cached', 'arch', 'cached_mst', ARRAY[1, 2], :'compile', :'fit', random_state => 7, seed => 9, shuffle => 'buffer', use_caching => TRUE, validation_table => 'packed_val');
SELECT modelhop.automl('one_segment', 'streamed', 'arch', 'streamed_mst', ARRAY[1, 2], :'compile', :'fit', random_state => 7, seed => 9, use_caching => FALSE, validation_table => 'packed_val');
SELECT weights('cached') = weights('streamed') AS same_bits, (SELECT mst_key FROM cached_mst) = (SELECT mst_key FROM streamed_mst) AS same_winner, (SELECT use_caching FROM streamed_summary) AS is_cached;
SELECT c.s, c.i, c.metrics_iters = t.metrics_iters AND c.validation_loss = t.validation_loss AS same FROM cached_info c JOIN streamed_info t USING (mst_key) ORDER BY mst_key;
SELECT modelhop.automl('one_segment', 'streamed_tpe', 'arch', 'streamed_tpe_mst', ARRAY[1], :'compile', :'fit', 'hyperopt', 'num_configs=24, num_iterations=1', use_caching => FALSE);
SELECT count(*) FROM streamed_tpe_info;

-- What diverges is retired, never goes on and never wins.
SELECT modelhop.automl('packed', 'wild', 'arch', 'wild_mst', ARRAY[1], $${'loss': ['mse'], 'metrics': ['accuracy'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.1, 1e37, 1e38]}]}$$,
  $${'batch_size': [16, 32]}$$, 'hyperband', 'R=6, eta=3', seed => 1);
SELECT compile_params LIKE '%e+3%' AS is_wild, status, count(*), bool_and(i = 0) AS stays FROM wild_info WHERE status = 'diverged' GROUP BY 1, 2;
SELECT bool_and(training_loss_final = 'NaN') AS final_is_nan, bool_and(cardinality(training_loss) = cardinality(metrics_iters)) AS a_loss_for_each, max(metrics_iters[1]) AS iterations
FROM wild_info WHERE status = 'diverged';
SELECT i.status, i.compile_params LIKE '%lr=0.1)%' AS is_tame FROM wild_mst JOIN wild_info i USING (mst_key);
SELECT modelhop.automl('packed', 'hopeless', 'arch', 'hopeless_mst', ARRAY[1], $${'loss': ['mse'], 'metrics': [None], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [1e37, 1e38]}]}$$,
  $${'batch_size': [16]}$$, seed => 1);
SELECT (SELECT count(*) FROM hopeless) AS models, (SELECT count(*) FROM hopeless_mst) AS winners, (SELECT count(*) FROM hopeless_mst_summary) AS summaries;

-- Callbacks: one that stops counts with the loss that it ended with.
SELECT modelhop.automl('packed', 'stopping', 'arch', 'stopping_mst', ARRAY[1], :'compile',
  $${'batch_size': [16], 'callbacks': ["[EarlyStopping(monitor='loss', min_delta=50.0, patience=2)]"], 'epochs': [1, 2]}$$, seed => 2);
SELECT s, i, status, stopped_iteration, metrics_iters, count(*) FROM stopping_info GROUP BY 1, 2, 3, 4, 5 ORDER BY s DESC, i;
SELECT metrics_compute_frequency FROM stopping_summary;
SELECT w.mst_key = (SELECT i.mst_key FROM stopping_info i ORDER BY training_loss_final, mst_key LIMIT 1) AS is_best FROM stopping_mst w;
-- One that was stopped at the end of its rung stands by its loss and is promoted without further training.
SELECT modelhop.automl('packed', 'at_rung', 'arch', 'at_rung_mst', ARRAY[1], :'compile',
  $${'batch_size': [16], 'callbacks': ["[EarlyStopping(monitor='loss', min_delta=50.0, patience=1)]"], 'epochs': [1, 2]}$$, seed => 2);
SELECT s, i, status, stopped_iteration, metrics_iters, count(*) FROM at_rung_info GROUP BY 1, 2, 3, 4, 5 ORDER BY s DESC, i;
-- What a callback has kept is what counts: after the first iteration a rate spoils everything.
SELECT modelhop.automl('packed', 'kept', 'arch', 'kept_mst', ARRAY[1], :'compile',
  $${'batch_size': [16], 'callbacks': ["[ModelCheckpoint('x', monitor='loss', save_best_only=True), LearningRateScheduler(PiecewiseConstantDecay(boundaries=[0], values=[0.05, 50.0]))]"]}$$, seed => 2);
SELECT DISTINCT weights_iteration FROM kept_info;
SELECT w.mst_key = (SELECT mst_key FROM kept_info ORDER BY training_loss_final, mst_key LIMIT 1) AS is_best,
  (SELECT bool_and(training_loss[1] = training_loss_final) FROM kept_info) AS score_of_first FROM kept_mst w;
SELECT modelhop.select_models('kept', 'kept_again', ARRAY[mst_key]) FROM kept_info WHERE i = 1;
SELECT modelhop.fit_multiple_model('packed', 'kept_alone', 'kept_again', 6, seed => 2);
SELECT a.model_weights = k.model_weights AS same_bits FROM kept_alone a JOIN kept k USING (mst_key);

-- Several inputs and outputs, numbers to learn, weights of rows.
SELECT modelhop.load_keras_model('shop_arch', $${"class_name": "Functional", "keras_version": "2.10.0", "backend": "tensorflow", "config": {"name": "two", "layers": [
  {"class_name": "InputLayer", "name": "size_in", "config": {"name": "size_in", "batch_input_shape": [null, 3]}, "inbound_nodes": []},
  {"class_name": "InputLayer", "name": "place_in", "config": {"name": "place_in", "batch_input_shape": [null, 1]}, "inbound_nodes": []},
  {"class_name": "Dense", "name": "wide", "config": {"name": "wide", "units": 8, "activation": "tanh"}, "inbound_nodes": [[["size_in", 0, 0, {}]]]},
  {"class_name": "Concatenate", "name": "all", "config": {"name": "all", "axis": -1}, "inbound_nodes": [[["wide", 0, 0, {}], ["place_in", 0, 0, {}]]]},
  {"class_name": "Dense", "name": "demand_out", "config": {"name": "demand_out", "units": 2, "activation": "softmax"}, "inbound_nodes": [[["all", 0, 0, {}]]]},
  {"class_name": "Dense", "name": "price_out", "config": {"name": "price_out", "units": 1}, "inbound_nodes": [[["all", 0, 0, {}]]]}],
  "input_layers": [["size_in", 0, 0], ["place_in", 0, 0]], "output_layers": [["demand_out", 0, 0], ["price_out", 0, 0]]}}$$);
CREATE TABLE shop AS SELECT i AS id, ARRAY[sin(i), cos(i), sin(i * 3)]::real[] AS size, (i % 7)::smallint AS place,
  (sin(i) > 0)::text AS demand, ARRAY[sin(i) * 2]::real[] AS price, 1 + i % 3 AS weight FROM generate_series(1, 400) i;
SELECT modelhop.training_preprocessor_dl('shop', 'shop_packed', 'demand, price', 'size, place', 25, num_segments => 2, seed => 5,
  normalizing_consts => '{1,7}', sample_weight_varname => 'weight');
SELECT modelhop.automl('shop_packed', 'shop_out', 'shop_arch', 'shop_mst', ARRAY[1],
  $${'loss': [['categorical_crossentropy', 'mse']], 'metrics': [{'demand_out': 'accuracy'}], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.01, 0.1, 'log'], 'momentum': [0.5, 0.95, 'log_near_one']}]}$$,
  $${'batch_size': [16, 32]}$$, seed => 3, name => 'shop');
SELECT count(*), bool_and(status = 'finished') AS finished, bool_and(training_scores -> 0 ? 'price_out_loss') AS scores_by_output FROM shop_out_info;

-- Architectures that come with weights begin with them.
UPDATE arch SET model_weights = (SELECT model_weights FROM hb JOIN hb_info USING (mst_key) WHERE model_id = arch.model_id ORDER BY training_loss_final LIMIT 1);
SELECT model_id FROM arch WHERE model_weights IS NOT NULL ORDER BY 1 LIMIT 1 \gset
SELECT modelhop.automl('packed', 'transfer', 'arch', 'transfer_mst', ARRAY[:model_id], $${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [1e-9, 1e-8, 'log']}]}$$,
  $${'batch_size': [16]}$$, 'hyperopt', 'num_configs=24, num_iterations=1');
SELECT count(*), bool_and(abs(t.training_loss_final - (SELECT min(training_loss_final) FROM hb_info WHERE model_id = :model_id)) < 1e-4) AS goes_on FROM transfer_info t;
UPDATE arch SET model_weights = NULL;

-- Names: quoted, with schema; nothing stays of what is rolled back.
CREATE SCHEMA "My Schema";
SELECT modelhop.automl('packed', '"My Schema"."Out X"', 'arch', '"My Schema"."Best X"', ARRAY[1], :'compile', :'fit', automl_params => 'R=2, eta=2');
SELECT (SELECT count(*) FROM "My Schema"."Out X_info") > 1 AS infos, (SELECT count(*) FROM "My Schema"."Best X") AS winners, (SELECT count(*) FROM "My Schema"."Best X_summary") AS summaries;
BEGIN;
SELECT modelhop.automl('packed', 'gone', 'arch', 'gone_mst', ARRAY[1], :'compile', :'fit', automl_params => 'R=2, eta=2');
ROLLBACK;
SELECT to_regclass('gone') IS NULL AND to_regclass('gone_mst') IS NULL AS nothing_left;
SET client_min_messages = error;
DROP SCHEMA "My Schema" CASCADE;
