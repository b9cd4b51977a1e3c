-- Packed tables: shapes, buffers, classes and what the summary says.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_pack;
SET search_path = regress_pack, public;
CREATE TABLE source AS SELECT i AS id, ARRAY[i, i + 1, i * 2, i / 4.0]::float8[] AS x,
  CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END AS y FROM generate_series(1, 17) i;
-- The numbers of a packed float32 column.
CREATE FUNCTION floats(packed bytea) RETURNS SETOF numeric LANGUAGE sql AS $$
  SELECT round((CASE WHEN b = 0 THEN 0 ELSE (1 - 2 * (b >> 31)) * (1 + (b & 8388607) / 8388608.0)
                * 2.0 ^ (((b >> 23) & 255) - 127) END)::numeric, 4)
  FROM generate_series(0, octet_length(packed) / 4 - 1) i,
    LATERAL (SELECT get_byte(packed, 4 * i) + (get_byte(packed, 4 * i + 1)::bigint << 8)
             + (get_byte(packed, 4 * i + 2)::bigint << 16) + (get_byte(packed, 4 * i + 3)::bigint << 24) AS b) v
$$;
-- MADlib's cut: 17 rows, 5 asked for: 5, 5, 5 and 2.
SELECT modelhop.training_preprocessor_dl('source', 'packed', 'y', 'x', 5, num_segments => 1, seed => 7);
SELECT buffer_id, x_shape, y_shape, octet_length(x), octet_length(y) FROM packed ORDER BY buffer_id;
SELECT attname, format_type(atttypid, atttypmod), attstorage FROM pg_attribute
WHERE attrelid = 'packed'::regclass AND attnum > 0 ORDER BY attnum;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 'packed_summary'::regclass AND attnum > 0 ORDER BY attnum;
\x
SELECT * FROM packed_summary;
\x
-- No row is lost or doubled, each keeps its label, and the order is not that of the source.
SELECT array_agg(f ORDER BY f) = (SELECT array_agg(v::numeric ORDER BY v) FROM source, unnest(x) v) AS same_numbers
FROM packed, floats(x) f;
WITH example AS (
  SELECT buffer_id, i, substring(x FROM i * 16 + 1 FOR 16) AS x, substring(y FROM i * 6 + 1 FOR 6) AS y
  FROM packed, generate_series(0, x_shape[1] - 1) i)
SELECT count(*), bool_and(y = CASE first_number % 3 WHEN 0 THEN '\x010000000000'::bytea WHEN 1 THEN '\x000001000000'
                              ELSE '\x000000000100' END) AS labels_fit
FROM (SELECT y, (SELECT f FROM floats(x) f LIMIT 1)::integer AS first_number FROM example) e;
SELECT array_agg(id) <> array_agg(id ORDER BY id) AS shuffled FROM (
  SELECT (SELECT f FROM floats(substring(x FROM i * 16 + 1 FOR 4)) f) AS id FROM packed, generate_series(0, x_shape[1] - 1) i
  ORDER BY buffer_id, i) e;
-- The same seed gives the same order, another seed another one; no seed draws one and stores it.
SELECT modelhop.training_preprocessor_dl('source', 'again', 'y', 'x', 5, num_segments => 1, seed => 7);
SELECT modelhop.training_preprocessor_dl('source', 'other', 'y', 'x', 5, num_segments => 1, seed => 8);
SELECT modelhop.training_preprocessor_dl('source', 'drawn', 'y', 'x', 5, num_segments => 1);
SELECT (SELECT array_agg(x ORDER BY buffer_id) FROM packed) = (SELECT array_agg(x ORDER BY buffer_id) FROM again) AS same,
  (SELECT array_agg(x ORDER BY buffer_id) FROM packed) <> (SELECT array_agg(x ORDER BY buffer_id) FROM other) AS differs,
  (SELECT seed IS NOT NULL FROM drawn_summary) AS is_stored;
-- Each segment has a buffer where the rows allow; without a number the slots count.
SELECT modelhop.training_preprocessor_dl('source', 'four', 'y', 'x', num_segments => 4, seed => 1);
SELECT buffer_id % 4 AS segment, sum(x_shape[1]) FROM four GROUP BY 1 ORDER BY 1;
SELECT modelhop.training_preprocessor_dl('source', 'many', 'y', 'x', num_segments => 40, seed => 1);
SELECT count(*), max(x_shape[1]) FROM many;
SELECT modelhop.training_preprocessor_dl('source', 'six', 'y', 'x', 2, num_segments => 10, seed => 1);
SELECT count(*), min(x_shape[1]), max(x_shape[1]), sum(x_shape[1]) FROM six;
SELECT modelhop.training_preprocessor_dl('source', 'slots', 'y', 'x');
SELECT num_segments = current_setting('modelhop.slots')::integer AS slots_count FROM slots_summary;
-- Integers with a divisor and padded classes.
CREATE TABLE numbers AS SELECT ARRAY[1, 233 + i, i]::integer[] AS x, (i % 4) * 3 - 3 AS y FROM generate_series(0, 8) i;
SELECT modelhop.training_preprocessor_dl('numbers', 'p1', 'y', 'x', 4, 5, ARRAY[6], num_segments => 1, seed => 1);
SELECT y_class_values, normalizing_const, num_classes, independent_element_type, dependent_vartype FROM p1_summary;
SELECT sum(octet_length(x)), sum(octet_length(y)), max(y_shape[2]) FROM p1;
-- Narrow types by value.
CREATE TABLE widths AS SELECT ARRAY[i, 300]::bigint[] AS x, ARRAY[i, 1]::smallint[] AS s, ARRAY[i, 70000]::integer[] AS wide,
  i::integer AS scalar, ARRAY[i]::numeric[] AS n, i % 2 = 0 AS y FROM generate_series(1, 6) i;
SELECT modelhop.training_preprocessor_dl('widths', 'p2', 'y', 'x, s,wide,scalar,n', num_segments => 1, seed => 1, normalizing_const => 10);
SELECT independent_varname, independent_element_type, y_class_values FROM p2_summary;
SELECT octet_length(x), octet_length(s), octet_length(wide), octet_length(scalar), octet_length(n), scalar_shape, n_shape FROM p2;
SELECT array_agg(f ORDER BY f) FROM p2, floats(n) f;
-- Dependent arrays and the encodings.
CREATE TABLE targets AS SELECT ARRAY[i, 2 * i]::real[] AS x, ARRAY[i / 2.0, -i]::float8[] AS r, ARRAY[i % 2, 1 - i % 2]::float8[] AS hot,
  ARRAY[i, -i]::integer[] AS ints, i * 1.5 AS price, 10 * (i % 3) AS class FROM generate_series(1, 6) i;
SELECT modelhop.training_preprocessor_dl('targets', 't1', 'r', 'x', seed => 1, num_segments => 1);
SELECT modelhop.training_preprocessor_dl('targets', 't2', 'hot', 'x', seed => 1, num_segments => 1);
SELECT modelhop.training_preprocessor_dl('targets', 't3', 'ints', 'x', seed => 1, num_segments => 1);
SELECT modelhop.training_preprocessor_dl('targets', 't4', 'price', 'x', seed => 1, num_segments => 1, dependent_encoding => 'float');
SELECT modelhop.training_preprocessor_dl('targets', 't5', 'class', 'x', seed => 1, num_segments => 1, dependent_encoding => 'class_id');
SELECT modelhop.training_preprocessor_dl('targets', 't6', 'price, class', 'x', seed => 1, num_segments => 1);
SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, r_class_values FROM t1_summary
UNION ALL SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, hot_class_values FROM t2_summary
UNION ALL SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, ints_class_values FROM t3_summary
UNION ALL SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, price_class_values::float8[] FROM t4_summary
UNION ALL SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, class_class_values FROM t5_summary
UNION ALL SELECT dependent_vartype, dependent_element_type, dependent_encoding, num_classes, price_class_values::float8[] FROM t6_summary;
SELECT array_agg(f ORDER BY f), r_shape FROM t1, floats(r) f GROUP BY r_shape;
SELECT array_agg(f ORDER BY f), price_shape FROM t4, floats(price) f GROUP BY price_shape;
SELECT class_shape, octet_length(class) FROM t5;
-- NULL is a class, and sorts first.
CREATE TABLE nulls AS SELECT ARRAY[i, i]::real[] AS x, (ARRAY['b', NULL, 'a'])[i % 3 + 1] AS y FROM generate_series(1, 6) i;
SELECT modelhop.training_preprocessor_dl('nulls', 'n1', 'y', 'x', num_classes => ARRAY[5], num_segments => 1, seed => 1);
SELECT y_class_values, num_classes FROM n1_summary;
CREATE TABLE one_null AS SELECT ARRAY[1, 2, 3, 4, 5, 6]::float8[] AS x, NULL::text AS y;
SELECT modelhop.training_preprocessor_dl('one_null', 'n2', 'y', 'x', num_classes => ARRAY[3], num_segments => 1, seed => 1);
SELECT y_class_values, y, octet_length(x) FROM n2, n2_summary;
-- Bytes, with the shape of an example.
CREATE TABLE images AS SELECT decode(repeat(lpad(to_hex(i), 2, '0'), 12), 'hex') AS x, i % 2 AS y FROM generate_series(1, 8) i;
SELECT modelhop.training_preprocessor_dl('images', 'b1', 'y', 'x', normalizing_const => 255, num_segments => 2, seed => 3, independent_shape => '{2,2,3}');
SELECT x_shape, octet_length(x) FROM b1 ORDER BY buffer_id;
SELECT independent_element_type, normalizing_const FROM b1_summary;
SELECT count(*), count(DISTINCT get_byte(x, i * 12)) FROM b1, generate_series(0, x_shape[1] - 1) i;
-- Validation: the order of the rows, the classes of the training table.
SELECT modelhop.validation_preprocessor_dl('source', 'val', 'y', 'x', 'packed', 5);
SELECT buffer_id, x_shape, y_shape FROM val ORDER BY buffer_id;
SELECT array_agg(id) = array_agg(id ORDER BY id) AS in_order FROM (
  SELECT (SELECT f FROM floats(substring(x FROM i * 16 + 1 FOR 4)) f) AS id FROM val, generate_series(0, x_shape[1] - 1) i
  ORDER BY buffer_id, i) e;
SELECT y_class_values, num_classes, dependent_encoding, num_segments, seed FROM val_summary;
CREATE TABLE val_source AS SELECT ARRAY[1, 2, 3]::integer[] AS x_new, 3 AS y_new;
SELECT modelhop.validation_preprocessor_dl('val_source', 'val2', 'y_new', 'x_new', 'p1');
SELECT y_new, x_new, x_new_shape FROM val2;
SELECT y_new_class_values, buffer_size, normalizing_const FROM val2_summary;
SELECT modelhop.validation_preprocessor_dl('images', 'val3', 'y', 'x', 'b1');
SELECT DISTINCT x_shape FROM val3;
-- One-hot arrays where the training table has classes.
CREATE TABLE hot AS SELECT x, ARRAY[0, 0, 1]::integer[] AS y FROM source;
SELECT modelhop.validation_preprocessor_dl('hot', 'val5', 'y', 'x', 'packed');
SELECT y_shape FROM val5;
CREATE VIEW nulls_view AS SELECT x, y FROM nulls WHERE y IS NULL OR y = 'a';
SELECT modelhop.validation_preprocessor_dl('nulls_view', 'val4', 'y', 'x', 'n1');
SELECT y FROM val4;
-- Quoted names, other schemas, temporary tables, a rolled-back transaction.
CREATE TABLE "special-char?" AS SELECT x AS "The X", y AS "Y,y" FROM source;
SELECT modelhop.training_preprocessor_dl('regress_pack."special-char?"', 'regress_pack."Out put"', '"Y,y"', '"The X"', num_segments => 1, seed => 1);
SELECT "The X_shape", "Y,y_shape" FROM "Out put";
SELECT source_table, output_table, "Y,y_class_values" FROM "Out put_summary";
SELECT modelhop.validation_preprocessor_dl('"special-char?"', '"Out val"', '"Y,y"', '"The X"', '"Out put"');
CREATE TEMP TABLE temp_source AS SELECT * FROM source;
SELECT modelhop.training_preprocessor_dl('temp_source', 'pg_temp.temp_packed', 'y', 'x', num_segments => 1, seed => 1);
SELECT x_shape FROM pg_temp.temp_packed;
BEGIN;
SELECT modelhop.training_preprocessor_dl('source', 'gone', 'y', 'x');
ROLLBACK;
SELECT to_regclass('gone'), to_regclass('gone_summary');
-- Settings are as they were.
SELECT current_setting('search_path'), current_setting('enable_hashagg');
SET client_min_messages = error;
DROP SCHEMA regress_pack CASCADE;
