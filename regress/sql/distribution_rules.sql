-- Which segments get data: distribution_rules of both preprocessors. Segment j has dbid j + 2.
SET client_min_messages = warning;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, cos(i) / 4]::real[] AS attributes, ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 120) AS i;
CREATE TABLE two_of_three (dbid integer, hostname text);
INSERT INTO two_of_three VALUES (4, 'here'), (2, 'here');
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', 10, num_segments => 3, seed => 1,
  distribution_rules => 'two_of_three');
SELECT buffer_id, buffer_id % 3 AS segment, attributes_shape[1] AS rows FROM packed ORDER BY buffer_id;
SELECT distribution_rules, __internal_gpu_config__, pg_typeof(distribution_rules) AS rules_type, pg_typeof(__internal_gpu_config__) AS config_type,
       num_segments, num_rows, buffer_size FROM packed_summary;
-- The buffers are those of a table on as many segments, in other places.
SELECT modelhop.training_preprocessor_dl('flower', 'dense', 'class_text', 'attributes', 10, num_segments => 2, seed => 1, distribution_rules => 'all_segments');
SELECT distribution_rules, __internal_gpu_config__, pg_typeof(distribution_rules) AS rules_type, num_segments FROM dense_summary;
SELECT count(*), bool_and(p.attributes = d.attributes AND p.class_text = d.class_text) AS same_buffers
FROM (SELECT *, row_number() OVER (ORDER BY buffer_id) AS n FROM packed) p FULL JOIN (SELECT *, row_number() OVER (ORDER BY buffer_id) AS n FROM dense) d USING (n);
-- NULL is all segments, as is all of them by name.
SELECT modelhop.training_preprocessor_dl('flower', 'all_null', 'class_text', 'attributes', 10, num_segments => 3, seed => 1);
CREATE TABLE three AS SELECT g::bigint AS dbid FROM generate_series(2, 4) g;
SELECT modelhop.training_preprocessor_dl('flower', 'all_named', 'class_text', 'attributes', 10, num_segments => 3, seed => 1, distribution_rules => 'three');
SELECT (SELECT distribution_rules FROM all_null_summary) AS by_null, (SELECT distribution_rules FROM all_named_summary) AS by_name,
       bool_and(a.attributes IS NOT DISTINCT FROM b.attributes) AS same FROM all_null a FULL JOIN all_named b USING (buffer_id);
-- One row a buffer, on the last of the segments alone.
CREATE TABLE last_one AS SELECT 5::smallint AS dbid;
CREATE VIEW few AS SELECT * FROM flower WHERE id <= 3;
SELECT modelhop.training_preprocessor_dl('few', 'packed_few', 'class_text', 'attributes', 1, num_segments => 4, distribution_rules => 'last_one');
SELECT buffer_id, buffer_id % 4 AS segment, attributes_shape[1] AS rows FROM packed_few ORDER BY buffer_id;
-- Validation tables: as many segments as the training table has, rules of their own.
SELECT modelhop.validation_preprocessor_dl('flower', 'validation', 'class_text', 'attributes', 'packed', 20, 'last_one', 4);
SELECT array_agg(DISTINCT buffer_id % 4) AS segments, min(distribution_rules) AS rules, min(__internal_gpu_config__) AS config, min(num_segments) AS num_segments
FROM validation, validation_summary;
SELECT modelhop.validation_preprocessor_dl('flower', 'validation_all', 'class_text', 'attributes', 'packed', 20);
SELECT array_agg(DISTINCT buffer_id % 3) AS segments, min(distribution_rules) AS rules FROM validation_all, validation_all_summary;
-- Models visit the segments that hold data, and no others.
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 3, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}$$);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)'$$],
  ARRAY['batch_size=8', 'batch_size=16']);
SELECT modelhop.fit_multiple_model('packed', 'model', 'mst', 2, validation_table => 'validation', seed => 1);
SELECT mst_key, kind, array_agg(DISTINCT segment) AS segments, count(*) AS units, sum(examples) AS examples
FROM modelhop.unit_timeline('model') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT num_segments FROM model_summary;
-- The table is found as the caller finds tables.
CREATE SCHEMA "Rules";
CREATE TABLE "Rules"."My Segments" AS SELECT 3 AS dbid;
SELECT modelhop.training_preprocessor_dl('flower', 'quoted', 'class_text', 'attributes', num_segments => 3, distribution_rules => '"Rules"."My Segments"');
SELECT distribution_rules FROM quoted_summary;
-- Refusals, before anything is written.
CREATE FUNCTION refusal(rules text, num_segments integer DEFAULT 3) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text;
  hint text;
  state text;
BEGIN
  PERFORM modelhop.training_preprocessor_dl('flower', 'refused', 'class_text', 'attributes', num_segments => num_segments, distribution_rules => rules);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
  RETURN state || ' ' || message || ' / ' || hint;
END $$;
SELECT left(refusal('nothing_there'), 5) AS missing;
SELECT refusal('flower');
CREATE TABLE wrong_type AS SELECT '2'::text AS dbid;
SELECT refusal('wrong_type');
CREATE TABLE none_listed (dbid integer);
SELECT refusal('none_listed');
CREATE TABLE has_null AS SELECT unnest(ARRAY[2, NULL]) AS dbid;
SELECT refusal('has_null');
CREATE TABLE twice AS SELECT unnest(ARRAY[2, 3, 2]) AS dbid;
SELECT refusal('twice');
CREATE TABLE coordinator AS SELECT unnest(ARRAY[1, 2]) AS dbid;
SELECT refusal('coordinator');
CREATE TABLE beyond AS SELECT unnest(ARRAY[2, 5]) AS dbid;
SELECT refusal('beyond'), refusal('beyond', 4) AS with_four;
DROP TABLE refused, refused_summary;
-- The servers of these tests have no GPU.
SELECT refusal('gpu_segments');
SELECT to_regclass('refused') IS NULL AS nothing_written;
SET client_min_messages = error;
DROP SCHEMA "Rules" CASCADE;
