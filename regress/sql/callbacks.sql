-- Callbacks of the fit parameters: early stopping, learning rates, the best weights; what can never work is refused first.
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
SELECT $$loss='categorical_crossentropy', optimizer='SGD(lr=0.05)', metrics=['accuracy']$$ AS compile \gset
-- A configuration that never improves by as much as is asked for stops; the other one goes on.
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[:'compile'],
  ARRAY[$$batch_size=20, callbacks=[EarlyStopping(monitor='val_loss', min_delta=50.0, patience=2)]$$, 'batch_size=20']);
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 6, FALSE, 'packed_val', 3, seed => 1);
SELECT mst_key, status, stopped_iteration, weights_iteration, callback_events FROM out_info ORDER BY 1;
-- Its arrays end where it ended; the final values are those of its last iteration; every iteration was evaluated for it.
SELECT mst_key, cardinality(training_loss) AS losses, cardinality(validation_metrics) AS metrics, cardinality(metrics_elapsed_time) AS times,
  jsonb_array_length(validation_scores) AS scored, (training_scores -> -1 ->> 'loss')::float8 = training_loss_final AS is_last
FROM out_info ORDER BY 1;
SELECT metrics_iters FROM out_summary;
SELECT mst_key, count(*) FILTER (WHERE kind = 'train') AS trained, count(*) FILTER (WHERE kind <> 'train') AS evaluated
FROM modelhop.unit_timeline('out') GROUP BY 1 ORDER BY 1;
SELECT rank, status FROM modelhop.leaderboard('out') ORDER BY mst_key;
SELECT mst_key, units FROM modelhop.plan('packed', 'other', 'mst', 6, FALSE, 'packed_val', 3) WHERE mst_key IS NOT NULL ORDER BY 1;
-- The same with streaming; and a notice says who was stopped.
SET client_min_messages = notice;
SELECT modelhop.fit('packed', 'streamed', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[EarlyStopping(monitor='loss', min_delta=50.0, patience=1)]$$, 5, use_caching => false, seed => 1);
SET client_min_messages = warning;
SELECT status, stopped_iteration, cardinality(training_loss) AS losses FROM streamed_summary;
-- A learning rate that falls on a plateau, and one by a schedule. They are recorded and travel with the state.
SELECT modelhop.fit('packed', 'plateau', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[ReduceLROnPlateau(monitor='loss', factor=0.5, patience=1, min_delta=50.0, min_lr=0.02), History()]$$, 5, seed => 1);
SELECT status, callback_events FROM plateau_summary;
SELECT modelhop.fit('packed', 'scheduled', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[LearningRateScheduler(ExponentialDecay(0.5, decay_steps=1, decay_rate=0.5))]$$, 3, seed => 1);
SELECT status, callback_events FROM scheduled_summary;
-- A run of two iterations and a warm start of one more go through the same rates.
SELECT modelhop.fit('packed', 'halves', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[LearningRateScheduler(ExponentialDecay(0.5, decay_steps=1, decay_rate=0.5))]$$, 2, seed => 1);
SELECT modelhop.fit('packed', 'halves', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[LearningRateScheduler(ExponentialDecay(0.5, decay_steps=1, decay_rate=0.5))]$$, 1, warm_start => true);
SELECT callback_events, model_weights = (SELECT model_weights FROM scheduled) AS is_same FROM halves_summary, halves;
-- The best weights. A rate that makes everything worse after the first iteration: the first one's weights are kept.
SELECT modelhop.fit('packed', 'best', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[ModelCheckpoint('unused', monitor='val_loss', save_best_only=True), LearningRateScheduler(PiecewiseConstantDecay(boundaries=[0], values=[0.05, 50.0]))]$$,
  3, validation_table => 'packed_val', seed => 1);
SELECT modelhop.fit('packed', 'first', 'arch', 1, :'compile', 'batch_size=20', 1, validation_table => 'packed_val', seed => 1);
SELECT s.weights_iteration, b.model_weights = f.model_weights AS weights_of_first, s.validation_loss_final = t.validation_loss_final AS score_of_first
FROM best b, best_summary s, first f, first_summary t;
SELECT modelhop.fit('packed', 'restored', 'arch', 1, :'compile',
  $$batch_size=20, callbacks=[EarlyStopping(monitor='val_loss', patience=1, restore_best_weights=True), LearningRateScheduler(PiecewiseConstantDecay(boundaries=[0], values=[0.05, 50.0]))]$$,
  4, validation_table => 'packed_val', seed => 1);
SELECT status, stopped_iteration, weights_iteration, r.model_weights = f.model_weights AS weights_of_first FROM restored r, restored_summary, first f;
-- A rate beyond all numbers ends its own configuration; for the first iteration it is refused.
SELECT modelhop.load_model_selection_table('arch', 'mst_rates', ARRAY[1], ARRAY[:'compile'],
  ARRAY[$$batch_size=20, callbacks=[LearningRateScheduler(ExponentialDecay(0.01, decay_steps=1, decay_rate=1e200))]$$, 'batch_size=20']);
SELECT modelhop.fit_multiple_model('packed', 'rates', 'mst_rates', 4, seed => 1);
SELECT mst_key, status, cardinality(training_loss) FROM rates_info ORDER BY 1;
SELECT modelhop.fit_multiple_model('packed', 'rates_streamed', 'mst_rates', 4, use_caching => false, seed => 1);
SELECT mst_key, status FROM rates_streamed_info ORDER BY 1;
SELECT modelhop.fit_multiple_model('packed', 'rates', 'mst_rates', 1, warm_start => true);
SELECT num_iterations, first_iteration FROM rates_summary;
-- Callbacks that only record, and the one that ends what has diverged, which happens anyway.
SELECT modelhop.fit('packed', 'recorded', 'arch', 1, :'compile', $$batch_size=20, callbacks=[CSVLogger('log.csv'), TerminateOnNaN()]$$, 2, seed => 1);
SELECT status, callback_events FROM recorded_summary;
-- A monitor that is never computed, and rates that somebody else holds.
SELECT modelhop.fit('packed', 'bad', 'arch', 1, :'compile', $$callbacks=[EarlyStopping()]$$, 2);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, :'compile', $$callbacks=[EarlyStopping(monitor='auc')]$$, 2);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, $$loss='categorical_crossentropy', optimizer=SGD(learning_rate=ExponentialDecay(0.1, 10, 0.5))$$,
  $$callbacks=[ReduceLROnPlateau(monitor='loss')]$$, 2);
SELECT modelhop.load_model_selection_table('arch', 'mst_bad', ARRAY[1], ARRAY[:'compile'], ARRAY[$$callbacks=[ModelCheckpoint('x', save_best_only=True)]$$]);
SELECT modelhop.fit_multiple_model('packed', 'bad', 'mst_bad', 2);
SELECT to_regclass('bad') IS NULL AND to_regclass('bad_summary') IS NULL AS nothing_left;
