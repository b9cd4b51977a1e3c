-- What a fit refuses: before anything is written, naming argument and value.
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
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$], ARRAY['batch_size=16']);
-- A selection table of one row with these texts.
CREATE FUNCTION selection(name text, model_id integer, compile_params text, fit_params text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I AS SELECT 1 AS mst_key, $1 AS model_id, $2 AS compile_params, $3 AS fit_params', name)
    USING model_id, compile_params, fit_params;
  EXECUTE format('CREATE TABLE %I AS SELECT ''arch''::varchar AS model_arch_table, NULL::varchar AS object_table', name || '_summary');
END $$;
CREATE FUNCTION architecture(id integer, json text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO arch (model_id, model_arch) VALUES (id, json::json) $$;
-- SQLSTATE and message of what a statement refuses.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text;
  message text;
BEGIN
  EXECUTE statement;
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
  RETURN state || ' ' || message;
END $$;
CREATE FUNCTION fit_refusal(arguments text) RETURNS text LANGUAGE sql AS
$$ SELECT refusal(format('SELECT modelhop.fit_multiple_model(%s)', arguments)) $$;
\pset format unaligned
\t on
-- Tables.
SELECT fit_refusal($$NULL, 'out', 'mst', 1$$);
SELECT fit_refusal($$'', 'out', 'mst', 1$$);
SELECT fit_refusal($$'nothing', 'out', 'mst', 1$$);
SELECT fit_refusal($$'flower', 'out', 'mst', 1$$);
SELECT fit_refusal($$'packed', NULL, 'mst', 1$$);
SELECT fit_refusal($$'packed', '""', 'mst', 1$$);
SELECT fit_refusal($$'"".packed', 'out', 'mst', 1$$);
SELECT fit_refusal($$'packed', 'a.b.c.d', 'mst', 1$$);
SELECT fit_refusal($$'packed', 'flower', 'mst', 1$$);
SELECT fit_refusal($$'packed', 'no_schema.out', 'mst', 1$$);
SELECT fit_refusal($$'packed', 'out', NULL, 1$$);
SELECT fit_refusal($$'packed', 'out', 'nothing', 1$$);
SELECT fit_refusal($$'packed', 'out', 'flower', 1$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, validation_table => 'nothing'$$);
CREATE TABLE out_info ();
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
DROP TABLE out_info;
-- Numbers and words.
SELECT fit_refusal($$'packed', 'out', 'mst', 0$$);
SELECT fit_refusal($$'packed', 'out', 'mst', -3$$);
SELECT fit_refusal($$'packed', 'out', 'mst', NULL$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 2147483647, metrics_compute_frequency => 1$$);
SELECT count(*) FROM modelhop.plan('packed', 'out', 'mst', 2147483647);
SELECT fit_refusal($$'packed', 'out', 'mst', 5, metrics_compute_frequency => 6$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 5, metrics_compute_frequency => 0$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, shuffle => 'sometimes'$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, shuffle => 'segment', use_caching => false$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, optimizer_state => 'lost'$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, warm_start => true$$);
-- Data.
CREATE TABLE wide_flower AS SELECT id, attributes || 1::real AS attributes, class_text FROM flower;
SELECT modelhop.training_preprocessor_dl('wide_flower', 'packed_wide', 'class_text', 'attributes');
CREATE TABLE other_flower AS SELECT id, attributes, upper(class_text) AS class_text FROM flower;
SELECT modelhop.training_preprocessor_dl('other_flower', 'packed_other', 'class_text', 'attributes');
SELECT fit_refusal($$'packed_wide', 'out', 'mst', 1$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, validation_table => 'packed_wide'$$);
SELECT fit_refusal($$'packed', 'out', 'mst', 1, validation_table => 'packed_other'$$);
-- Packed tables that were changed behind the preprocessor's back. Each change is undone.
CREATE FUNCTION packed_refusal(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  CREATE TABLE bent AS TABLE packed;
  CREATE TABLE bent_summary AS TABLE packed_summary;
  EXECUTE change;
  answer := fit_refusal($call$'bent', 'out', 'mst', 1$call$);
  DROP TABLE IF EXISTS bent, bent_summary;
  RETURN answer;
END $$;
SELECT packed_refusal('DROP TABLE bent_summary');
SELECT packed_refusal('DELETE FROM bent');
SELECT packed_refusal('DELETE FROM bent_summary');
SELECT packed_refusal('INSERT INTO bent_summary TABLE packed_summary');
SELECT packed_refusal('ALTER TABLE bent DROP attributes_shape');
SELECT packed_refusal('ALTER TABLE bent RENAME class_text TO species');
SELECT packed_refusal('ALTER TABLE bent ALTER buffer_id TYPE text');
SELECT packed_refusal('ALTER TABLE bent ALTER attributes TYPE text');
SELECT packed_refusal('ALTER TABLE bent_summary DROP normalizing_const');
SELECT packed_refusal('ALTER TABLE bent_summary ALTER dependent_varname TYPE text USING dependent_varname[1]');
SELECT packed_refusal('UPDATE bent_summary SET normalizing_const = 0');
SELECT packed_refusal($$UPDATE bent_summary SET normalizing_const = 'NaN'$$);
SELECT packed_refusal($$UPDATE bent_summary SET independent_element_type = '{float64}'$$);
SELECT packed_refusal('UPDATE bent_summary SET num_segments = 0');
SELECT packed_refusal($$UPDATE bent_summary SET class_text_class_values = '{daisy}'$$);
SELECT packed_refusal($$UPDATE bent_summary SET independent_varname = '{attributes,more}'$$);
SELECT packed_refusal('UPDATE bent SET buffer_id = NULL WHERE buffer_id = 3');
SELECT packed_refusal('UPDATE bent SET buffer_id = -1 WHERE buffer_id = 3');
SELECT packed_refusal('UPDATE bent SET buffer_id = 1 WHERE buffer_id = 3');
SELECT packed_refusal('UPDATE bent SET attributes = NULL WHERE buffer_id = 3');
SELECT packed_refusal('UPDATE bent SET attributes_shape = NULL WHERE buffer_id = 3');
SELECT packed_refusal($$UPDATE bent SET attributes_shape = '{20,5}' WHERE buffer_id = 3$$);
SELECT packed_refusal($$UPDATE bent SET attributes_shape = '{19,4}' WHERE buffer_id = 3$$);
SELECT packed_refusal($$UPDATE bent SET attributes = substr(attributes, 2) WHERE buffer_id = 3$$);
SELECT packed_refusal('UPDATE bent SET class_text = class_text || class_text WHERE buffer_id = 3');
-- Labels that are no class of the network.
CREATE TABLE numbered AS SELECT attributes, ARRAY[id % 4] AS label FROM flower;
SELECT modelhop.training_preprocessor_dl('numbered', 'packed_numbered', 'label', 'attributes', num_segments => 1);
SELECT selection('mst_sparse', 1, $$loss='sparse_categorical_crossentropy', optimizer='sgd'$$, '');
SELECT fit_refusal($$'packed_numbered', 'out', 'mst_sparse', 1$$);
-- Selection tables.
SELECT selection('mst_nothing', 1, 'x', ''); DELETE FROM mst_nothing;
SELECT fit_refusal($$'packed', 'out', 'mst_nothing', 1$$);
INSERT INTO mst_nothing SELECT 1, 1, $$loss='mse', optimizer='sgd'$$, '' FROM generate_series(1, 2);
SELECT fit_refusal($$'packed', 'out', 'mst_nothing', 1$$);
UPDATE mst_nothing SET mst_key = NULL;
SELECT fit_refusal($$'packed', 'out', 'mst_nothing', 1$$);
SELECT selection('mst_model', 99, $$loss='mse', optimizer='sgd'$$, '');
SELECT fit_refusal($$'packed', 'out', 'mst_model', 1$$);
DROP TABLE mst_model_summary;
SELECT fit_refusal($$'packed', 'out', 'mst_model', 1$$);
-- Parameters.
CREATE FUNCTION parameters_refusal(compile_params text, fit_params text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  PERFORM selection('mst_text', 1, compile_params, fit_params);
  answer := fit_refusal($call$'packed', 'out', 'mst_text', 1$call$);
  DROP TABLE mst_text, mst_text_summary;
  RETURN answer;
END $$;
SELECT parameters_refusal(NULL, NULL);
SELECT parameters_refusal($$loss='mse'$$, '');
SELECT parameters_refusal($$loss='mse', optimizer='Adamant(lr=0.1)'$$, '');
SELECT parameters_refusal($$loss='mse', optimizer='Adam(speed=0.1)'$$, '');
SELECT parameters_refusal($$loss='envy', optimizer='sgd'$$, '');
SELECT parameters_refusal($$loss='mse', optimizer='sgd', metrics=['beauty']$$, '');
SELECT parameters_refusal($$loss='mse', optimizer='sgd', colour='red'$$, '');
SELECT parameters_refusal($$loss='mse', optimizer='sgd($$, '');
SELECT parameters_refusal($$loss='mse', optimizer='sgd'$$, 'batch_size=0');
SELECT parameters_refusal($$loss='mse', optimizer='sgd'$$, 'batch_size=-1');
SELECT parameters_refusal($$loss='mse', optimizer='sgd'$$, 'epochs=0');
SELECT parameters_refusal($$loss='mse', optimizer='sgd'$$, 'batch_size=');
SELECT parameters_refusal($$loss='mse', optimizer='sgd'$$, 'speed=9');
-- Architectures.
CREATE FUNCTION architecture_refusal(json text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  INSERT INTO arch (model_id, model_arch) VALUES (50, json::json);
  PERFORM selection('mst_arch', 50, $text$loss='categorical_crossentropy', optimizer='sgd'$text$, '');
  answer := fit_refusal($call$'packed', 'out', 'mst_arch', 1$call$);
  DROP TABLE mst_arch, mst_arch_summary;
  DELETE FROM arch WHERE model_id = 50;
  RETURN answer;
END $$;
CREATE FUNCTION one_layer(class_name text, config text) RETURNS text LANGUAGE sql AS $$
  SELECT architecture_refusal(format('{"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": "%s", "config": {"name": "l", "batch_input_shape": [null, 4], %s}}]}}', class_name, config))
$$;
SELECT architecture_refusal('{"a": 1}');
SELECT architecture_refusal('[]');
SELECT left(architecture_refusal('{"class_name": "Sequential", "config": ' || repeat('[', 5000) || repeat(']', 5000) || '}'), 5);
SELECT one_layer('Conv9D', '"units": 3');
SELECT one_layer('Lambda', '"function": ["4wEAAA==", null, null]');
SELECT one_layer('Dense', '"units": 0');
SELECT one_layer('Dense', '"units": -5');
SELECT left(one_layer('Dense', '"units": 1000000000000'), 5);
SELECT left(one_layer('Dense', '"units": 2147483647'), 5);
SELECT one_layer('Dense', '"units": 3, "activation": "sudden"');
SELECT one_layer('Dense', '"units": 4, "activation": "softmax"');
SELECT left(architecture_refusal('{"class_name": "Model", "config": {"name": "m", "layers": [{"class_name": "InputLayer", "name": "i", "config": {"name": "i", "batch_input_shape": [null, 4]}, "inbound_nodes": []}, {"class_name": "Dense", "name": "d", "config": {"name": "d", "units": 3}, "inbound_nodes": [[["ghost", 0, 0, {}]]]}], "input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}}'), 5);
-- Memory.
SET modelhop.run_memory_limit = '1MB';
INSERT INTO arch (model_id, model_arch) VALUES (60, '{"class_name": "Sequential", "config": {"name": "m", "layers": [
  {"class_name": "Dense", "config": {"name": "a", "units": 100000, "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "b", "units": 3, "activation": "softmax"}}]}}');
SELECT selection('mst_huge', 60, $$loss='categorical_crossentropy', optimizer='adam'$$, '');
SELECT regexp_replace(fit_refusal($$'packed', 'out', 'mst_huge', 1$$), '\d+ MB', 'N MB', 'g');
RESET modelhop.run_memory_limit;
-- Weights of another architecture.
UPDATE arch SET model_weights = '\x00000000' WHERE model_id = 1;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
UPDATE arch SET model_weights = NULL;
-- Rights.
BEGIN READ ONLY;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
ROLLBACK;
CREATE ROLE regress_modelhop_stranger;
GRANT USAGE, CREATE ON SCHEMA public TO regress_modelhop_stranger;
GRANT SELECT ON mst, mst_summary, arch TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
RESET ROLE;
GRANT SELECT ON packed, packed_summary TO regress_modelhop_stranger;
REVOKE CREATE ON SCHEMA public FROM regress_modelhop_stranger;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
SET ROLE regress_modelhop_stranger;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
RESET ROLE;
DROP OWNED BY regress_modelhop_stranger;
DROP ROLE regress_modelhop_stranger;
-- What evaluate and predict refuse for the same reasons.
SELECT modelhop.fit_multiple_model('packed', 'done', 'mst', 1);
CREATE FUNCTION later_refusals() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT refusal($call$SELECT modelhop.evaluate('done', 'packed_val', 'out', mst_key => 1)$call$) UNION ALL
  SELECT refusal($call$SELECT modelhop.predict('done', 'flower', 'id', 'attributes', 'out', mst_key => 1)$call$)
$$;
BEGIN READ ONLY;
SELECT later_refusals();
ROLLBACK;
CREATE ROLE regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT later_refusals();
RESET ROLE;
GRANT SELECT ON done TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT later_refusals();
RESET ROLE;
GRANT SELECT ON done_info, done_summary TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT later_refusals();
RESET ROLE;
DROP OWNED BY regress_modelhop_stranger;
-- No permission on the other tables of a fit.
GRANT SELECT ON packed, packed_summary, mst_summary TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
RESET ROLE;
GRANT SELECT ON mst TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
RESET ROLE;
GRANT SELECT ON arch, done, done_info, done_summary TO regress_modelhop_stranger;
SET ROLE regress_modelhop_stranger;
SELECT fit_refusal($$'packed', 'done', 'mst', 1, warm_start => true$$);
RESET ROLE;
DROP OWNED BY regress_modelhop_stranger;
DROP ROLE regress_modelhop_stranger;
-- A warm start from other tables than its own.
SELECT fit_refusal($$'packed', 'flower', 'mst', 1, warm_start => true$$);
CREATE TABLE other_arch AS TABLE arch;
UPDATE other_arch SET model_arch = replace(model_arch::text, '"units": 10', '"units": 11')::json WHERE model_id = 1;
SELECT selection('mst_changed', 1, $$loss='mse', optimizer='sgd'$$, '');
UPDATE mst_changed_summary SET model_arch_table = 'other_arch';
SELECT fit_refusal($$'packed', 'done', 'mst_changed', 1, warm_start => true$$);
-- Iterations that nobody can count.
UPDATE done_summary SET first_iteration = 2147483600;
SELECT fit_refusal($$'packed', 'done', 'mst', 100, warm_start => true$$);
-- Nothing was written, and the session still works.
SELECT to_regclass('out') IS NULL AND to_regclass('out_info') IS NULL AND to_regclass('out_summary') IS NULL;
SELECT fit_refusal($$'packed', 'out', 'mst', 1$$);
