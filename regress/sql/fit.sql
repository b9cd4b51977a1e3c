-- Training one configuration.
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
SELECT modelhop.fit('packed', 'model', 'arch', 1,
  $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy', 'categorical_accuracy']$$,
  'batch_size=16, epochs=2', 5, FALSE, 'packed_val', 2, seed => 7);
SELECT c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), ', ' ORDER BY a.attnum) AS columns
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname IN ('model', 'model_summary') AND a.attnum > 0 GROUP BY c.relname ORDER BY c.relname;
SELECT count(*), min(octet_length(model_weights)) AS bytes FROM model;
\x on
SELECT source_table, model, model_arch_table, model_id, compile_params, fit_params, num_iterations, validation_table,
       metrics_compute_frequency, model_type, model_size, num_classes, dependent_vartype, normalizing_const, metrics_type,
       loss_type, metrics_iters, class_text_class_values, status, seed, first_iteration,
       cardinality(training_loss) AS losses, training_loss[3] < training_loss[1] AS falls, training_metrics_final > 0.9 AS learned,
       cardinality(all_validation_metrics) AS metrics
FROM model_summary;
\x off
SELECT u ->> 'kind' AS kind, count(*) FROM model_summary, jsonb_array_elements(units) u GROUP BY 1 ORDER BY 1;
-- Warm start goes on where the tables stand, and replaces them.
SELECT training_loss_final AS former_loss FROM model_summary \gset
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$,
  'batch_size=16', 2, warm_start => TRUE, metrics_compute_frequency => 1);
SELECT first_iteration, seed, cardinality(training_loss) AS losses, training_loss[1] < 1.2 * :former_loss AS goes_on FROM model_summary;
SELECT count(*) FROM model;
-- Without metrics, without validation, without fit parameters.
SELECT modelhop.fit('packed', 'plain', 'arch', 1, $$loss='mse', optimizer='sgd'$$, NULL, 1);
SELECT metrics_type, training_metrics, training_metrics_final, validation_loss, training_loss_final > 0 AS has_loss, fit_params FROM plain_summary;
-- Bad calls.
\set VERBOSITY sqlstate
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='mse', optimizer='sgd'$$, NULL, 1);
SELECT modelhop.fit('packed', 'other', 'arch', 1, NULL, NULL, 1);
SELECT modelhop.fit('packed', 'other', 'arch', NULL, $$loss='mse', optimizer='sgd'$$, NULL, 1);
SELECT modelhop.fit('packed', 'other', 'arch', 7, $$loss='mse', optimizer='sgd'$$, NULL, 1);
SELECT modelhop.fit('packed', 'other', 'arch', 1, $$loss='mse', optimizer='sgd'$$, NULL, 1, warm_start => TRUE);
