-- Packed tables as scripts for MADlib find them: sizes of buffers, values, classes, what validation inherits.
\getenv schema MODELHOP_SCHEMA
SET client_min_messages = warning;
SET modelhop.madlib_columns = on;
CREATE FUNCTION one_hot(packed bytea, classes integer) RETURNS TABLE (row_number integer, class integer, ones bigint) LANGUAGE sql AS $$
  SELECT r, max(c) FILTER (WHERE v = 1), sum(v) FROM generate_series(1, octet_length(packed) / 2 / classes) r, generate_series(1, classes) c,
    LATERAL (SELECT get_byte(packed, 2 * ((r - 1) * classes + c - 1)) + 256 * get_byte(packed, 2 * ((r - 1) * classes + c - 1) + 1) AS v) e GROUP BY r
$$;
CREATE FUNCTION numbers(packed bytea) RETURNS SETOF numeric LANGUAGE sql AS $$
  SELECT round((CASE WHEN b = 0 THEN 0 ELSE (1 - 2 * (b >> 31)) * (1 + (b & 8388607) / 8388608.0) * 2.0 ^ (((b >> 23) & 255) - 127) END)::numeric, 4)
  FROM generate_series(0, octet_length(packed) / 4 - 1) i, LATERAL (SELECT get_byte(packed, 4 * i) + (get_byte(packed, 4 * i + 1)::bigint << 8)
    + (get_byte(packed, 4 * i + 2)::bigint << 16) + (get_byte(packed, 4 * i + 3)::bigint << 24) AS b) v
$$;
-- 17 rows of 6 whole numbers from 1 to 233, and labels of many types.
CREATE TABLE source AS SELECT i AS id,
  ARRAY[1 + (i * 29) % 233, 1 + (i * 3) % 50, 1, CASE i WHEN 5 THEN 233 ELSE i END, i * i % 200 + 1, 7]::double precision[] AS x,
  (ARRAY['a', 'b'])[i % 2 + 1] AS y, (ARRAY[-6, -3, -1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 4, 5, -1])[i] AS y_int, i % 3 = 0 AS y_bool,
  (ARRAY['c', 'a', 'b'])[i % 3 + 1]::varchar AS y_abc, (ARRAY[4.0, 5.0, 4.2])[i % 3 + 1]::double precision AS y_double,
  ARRAY[i % 2, 1 - i % 2]::double precision[] AS y_doubles, ARRAY[1 - i % 2, i % 2] AS y_ints, nullif((ARRAY['b', 'n', 'a'])[i % 3 + 1], 'n') AS y_null
FROM generate_series(1, 17) i;
-- Asked for 5 rows a buffer: 5, 5, 5 and 2, whatever function packs them.
SELECT :schema.training_preprocessor_dl('source', 'train', 'y', 'x', 5), :schema.validation_preprocessor_dl('source', 'val', 'y', 'x', 'train', 5);
SELECT count(*) AS buffers, array_agg(DISTINCT x_shape[2]) AS width, array_agg(x_shape[1] ORDER BY buffer_id) AS rows, sum(x_shape[1]),
  bool_and(octet_length(x) = x_shape[1] * 6 * 4) AS of_float32, bool_and(octet_length(y) = y_shape[1] * 2 * 2) AS of_int16 FROM train
UNION ALL SELECT count(*), array_agg(DISTINCT x_shape[2]), array_agg(x_shape[1] ORDER BY buffer_id), sum(x_shape[1]),
  bool_and(octet_length(x) = x_shape[1] * 6 * 4), bool_and(octet_length(y) = y_shape[1] * 2 * 2) FROM val;
SELECT :schema.training_preprocessor_dl('source', 'by_default', 'y', 'x'), :schema.training_preprocessor_dl('source', 'by_ones', 'y', 'x', 1);
SELECT (SELECT sum(x_shape[1]) FROM by_default) AS rows, (SELECT count(*) FROM by_ones) AS buffers, buffer_size, __internal_gpu_config__ FROM by_ones_summary;
-- Integer labels, divided features, more classes than there are.
SELECT :schema.training_preprocessor_dl('source', 'ints', 'y_int', 'x', 4, 5, ARRAY[16]);
SELECT min(n) AS least, max(n) AS most FROM ints, numbers(x) n;
SELECT abs(min(v) - 0.2) < 1e-5 AS least, abs(max(v) - 46.6) < 1e-4 AS most FROM ints, unnest(:schema.convert_bytea_to_real_array(x)) v;
SELECT array_agg(v::integer ORDER BY v) = array_fill(0, ARRAY[17 * 15]) || array_fill(1, ARRAY[17]) AS one_in_each_row FROM ints, unnest(:schema.convert_bytea_to_smallint_array(y_int)) v;
SELECT cardinality(:schema.agg_array_concat(:schema.convert_bytea_to_real_array(x))) AS numbers FROM ints;
SELECT DISTINCT y_int_shape[2] AS classes FROM ints;
SELECT source_table, output_table, dependent_varname, independent_varname, dependent_vartype, y_int_class_values, buffer_size, normalizing_const, pg_typeof(normalizing_const), num_classes,
  distribution_rules FROM ints_summary;
SELECT pg_typeof(x), pg_typeof(y_int) FROM ints LIMIT 1;
-- A validation table of one row under other names: constant and classes are the training table's.
CREATE TABLE one AS SELECT ARRAY[1, 2, 3, 4, 5, 6]::double precision[] AS x_new, 4 AS y_new;
SELECT :schema.validation_preprocessor_dl('one', 'one_val', 'y_new', 'x_new', 'ints');
SELECT (SELECT array_agg(n) FROM numbers(x_new) n) AS features, h.class, h.ones, y_new_shape, y_new_class_values = y_int_class_values AS same_classes, s.buffer_size, s.normalizing_const, s.num_classes
FROM one_val, one_val_summary s, ints_summary, one_hot(y_new, 16) h;
-- Every type of labels: sorted classes, a single 1 in each row.
CREATE FUNCTION pack(label text, classes integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  fact text;
BEGIN
  EXECUTE format('SELECT %s.training_preprocessor_dl(''source'', %L, %L, ''x'')', current_setting('regress.schema'), 'of_' || label, label);
  EXECUTE format('SELECT concat_ws('' '', %I, dependent_vartype, num_classes, (SELECT bool_and(h.ones = 1) FROM %I, one_hot(%I, %s) h)) FROM %I', label || '_class_values',
    'of_' || label, label, classes, 'of_' || label || '_summary') INTO fact;
  RETURN fact;
END $$;
SET regress.schema = :'schema';
SELECT label, pack(label, classes) FROM (VALUES ('y_bool', 2), ('y_abc', 3), ('y_double', 3), ('y_doubles', 2), ('y_ints', 2)) v(label, classes);
SELECT y_doubles_class_values IS NULL AS no_values, num_classes = '{}' AS no_counts FROM of_y_doubles_summary;
SELECT array_agg(class ORDER BY class) = (SELECT array_agg(CASE y_ints[1] WHEN 1 THEN 1 ELSE 2 END ORDER BY y_ints[2]) FROM source) AS as_given FROM of_y_ints, one_hot(y_ints, 2);
-- NULL is the first class, padding comes last.
SELECT :schema.training_preprocessor_dl('source', 'nulls', 'y_null', 'x', NULL, NULL, ARRAY[5]);
SELECT y_null_class_values, num_classes, normalizing_const FROM nulls_summary;
CREATE TABLE single_a AS SELECT ARRAY[1, 2, 3, 4, 5, 6] AS x, 'a' AS y_null;
CREATE TABLE single_null AS SELECT ARRAY[1, 2, 3, 4, 5, 6] AS x, NULL::text AS y_null;
SELECT :schema.validation_preprocessor_dl('single_a', 'val_a', 'y_null', 'x', 'nulls'), :schema.validation_preprocessor_dl('single_null', 'val_null', 'y_null', 'x', 'nulls'),
  :schema.training_preprocessor_dl('single_null', 'only_null', 'y_null', 'x', num_classes => ARRAY[3]);
SELECT (SELECT class FROM val_a, one_hot(y_null, 5)) AS of_a, (SELECT class FROM val_null, one_hot(y_null, 5)) AS of_null, octet_length(x), y_null, y_null_class_values FROM only_null, only_null_summary;
-- Lists of columns, each with its classes.
SELECT :schema.training_preprocessor_dl('source', 'lists', 'y, y_abc', 'x, y_ints', 5);
SELECT independent_varname, dependent_varname, dependent_vartype, y_class_values, y_abc_class_values, num_classes FROM lists_summary;
SELECT sum(x_shape[1]) AS x, sum(y_ints_shape[1]) AS y_ints, sum(y_shape[1]) AS y, max(y_abc_shape[2]) AS classes FROM lists;
-- Refusals tell what is wrong.
\set VERBOSITY sqlstate
SELECT :schema.validation_preprocessor_dl('source', 'bad', 'y_int', 'x', 'train');
UPDATE one SET y_new = 11;
SELECT :schema.validation_preprocessor_dl('one', 'bad', 'y_new', 'x_new', 'ints');
SELECT :schema.training_preprocessor_dl('source', 'bad', 'y_abc', 'x', num_classes => ARRAY[2]);
SELECT :schema.training_preprocessor_dl('source', 'bad', 'y', 'x', 0);
SELECT :schema.training_preprocessor_dl('source', 'bad', 'y', 'x', 5, 0);
SELECT :schema.training_preprocessor_dl('source', 'bad', 'no_y', 'x');
SELECT :schema.validation_preprocessor_dl('source', 'bad', 'y', 'x', 'source');
SELECT to_regclass('bad') IS NULL AND to_regclass('bad_summary') IS NULL AS nothing_left;
