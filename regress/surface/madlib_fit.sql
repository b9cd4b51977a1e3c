-- Training one model on two small colour images as scripts for MADlib do it: what the summary tells and what is accepted.
\getenv schema MODELHOP_SCHEMA
SELECT p || 'fit' AS fit, p || 'evaluate' AS evaluate, p || 'predict' AS predict FROM (SELECT CASE :'schema' WHEN 'madlib' THEN 'madlib.madlib_keras_' ELSE 'modelhop.' END) AS v(p) \gset
SET client_min_messages = warning;
SELECT setseed(0.25);
CREATE TABLE photo AS
SELECT id, (ARRAY['cat', 'dog'])[id + 1] AS y_text, id AS y,
  (SELECT array_agg(line ORDER BY r) FROM (SELECT r, array_agg(pixel ORDER BY c) AS line FROM (SELECT r, c, array_agg((((r * 31 + c * 17 + k * 97) * (id + 3)) % 256)::real ORDER BY k) AS pixel
    FROM generate_series(1, 32) r, generate_series(1, 32) c, generate_series(1, 3) k GROUP BY r, c) pixels GROUP BY r) lines) AS x
FROM generate_series(0, 1) id;
SELECT :schema.training_preprocessor_dl('photo', 'packed', 'y', 'x', 1, 255), :schema.training_preprocessor_dl('photo', 'packed_text', 'y_text', 'x', 1, 255),
  :schema.validation_preprocessor_dl('photo', 'packed_val', 'y', 'x', 'packed', 1), :schema.training_preprocessor_dl('photo', 'packed_five', 'y', 'x', 1, 255, ARRAY[5]);
\set VERBOSITY sqlstate
CREATE FUNCTION network(units integer) RETURNS json LANGUAGE sql AS $$
  SELECT format('{"class_name": "Sequential", "keras_version": "2.1.6", "backend": "tensorflow", "config": [{"class_name": "Conv2D", "config": {"name": "c", "filters": 32, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
    "data_format": "channels_last", "dilation_rate": [1, 1], "activation": "relu", "use_bias": true, "batch_input_shape": [null, 32, 32, 3]}},
    {"class_name": "MaxPooling2D", "config": {"name": "m", "pool_size": [2, 2], "strides": [2, 2], "padding": "valid", "data_format": "channels_last"}},
    {"class_name": "Dropout", "config": {"name": "o", "rate": 0.25}}, {"class_name": "Flatten", "config": {"name": "f", "data_format": "channels_last"}},
    {"class_name": "Dense", "config": {"name": "d", "units": %s, "activation": "softmax"}}]}', units)::json
$$;
SELECT :schema.load_keras_model('"nets, of photos?"', network(2)), :schema.load_keras_model('"nets, of photos?"', network(5));
-- The summary repeats what was asked, to the letter, and tells how it went.
SELECT $$ loss='categorical_crossentropy',  optimizer='Adam(lr=0.001)',metrics=['mae']$$ AS compile \gset
SELECT :fit('packed', 'model', '"nets, of photos?"', 1, :'compile', ' batch_size=2, epochs=1', 3, FALSE, 'packed_val') AS fit;
\x on
SELECT source_table, model, dependent_varname, independent_varname, model_arch_table, model_id, compile_params = :'compile' AS same_compile, fit_params = ' batch_size=2, epochs=1' AS same_fit,
  num_iterations, validation_table, object_table, metrics_compute_frequency, name, description, model_type, model_size > 0 AS has_size, start_training_time < end_training_time AS takes_time,
  cardinality(metrics_elapsed_time) AS times, num_classes, dependent_vartype, normalizing_const, pg_typeof(normalizing_const), metrics_type, loss_type,
  cardinality(training_metrics) AS metrics, cardinality(training_loss) AS losses, cardinality(validation_metrics) AS validation_metrics, cardinality(validation_loss) AS validation_losses,
  training_metrics_final >= 0 AND training_loss_final >= 0 AND validation_metrics_final >= 0 AND validation_loss_final >= 0 AS not_negative,
  training_loss[1] = training_loss_final AND validation_loss[1] = validation_loss_final AND abs(training_loss_final - validation_loss_final) < 1e-5 AS final_is_last, metrics_iters, y_class_values
FROM model_summary;
\x off
SELECT count(*) AS models, count(model_weights) AS weights, count(model_arch) AS architectures FROM model;
-- Metrics are computed each second iteration and after the last one; without validation its columns are NULL.
SELECT :fit('packed', 'each_second', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 3, NULL, 'packed_val', 2) AS fit;
SELECT metrics_iters, metrics_compute_frequency, cardinality(metrics_elapsed_time) AS times, cardinality(training_loss) AS losses, cardinality(validation_metrics) AS metrics,
  metrics_elapsed_time[1] < metrics_elapsed_time[2] AS ascend FROM each_second_summary;
SELECT :fit('packed', 'named', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 2, FALSE, NULL, 1, FALSE, 'a name', 'a description') AS fit;
SELECT metrics_iters, name, description, cardinality(training_metrics) AS metrics, validation_metrics, validation_metrics_final, validation_loss, validation_loss_final, validation_table FROM named_summary;
-- Without a metric there is a loss.
SELECT :fit('packed', 'none_' || i, '"nets, of photos?"', 1, c, 'batch_size=2', 1) AS fit FROM (VALUES (1, $$loss='categorical_crossentropy', optimizer='adam'$$),
  (2, $$loss='categorical_crossentropy', optimizer='adam', metrics=[]$$), (3, $$loss='categorical_crossentropy', optimizer='adam', metrics=None$$)) v(i, c);
SELECT metrics_type, training_metrics, training_metrics_final, cardinality(training_loss) AS losses FROM none_1_summary
UNION ALL SELECT metrics_type, training_metrics, training_metrics_final, cardinality(training_loss) FROM none_2_summary
UNION ALL SELECT metrics_type, training_metrics, training_metrics_final, cardinality(training_loss) FROM none_3_summary;
-- Spellings that are accepted.
CREATE FUNCTION accepts(compile text, fit text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT %s(''packed'', ''accepted'', ''"nets, of photos?"'', 1, %L, %L, 1)', current_setting('regress.fit'), compile, fit);
  DROP TABLE accepted, accepted_summary;
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLERRM;
END $$;
SET regress.fit = :'fit';
SELECT compile, fit, accepts('loss=''categorical_crossentropy'', metrics=[''accuracy''], ' || compile, fit) FROM (VALUES
  ('optimizer=SGD', 'batch_size=2'), ('optimizer=''SGD''', NULL), ('optimizer=''Adam()''', ''), ('optimizer=Adam(epsilon=None)', 'batch_size=2, epochs=2'),
  ('optimizer=''SGD(lr=.1, nesterov=True, momentum=0.9)''', ' batch_size = 2 , shuffle=True'), ('optimizer=''adam'', loss_weights=[2]', 'batch_size=2, verbose=0'),
  ('optimizer=''rmsprop'', sample_weight_mode=None', 'epochs=2, initial_epoch=0'), ('optimizer=''Adagrad(lr=1e-05)''', 'steps_per_epoch=None'),
  ('optimizer=''SGD()''', 'shuffle=True, initial_epoch=1, steps_per_epoch=2'),
  ('optimizer=''Adadelta()''', 'class_weight={0: 1.0, 1: 2.0}')) v(compile, fit);
-- Classes of text, and more classes than there are.
SELECT :fit('packed_text', 'of_text', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit, :fit('packed_five', 'of_five', '"nets, of photos?"', 2, :'compile', 'batch_size=2', 1) AS fit;
SELECT dependent_vartype, y_text_class_values, num_classes FROM of_text_summary UNION ALL SELECT dependent_vartype, y_class_values::text[], num_classes FROM of_five_summary;
-- NULL is a class of its own, and comes first; unused outputs have no names.
CREATE TABLE photo_null AS TABLE photo UNION ALL SELECT 2, NULL, NULL, x FROM photo WHERE id = 0;
SELECT :schema.training_preprocessor_dl('photo_null', 'packed_null', 'y', 'x', 1, 255, ARRAY[5]);
SELECT :fit('packed_null', 'of_null', '"nets, of photos?"', 2, :'compile', 'batch_size=2', 1) AS fit;
SELECT dependent_vartype, y_class_values, num_classes FROM of_null_summary;
SELECT :predict('of_null', 'photo', 'id', 'x', 'guess_null', 'prob') AS predict, :predict('of_null', 'photo', 'id', 'x', 'best_null', 'response') AS predict;
SELECT array_agg(class_value ORDER BY class_value) AS classes, count(*) AS rows, (SELECT count(*) FROM best_null WHERE id = 0) AS best FROM guess_null WHERE id = 0;
-- The same loss again by evaluate; a warm start goes on from it.
SELECT :evaluate('model', 'packed_val', 'score') AS evaluate;
SELECT abs(loss - validation_loss_final) < 1e-6 AS same_loss, abs(metric - validation_metrics_final) < 1e-6 AS same_metric, score.metrics_type, score.loss_type FROM score, model_summary;
SELECT training_loss_final AS former_loss FROM model_summary \gset
SELECT :fit('packed', 'model', '"nets, of photos?"', 1, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.0)', metrics=['mae']$$, 'batch_size=2', 2, FALSE, 'packed_val', 1, TRUE) AS fit;
SELECT cardinality(training_loss) AS losses, abs(training_loss[1] - :former_loss) < 1e-6 AND abs(training_loss[2] - :former_loss) < 1e-6 AS stands_still FROM model_summary;
-- Refusals; nothing is left behind.
SELECT :fit(NULL, 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', NULL, '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', NULL, 1, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', NULL, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 9, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, NULL, 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, '', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, $$loss='custom_fn', optimizer='sgd'$$, 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, $$loss='categorical_crossentropy', optimizer='sgd', metrics=['custom_fn']$$, 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, :'compile', 'validation_split=0.1', 1) AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1, FALSE, 'no_such_table') AS fit;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1, FALSE, 'photo') AS fit;
SELECT :fit('photo', 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed_five', 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit;
SELECT :fit('packed', 'model', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1) AS fit;
CREATE TABLE packed_numbers AS SELECT x, x_shape, y_shape, buffer_id, 1 AS y FROM packed;
CREATE TABLE packed_numbers_summary AS SELECT * FROM packed_summary;
SELECT :fit('packed', 'bad', '"nets, of photos?"', 1, :'compile', 'batch_size=2', 1, FALSE, 'packed_numbers') AS fit;
SELECT to_regclass('bad') IS NULL AND to_regclass('bad_summary') IS NULL AS nothing_left;
SELECT current_setting('plan_cache_mode'), current_setting('client_min_messages');
