-- Predictions for the rows of an unpacked table.
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
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$,
  'batch_size=16', 10, seed => 1);
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'guess');
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = 'guess'::regclass AND attnum > 0;
SELECT count(*), count(DISTINCT id) AS ids, min(rank), max(rank), array_agg(DISTINCT class_name) AS names, array_agg(DISTINCT class_value) AS classes FROM guess;
SELECT count(*) AS not_one FROM (SELECT sum(prob) AS total FROM guess GROUP BY id) s WHERE abs(total - 1) > 1e-6;
SELECT count(*) AS out_of_order FROM guess a JOIN guess b USING (id) WHERE a.rank < b.rank AND a.prob < b.prob;
SELECT avg((g.class_value = f.class_text)::integer) > 0.9 AS mostly_right FROM guess g JOIN flower f USING (id) WHERE rank = 1;
-- The best one; the best two; those above a threshold, which is itself left out.
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'response', 'response');
SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM guess g WHERE g.id = r.id AND g.rank = 1 AND g.class_value = r.class_value AND g.prob = r.prob)) AS other
FROM response r;
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'response'::regclass AND attnum > 0;
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'top', 2);
SELECT count(*), max(rank) FROM top;
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'many', 99);
SELECT count(*), max(rank) FROM many;
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'sure', 0.5);
SELECT (SELECT count(*) FROM sure) = (SELECT count(*) FROM guess WHERE prob > 0.5) AS same, (SELECT min(prob) FROM sure) > 0.5 AS above;
-- Any type of number, any type of id; a view; more rows than one batch.
CREATE TABLE typed AS
SELECT id::bigint AS id8, format('%s "x", \ %s', id, id) AS name, ('{' || id || ',' || id || '}')::integer[] AS pair, id::numeric(10, 2) AS amount,
       attributes::double precision[] AS d, attributes::numeric[] AS n,
       ARRAY(SELECT round(a) FROM unnest(attributes) a)::integer[] AS i4, ARRAY(SELECT round(a) FROM unnest(attributes) a)::smallint[] AS i2,
       ARRAY(SELECT round(a) FROM unnest(attributes) a)::bigint[] AS i8, ARRAY(SELECT round(a) FROM unnest(attributes) a)::real[] AS r
FROM flower;
SELECT modelhop.predict('model', 'typed', 'name', 'd', 'by_name', 1);
SELECT modelhop.predict('model', 'typed', 'pair', 'n', 'by_pair', 1);
SELECT modelhop.predict('model', 'typed', 'amount', 'd', 'by_amount', 1);
SELECT count(*) FROM by_name b JOIN typed t USING (name) JOIN guess g ON g.id = t.id8 AND g.rank = 1 AND g.class_value = b.class_value AND abs(g.prob - b.prob) < 1e-6;
SELECT count(*) FROM by_pair b JOIN typed t USING (pair) JOIN guess g ON g.id = t.id8 AND g.rank = 1 AND abs(g.prob - b.prob) < 1e-3;
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'by_amount'::regclass AND attname = 'amount';
SELECT modelhop.predict('model', 'typed', 'id8', 'i2', 'by_i2', 1), modelhop.predict('model', 'typed', 'id8', 'i4', 'by_i4', 1),
       modelhop.predict('model', 'typed', 'id8', 'i8', 'by_i8', 1), modelhop.predict('model', 'typed', 'id8', 'r', 'by_r', 1);
SELECT count(*) FROM by_i2 JOIN by_i4 USING (id8, prob, class_value) JOIN by_i8 USING (id8, prob, class_value) JOIN by_r USING (id8, prob, class_value);
CREATE VIEW big AS SELECT f.id * 100 + g AS "Id", f.attributes AS "X y" FROM flower f, generate_series(0, 19) g;
SELECT modelhop.predict('model', 'big', '"Id"', '"X y"', 'pg_temp.big_guess', 'response');
SELECT count(*), count(DISTINCT "Id") FROM big_guess;
SELECT count(*) AS other FROM big_guess b JOIN response r ON r.id = b."Id" / 100 WHERE r.class_value IS DISTINCT FROM b.class_value;
CREATE TABLE none AS TABLE flower WITH NO DATA;
SELECT modelhop.predict('model', 'none', 'id', 'attributes', 'none_guess');
SELECT count(*) FROM none_guess;
-- Bytes, divided by the constant of the training.
CREATE TABLE pixel AS SELECT i AS id, set_byte(set_byte('\x0000'::bytea, 0, i % 2 * 200), 1, i % 50) AS image, i % 2 = 1 AS bright FROM generate_series(1, 200) i;
SELECT modelhop.training_preprocessor_dl('pixel', 'pixel_packed', 'bright', 'image', normalizing_const => 255, seed => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "dot", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 2, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}$$, NULL, 'dot');
SELECT modelhop.fit('pixel_packed', 'dots', 'arch', 2, $$loss='categorical_crossentropy', optimizer='Adam(lr=0.1)', metrics=['accuracy']$$, 'batch_size=20', 10, seed => 1);
SELECT modelhop.predict('dots', 'pixel', 'id', 'image', 'dots_guess', 'response');
SELECT count(*) AS wrong FROM dots_guess JOIN pixel USING (id) WHERE class_value::boolean <> bright;
-- Not classes: one row with all numbers of an output.
CREATE TABLE measured AS SELECT id, attributes, attributes[1:2] AS target FROM flower;
SELECT modelhop.training_preprocessor_dl('measured', 'measured_packed', 'target', 'attributes', seed => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "line", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 2, "activation": "linear", "batch_input_shape": [null, 4]}}]}}$$, NULL, 'line');
SELECT modelhop.fit('measured_packed', 'line', 'arch', 3, $$loss='mse', optimizer='Adam(lr=0.1)'$$, 'batch_size=20', 20, seed => 1);
SELECT modelhop.predict('line', 'measured', 'id', 'attributes', 'line_guess');
SELECT class_name, class_value, rank, count(*), max(abs(predicted[1] - target[1])) < 0.2 AS near, max(abs(predicted[2] - target[2])) < 0.2 AS near
FROM line_guess JOIN measured USING (id) GROUP BY 1, 2, 3;
-- Long rows are written by several statements, none of which holds too many.
CREATE TABLE long AS SELECT id, attributes, ARRAY(SELECT sin(id + i)::real FROM generate_series(1, 20000) i) AS target FROM flower WHERE id <= 200;
SELECT modelhop.training_preprocessor_dl('long', 'long_packed', 'target', 'attributes', num_segments => 1, seed => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "long", "layers": [
  {"class_name": "RepeatVector", "config": {"name": "r", "n": 5000, "batch_input_shape": [null, 4]}}, {"class_name": "Flatten", "config": {"name": "f"}}]}}$$, NULL, 'long');
SELECT modelhop.fit('long_packed', 'long_model', 'arch', 4, $$loss='mse', optimizer='sgd'$$, 'batch_size=20', 1, seed => 1);
SELECT modelhop.predict('long_model', 'long', 'id', 'attributes', 'long_guess');
SELECT count(*), count(DISTINCT g.cmin::text) > 1 AS by_several, bool_and(cardinality(predicted) = 20000) AS are_whole,
  bool_and(predicted[1:4] = attributes AND predicted[19997:20000] = attributes) AS are_right FROM long_guess g JOIN long USING (id);
-- Ids come back as they were, whatever the session's settings.
SET intervalstyle = 'sql_standard'; SET extra_float_digits = -9; SET datestyle = 'SQL, DMY'; SET array_nulls = off;
CREATE TABLE odd AS SELECT sqrt(id)::float8 AS id, '-1 day -02:03:04'::interval * id AS span, date '2026-02-01' + id AS day,
  nullif(id, 2) AS hole, attributes FROM flower WHERE id < 4;
SELECT modelhop.predict('model', 'odd', 'id', 'attributes', 'odd_numbers', 'response');
SELECT modelhop.predict('model', 'odd', 'span', 'attributes', 'odd_spans', 'response');
SELECT modelhop.predict('model', 'odd', 'day', 'attributes', 'odd_days', 'response');
SELECT modelhop.predict('model', 'odd', 'hole', 'attributes', 'odd_holes', 'response');
RESET ALL;
SET client_min_messages = warning;
SELECT (SELECT count(*) FROM odd_numbers JOIN odd USING (id)) AS numbers, (SELECT count(*) FROM odd_spans JOIN odd USING (span)) AS spans,
  (SELECT count(*) FROM odd_days JOIN odd USING (day)) AS days, (SELECT count(*) FILTER (WHERE hole IS NULL) FROM odd_holes) AS holes;
-- Rows that cannot be read are named, and nothing is written.
CREATE TABLE broken AS SELECT id, attributes FROM flower WHERE id < 5;
\set VERBOSITY terse
UPDATE broken SET attributes = NULL WHERE id = 3;
SELECT modelhop.predict('model', 'broken', 'id', 'attributes', 'bad');
UPDATE broken SET attributes = '{1,2,NULL,4}' WHERE id = 3;
SELECT modelhop.predict('model', 'broken', 'id', 'attributes', 'bad');
UPDATE broken SET attributes = '{1,2,NaN,4}' WHERE id = 3;
SELECT modelhop.predict('model', 'broken', 'id', 'attributes', 'bad');
UPDATE broken SET attributes = '{1,2,3}' WHERE id = 3;
SELECT modelhop.predict('model', 'broken', 'id', 'attributes', 'bad');
SELECT modelhop.predict('model', 'flower', 'id', 'class_text', 'bad');
SELECT modelhop.predict('model', 'flower', 'nr', 'attributes', 'bad');
SELECT modelhop.predict('model', 'flower', 'id', 'attributes, id', 'bad');
SELECT modelhop.predict('model', 'packed', 'buffer_id', 'attributes', 'bad');
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'bad', 'best');
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'bad', 0);
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'bad', 1.0);
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'bad', -0.1);
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'bad', mst_key => 1);
SELECT modelhop.predict('model', 'no_flower', 'id', 'attributes', 'bad');
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'guess');
SELECT to_regclass('bad') IS NULL AS nothing_left;
