-- Warm start and transfer learning. That states survive a restart of the trainer between two calls, and that such calls
-- equal sequential training, is in regress/tap/100_contract.pl.
SET client_min_messages = warning;
\getenv data MODELHOP_DATA
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::numeric[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 150) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', 15, num_segments => 2, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
CREATE FUNCTION architecture(trainable boolean) RETURNS json LANGUAGE sql AS $$
  SELECT format('{"class_name": "Sequential", "keras_version": "2.10.0", "backend": "tensorflow", "config": {"name": "iris", "layers": [%s]}}',
    string_agg(format('{"class_name": "Dense", "config": {"name": "d%s", "trainable": %s, "units": %s, "activation": "%s"%s}}', n, trainable::text, units, activation,
      CASE n WHEN 1 THEN ', "batch_input_shape": [null, 4]' ELSE '' END), ', ' ORDER BY n))::json
  FROM (VALUES (1, 10, 'relu'), (2, 10, 'relu'), (3, 3, 'softmax')) AS layer(n, units, activation)
$$;
-- 1 learns, 2 is the same with all layers frozen, 3 like 1 with no weights ever.
SELECT modelhop.load_keras_model('arch', architecture(true), NULL, 'learns'), modelhop.load_keras_model('arch', architecture(false), NULL, 'frozen'),
  modelhop.load_keras_model('arch', architecture(true), NULL, 'without weights');
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, 'batch_size=5, epochs=3', 5,
  FALSE, 'packed_val', 1, seed => 1);
SELECT cardinality(training_loss) AS losses, cardinality(training_metrics) AS metrics, cardinality(validation_loss) AS validation_losses,
  (training_loss[5] < training_loss[1]) IS TRUE AS loss_falls, (training_metrics[5] >= training_metrics[1]) IS TRUE AS metric_does_not
FROM model_summary;
CREATE TABLE former AS SELECT training_loss_final AS loss, training_metrics_final AS metric, validation_loss_final AS validation_loss,
  validation_metrics_final AS validation_metric, (SELECT model_weights FROM model) AS model_weights FROM model_summary;
-- A frozen network keeps its loss: after a warm start, and begun with the same weights from the architecture table.
UPDATE arch SET model_weights = (SELECT model_weights FROM model) WHERE model_id = 2;
CREATE FUNCTION is_constant(model text) RETURNS TABLE(losses integer, loss boolean, metric boolean, validation_loss boolean, validation_metric boolean, weights boolean)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT cardinality(s.training_loss), (SELECT bool_and(abs(l - f.loss) < 1e-6) IS TRUE FROM unnest(s.training_loss) l),'
    ' (SELECT bool_and(abs(m - f.metric) < 1e-10) IS TRUE FROM unnest(s.training_metrics) m), (SELECT bool_and(abs(l - f.validation_loss) < 1e-6) IS TRUE FROM unnest(s.validation_loss) l),'
    ' (SELECT bool_and(abs(m - f.validation_metric) < 1e-10) IS TRUE FROM unnest(s.validation_metrics) m), (m.model_weights = f.model_weights) IS TRUE FROM %s_summary s, %1$s m, former f', model);
END $$;
SELECT modelhop.fit('packed', 'model', 'arch', 2, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, 'batch_size=5, epochs=3', 2,
  FALSE, 'packed_val', 1, warm_start => TRUE);
SELECT * FROM is_constant('model');
SELECT modelhop.fit('packed', 'transferred', 'arch', 2, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, 'batch_size=5, epochs=3', 2,
  FALSE, 'packed_val', 1);
SELECT * FROM is_constant('transferred');
SELECT modelhop.fit('packed', 'averaged', 'arch', 2, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, 'batch_size=5, epochs=3', 2,
  FALSE, 'packed_val', 1, parallel => 'average');
SELECT * FROM is_constant('averaged');
-- A former run's weights win over those of the architecture table.
UPDATE arch SET model_weights = (SELECT model_weights FROM former) WHERE model_id = 1;
SELECT modelhop.fit('packed', 'continued', 'arch', 3, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$$, 'batch_size=5', 1, seed => 2);
CREATE TABLE of_three AS SELECT training_loss_final AS loss FROM continued_summary;
SELECT modelhop.fit('packed', 'continued', 'arch', 1, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.0)', metrics=['accuracy']$$, 'batch_size=5', 1, warm_start => TRUE);
SELECT (abs(s.training_loss_final - o.loss) < 1e-6) IS TRUE AS from_former_run, (abs(s.training_loss_final - f.loss) > 1e-3) IS TRUE AS not_from_table
FROM continued_summary s, of_three o, former f;
-- Without weights in the table and without a warm start, training begins anew.
SELECT modelhop.fit('packed', 'anew', 'arch', 3, $$loss='categorical_crossentropy', optimizer='SGD(lr=0.0)', metrics=['accuracy']$$, 'batch_size=5', 1, seed => 9);
SELECT (abs(a.training_loss_final - f.loss) > 1e-3) IS TRUE AS other_weights FROM anew_summary a, former f;
UPDATE arch SET model_weights = NULL;

-- Many at a time: the frozen ones keep the loss that they had, the others go on learning.
CREATE FUNCTION select_models(output text, ids integer[], optimizer text, fit_params text[]) RETURNS void LANGUAGE sql AS $$
  SELECT modelhop.load_model_selection_table('arch', output, ids,
    ARRAY[format($p$loss='categorical_crossentropy', optimizer='%s', metrics=['accuracy']$p$, optimizer)], fit_params)
$$;
SELECT select_models('mst', ARRAY[1, 2], 'Adam(lr=0.01)', ARRAY['batch_size=5, epochs=1', 'batch_size=15, epochs=2']);
SELECT modelhop.fit_multiple_model('packed', 'multi', 'mst', 4, FALSE, 'packed_val', 1, seed => 3);
CREATE TABLE first_run AS SELECT * FROM multi_info;
CREATE TABLE first_weights AS SELECT mst_key, model_weights FROM multi;
SELECT modelhop.fit_multiple_model('packed', 'multi', 'mst', 3, FALSE, 'packed_val', 1, warm_start => TRUE);
SELECT i.mst_key, i.model_id, cardinality(i.training_loss) AS losses,
  (SELECT bool_and(abs(l - f.training_loss_final) < 1e-6 AND abs(f.training_loss[1] - f.training_loss_final) < 1e-6) FROM unnest(i.training_loss) l) IS TRUE AS constant,
  (i.training_loss_final < f.training_loss_final) IS TRUE AS falls, (m.model_weights = w.model_weights) IS TRUE AS same_weights
FROM multi_info i JOIN first_run f USING (mst_key) JOIN multi m USING (mst_key) JOIN first_weights w USING (mst_key) ORDER BY 1;
-- Configurations come and go.
SELECT select_models('mst_four', ARRAY[1], 'Adam(lr=0.01)', ARRAY['batch_size=5', 'batch_size=10', 'batch_size=15', 'batch_size=25']);
SELECT modelhop.fit_multiple_model('packed', 'four', 'mst_four', 2, metrics_compute_frequency => 1, seed => 3);
CREATE TABLE four_before AS SELECT * FROM four_info;
DELETE FROM mst_four WHERE mst_key = 4;
INSERT INTO mst_four SELECT 5, model_id, compile_params, 'batch_size=25, epochs=2' FROM mst_four WHERE mst_key = 1;
UPDATE mst_four SET compile_params = replace(compile_params, '0.01', '0.0');
SELECT modelhop.fit_multiple_model('packed', 'four', 'mst_four', 2, metrics_compute_frequency => 1, warm_start => TRUE);
SELECT array_agg(m.mst_key ORDER BY m.mst_key) AS models, array_agg(i.mst_key ORDER BY i.mst_key) AS infos FROM four m FULL JOIN four_info i USING (mst_key);
-- At rate 0 the first loss after a warm start is the last one before it, for those that were there.
SELECT i.mst_key, (abs(i.training_loss[1] - b.training_loss_final) < 1e-6 AND i.training_loss[1] = i.training_loss[2]) IS TRUE AS same_loss,
  (i.training_metrics[1] = b.training_metrics_final) IS TRUE AS same_metric
FROM four_info i LEFT JOIN four_before b USING (mst_key) ORDER BY 1;
-- The optimizer goes on: with its momentum alone a configuration moves on, and not with a new one. (SGD with momentum
-- moves at rate 0 by what it has gathered.)
SELECT select_models('mst_momentum', ARRAY[1], 'SGD(lr=0.01, momentum=0.9)', ARRAY['batch_size=5']);
SELECT modelhop.fit_multiple_model('packed', 'carried', 'mst_momentum', 1, seed => 3);
SELECT modelhop.fit_multiple_model('packed', 'dropped', 'mst_momentum', 1, seed => 3);
CREATE TABLE before_momentum AS SELECT model_weights FROM carried;
UPDATE mst_momentum SET compile_params = replace(compile_params, 'lr=0.01', 'lr=0.0');
SELECT modelhop.fit_multiple_model('packed', 'carried', 'mst_momentum', 1, warm_start => TRUE);
UPDATE dropped SET training_state = NULL;
SELECT modelhop.fit_multiple_model('packed', 'dropped', 'mst_momentum', 1, warm_start => TRUE);
SELECT c.model_weights <> b.model_weights AS carried_moves, d.model_weights = b.model_weights AS dropped_stays FROM carried c, dropped d, before_momentum b;
-- Two runs of two iterations are one of four, bit for bit, on several segments: all of the state goes on, the orders of
-- the examples and of the segments too.
SELECT modelhop.fit_multiple_model('packed', 'long', 'mst', 4, seed => 11);
SELECT modelhop.fit_multiple_model('packed', 'halves', 'mst', 2, seed => 11);
SELECT modelhop.fit_multiple_model('packed', 'halves', 'mst', 2, warm_start => TRUE);
SELECT mst_key, l.model_weights = h.model_weights AS same_weights, l.training_state = h.training_state AS same_state FROM long l JOIN halves h USING (mst_key) ORDER BY 1;
-- Weights of the architecture table begin every configuration of a grid; one without them begins higher.
UPDATE arch SET model_weights = (SELECT model_weights FROM former) WHERE model_id = 1;
SELECT modelhop.generate_model_configs('arch', 'mst_grid', ARRAY[1, 3],
  $${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'], 'optimizer_params_list': [{'optimizer': ['SGD', 'Adam'], 'lr': [0.0]}]}$$,
  $${'batch_size': [5, 30], 'epochs': [1]}$$);
SELECT modelhop.fit_multiple_model('packed', 'grid', 'mst_grid', 1, seed => 5);
SELECT model_id, count(*), bool_and(abs(training_loss_final - loss) < 1e-6) AS begins_where_the_weights_are, bool_and(training_loss_final > loss + 0.001) AS begins_higher
FROM grid_info, former GROUP BY 1 ORDER BY 1;
-- Transferred weights and a tiny rate: still below where they began, and below what begins without them.
SELECT select_models('mst_tiny', ARRAY[1, 3], 'Adam(lr=0.0001)', ARRAY['batch_size=5, epochs=1']);
SELECT modelhop.fit_multiple_model('packed', 'tiny', 'mst_tiny', 5, metrics_compute_frequency => 1, seed => 5);
SELECT t.model_id, (t.training_loss_final < t.training_loss[1] - 1e-6) IS TRUE AS falls, (t.training_loss_final < f.loss - 1e-6) IS TRUE AS below_former
FROM tiny_info t, former f ORDER BY 1;

-- A network in the manner of VGG on Fashion-MNIST: learn ten garments, keep the convolutions with their batch
-- normalization, frozen, and put a new head on them that tells shoes from the rest.
CREATE TABLE images (id integer, class_name text, image bytea);
SELECT format('COPY images FROM PROGRAM %L (FORMAT csv, HEADER)', 'gzip -dc ' || quote_literal(:'data' || '/fashion_mnist/train.csv.gz') || ' | head -n 401') AS copy \gset
:copy;
ALTER TABLE images ADD is_shoe boolean;
UPDATE images SET is_shoe = class_name IN ('Sandal', 'Sneaker', 'Ankle boot');
SELECT modelhop.training_preprocessor_dl('images', 'garments', 'class_name', 'image', 50, 255, num_segments => 2, seed => 1, independent_shape => ARRAY[28, 28, 1]);
SELECT modelhop.training_preprocessor_dl('images', 'shoes', 'is_shoe', 'image', 50, 255, num_segments => 2, seed => 1, independent_shape => ARRAY[28, 28, 1]);
CREATE FUNCTION vgg(base_trainable boolean, head_trainable boolean, classes integer) RETURNS json LANGUAGE sql AS $$
  SELECT format('{"class_name": "Sequential", "keras_version": "2.10.0", "backend": "tensorflow", "config": {"name": "vgg", "layers": [
    {"class_name": "Conv2D", "config": {"name": "block1_conv1", "trainable": %1$s, "filters": 4, "kernel_size": [3, 3], "padding": "same", "activation": "relu", "batch_input_shape": [null, 28, 28, 1]}},
    {"class_name": "MaxPooling2D", "config": {"name": "block1_pool", "pool_size": [4, 4]}},
    {"class_name": "Conv2D", "config": {"name": "block2_conv1", "trainable": %1$s, "filters": 8, "kernel_size": [3, 3], "padding": "same", "activation": "relu"}},
    {"class_name": "BatchNormalization", "config": {"name": "block2_norm", "trainable": %1$s, "axis": [3]}},
    {"class_name": "MaxPooling2D", "config": {"name": "block2_pool", "pool_size": [2, 2]}},
    {"class_name": "Flatten", "config": {"name": "flatten"}},
    {"class_name": "Dense", "config": {"name": "predictions", "trainable": %2$s, "units": %3$s, "activation": "softmax"}}]}}', base_trainable::text, head_trainable::text, classes)::json
$$;
SELECT modelhop.load_keras_model('vgg', vgg(true, true, 10), NULL, 'garments');
SELECT modelhop.fit('garments', 'garment_model', 'vgg', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$, 'batch_size=20', 2, seed => 1);
-- The convolutions' share of get_weights(): kernels, biases, and the four vectors of the normalization.
SELECT 4 * (3*3*1*4 + 4 + 3*3*4*8 + 8 + 4 * 8) AS base_bytes \gset
SELECT modelhop.load_keras_model('vgg', vgg(false, true, 2),
  substring(model_weights FROM 1 FOR :base_bytes) || decode(repeat('00', 4 * (3*3*8*2 + 2)), 'hex'), 'shoes, new head') FROM garment_model;
SELECT modelhop.load_keras_model('vgg', vgg(false, false, 2), model_weights, 'nothing learns') FROM vgg WHERE model_id = 2;
SELECT modelhop.load_keras_model('vgg', vgg(true, true, 2), model_weights, 'all learns') FROM vgg WHERE model_id = 2;
SELECT modelhop.load_model_selection_table('vgg', 'mst_shoes', ARRAY[2, 3, 4], ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$$],
  ARRAY['batch_size=20', 'batch_size=50']);
SELECT modelhop.fit_multiple_model('shoes', 'shoe_models', 'mst_shoes', 3, metrics_compute_frequency => 1, seed => 2);
SELECT a.name, substring(m.model_weights FROM 1 FOR :base_bytes) = substring(a.model_weights FROM 1 FOR :base_bytes) AS same_base,
  m.model_weights = a.model_weights AS same_weights, abs(i.training_loss[1] - ln(2)) < 1e-6 AND i.training_loss[1] = i.training_loss[3] AS constant_loss,
  (i.training_loss[3] < ln(2) - 0.1 AND i.training_metrics[3] > 0.8) IS TRUE AS learns
FROM shoe_models m JOIN shoe_models_info i USING (mst_key) JOIN vgg a ON a.model_id = i.model_id ORDER BY i.mst_key;
-- Weights that do not fit are refused.
\set VERBOSITY terse
UPDATE vgg SET model_weights = substring(model_weights FROM 5) WHERE model_id = 2;
SELECT modelhop.fit('shoes', 'refused', 'vgg', 2, $$loss='categorical_crossentropy', optimizer='sgd'$$, '', 1);
SELECT modelhop.fit('garments', 'garment_model', 'vgg', 4, $$loss='categorical_crossentropy', optimizer='sgd'$$, '', 1, warm_start => TRUE);
