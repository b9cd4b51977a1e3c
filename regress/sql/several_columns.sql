-- Networks with several inputs and outputs: packed, trained, evaluated, predicted; one constant for each column; sample weights.
SET client_min_messages = warning;
CREATE TABLE shop AS
SELECT i AS id, ARRAY[sin(i), cos(i), sin(i * 3)]::real[] AS size, (i % 7)::smallint AS place, (i * 37 % 256)::smallint AS shade,
       ('{low,high}'::text[])[(sin(i) > 0)::integer + 1] AS demand, ARRAY[sin(i) * 2 + (i % 7) * 0.1]::real[] AS price,
       (1 + i % 3)::numeric AS weight
FROM generate_series(1, 240) AS i;
SELECT modelhop.training_preprocessor_dl('shop', 'packed', 'demand, price', 'size, place', buffer_size => 20, num_segments => 2, seed => 1,
  normalizing_consts => '{1,10}', sample_weight_varname => 'weight');
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = 'packed'::regclass AND attnum > 0;
SELECT independent_varname, independent_element_type, dependent_varname, dependent_encoding, normalizing_const, normalizing_consts,
  sample_weight_varname FROM packed_summary;
-- Lists count from 1, whatever their subscripts are.
SELECT modelhop.training_preprocessor_dl('shop', 'shifted', 'demand, price', 'size, place', num_segments => 2,
  normalizing_consts => '[0:1]={1,10}', num_classes => '{{3,NULL}}');
SELECT normalizing_consts, num_classes FROM shifted_summary;
SELECT demand_shape, price_shape, size_shape, place_shape, octet_length(weight) FROM packed WHERE buffer_id = 0;
SELECT modelhop.validation_preprocessor_dl('shop', 'packed_val', 'demand, price', 'size, place', 'packed', sample_weight_varname => '"weight"');
SELECT normalizing_consts, sample_weight_varname FROM packed_val_summary;
SELECT get_byte(weight, 3) = 64 AND get_byte(weight, 2) = 0 AS begins_with_two FROM packed_val WHERE buffer_id = 0;
-- Two inputs, two outputs.
\set architecture '{"class_name": "Functional", "config": {"name": "two", "layers": [{"class_name": "InputLayer", "name": "size_in", "config": {"name": "size_in", "batch_input_shape": [null, 3], "dtype": "float32"}, "inbound_nodes": []}, {"class_name": "InputLayer", "name": "place_in", "config": {"name": "place_in", "batch_input_shape": [null, 1], "dtype": "float32"}, "inbound_nodes": []}, {"class_name": "Dense", "name": "wide", "config": {"name": "wide", "units": 8, "activation": "tanh"}, "inbound_nodes": [[["size_in", 0, 0, {}]]]}, {"class_name": "Concatenate", "name": "all", "config": {"name": "all", "axis": -1}, "inbound_nodes": [[["wide", 0, 0, {}], ["place_in", 0, 0, {}]]]}, {"class_name": "Dense", "name": "demand_out", "config": {"name": "demand_out", "units": 2, "activation": "softmax"}, "inbound_nodes": [[["all", 0, 0, {}]]]}, {"class_name": "Dense", "name": "price_out", "config": {"name": "price_out", "units": 1, "activation": "linear"}, "inbound_nodes": [[["all", 0, 0, {}]]]}], "input_layers": [["size_in", 0, 0], ["place_in", 0, 0]], "output_layers": [["demand_out", 0, 0], ["price_out", 0, 0]]}, "keras_version": "2.10.0", "backend": "tensorflow"}'
SELECT modelhop.load_keras_model('arch', :'architecture'::json, NULL, 'two');
SELECT $$optimizer='Adam(lr=0.02)', loss={'demand_out': 'categorical_crossentropy', 'price_out': 'mse'}, loss_weights=[1.0, 0.5], metrics={'demand_out': ['accuracy'], 'price_out': ['mae', 'mse']}$$ AS compile \gset
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[:'compile'], ARRAY['batch_size=16', 'batch_size=40']);
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 6, FALSE, 'packed_val', 3, seed => 1);
SELECT metrics_type, metrics_goal, loss_type, status FROM out_info ORDER BY mst_key;
SELECT mst_key, s ->> 'iteration' AS iteration, array(SELECT jsonb_object_keys(s) ORDER BY 1) AS names FROM out_info, jsonb_array_elements(validation_scores) s ORDER BY 1, 2;
-- The loss is that of the outputs by their weights, and it falls; MADlib's columns have the loss and the first metric.
SELECT mst_key, abs((s -> -1 ->> 'loss')::float8 - ((s -> -1 ->> 'demand_out_loss')::float8 + 0.5 * (s -> -1 ->> 'price_out_loss')::float8)) < 1e-5 AS adds_up,
  (s -> -1 ->> 'loss')::float8 < (s -> 0 ->> 'loss')::float8 AS falls, (s -> -1 ->> 'loss')::float8 = training_loss_final AS same_loss,
  (s -> -1 ->> (metrics_type[1]))::float8 = training_metrics_final AS same_metric, cardinality(all_training_metrics) AS metrics
FROM (SELECT *, training_scores AS s FROM out_info) i ORDER BY mst_key;
SELECT dependent_varname, independent_varname, num_classes, demand_class_values, price_class_values, dependent_vartype, independent_shapes,
  normalizing_consts, dependent_encoding, sample_weight_varname FROM out_summary;
SELECT rank, validation_scores ? 'price_out_mae' AS has_mae, training_scores ? 'demand_out_loss' AS has_loss FROM modelhop.leaderboard('out') ORDER BY 1;
-- Of one segment, streaming gives the same bits as the cache, and two halves with a warm start those of the whole.
SELECT modelhop.training_preprocessor_dl('shop', 'whole', 'demand, price', 'size, place', buffer_size => 50, num_segments => 1, seed => 1,
  sample_weight_varname => 'weight');
SELECT modelhop.fit_multiple_model('whole', 'cached', 'mst', 2, seed => 5, use_caching => true, shuffle => 'buffer');
SELECT modelhop.fit_multiple_model('whole', 'streamed', 'mst', 2, seed => 5, use_caching => false);
SELECT count(*) AS same FROM streamed s JOIN cached c USING (mst_key) WHERE s.model_weights = c.model_weights;
SELECT modelhop.fit_multiple_model('whole', 'halves', 'mst', 1, seed => 5, use_caching => true, shuffle => 'buffer');
SELECT modelhop.fit_multiple_model('whole', 'halves', 'mst', 1, warm_start => true, use_caching => true, shuffle => 'buffer');
SELECT count(*) AS same FROM halves h JOIN cached c USING (mst_key) WHERE h.model_weights = c.model_weights;
-- Sample weights count: of 1 they change nothing, of 0 the rows are as good as absent in the loss.
CREATE TABLE weighted AS SELECT *, 1.0 AS ones, (id <= 120)::integer AS some FROM shop;
SELECT modelhop.training_preprocessor_dl('weighted', 'plain_pack', 'demand', 'size', num_segments => 1, seed => 1),
  modelhop.training_preprocessor_dl('weighted', 'ones_pack', 'demand', 'size', num_segments => 1, seed => 1, sample_weight_varname => 'ones'),
  modelhop.training_preprocessor_dl('weighted', 'some_pack', 'demand', 'size', num_segments => 1, seed => 1, sample_weight_varname => 'some');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "one", "layers": [
  {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 3]}}]}}$$, NULL, 'one');
SELECT modelhop.fit(t || '_pack', t || '_model', 'arch', 2, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy'], weighted_metrics=['accuracy']$$,
  'batch_size=16', 2, seed => 1) FROM unnest('{plain,ones,some}'::text[]) t;
SELECT p.model_weights = o.model_weights AS ones_change_nothing, p.model_weights <> s.model_weights AS some_count
FROM plain_model p, ones_model o, some_model s;
SELECT p.training_loss_final = o.training_loss_final AS ones_change_nothing FROM plain_model_summary p, ones_model_summary o;
SELECT metrics_type, cardinality(all_training_metrics) FROM some_model_summary;
-- One model, evaluated.
SELECT modelhop.fit('packed', 'single', 'arch', 1, :'compile', 'batch_size=16', 30, validation_table => 'packed_val', seed => 1);
SELECT metrics_type, loss_type, num_classes, demand_class_values, dependent_vartype FROM single_summary;
SELECT modelhop.evaluate('single', 'packed_val', 'score');
SELECT loss_type, metrics_type, cardinality(all_metrics) AS metrics, array(SELECT jsonb_object_keys(scores) ORDER BY 1) AS names,
  abs(loss - (SELECT validation_loss_final FROM single_summary)) < 1e-6 AS as_in_training FROM score;
-- Predictions: rows of classes for one output, numbers for the other.
SELECT modelhop.predict('single', 'shop', 'id', 'size, place', 'guess');
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = 'guess'::regclass AND attnum > 0;
SELECT class_name, count(*), count(DISTINCT id) AS ids, count(class_value) AS classes, count(prob) AS probs, count(predicted) AS arrays, max(rank)
FROM guess GROUP BY 1 ORDER BY 1;
SELECT avg((class_value = demand)::integer) > 0.9 AS mostly_right FROM guess JOIN shop USING (id) WHERE class_name = 'demand' AND rank = 1;
SELECT avg(abs(predicted[1] - price[1])) < 0.5 AS near FROM guess JOIN shop USING (id) WHERE class_name = 'price';
-- More rows than the batches in work at a time hold, and the last one short.
CREATE VIEW shops AS SELECT id * 100 + copy AS id, size, place FROM shop, generate_series(0, 19) copy;
SELECT modelhop.predict('single', 'shops', 'id', 'size, place', 'guesses');
SELECT count(*) AS same FROM guesses m JOIN guess g ON g.id = m.id / 100 AND g.class_name = m.class_name
  AND (g.class_value, g.rank) IS NOT DISTINCT FROM (m.class_value, m.rank) AND abs(coalesce(g.prob - m.prob, 0)) < 1e-6
  AND abs(coalesce(g.predicted[1] - m.predicted[1], 0)) < 1e-5;
SELECT modelhop.predict('single', 'shop', 'id', 'size, place', 'best', 'response');
SELECT class_name, count(*) FROM best GROUP BY 1 ORDER BY 1;
-- What does not fit is refused by its name, and nothing is written.
\set VERBOSITY sqlstate
SELECT modelhop.predict('single', 'shop', 'id', 'size', 'bad');
SELECT modelhop.predict('single', 'shop', 'id', 'place, size', 'bad');
SELECT modelhop.predict('single', 'shop', 'id', 'size, demand', 'bad');
SELECT modelhop.training_preprocessor_dl('shop', 'one', 'demand', 'size', num_segments => 2, seed => 1);
SELECT modelhop.training_preprocessor_dl('shop', 'turned', 'price, demand', 'size, place', num_segments => 2, seed => 1);
SELECT modelhop.fit('one', 'bad', 'arch', 1, :'compile', 'batch_size=16', 1);
SELECT modelhop.fit('turned', 'bad', 'arch', 1, :'compile', 'batch_size=16', 1);
SELECT modelhop.fit('packed', 'bad', 'arch', 1, :'compile', 'batch_size=16', 1, validation_table => 'one');
SELECT modelhop.evaluate('single', 'one', 'bad');
\set VERBOSITY terse
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size, place', normalizing_consts => '{1}');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size, place', normalizing_consts => '{1,0}');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size, place', normalizing_consts => '{1,NULL}');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size, place', normalizing_const => 2, normalizing_consts => '{1,2}');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size', sample_weight_varname => 'none');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size', sample_weight_varname => 'demand');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size', sample_weight_varname => 'place, weight');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'size', sample_weight_varname => 'price');
SELECT modelhop.training_preprocessor_dl('shop', 'bad', 'demand', 'place', sample_weight_varname => 'place');
CREATE TABLE negative AS SELECT *, CASE id WHEN 7 THEN -0.5 ELSE 1 END AS minus, CASE id WHEN 7 THEN NULL ELSE 1 END AS hole,
  CASE id WHEN 7 THEN 'NaN'::float8 ELSE 1 END AS nan FROM shop;
SELECT modelhop.training_preprocessor_dl('negative', 'bad', 'demand', 'size', sample_weight_varname => 'minus');
SELECT modelhop.training_preprocessor_dl('negative', 'bad', 'demand', 'size', sample_weight_varname => 'hole');
SELECT modelhop.training_preprocessor_dl('negative', 'bad', 'demand', 'size', sample_weight_varname => 'nan');
SELECT modelhop.validation_preprocessor_dl('negative', 'bad', 'demand', 'size', 'one', sample_weight_varname => 'minus');
SELECT modelhop.validation_preprocessor_dl('shop', 'bad', 'demand', 'size', 'packed');
SELECT to_regclass('bad') IS NULL AND to_regclass('bad_summary') IS NULL AS nothing_left;
-- A packed table whose weights were tampered with.
UPDATE packed SET weight = substr(weight, 2) WHERE buffer_id = 1;
SELECT modelhop.fit('packed', 'bad', 'arch', 1, :'compile', 'batch_size=16', 1);
ALTER TABLE packed ALTER weight TYPE text USING 'x';
SELECT modelhop.fit('packed', 'bad', 'arch', 1, :'compile', 'batch_size=16', 1);
